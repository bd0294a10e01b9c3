"""Watching from the command line: a finished run goes live, its answers are looked at, an alarm is acknowledged."""

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from holdgood.bundle import save
from holdgood.core.records import Acknowledgement, Label, Prediction, Verdict, WatchLook
from holdgood.core.task import Task
from holdgood.workflow.live import service
from holdgood.workflow.live.folder import Live
from holdgood.workflow.predict import Predictor

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
AT = "2026-03-09"


@pytest.fixture
def live(copied, cli, make_orders):
    """A week of answers in which x has moved far away, with outcomes for half of them."""
    assert cli("promote", "runs/0001", "--why", "the first", "--by", "ann", at=copied).code == 0
    folder = Live.open(copied / "live")
    (champion,) = folder.standing()
    model = Predictor.load(folder.bundle(champion.bundle_digest))
    rows = make_orders(n=240, seed=5)
    rows["x"] += 2.0
    told = model.predict(model.table_of(rows))
    asked = {"model": champion.model, "bundle_digest": champion.bundle_digest}
    when = [(BEGIN + timedelta(minutes=40 * i)).isoformat() for i in range(len(rows))]
    answers = [
        Prediction(id=f"r{i}", event_time=when[i], facts={"x": float(x), "kind": kind}, answer={"probability": float(p)}, **asked)
        for i, (x, kind, p) in enumerate(zip(rows.x, rows.kind, told, strict=True))
    ]  # fmt: skip
    labels = [
        Label(prediction=f"r{i}", model=champion.model, known_time=when[i], value=rows.late[i])
        for i in range(0, len(rows), 2)
    ]
    folder.journal.append_many([*answers, *labels], "server")
    return copied, champion.model


def test_a_look_is_told_written_down_and_acknowledged(live, cli):
    folder, model = live
    seen = cli("watch", "live", "--at", AT, "--json", "--html", "look.html", at=folder)
    assert seen.code == 0, seen.all
    (look,) = seen.json
    assert look["look"]["model"] == model
    assert look["look"]["rows"] == len(range(240)) - sum(40 * i >= 7 * 24 * 60 for i in range(240))
    moved = next(a for a in look["alarms"] if a["code"] == "MON001")
    assert moved["subject"] == "x"
    assert "MON001" in (folder / "look.html").read_text()
    again = cli("watch", "live", "--model", model, "--at", AT, "--strict", at=folder)
    assert again.code == 1  # there is an alarm
    assert "(looked at before)" in again.out
    assert moved["id"] in again.out
    said = cli(
        "acknowledge", "live", moved["id"][:8], "--by", "bo", "--why", "known", "--until", "2026-04-01", at=folder
    )
    assert said.out.strip().replace("\n", " ") == f"{moved['id']}: seen by bo, quiet until 2026-04-01T00:00:00+00:00"
    ((_, kept),) = Live.open(folder / "live").journal.read(Acknowledgement)
    assert (kept.alarm, kept.who, kept.why) == (moved["id"], "bo", "known")
    listed = {a["id"]: a for a in cli("journal", "alarms", "--json", at=folder).json["alarms"]}
    assert listed.keys() == {a["id"] for a in look["alarms"]}
    assert listed[moved["id"]]["acknowledged"]["by"] == "bo"
    assert listed[moved["id"]]["do"] == moved["todo"]
    seen = cli("watch", "live", "--at", AT, "--html", "look.html", at=folder)
    words = "new, acknowledged by bo, quiet until 2026-04-01T00:00"
    assert f"[{moved['id']}, {words}]" in seen.out and words in (folder / "look.html").read_text()


def test_what_cannot_be_looked_at_is_said(live, cli, refuses):
    folder, _ = live
    refuses("watch", "live", "--at", "someday", at=folder, code=2, says=["--at 'someday' is no day or time"])
    refuses(
        "watch",
        "live",
        "--at",
        "2999-03-01",
        at=folder,
        code=2,
        says=["a look at 2999-03-01T00:00:00, still to come", "a moment in the past", "leave --at out"],
    )
    assert not Live.open(folder / "live").journal.read(WatchLook), "nothing was looked at, nothing is written"
    refuses("retrain", "live", "--as-of", "someday", at=folder, code=2, says=["--as-of 'someday' is no day or time"])
    refuses(
        "acknowledge",
        "live",
        "x",
        "--by",
        "bo",
        "--until",
        "someday",
        at=folder,
        code=2,
        says=["until 'someday' is no day or time"],
    )
    refuses("journal", "live-on", "someday", at=folder, code=2, says=["'someday' is no day or time"])
    refuses("journal", "show", "--since", "someday", at=folder, code=2, says=["'someday' is no day or time"])
    refuses("watch", "live", "--model", "nobody", at=folder, code=3, says=["no champion of 'nobody'"])
    refuses("acknowledge", "live", "zzz", "--by", "bo", at=folder, code=3, says=["no alarm with an id"])
    for word in (("--at", AT), ("--reference", "t.csv"), ("--html", "x.html"), ("--json",), ("--strict",)):
        refuses("watch", "live", "--weekly", *word, at=folder, code=2, says=["--every or --weekly with"])


def test_a_service_says_at_once_when_it_looks(live, cli, refuses, monkeypatch):
    folder, model = live
    assert cli("watch", "live", "--at", AT, at=folder).code == 0
    monkeypatch.setattr(service, "run", lambda *given, **how: None)
    said = cli("watch", "live", "--every", "36h", at=folder)
    assert said.out == f"{model}: the next look is due on 2026-03-10 12:00 UTC, then one each 1.5 days\n"
    said = cli("watch", "live", "--every", "36h", "--table", "weather=w.csv", at=folder)
    assert said.code == 0 and "no model that is live joins weather" in said.err
    refuses("watch", "live", "--every", "36h", "--table", "weather", at=folder, code=2, says=["NAME=FILE"])


def test_a_service_waits_for_a_journal_that_is_away_at_its_start(tmp_path, cli, monkeypatch):
    task = Task(kind="binary", classes=("no", "yes"), target="late")
    records = {"verdict": Verdict(status="ready", headline="h", gates=())}
    save(tmp_path / "run" / "bundle", name="flights", parts={}, records=records, task=task, extra_json={})
    assert cli("promote", "run", "--why", "w", "--by", "ann", at=tmp_path).code == 0
    monkeypatch.setenv("HOLDGOOD_JOURNAL", "postgresql://ann@127.0.0.1:1/none")
    waited = []

    def sleep(_, seconds):
        waited.append(seconds)
        if len(waited) == 2:
            monkeypatch.delenv("HOLDGOOD_JOURNAL")

    monkeypatch.setattr(service.Ending, "sleep", sleep)
    monkeypatch.setattr(service, "run", lambda *given, **how: None)
    said = cli("watch", "live", "--every", "1d", at=tmp_path)
    assert (said.code, waited) == (0, [1.0, 2.0]), said.all
    away = "tried again in 2 s: the journal postgresql://ann@127.0.0.1:1/none cannot be used"
    assert f"waiting for the journal, {away}" in said.err
    assert said.out.startswith("flights: the next look is due on ")


def test_a_journal_that_was_changed_ends_one_look_and_no_service(tmp_path, cli, refuses, monkeypatch):
    task = Task(kind="binary", classes=("no", "yes"), target="late")
    records = {"verdict": Verdict(status="ready", headline="h", gates=())}
    save(tmp_path / "run" / "bundle", name="flights", parts={}, records=records, task=task, extra_json={})
    assert cli("promote", "run", "--why", "w", "--by", "ann", at=tmp_path).code == 0
    slept = []

    def written(record):
        with contextlib.closing(sqlite3.connect(tmp_path / "live" / "journal.sqlite")) as base, base:
            base.execute("DROP TRIGGER IF EXISTS never_rewritten")
            (before,) = base.execute("SELECT record FROM entries WHERE kind = 'promotion'").fetchone()
            base.execute("UPDATE entries SET record = ? WHERE kind = 'promotion'", (record,))
        return before

    whole = written("changed")
    refuses("watch", "live", at=tmp_path, code=3, says=["entry 1 of 'live' holds no record", "holdgood journal verify"])
    written(whole)

    def sleep(ending, seconds):
        slept.append(seconds)
        written("changed" if len(slept) == 2 else whole)
        ending.asked = len(slept) == 4

    monkeypatch.setattr(service.Ending, "sleep", sleep)
    monkeypatch.setattr(service, "due", lambda live, model, at: at + timedelta(days=1))
    said = cli("watch", "live", "--every", "1d", at=tmp_path)
    assert (said.code, len(slept)) == (0, 4), "it went on"
    assert said.err.count("error: watch: entry 1 of 'live' holds no record") == 1


def test_a_folder_in_which_nothing_is_live(tmp_path, refuses):
    Live.create(tmp_path / "live")
    refuses("watch", "live", at=tmp_path, code=2, says=["no model that can be watched is live here"])
