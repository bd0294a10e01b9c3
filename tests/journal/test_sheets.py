"""Many answers in one entry: read, joined, forgotten and verified as if each had one of its own."""

import json
import sqlite3
import struct
from datetime import UTC, datetime

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from holdgood.core.errors import Busy, DataError, DuplicateError
from holdgood.core.records import Prediction, PredictionSheet, SheetColumn
from holdgood.journal import Filter, GroupWriter, Journal, outcomes
from holdgood.journal.answers import answers
from holdgood.journal.backup import backup, copy
from holdgood.journal.chain import draft
from holdgood.journal.forgetting import of_subject, older_than
from holdgood.journal.sheet import commit, lay, made, read_sheet
from holdgood.journal.tombstones import Seal


def test_rows_are_predictions_by_id_and_in_the_log(journal, sheet, write, answer):
    write(sheet("s/1"), draft(answer("p1", hour=1)))
    assert journal.head("server").number == 2
    found = journal.prediction("m", "s/1/1")
    assert found == Prediction(
        id="s/1/1", model="m", bundle_digest="d1", event_time="2026-03-01T01:00:00.000000+00:00", subject="bob",
        known_time="2026-03-02T00:00:00.000000+00:00", answer={"probability": 0.25, "answer": True},
        facts={"who": "bob", "a": 0.5, "day": "2026-03-01T01:00:00.000000", "long": "bob" * 40},
    )  # fmt: skip
    assert list(journal.predictions("m", ["s/1/0", "s/1/2", "s/1/3", "s/1/02", "s/1", "p1", "/1"])) == [
        "s/1/0",
        "s/1/2",
        "p1",
    ]
    assert [e.record["payload"]["id"] for e in journal.entries("prediction")] == ["s/1/0", "s/1/1", "s/1/2", "p1"]
    assert [e.kind for e in journal.entries()] == ["predictions", "prediction"]
    assert [p.id for _, p in journal.read(Prediction)] == ["s/1/0", "s/1/1", "p1", "s/1/2"]
    assert journal.asked("m", ["s/1/2"]) == {"s/1/2": ("2026-03-01T02:00:00.000000+00:00", False)}
    assert journal.verify(journal.heads()) == []


def test_which_rows_were_refused_is_known_of_sheets_and_alone_but_not_by_a_shadow(journal, sheet, write, answer):
    write(sheet("s", refused=(1,)), draft(answer("p1", verdict="refused")), draft(answer("p2")))
    write(*(draft(answer(f"p{i}", verdict="refused", place="shadow")) for i in (2, 3)))
    found = journal.asked("m", ["s/0", "s/1", "p1", "p2", "p3", "p4"])
    assert {id: asked.refused for id, asked in found.items()} == {
        "s/0": False, "s/1": True, "p1": True, "p2": False, "p3": False,
    }  # fmt: skip


def test_facts_may_stay_away(journal, sheet, write):
    write(sheet(keep=False))
    assert journal.prediction("m", "s/0").facts is None
    assert journal.verify() == []


def test_outcomes_join_rows_of_sheets(journal, sheet, write, answer, label):
    write(sheet(), draft(answer("p1", hour=1)))
    journal.append_many([label("s/1", "late"), label("p1", "fine"), label("s/9", "never asked")], "labels")
    found = outcomes(journal, "m", "2026-03-01T01:00Z", "2026-03-01T02:00Z")
    assert found.id.tolist() == ["s/1", "p1"]
    assert found.label.tolist() == ["late", "fine"]
    assert found.facts[0]["who"] == "bob"


def test_an_id_is_answered_once_in_sheets_or_alone(journal, sheet, write, answer):
    write(sheet("s"))
    for again in (sheet("s"), draft(answer("s/2"))):
        with pytest.raises(DuplicateError):
            write(again)
    write(draft(answer("s/3")), draft(answer("s/02")), draft(answer("s")), draft(answer("s/1", place="shadow")))
    with pytest.raises(DuplicateError):  # with a row that has an id already
        write(sheet("s", "abcdef"))
    write(draft(answer("t/1")), draft(answer("t/5")))
    with pytest.raises(DuplicateError):
        write(sheet("t"))
    with journal.session() as session:  # in one group
        drafts = [
            [sheet("u")],
            [draft(answer("u/1"))],
            [draft(answer("v/1"))],
            [sheet("v")],
            [draft(answer("u/7"))],
            [sheet("u")],
        ]
        said = [isinstance(a, DuplicateError) for a in session.append(drafts, "server")]
    assert said == [False, True, False, True, False, True]
    assert journal.verify() == []


CASES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12), st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=6
)
BOUNDS = st.none() | st.integers(0, 16).map(lambda h: f"2026-03-01T{h:02d}:30:00.000000+00:00")


@given(CASES, BOUNDS, BOUNDS, st.none() | st.sampled_from("abz"), st.booleans(), st.none() | st.integers(1, 5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_of_sheets_come_in_the_order_of_all(
    tmp_path_factory, sheet, answer, cases, since, until, subject, back, limit
):
    """Whatever is asked: what comes is what a journal without sheets would give."""
    one = Journal(tmp_path_factory.mktemp("o") / "j.sqlite")
    for k, (alone, hour, step, rows) in enumerate(cases):
        made = (
            [draft(answer(f"p{k}", hour=hour, subject="a"))]
            if alone
            else [sheet(f"s{k}", "abcd"[:rows], hour=hour, step=step)]
        )
        with one.session() as session:
            session.append([made], "w")
    for order in ("moment", "written"):
        which = Filter(
            ("prediction",), since=since, until=until, subject=subject, order=order, newest_first=back, limit=limit
        )
        with one.session() as session:
            whole = [*answers(session, Filter(("prediction",), order="written"))]
            found = [*answers(session, which)]
        wanted = [
            r for r in whole
            if (since is None or r.moment >= since) and (until is None or r.moment < until) and subject in (None, r.subject)
        ]  # fmt: skip
        key = (lambda r: (r.moment, r.number)) if order == "moment" else (lambda r: r.number)
        wanted.sort(key=key, reverse=back)
        assert len(found) == min(len(wanted), limit or len(wanted))
        assert [key(r) for r in found] == [key(r) for r in wanted][: len(found)]
        assert {r.ref for r in found} <= {r.ref for r in wanted}
        assert len({r.ref for r in found}) == len(found)


def test_a_persons_rows_go_and_all_others_still_prove(journal, sheet, write, label, tmp_path):
    seal = Seal(b"k" * 32)
    write(sheet("s", ("ann", "bob", "ann", "cyd")), sheet("t", ("ann",)), sheet("u", ("bob",)))
    journal.append_many([label("s/0"), label("s/1"), label("t/0")], "labels")
    heads, kept = journal.heads(), tmp_path / "kept.sqlite"
    backup(journal, kept)
    places = of_subject(journal, "ann")
    assert places == {
        ("labels", 1): ("label", "m"), ("labels", 3): ("label", "m"), ("server", 1, 0): ("prediction", "m"),
        ("server", 1, 2): ("prediction", "m"), ("server", 2, 0): ("prediction", "m"),
    }  # fmt: skip
    journal.forget_many(list(places), "live", who="officer", why="asked to", seal=seal)
    assert of_subject(journal, "ann") == {}
    assert [p.id for _, p in journal.read(Prediction)] == ["s/1", "u/0", "s/3"] or journal.prediction(
        "m", "s/0"
    ) is None
    assert journal.verify(heads, seal) == []
    (stone,) = journal.forgotten()
    assert stone.entries == 5
    with journal.session() as session:
        assert session.sheet("server", 2) is None  # no row was left in it
        left = session.sheet("server", 1)
    assert b"ann" not in left and b"bob" in left
    with pytest.raises(DataError, match="not there to forget"):
        journal.forget_many([("server", 1, 0)], "live", who="o", why="w")
    backup(journal, kept)
    assert Journal(kept).verify(journal.heads(), seal) == []
    assert b"annann" not in kept.read_bytes()
    assert outcomes(Journal(kept), "m").id.tolist() == ["u/0", "s/1", "s/3"]
    journal.forget_many([*of_subject(journal, "bob"), *of_subject(journal, "cyd")], "live", who="o", why="w", seal=seal)
    assert journal.verify(heads, seal) == []
    assert journal.read(Prediction) == []


def test_what_is_too_old_goes_row_by_row(journal, sheet, write, label):
    write(sheet("s", "abcd", hour=0), sheet("t", "ef", hour=9))
    journal.append_many([label("s/1"), label("s/3"), label("t/0")], "labels")
    places = older_than(journal, "2026-03-01T02:00Z")
    assert list(places) == [("labels", 1), ("server", 1, 0), ("server", 1, 1)]
    journal.forget_many(list(places), "live", who="o", why="w")
    assert sorted(p.id for _, p in journal.read(Prediction)) == ["s/2", "s/3", "t/0", "t/1"]
    assert journal.verify() == []
    assert list(older_than(journal, datetime(2026, 4, 1, tzinfo=UTC))) == [
        ("labels", 2), ("labels", 3), ("server", 1, 2), ("server", 1, 3), ("server", 2, 0), ("server", 2, 1)
    ]  # fmt: skip


def free(journal):
    """A way to write behind the journal's back."""
    if journal.path is not None:
        db = sqlite3.connect(journal.path)
        db.execute("DROP TRIGGER never_rewritten")
        db.execute("DROP TRIGGER never_removed")
        return db
    with journal.session() as session:
        db = psycopg.connect(session._url, autocommit=True)
    db.execute("ALTER TABLE entries DISABLE TRIGGER ALL")
    return db


def renew(journal, db, number, data):
    mark = "?" if journal.path is not None else "%s"
    db.execute(f"UPDATE entries SET sheet = {mark} WHERE writer = 'server' AND number = {mark}", (data, number))
    db.commit()


def test_whatever_is_done_to_a_sheet_is_found(journal, sheet, write):
    write(sheet("s"), sheet("t", ("ann", "bob", "dan")))
    with journal.session() as session:
        mine, other = session.sheet("server", 1), session.sheet("server", 2)
    db = free(journal)
    emptied = read_sheet(mine, "s").without(np.array([1]))
    half = read_sheet(mine, "s")
    salts = half.salts.copy()
    salts[1] = 0
    left_over = type(half)(half.columns, salts, half.commitments)
    for data, said in (
        (None, "lost its sheet"),
        (other, "another than it was written with"),
        (mine.replace(b"bob", b"bab"), "row 1 of it was changed"),
        (b"", "cannot be read"),
        (mine[:-9], "cannot be read"),
        (emptied.to_bytes(), "row 1 of entry 1 of 'server' was emptied without a tombstone"),
        (left_over.to_bytes(), "forgotten, but not whole"),
    ):
        renew(journal, db, 1, data)
        faults = [f for f in journal.verify() if "trigger" not in f]
        assert any(said in fault for fault in faults), (said, faults)
    renew(journal, db, 1, mine)
    assert [f for f in journal.verify() if "trigger" not in f] == []
    db.close()


def test_a_sheet_is_emptied_by_the_journal_alone(journal, sheet, write):
    """Whatever a person with SQL may do to rows that holdgood guards: a sheet is never put where none was, nor taken away alone."""
    write(sheet(), sheet("t"))
    with journal.session() as session:
        for statement in (
            "UPDATE entries SET sheet = NULL", "DELETE FROM entries", "UPDATE entries SET record = 'x', sheet = sheet",
            "UPDATE entries SET subject = 'x'",
        ):  # fmt: skip
            with pytest.raises((DataError, sqlite3.IntegrityError, psycopg.Error), match="append-only"):
                session.many(statement, [()])
    assert journal.verify() == []


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_is_found_or_changes_nothing(sheet, data):
    """Damaged bytes are told, or read as the same cells: Arrow's format has bytes that mean nothing."""
    made = sheet()
    place = data.draw(st.integers(0, len(made.sheet) - 1))
    changed = bytearray(made.sheet)
    changed[place] ^= data.draw(st.integers(1, 255))
    before = read_sheet(made.sheet, "x")
    head = _head(made)
    try:
        after = read_sheet(bytes(changed), "x")
    except DataError:
        return
    if not list(after.faults(head)):
        assert [c.to_pylist() for c in after.columns] == [c.to_pylist() for c in before.columns]
        assert (after.salts == before.salts).all() and (after.commitments == before.commitments).all()


def _head(made):
    return PredictionSheet.model_validate(json.loads(made.text)["payload"])


def test_a_journal_moves_between_databases_with_its_sheets(journal, sheet, write, tmp_path, database):
    write(sheet("s", ("ann", "bob")))
    journal.forget_many([("server", 1, 0)], "live", who="o", why="w")
    other = Journal(tmp_path / "other.sqlite")
    copy(journal, other, journal.heads())
    third = Journal(database if journal.path is not None else tmp_path / "third.sqlite")
    copy(other, third)
    assert third.verify(journal.heads()) == []
    assert outcomes(third, "m").id.tolist() == ["s/1"]
    assert other.verify(journal.heads()) == []
    assert other.prediction("m", "s/0") is None
    assert other.prediction("m", "s/1") == journal.prediction("m", "s/1")


def test_ten_rows_of_a_sheet_count_as_an_entry_where_too_much_waits(journal, sheet, answer):
    with GroupWriter(journal, "w", most_waiting=4) as writer:
        writer.announce(2)
        with pytest.raises(Busy):
            writer.submit_drafts([sheet("s", ["ann"] * 30)])
        writer.hand_in_announced([[draft(answer("p1")), draft(answer("p2"))]], lambda _: None)
    assert [e.record["payload"]["id"] for e in journal.entries("prediction")] == ["p1", "p2"]


CELLS = {
    "text": (pa.string(), st.text(max_size=6)), "large": (pa.large_string(), st.text(max_size=80)), "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "tiny": (pa.uint8(), st.integers(0, 255)), "number": (pa.float64(), st.floats()), "half": (pa.float16(), st.floats(width=16).map(np.float16)),
    "truth": (pa.bool_(), st.booleans()), "moment": (pa.timestamp("us", "UTC"), st.datetimes().map(lambda m: m.replace(tzinfo=UTC))),
    "none": (pa.null(), st.none()),
}  # fmt: skip


COLUMNS = st.sampled_from(sorted(CELLS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.none() | CELLS[kind][1], min_size=1, max_size=40))
)


@given(COLUMNS, st.sets(st.integers(0, 39)))
@example(("large", ["abcde"]), set())  # as many bytes, with its length, as a number has
@example(("text", ["abcde", None]), {0})
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # the first text is, on a busy machine
def test_a_row_is_committed_to_as_it_is(column, emptied):
    """Stored and read again it is the same, no other cell has its commitment, and what is emptied leaves nothing behind."""
    kind, cells = column
    type_, n = CELLS[kind][0], len(cells)
    columns = [(SheetColumn(part="facts", name="x", type=""), pa.chunked_array([pa.array(cells, type_)])),
               (SheetColumn(part="subject", type=""), pa.chunked_array([pa.array([f"p{i}" for i in range(n)])]))]  # fmt: skip
    said, sheet = made(columns)
    again = read_sheet(sheet.to_bytes(), "x")
    assert again.root == sheet.root
    assert (commit(again.columns, said, again.salts) == sheet.commitments).all()
    same = commit(again.columns, said, np.ones_like(again.salts))
    other = commit(
        [again.columns[0].take(pa.array([0] * n)), again.columns[1].take(pa.array([0] * n))],
        said,
        np.ones_like(again.salts),
    )
    bits = packed_of(again.columns[0], said[0])
    assert [(a == b).all() for a, b in zip(same, other, strict=True)] == [i == 0 for i in range(n)]
    assert len({*bits}) == len({_bits(v) for v in again.columns[0].to_pylist()})
    gone = {i for i in emptied if i < n}
    left = read_sheet(again.without(np.array(sorted(gone), int)).to_bytes(), "x")
    assert left.there.tolist() == [i not in gone for i in range(n)]
    for before, after in zip(again.columns, left.columns, strict=True):
        assert [_bits(v) for v in after.to_pylist()] == [
            None if i in gone else _bits(v) for i, v in enumerate(before.to_pylist())
        ]
    kept = commit(left.columns, said, left.salts)
    assert all((kept[i] == sheet.commitments[i]).all() for i in range(n) if i not in gone)


def packed_of(column, said):
    """The bytes of each cell."""
    if said.width is None and said.type in ("string", "large_string"):
        return [bytes(row) for row in commit([column], [said], np.ones((len(column), 16), np.uint8))]
    if said.width is not None:
        size = 4 + said.width
    elif said.type in ("null", "bool"):
        size = {"null": 0, "bool": 2}[said.type]
    else:
        size = 1 + column.type.bit_width // 8
    rows = np.zeros((len(column), size), np.uint8)
    lay(rows, 0, column, size)
    return [bytes(row) for row in rows]


def _bits(value):
    """A cell so that NaN is itself, and 0.0 is not -0.0."""
    return struct.pack("<d", value) if isinstance(value, float | np.floating) else value
