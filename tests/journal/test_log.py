import sqlite3
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.core.records import Alarm, RetrainDecision
from holdgood.journal import Head, Journal
from holdgood.journal.chain import canonical


def alarm(subject: str = "x") -> Alarm:
    return Alarm(code="MON001", title="drift", subject=subject, severity="low", message="moved")


def meddle(path, statement: str, *, unlocked: bool = True) -> None:
    """Change the file behind the journal's back."""
    db = sqlite3.connect(path)
    if unlocked:
        db.execute("DROP TRIGGER never_removed")
        db.execute("DROP TRIGGER never_rewritten")
    db.execute(statement)
    db.commit()
    db.close()


@pytest.fixture
def written(tmp_path) -> Journal:
    journal = Journal(tmp_path / "deep" / "journal.db")
    for i in range(5):
        journal.append(alarm(f"x{i}"), "server")
    journal.append(RetrainDecision(decision="not yet", reasons=("wait",)), "planner")
    return journal


def test_what_was_written_is_read_back_and_verifies(written):
    assert [e.number for e in written.entries(writer="server")] == [1, 2, 3, 4, 5]
    assert [e.record["payload"]["subject"] for e in written.entries("alarm")] == [f"x{i}" for i in range(5)]
    assert [e.writer for e in written.entries("retrain-decision")] == ["planner"]
    assert len(written.entries()) == 6
    assert written.verify() == []
    assert written.verify(written.heads()) == []
    assert Journal(written.path).heads() == written.heads()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entries SET record = replace(record, 'x2', 'y2') WHERE number = 3", "its record was changed"),
        ("UPDATE entries SET recorded_utc = '2001-01-01' WHERE number = 3", "its hash does not match"),
        ("UPDATE entries SET kind = 'promotion' WHERE number = 3", "its hash does not match"),
        ("UPDATE entries SET salt = 'f' WHERE number = 3", "its record was changed"),
        ("UPDATE entries SET record = NULL, salt = NULL WHERE number = 3", "without a tombstone"),
        ("DELETE FROM entries WHERE number = 3", "entries 3 to 3 of 'server' are gone"),
        ("DELETE FROM entries WHERE number = 1 AND writer = 'server'", "entries 1 to 1 of 'server' are gone"),
        ("UPDATE entries SET previous = 'f' WHERE number = 4", "does not follow the entry before it"),
    ],
)
def test_change_and_removal_are_found(written, statement, said):
    meddle(written.path, statement)
    assert any(said in fault for fault in written.verify())


def test_a_cut_tail_needs_a_head_kept_outside(written):
    heads = written.heads()
    meddle(written.path, "DELETE FROM entries WHERE number = 5")
    assert written.verify() == []
    assert written.verify(heads) == ["'server' had 5 entries; the last ones are gone"]


def test_a_rewritten_chain_needs_a_head_kept_outside(written, tmp_path):
    other = Journal(tmp_path / "other.db")
    for i in range(5):
        other.append(alarm(f"y{i}"), "server")
    assert other.verify() == []
    assert "rewritten at or before entry 5" in other.verify({"server": written.heads()["server"]})[0]
    assert other.verify({"nobody": Head(1, "0")}) == ["'nobody' had 1 entries; the last ones are gone"]


@pytest.mark.parametrize("statement", ["DELETE FROM entries", "UPDATE entries SET record = 'x'"])
def test_the_file_itself_refuses_changes(written, statement):
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        meddle(written.path, statement, unlocked=False)
    assert written.verify() == []


def test_forgetting_leaves_a_tombstone_and_no_trace(written):
    heads = written.heads()
    secret = Journal(written.path)
    secret.append(alarm("Jane Doe, 4 Elm Street"), "server")
    written.forget("server", 6, who="the officer", why="asked to")
    assert written.verify(heads) == []
    assert written.entries(writer="server")[5].record is None
    tomb = written.entries("tombstone")[0]
    assert len(tomb.record.pop("covers")) == 64
    assert tomb.record == {"who": "the officer", "why": "asked to", "entries": [["server", 6, 6]]}
    for file in written.path.parent.iterdir():
        assert b"Jane Doe" not in file.read_bytes()
    for number in (7, 99):
        with pytest.raises(DataError, match="to forget"):
            written.forget("server", number, who="me", why="none")


def append_many(path: str) -> None:
    for _ in range(15):
        Journal(path).append(alarm(), "same")


def test_many_writers_at_once_make_one_whole_chain(tmp_path):
    path = tmp_path / "journal.db"
    journal = Journal(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: journal.append(alarm(str(i)), "same"), range(40)))
    workers = [get_context("fork").Process(target=append_many, args=(str(path),)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert journal.heads()["same"].number == 85
    assert journal.verify() == []


def test_a_file_that_is_no_journal_is_told(tmp_path):
    (tmp_path / "notes.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(DataError, match="is not a journal"):
        Journal(tmp_path / "notes.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="folder of the journal"):
        Journal(tmp_path / "file" / "journal.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(EnvironmentFault, match="cannot be used"):
        Journal(tmp_path / "folder.db")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s), max_leaves=8)  # fmt: skip


@given(st.dictionaries(st.text(), JSON))
@settings(max_examples=40, deadline=None)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value):
    assert canonical(value) == canonical(dict(reversed(list(value.items()))))
