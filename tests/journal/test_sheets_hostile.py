"""Sheets in the hands of somebody with SQL, and readers while others forget: what is wrong is told, in words and within memory."""

import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pyarrow as pa
import pytest

from holdgood.core.errors import DataError, HoldgoodError
from holdgood.core.records import Promotion
from holdgood.journal import Filter, outcomes
from holdgood.journal.chain import TOMBSTONE, Draft, canonical, draft
from holdgood.journal.forgetting import of_subject
from holdgood.journal.keys import Keys
from holdgood.journal.sheet import Sheet, read_sheet
from holdgood.journal.sql_session import SqlSession

ALL = Filter(kinds=("prediction",))


def put(journal, *drafts):
    """Write drafts in one submission of ``server``."""
    with journal.session() as session:
        session.append([list(drafts)], "server")


@pytest.fixture
def behind():
    """Run a statement behind a journal's back, with what keeps entries from being changed out of the way."""

    def run(journal, statement, values=()):
        if journal.path is not None:
            db = sqlite3.connect(journal.path)
            db.execute("DROP TRIGGER IF EXISTS never_rewritten")
        else:
            with journal.session() as session:
                db = psycopg.connect(session._url)
            db.execute("ALTER TABLE entries DISABLE TRIGGER ALL")
            statement = statement.replace("?", "%s")
        db.execute(statement, values)
        db.commit()
        db.close()

    return run


@pytest.fixture
def opened(monkeypatch):
    """The sheets that were opened."""
    found, real = [], SqlSession.sheet

    def sheet(self, writer, number):
        found.append(number)
        return real(self, writer, number)

    monkeypatch.setattr(SqlSession, "sheet", sheet)
    return found


def faults(journal):
    return [fault for fault in journal.verify() if "trigger" not in fault]


def stored(journal, number=1):
    with journal.session() as session:
        return session.sheet("server", number)


def test_a_sheet_beside_an_entry_of_another_kind_is_told(journal, sheet, answer, behind):
    put(journal, sheet(), draft(answer("p1")))
    journal.append(Promotion(bundle_digest="d1", by="bob", why="w", model="m", replaces=""), "live")
    behind(journal, "UPDATE entries SET sheet = ? WHERE kind <> 'predictions'", (stored(journal),))
    assert faults(journal) == [
        "entry 1 of 'live' is no sheet, but has one",
        "entry 2 of 'server' is no sheet, but has one",
    ]


def with_stream(data, stream):
    """A stored sheet with another Arrow stream in it."""
    at = data.index(b"\xff\xff\xff\xff", 16 + 48 * int.from_bytes(data[4:8], "little"))
    return data[:at] + stream


def written(columns, **options):
    sink = pa.BufferOutputStream()
    table = pa.table({str(i): c for i, c in enumerate(columns)})
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_bytes_that_ask_for_more_memory_than_they_are_cannot_be_read(journal_file, sheet, behind):
    """Compressed buffers, dictionaries and lists are none that a journal writes: they could stand for any amount."""
    put(journal_file, sheet())
    data, columns = stored(journal_file), read_sheet(stored(journal_file), "s").columns
    same = with_stream(data, written(columns))
    assert read_sheet(same, "s").root == read_sheet(data, "s").root
    for stream in (
        written(columns, compression="zstd"), written([columns[0].dictionary_encode(), *columns[1:]]),
        written([pa.array([[1]] * 3), *columns[1:]]),
    ):  # fmt: skip
        behind(journal_file, "UPDATE entries SET sheet = ?", (with_stream(data, stream),))
        assert faults(journal_file) == ["entry 1 of 'server': the sheet of entry 1 of 'server' cannot be read"]
        with pytest.raises(DataError, match="cannot be read"):
            outcomes(journal_file, "m")


def test_readers_say_in_words_that_a_sheet_is_another(journal_file, sheet, behind):
    put(journal_file, sheet())
    was = read_sheet(stored(journal_file), "s")
    for at, other in ((0, ["x"] * 3), (1, [1] * 3), (2, [None] * 3)):
        columns = (*was.columns[:at], pa.array(other), *was.columns[at + 1 :])
        behind(journal_file, "UPDATE entries SET sheet = ?", (Sheet(columns, was.salts, was.commitments).to_bytes(),))
        for read in (
            lambda: outcomes(journal_file, "m"),
            lambda: of_subject(journal_file, "ann"),
            lambda: journal_file.prediction("m", "s/0"),
        ):
            with pytest.raises(DataError, match="gone, or another"):
                read()
        assert "another than it was written with" in faults(journal_file)[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["columns"][1].update(width=10**12), lambda p: p["columns"][1].update(width=-9), lambda p: p["columns"].clear(),
        lambda p: p.update(rows=-1), lambda p: p["columns"][0].update(part="subject"), lambda p: p.update(columns=7),
    ],
)  # fmt: skip
def test_a_record_that_no_server_writes_is_told(journal_file, sheet, change):
    """Who writes the chain anew writes what he likes: nothing of it ends the reader, or eats the memory."""
    made = sheet()
    body = json.loads(made.text)
    change(body["payload"])
    put(journal_file, made._replace(text=json.dumps(body)))
    with pytest.raises(HoldgoodError):
        outcomes(journal_file, "m")
    journal_file.verify()


def test_a_tombstone_whose_spans_lie_over_each_other_buries_nothing(journal_file, sheet):
    """A megabyte of them could stand for more rows than memory holds."""
    put(journal_file, sheet())
    for spans in ([[0, 2]] * 9, [[1, 1], [0, 0]], [[0, 0], [1, 1]], [[0, 2**63]], [[-1, 0]], []):
        body = canonical({"who": "o", "why": "w", "entries": [], "rows": [["server", 1, spans, "c"]]})
        put(journal_file, Draft(TOMBSTONE, body, Keys()))
    assert journal_file.forgotten() == []
    assert journal_file.verify() == []


def test_faults_without_end_do_not_blame_sheets_that_are_sound(journal_file, sheet, answer, behind, monkeypatch):
    monkeypatch.setattr("holdgood.journal.verify.MOST_FAULTS", 2)
    put(journal_file, *(draft(answer(f"p{i}")) for i in range(3)), sheet())
    journal_file.forget_many([("server", 4, 1)], "live", who="o", why="w")
    behind(journal_file, "UPDATE entries SET salt = 'x' WHERE kind = 'prediction'")
    assert not [fault for fault in faults(journal_file) if "sheet" in fault]


def test_a_damaged_entry_is_no_row_of_a_sheet(journal_file, sheet, answer, behind):
    put(journal_file, sheet(), draft(answer("p1")), draft(answer("p/1")))
    behind(journal_file, "UPDATE entries SET commitment = '' WHERE kind = 'prediction'")
    assert ("server", 2) in of_subject(journal_file, "ann")


def test_who_reads_while_others_forget_goes_on(journal, sheet):
    put(journal, sheet("s"), sheet("t"), sheet("u"))
    reading = journal.rows(ALL)
    assert next(reading).ref == "s/0"
    journal.forget_many([("server", 1), ("server", 2), ("server", 3, 0)], "live", who="o", why="w")
    assert [row.ref for row in reading] == ["s/1", "s/2", "u/1", "u/2"]


def test_no_sheet_is_opened_in_vain(journal, sheet, opened):
    put(journal, *(sheet(f"s{k}", hour=3 * k) for k in range(4)))
    assert outcomes(journal, "m", "2026-03-01T04:00Z", "2026-03-01T06:00Z").id.tolist() == ["s1/1", "s1/2"]
    assert opened == [2]
    opened.clear()
    with journal.session() as session:
        assert [e.record["payload"]["id"] for e in journal.entries("prediction", limit=2, newest_first=True)] == [
            "s3/2",
            "s3/1",
        ]
        assert opened == [4]
        opened.clear()
        assert session.head("server").number == 4
    asked = [f"s{k}/{i}" for i in (2, 0, 7) for k in (3, 1)] + ["no", "s9/1"]
    assert list(journal.predictions("m", asked * 400)) == ["s3/2", "s1/2", "s3/0", "s1/0"]
    assert sorted(opened) == [2, 4]


def test_labels_find_their_rows_whatever_ids_look_like(journal, sheet, answer, label):
    """An id may end in digits, hold strokes, or be that of a sheet beside it."""
    bases = ["order", "order/17", "17", "a//", "order0", "/"]
    put(
        journal,
        *(sheet(base, ("ann",)) for base in bases if base != "17"),
        draft(answer("17")),
        draft(answer("order/4")),
        draft(answer("order/170")),
    )
    ids = ["order/0", "order/17/0", "a///0", "order0/0", "//0", "17", "order/4", "order/170"]
    journal.append_many(
        [label(id, f"of {id}") for id in (*ids, "order/9", "order/x", "order/17", "order", "order1/0")], "labels"
    )
    found = outcomes(journal, "m")
    assert dict(zip(found.id, found.label, strict=True)) == {id: f"of {id}" for id in ids}
    with journal.session() as session:
        about = [*session.rows(Filter(kinds=("label",), about=Filter(kinds=("prediction",), model="m")))]
    assert {row.ref for row in about} >= set(ids)
    assert {row.ref for row in about}.isdisjoint({"order", "order1/0"})
    assert len(about) == len({row.number for row in about})


def test_ids_are_looked_up_and_not_searched_for(journal_file, sheet):
    """However many entries a model has: SQLite goes by the id."""
    about = Filter(
        kinds=("label",), about=Filter(kinds=("prediction",), model="m", since="2026", until="2027"), order="moment"
    )
    asked = {
        "one_prediction": Filter(kinds=("prediction",), model="m", refs=("x",) * 500),
        "one_sheet": Filter(kinds=("predictions",), model="m", refs=("x",) * 500),
        "entries_about": Filter(kinds=("label", "answer-override"), model="m", refs=("x",) * 500),
    }
    with sqlite3.connect(journal_file.path) as db:
        for index, which in asked.items():
            statement, values = which.sql()
            assert f"{index} (model=? AND ref=?)" in str(
                db.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            )
        plan = str(db.execute(f"EXPLAIN QUERY PLAN {about.sql()[0]}", about.sql()[1]).fetchall())
    db.close()
    assert "entries_about (model=? AND ref=?)" in plan
    assert "entries_about (model=? AND ref>? AND ref<?)" in plan


def test_an_id_with_digits_without_end_is_no_row(journal_file, sheet, label):
    put(journal_file, sheet("s"))
    journal_file.append(label("s/" + "9" * 400), "labels")
    assert journal_file.predictions("m", ["s/" + "9" * 5_000, "s/4294967296", "s/00", "s/1\n", "s/٣"]) == {}
    assert outcomes(journal_file, "m").labelled.tolist() == [False] * 3


def test_two_who_forget_rows_of_one_sheet_at_once_bring_nothing_back(journal, sheet, monkeypatch):
    put(journal, sheet("s"))
    real, inside, never = SqlSession._empty_rows, threading.Event(), threading.Event()

    def slow(self, places):
        found = real(self, places)
        if not inside.is_set():
            inside.set()
            never.wait(1.0)  # the other one has begun, and waits, or has read what we are about to change
        return found

    monkeypatch.setattr(SqlSession, "_empty_rows", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(journal.forget_many, [("server", 1, 0)], "ann", who="o", why="w")
        inside.wait(30.0)
        second = pool.submit(journal.forget_many, [("server", 1, 1)], "bob", who="o", why="w")
        first.result()
        second.result()
    assert journal.verify() == []
    assert [row.ref for row in journal.rows(ALL)] == ["s/2"]
