"""Promotion and journal from the command line, over one live folder."""

import json
import shlex
import sqlite3
from datetime import UTC, datetime

import pandas as pd
import pytest

from holdgood.bundle import save
from holdgood.core.records import Benefit, Comparison, Interval, Label, Prediction, Verdict
from holdgood.core.records.commitment import committed
from holdgood.core.records.envelope import write
from holdgood.core.records.verdict import Gate
from holdgood.core.task import Task
from holdgood.journal import sqlite_store
from holdgood.workflow.live.folder import Live


def bundle(folder, number, *, failed=False, target="late"):
    gate = Gate(name="calibration", status="failed" if failed else "passed", required="r", observed="off by 0.2")
    records = {"verdict": Verdict(status="ready", headline="h", gates=(gate,))}
    task = Task(kind="binary", classes=("no", "yes"), target=target)
    save(
        folder / f"run{number}" / "bundle",
        name="flights",
        parts={},
        records=records,
        task=task,
        extra_json={"n": number},
    )
    return f"run{number}"


@pytest.fixture
def at(tmp_path, cli):
    """A folder with a live model and four predictions of two people."""
    cli("promote", bundle(tmp_path, 1), "--why", "the first", "--by", "ann", at=tmp_path)
    live = Live.open(tmp_path / "live")
    asked = {"model": "flights", "bundle_digest": "d", "answer": {"answer": "no"}, "facts": {"x": 1}}
    answers = [
        Prediction(id=f"00{i}", subject=f"person-{i % 2}", event_time=f"2026-03-0{i + 1}", **asked) for i in range(4)
    ]
    live.journal.append_many(answers, "server")
    return tmp_path


def test_promote_refuse_overrule_and_go_back(at, cli):
    (at / "evidence.json").write_text(
        json.dumps(
            {
                "pairs": [
                    Comparison(
                        first="b", second="a", difference=1, low=0.5, high=2, n=90, p=0.01, verdict="better"
                    ).model_dump()
                ]
            }
        )
    )
    canary = cli(
        "promote",
        bundle(at, 2),
        "--place",
        "canary",
        "--share",
        0.1,
        "--why",
        "trial",
        "--evidence",
        "evidence.json",
        at=at,
    )
    assert canary.code == 0
    assert "is the canary for 10% of the requests now" in canary.out
    held = cli("promote", bundle(at, 3, failed=True), "--why", "soon", at=at)
    assert held.code == 3
    assert "gate 'calibration' failed: off by 0.2" in held.err
    over = cli("promote", "run3", "--why", "the board decided", "--overrule", "--json", at=at)
    assert over.json["overruled"] == ["gate 'calibration' failed: off by 0.2"]
    assert cli("approve", "run2", "--by", "bo", at=at).out.startswith("bo approved flights")
    assert cli("rollback", "flights", "--why", "complaints", "--by", "cy", at=at).code == 0
    said = cli("journal", "live-on", at=at)
    for part in (
        "cy rolled back to it",
        "why       complaints",
        "evidence  b against a: better: 1",
        "approved  by nobody",
        "canary (10%",
    ):
        assert part in said.out
    assert cli("journal", "live-on", "2020-01-01", at=at).out == "nothing was live on 2020-01-01\n"
    assert [s["place"] for s in cli("journal", "live-on", "--json", at=at).json] == ["champion", "canary"]
    assert cli("retire", "flights", "--why", "x", at=at).code == 3
    assert "is the canary no more" in cli("retire", "flights", "--place", "canary", "--why", "x", at=at).out
    shown = cli("journal", "show", "--kind", "promotion", "-n", 2, at=at).out
    assert "roll back · champion · cy · complaints" in shown
    assert "retire · canary" in shown
    assert cli("rollback", "flight", "--why", "x", at=at).code == 3


def test_the_way_back_that_is_printed_works_as_it_is_typed(at, cli):
    """Also after a rollback, for what only went live by an overrule, and in a live folder of another name."""
    for live in ((), ("--live", "other one")):
        cli("promote", bundle(at, 1), "--why", "the first", *live, at=at)
        said = cli("promote", bundle(at, 2, failed=True), "--why", "x", "--overrule", *live, at=at).out
        for _ in range(3):
            command = said.split("to go back: holdgood ")[1].splitlines()[0]
            answer = cli(*shlex.split(command.replace("REASON", "x")), at=at)
            assert answer.code == 0, (command, answer.all)
            said = answer.out


def test_what_an_approval_can_do_and_what_it_cannot(at, cli):
    (at / "live" / "live.toml").write_text('[approval]\nneeded = 1\nby = ["ada", "grace"]\n')
    said = cli("approve", bundle(at, 2), "--by", "grace", at=at)
    assert "next: holdgood promote" in said.out
    held = cli("promote", "run2", "--by", "grace", "--why", "x", at=at)
    assert "0 of 1 approvals of ada, grace (grace promotes it and so does not count among them)" in held.err
    assert "does not count" not in cli("promote", bundle(at, 3), "--by", "ops", "--why", "x", at=at).err
    said = cli("approve", bundle(at, 4, failed=True), "--by", "grace", at=at)
    assert "holdgood promote" not in said.out
    assert "no approval makes up for it: gate 'calibration' failed: off by 0.2" in said.err
    held = cli("promote", bundle(at, 5, target="lost"), "--by", "ops", "--why", "x", at=at)
    assert "its target is 'lost', the champion's 'late'" in held.err
    assert "--model OTHER_NAME" in held.err and "--overrule" not in held.err


def test_a_canary_without_a_share_is_told_how_to_say_one(at, cli):
    told = cli("promote", bundle(at, 2), "--place", "canary", "--why", "x", at=at)
    assert told.code == 2 and "a canary needs --share" in told.err and "None" not in told.err


def test_of_a_day_that_is_still_to_come_the_present_is_told_and_said_to_be_it(at, cli):
    said = "note: 2999-01-01 is still to come; this is how it stands now"
    told = cli("journal", "live-on", "2999-01-01", at=at).out
    assert said in told and "ann promoted it" in told
    assert "nothing was live until now" in cli("journal", "live-on", "2999-01-01", "-m", "none", at=at).out
    as_json = cli("journal", "live-on", "2999-01-01", "--json", at=at)
    assert as_json.json[0]["by"] == "ann" and said in as_json.err
    assert "still to come" not in cli("journal", "live-on", f"{datetime.now(UTC):%Y-%m-%d}", at=at).all


def test_a_journal_that_was_lost_is_not_called_a_beginning(at, cli):
    assert cli("journal", "live-on", "2020-01-01", at=at).err == ""
    for file in (at / "live").glob("journal.sqlite*"):
        file.unlink()
    told = cli("journal", "live-on", at=at)
    assert (told.code, told.out) == (0, "nothing was live until now\n")
    assert "1 bundle lies in live/bundles, and journal.sqlite holds no promotion at all" in told.err
    assert "holdgood journal restore BACKUP" in told.err


def test_heads_kept_outside_prove_that_nothing_was_lost(at, cli):
    assert cli("journal", "head", "--to", "kept.json", at=at).code == 0
    whole = cli("journal", "verify", "--head", "kept.json", at=at)
    assert (whole.code, whole.err) == (0, "")
    assert "is whole, and 2 heads kept outside reached" in whole.out
    assert "cannot be told" in cli("journal", "verify", at=at).err
    (at / "live" / "journal.sqlite").rename(at / "old")
    (at / "live" / "journal.sqlite-wal").unlink(missing_ok=True)
    cli("promote", "run1", "--why", "anew", at=at)
    lost = cli("journal", "verify", "--head", "kept.json", "--json", at=at)
    assert lost.code == 1
    assert any("'server' had 4 entries; the last ones are gone" in f for f in lost.json["faults"])
    assert cli("journal", "verify", "--head", "live/live.toml", at=at).code == 4


def test_labels_by_id_with_a_word_on_each_row_that_cannot_be_taken(at, cli):
    (at / "l.csv").write_text(
        "booking,late,known_time,final\n000,yes,2026-03-09,true\n001,,2026-03-09,true\n009,no,2026-03-09,true\n"
        "002,no,someday,true\n003,no,2026-03-09,perhaps\n,no,2026-03-09,true\n001,no,2026-03-09,false\n"
    )
    told = cli("journal", "label", "l.csv", "--id", "booking", "--value", "late", "--json", "--strict", at=at)
    assert told.code == 1
    assert told.json["written"] == 2
    said = {f["row"]: f["said"] for f in told.json["not_taken"]}
    assert said[2] == "no late"
    assert "no prediction '009' of 'flights'" in said[3]
    assert "known_time of a label is 'someday'" in said[4]
    assert "neither true nor false" in said[5]
    assert said[6] == "no id"
    again = cli("journal", "label", "l.csv", "--id", "booking", "--value", "late", at=at)
    assert "0 labels written, 2 there already" in again.out
    pd.DataFrame({"id": ["001"], "value": ["yes"]}).to_parquet(at / "l.parquet")
    assert cli("journal", "label", "l.parquet", "--json", at=at).json == {
        "written": 1,
        "there_already": 0,
        "of_refused_rows": 0,
        "not_taken": [],
    }
    (at / "c.csv").write_text("id,left,due\n001,2026-03-09,2026-03-08\n000,,\n")
    told = cli("journal", "label", "c.csv", "--column", "left", "--column", "due", "--json", at=at).json
    assert told["written"] == 1 and told["not_taken"][0]["said"] == "no left"
    kept = cli("journal", "show", "-k", "label", "-n", 1, "--json", at=at).json[0]["record"]["payload"]["value"]
    assert kept == {"left": "2026-03-09T00:00:00", "due": "2026-03-08T00:00:00"}
    pd.DataFrame({"id": ["001"], "value": [float("inf")]}).to_parquet(at / "l.parquet")
    endless = cli("journal", "label", "l.parquet", "--json", at=at).json
    assert (endless["written"], endless["not_taken"][0]["said"]) == (0, "value is inf, no finite number")
    wrong = cli("journal", "label", "l.csv", "--id", "bokking", at=at)
    assert "did you mean 'booking'" in wrong.err


@pytest.mark.parametrize(
    "rows",
    [
        "000,no,2026-03-02\n000,yes,2026-03-05\n",  # provisional, then final
        "000,no,\n000,yes,\n",  # of what says no time the last word counts
        "000,no,2026-03-02\n001,yes,2026-03-05T00:00:00Z\n000,yes,\n",
    ],
)
def test_a_file_that_tells_a_row_twice_is_written_once(at, cli, rows):
    (at / "l.csv").write_text("id,value,known_time\n" + rows)
    lines = rows.count("\n")
    for written in (lines, 0, 0):
        told = cli("journal", "label", "l.csv", "--json", at=at).json
        assert (told["written"], told["there_already"]) == (written, lines - written)
    (at / "late.csv").write_text("id,value,known_time\n000,no,2026-03-01\n")  # older than what is known
    assert [cli("journal", "label", "late.csv", "--json", at=at).json["written"] for _ in range(2)] == [1, 0]


def test_labels_of_which_none_could_be_taken_end_with_1_and_say_what_was_expected(at, cli):
    (at / "l.csv").write_text(
        "id,value,known_time\n000,perhaps,2026-03-09\n001,no,22/11/2026 23:00\n002,1,2026-03-09\n"
    )
    told = cli("journal", "label", "l.csv", at=at)
    said = " ".join(told.err.split())
    assert told.code == 1 and "0 labels written" in told.out
    assert "row 1 (line 2): value: 'perhaps' is none of the model's classes: no, yes" in said, said
    assert (
        "row 2 (line 3): the known_time of a label is '22/11/2026 23:00'; a time in ISO format was expected" in said
    ), said
    assert "row 3 (line 4): value: '1' is none of the model's classes" in said, said
    (at / "l.csv").write_text("id,value\n000,yes\n001,maybe\n")
    told = cli("journal", "label", "l.csv", at=at)
    assert told.code == 0 and "1 label written" in told.out
    assert "1 label without known_time: they count from now on" in " ".join(told.err.split())


def test_a_lower_bound_of_a_class_is_not_taken_and_the_other_rows_are(at, cli):
    (at / "l.csv").write_text("id,value,censored\n000,yes,\n001,no,true\n002,no,false\n")
    told = cli("journal", "label", "l.csv", "--json", at=at).json
    assert told["written"] == 2
    (fault,) = told["not_taken"]
    assert (fault["row"], fault["line"]) == (2, 3)
    assert "is a class, which has none" in fault["said"] and "final: false" in fault["said"]


def test_outcomes_known_in_the_future_or_before_their_prediction_are_told_by_row_and_line(at, cli):
    """As at /feedback: such a label would let a look at an earlier day see the future, or a delay be negative."""
    (at / "l.csv").write_text(
        "id,value,known_time\n000,yes,2026-03-09\n\n001,yes,2999-01-01\n002,no,2026-03-01\n003,no,2026-03-04T00:00+00:00\n"
    )
    told = cli("journal", "label", "l.csv", "--json", at=at).json
    assert told["written"] == 2
    future, early = told["not_taken"]
    assert (future["row"], future["line"], future["id"]) == (2, 4, "001")
    assert "2999-01-01" in future["said"] and "is still to come (clocks may differ by 5 minutes)" in future["said"]
    assert (early["row"], early["line"], early["id"]) == (3, 5, "002")
    assert "is before the prediction that it is about (2026-03-03T00:00:00 UTC)" in early["said"]
    kept = cli("journal", "show", "-k", "label", "--json", at=at).json
    assert [e["record"]["payload"]["prediction"] for e in kept] == ["000", "003"]
    pd.DataFrame({"id": ["001"], "value": ["yes"], "known_time": ["2999-01-01"]}).to_parquet(at / "l.parquet")
    table = cli("journal", "label", "l.parquet", at=at)
    assert table.code == 1 and "not taken: row 1: known_time" in table.err


def test_a_date_as_tables_have_it_is_read_whatever_else_its_column_holds(at, cli):
    (at / "l.csv").write_text(
        "id,value,known_time\n000,yes,9.3.2026\n001,no,2026-03-09T10:00:00Z\n002,no,2026/3/9 10:00\n003,no,9/3/2026\n"
    )
    told = cli("journal", "label", "l.csv", at=at)
    said = " ".join(told.err.split())
    assert "3 labels written" in told.out and "row 4 (line 5): the known_time of a label is '9/3/2026'" in said
    assert "a time in ISO format was expected: write it as 2026-03-01T12:00:00Z" in said
    kept = cli("journal", "show", "-k", "label", "--json", at=at).json
    when = [e["record"]["payload"]["known_time"] for e in kept]
    assert when == [f"2026-03-09T{h}:00:00.000000+00:00" for h in ("00", "10", "10")]
    (at / "l.csv").write_text("id,value,known_time\n003,no,1.1.2999\n002,no,2.3.2026\n001,no,soon\n")
    told = cli("journal", "label", "l.csv", at=at)
    said = " ".join(told.err.split())
    assert told.code == 1 and "row 1 (line 2): known_time: 2999-01-01T00" in said and "still to come" in said
    assert "row 2 (line 3)" in said and "a day alone is its beginning" in said


@pytest.mark.parametrize("given", ["20260309", "2026-03-09", "2026-03-09T05:00+05:00"])
def test_a_known_time_is_kept_in_one_notation(at, cli, given):
    (at / "l.csv").write_text(f"id,value,known_time\n000,yes,{given}\n001,yes,\n")
    assert cli("journal", "label", "l.csv", "--json", at=at).json["written"] == 2
    kept = [e["record"]["payload"]["known_time"] for e in cli("journal", "show", "-k", "label", "--json", at=at).json]
    assert kept[0] == "2026-03-09T00:00:00.000000+00:00"
    assert cli("journal", "label", "l.csv", "--json", at=at).json["there_already"] == 2
    (at / "l.csv").write_text("id,value,known_time\n000,yes,1712121200\n")
    assert "known_time of a label is '1712121200'" in cli("journal", "label", "l.csv", at=at).err


def test_labels_are_shown_with_what_came_out_and_whether_it_is_a_bound(at, cli):
    told = {"model": "flights", "known_time": "2026-03-09", "by": "bo"}
    labels = [
        Label(prediction="000", value=False, **told), Label(prediction="001", value=2.5, censored=True, **told),
        Label(prediction="002", value={"minutes": 42, "cancelled": True}, final=False, **told),
        Label(prediction="003", value=None, **told), Label(prediction="003", value={"minutes": None}, **told),
    ]  # fmt: skip
    Live.open(at / "live").journal.append_many(labels, "labels")
    shown = cli("journal", "show", "--kind", "label", at=at).out
    for line in (
        "000 · false · bo",
        "001 · at least 2.5 · bo",
        "002 · minutes 42, cancelled true (may still change) · bo",
        "003 · - · bo",
        "003 · minutes - · bo",
    ):
        assert line in shown, shown


def test_overrides_remember_what_was_answered(at, cli):
    (at / "o.csv").write_text("id,after,reason\n000,yes,knows the customer\n")
    assert cli("journal", "override", "o.csv", "--by", "desk", at=at).code == 0
    assert "0 overrides written, 1 there" in cli("journal", "override", "o.csv", "--by", "desk", at=at).out
    (entry,) = cli("journal", "show", "-k", "answer-override", "--json", at=at).json
    assert entry["record"]["payload"]["before"] == {"answer": "no"}
    assert entry["record"]["payload"]["who"] == "desk"


def test_what_would_be_forgotten_is_told_model_by_model(at, cli):
    book = Live.open(at / "live").journal
    book.append(
        Prediction(id="r1", model="returns", subject="person-0", bundle_digest="d", facts={}, answer={}), "server"
    )
    ask = ("journal", "forget", "--subject", "person-0", "--why", "asked to")
    told = cli(*ask, at=at).out
    assert "3 would be deleted for good (flights: 2 predictions; returns: 1 prediction); nothing was" in " ".join(
        told.split()
    )
    assert "--model NAME" in told
    assert cli(*ask, "--model", "returns", "--yes", at=at).out == "1 entry deleted (returns: 1 prediction)\n"
    assert cli(*ask, "--json", at=at).json["models"] == {"flights": {"prediction": 2}}


@pytest.mark.parametrize("yes", [(), ("--yes",)])
def test_that_nobody_of_a_name_has_rows_is_said_in_words(at, cli, yes):
    told = cli("journal", "forget", "--subject", "nobody", "--why", "asked to", *yes, at=at)
    assert told.code == 0, "what is gone already may be asked for again"
    assert "0 entries deleted: no row in journal.sqlite is of 'nobody'" in " ".join(told.out.split())
    assert "letter by letter" in told.err and "holdgood journal show -k prediction --json" in " ".join(told.err.split())
    ask = ("journal", "forget", "--subject", "person-0", "--model", "returns", "--why", "asked to", *yes)
    assert "no row of returns in" in " ".join(cli(*ask, at=at).out.split())
    old = cli("journal", "forget", "--older-than", "2020-01-01", "--why", "x", *yes, at=at)
    assert (old.out, old.err) == ("0 entries deleted: nothing is that old\n", "")
    assert cli("journal", "forget", "--subject", "nobody", "--why", "x", "--json", at=at).json["entries"] == 0


def test_a_persons_rows_and_old_rows_are_forgotten_and_the_chain_verifies(at, cli):
    (at / "l.csv").write_text("id,value\n000,yes\n001,no\n")
    cli("journal", "label", "l.csv", at=at)
    cli("journal", "head", "--to", "kept.json", at=at)
    ask = ("journal", "forget", "--subject", "person-0", "--why", "asked to")
    (at / "o.csv").write_text("id,after,reason\n002,yes,knows the customer\n")
    cli("journal", "override", "o.csv", "--by", "desk", at=at)
    assert (
        "4 would be deleted for good (flights: 1 override, 1 label, 2 predictions); nothing was" in cli(*ask, at=at).out
    )
    kinds = {"prediction": 2, "label": 1, "answer-override": 1}
    said = {"entries": 4, "kinds": kinds, "models": {"flights": kinds}, "deleted": True, "copies": []}
    assert cli(*ask, "--yes", "--json", at=at).json == said
    assert cli(*ask, "--yes", at=at).out.startswith("0 entries deleted: ")
    old = cli("journal", "forget", "--older-than", "2026-03-03", "--why", "retention", "--yes", "--json", at=at)
    assert old.json["entries"] == 2  # 001 and its label; who promoted what stays
    assert cli("journal", "verify", "--head", "kept.json", at=at).code == 0
    assert [
        e["record"]["payload"]["id"]
        for e in cli("journal", "show", "-k", "prediction", "-m", "flights", "--json", at=at).json
    ] == ["003"]
    assert cli("journal", "live-on", "--json", at=at).json[0]["by"] == "ann"
    for bad, code in ((("--older-than", "2026"), 2), (("--due",), 2), ((), 2)):
        assert cli("journal", "forget", *bad, "--why", "x", "--yes", at=at).code == code
    (at / "live" / "live.toml").write_text("[keep]\ndays = 1\n")
    assert cli("journal", "forget", "--due", "--why", "x", "--yes", "--json", at=at).json["entries"] == 1


def test_verify_says_what_was_forgotten_by_whom_and_finds_a_forged_deletion(at, cli):
    key = at / "live" / "forget.key"
    assert key.stat().st_mode & 0o077 == 0
    cli("journal", "head", "--to", "kept.json", at=at)
    cli("journal", "forget", "--subject", "person-0", "--why", "request 7", "--by", "ann", "--yes", at=at)
    whole = cli("journal", "verify", "--head", "kept.json", at=at)
    assert whole.code == 0, whole.all
    said = " ".join(whole.out.split())
    assert "forgotten: 2 entries in 1 deletion" in said
    assert "2 by ann on 20" in said and "(entry 2 of 'live', younger than the head): request 7" in said, said
    (gone,) = cli("journal", "verify", "--json", at=at).json["forgotten"]
    assert (gone["who"], gone["entries"], gone["sealed"], gone["entry"]) == ("ann", 2, True, 2)
    Live.open(at / "live").journal.forget(
        "server", 2, who="ann", why="request 8"
    )  # by who has the database, not the key
    forged = cli("journal", "verify", "--head", "kept.json", at=at)
    assert forged.code == 1 and "it has no seal" in " ".join(forged.out.split())
    key.rename(at / "elsewhere.key")
    blind = cli("journal", "verify", at=at)
    assert blind.code == 0 and "cannot be told" in " ".join(blind.err.split())
    elsewhere = ("journal", "verify", "--journal", "live/journal.sqlite", "--live", "none", "--key", "elsewhere.key")
    assert cli(*elsewhere, at=at).code == 1
    key.write_text("{}")
    assert cli("journal", "verify", at=at).code == 3


def test_a_slip_in_the_path_of_the_key_seals_nothing_with_a_key_that_verify_does_not_know(at, cli, refuses):
    ask = ("journal", "forget", "--subject", "person-0", "--why", "w", "--yes")
    refuses(*ask, "--key", "live/forgot.key", at=at, code=3, says=["no key at live/forgot.key", "nothing was deleted"])
    assert not (at / "live" / "forgot.key").exists()
    assert cli(*ask, "--key", "live/forget.key", "--json", at=at).json["entries"] == 2
    assert cli("journal", "verify", at=at).code == 0


def test_a_journal_that_comes_back_without_its_key_is_taken_at_its_word_and_sealed_from_then_on(at, cli):
    Live.open(at / "live").journal.forget("server", 1, who="ann", why="as older releases did")
    cli("journal", "forget", "--subject", "person-1", "--why", "w", "--yes", at=at)
    cli("journal", "backup", "b.sqlite", at=at)
    (at / "live").rename(at / "lost")
    assert cli("journal", "restore", "b.sqlite", at=at).code == 0
    whole = cli("journal", "verify", at=at)
    assert whole.code == 0 and "3 entries in 2 deletions" in whole.out, whole.all
    Live.open(at / "live").journal.forget("server", 3, who="eve", why="w")
    assert cli("journal", "verify", at=at).code == 1


def test_what_a_reader_kept_in_the_bytes_of_the_file_goes_with_the_same_command_again(at, cli, refuses, monkeypatch):
    monkeypatch.setattr(sqlite_store, "_SECONDS_TO_WAIT", 0.0)
    file = at / "live" / "journal.sqlite"
    ask = ("journal", "forget", "--subject", "person-0", "--why", "asked to", "--yes")
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchone()
    refuses(*ask, at=at, code=6, says=("somebody reads", "same command again"))
    assert b"person-0" in file.read_bytes()
    reader.execute("COMMIT")  # it stays connected, as a server does
    assert cli(*ask, at=at).out.startswith("0 entries deleted: ")
    assert all(b"person-0" not in f.read_bytes() for f in file.parent.glob("journal.sqlite*"))
    reader.close()


def test_tables_of_retrainings_are_named_when_rows_are_forgotten(at, cli):
    (at / "live" / "retraining").mkdir()
    (at / "live" / "retraining" / "flights-abc.parquet").write_bytes(b"")
    told = cli("journal", "forget", "--subject", "person-0", "--why", "asked to", "--yes", at=at)
    assert "2 entries deleted" in told.out and "1 table of retrainings in live/retraining" in told.err


def test_nothing_that_was_written_down_moves_the_terminal(at, cli):
    cli("promote", bundle(at, 2), "--why", "red\x1b[2J", "--by", "a\x1b]0;b", at=at)
    for ask in (("show",), ("live-on", "2999-01-01")):
        out = cli("journal", *ask, at=at).out
        assert "\\x1b[2J" in out and "\x1b" not in out


def test_backup_and_restore(at, cli):
    assert cli("journal", "backup", "b.sqlite", "--json", at=at).json["new_entries"] == 5
    assert "0 new entries" in cli("journal", "backup", "b.sqlite", at=at).out
    cli("journal", "head", "--to", "kept.json", at=at)
    back = cli("journal", "restore", "b.sqlite", "--head", "kept.json", "--journal", "new.sqlite", "--json", at=at)
    assert back.json == {"new_entries": 5, "journal": "new.sqlite"}
    assert cli("journal", "verify", "--journal", "new.sqlite", "--head", "kept.json", at=at).code == 0
    cli("promote", bundle(at, 2), "--why", "better", at=at)
    longer = cli("journal", "restore", "b.sqlite", at=at)
    assert longer.code == 3
    assert "does not hold all that journal.sqlite holds" in longer.err
    assert cli("journal", "verify", "--journal", "nowhere.sqlite", at=at).code == 3
    assert not (at / "nowhere.sqlite").exists()


def test_the_benefit_ledger(at, cli):
    assert "no benefit was written down yet" in cli("journal", "benefit", at=at).out
    live = Live.open(at / "live")
    told = Interval(value=10, low=8, high=12, n=50)
    live.journal.append(
        Benefit(model="flights", bundle_digest="d", begins="2026-03-01", ends="2026-04-01", promised=told, realised=told, currency="EUR", rows=60, labelled=50),
        "watch",
    )  # fmt: skip
    assert "2026-03-01 to 2026-04-01" in cli("journal", "benefit", at=at).out
    assert cli("journal", "benefit", "--json", at=at).json[0]["currency"] == "EUR"


def test_evidence_that_is_none(at, cli):
    (at / "e.json").write_text("[1]")
    for name, said in (
        ("e.json", "holds no comparison"),
        ("no.json", "no file no.json"),
        ("live/live.toml", "not valid JSON"),
    ):
        assert said in cli("promote", "run1", "--why", "x", "--evidence", name, at=at).err
    write(at / "v.json", Verdict(status="ready", headline="h"))
    assert cli("promote", "run1", "--why", "x", "--evidence", "v.json", at=at).code == 3


def test_prove_what_was_answered(at, cli, refuses):
    row = {"x": 2.5, "who": "told in confidence"}
    asked = {"model": "flights", "bundle_digest": "d", "answer": {"answer": "no"}, "facts": None}
    Live.open(at / "live").journal.append(
        Prediction(id="p", commitment=committed(row), known_time="2026-03-01", **asked), "server"
    )
    (at / "row.json").write_text(json.dumps(row, indent=1))
    (at / "other.json").write_text(json.dumps({**row, "x": 2}))
    said = cli("journal", "prove", "flights", "p", "row.json", at=at)
    assert (
        said.code == 0 and "✓ p was about these facts (by its commitment)" in said.out and "ok: answer no" in said.out
    )
    said = cli("journal", "prove", "flights", "p", "other.json", at=at)
    assert said.code == 1 and "✗ p was about other facts" in said.out and "confidence" not in said.all
    said = cli("journal", "prove", "flights", "p", "other.json", "--json", at=at)
    assert (said.code, said.json["proved"], said.json["by"], said.json["answer"]) == (
        1,
        False,
        "commitment",
        {"answer": "no"},
    )
    (at / "kept.json").write_text('{"x": 1.0}')
    assert "(by its facts)" in cli("journal", "prove", "flights", "000", "kept.json", at=at).out
    refuses("journal", "prove", "flights", "none", "row.json", at=at, code=3, says="no prediction 'none'")
    for text, why in (
        ("{", "is no JSON"),
        ("[1]", "no JSON object"),
        ('{"x": NaN}', "no plain JSON"),
        ("\ud800", "is no JSON"),
    ):
        (at / "bad.json").write_text(text, errors="surrogatepass")
        refuses("journal", "prove", "flights", "p", "bad.json", at=at, code=3, says=why)
    refuses("journal", "prove", "flights", "p", "away.json", at=at, code=3, says="cannot be read")
