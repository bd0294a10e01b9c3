import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdgood.core.errors import Busy, DataError, DuplicateError, EnvironmentFault
from holdgood.journal import GroupWriter, Head, Journal
from holdgood.journal.chain import draft


def test_what_many_threads_hand_in_is_written_once_each(journal, answer):
    with GroupWriter(journal, "server") as writer, ThreadPoolExecutor(8) as pool:
        heads = list(
            pool.map(lambda i: writer.submit([answer(f"p{i}"), answer(f"p{i}", place="shadow")]).result(), range(60))
        )
    assert sorted(h.number for h in heads) == list(range(2, 121, 2))
    assert journal.heads() == {writer.writer: max(heads, key=lambda h: h.number)}
    assert writer.writer.startswith("server@")
    assert journal.verify(journal.heads()) == []


def test_one_duplicate_does_not_fail_its_neighbours(journal_file, answer):
    journal_file.append(answer("p1"), "before")
    with held(journal_file) as let_go, GroupWriter(journal_file, "w", own_name=False) as writer:
        first = writer.submit([answer("p0")])  # taken up at once; the others wait together
        futures = [writer.submit([answer(f"p{i}"), answer(f"q{i}")]) for i in (1, 2, 2, 3)]
        let_go()
    assert first.result() == Head(1, first.result().hash)
    assert [type(f.exception()) for f in futures] == [DuplicateError, type(None), DuplicateError, type(None)]
    assert [e.record["payload"]["id"] for e in journal_file.entries(writer="w")] == ["p0", "p2", "q2", "p3", "q3"]
    assert journal_file.verify() == []


def test_too_much_waiting_is_refused_at_once_and_later_passes(journal_file, answer):
    with held(journal_file) as let_go, GroupWriter(journal_file, "w", most_waiting=3) as writer:
        kept = [writer.submit([answer(f"p{i}")]) for i in range(3)]
        with pytest.raises(Busy, match="3 records wait"):
            writer.submit([answer("p9")])
        let_go()
        assert [f.result().number for f in kept] == [1, 2, 3]
        assert writer.submit([answer("p9")]).result().number == 4


def test_a_store_that_is_away_fails_who_waits_and_comes_back(journal, answer, monkeypatch):
    real, away = journal.store.open, threading.Event()
    away.set()

    def opens():
        if away.is_set():
            raise EnvironmentFault("the server is away")
        return real()

    monkeypatch.setattr(journal.store, "open", opens)
    with GroupWriter(journal, "w") as writer:
        with pytest.raises(EnvironmentFault, match="away"):
            writer.submit([answer()]).result()
        away.clear()
        assert writer.submit([answer()]).result().number == 1
        assert writer.waiting == 0


def test_a_full_disk_fails_who_waits_and_recovers(journal_file, answer, monkeypatch):
    opened = []
    real = journal_file.store.open
    monkeypatch.setattr(journal_file.store, "open", lambda: opened.append(real()) or opened[-1])
    with GroupWriter(journal_file, "w") as writer:
        first = writer.submit([answer("p0")]).result()
        # SQLite's own limit of pages says what a full disk says
        writer.submit([]).result()
        limit(opened[-1])
        with pytest.raises(EnvironmentFault, match="full"):
            writer.submit([answer("p1", facts={"much": "x" * 200_000})]).result()
        assert writer.submit([answer("p2")]).result().number == first.number + 1
    assert len(opened) == 2
    assert [e.record["payload"]["id"] for e in journal_file.entries()] == ["p0", "p2"]


def limit(session) -> None:
    """The writer's thread owns the connection; a pragma runs there with the next statement."""
    real = session.insert_alone

    def insert_alone(*what):
        session._db.execute("PRAGMA max_page_count = 20")
        return real(*what)

    session.insert_alone = insert_alone


def test_a_closed_writer_takes_nothing_and_a_bad_record_is_told_at_once(journal, answer):
    writer = GroupWriter(journal, "w")
    with pytest.raises(DataError, match="event_time"):
        writer.submit([answer(event_time="x")])
    last = writer.submit([answer()])
    writer.close()
    assert last.done() and last.result().number == 1
    with pytest.raises(EnvironmentFault, match="closed"):
        writer.submit([answer("p2")])


class held:
    """Hold the file's write lock until let go."""

    def __init__(self, journal: Journal) -> None:
        self.db = sqlite3.connect(journal.path, isolation_level=None, check_same_thread=False)

    def __enter__(self):
        self.db.execute("BEGIN IMMEDIATE")
        return self.let_go

    def let_go(self):
        self.db.execute("COMMIT")

    def __exit__(self, *_):
        self.db.close()


def test_whoever_cannot_be_told_any_more_keeps_nobody_from_being_written(journal_file, answer):
    def gone(_):
        raise RuntimeError("the loop is closed")

    with GroupWriter(journal_file, "w", own_name=False) as writer:
        writer.hand_in([draft(answer("p1"))], gone)
        for i in range(2, 5):
            writer.submit([answer(f"p{i}")])
    assert [e.record["payload"]["id"] for e in journal_file.entries(writer="w")] == ["p1", "p2", "p3", "p4"]


def test_two_writers_of_one_name_take_turns_in_one_chain(journal, answer):
    with GroupWriter(journal, "w", own_name=False) as one, GroupWriter(journal, "w", own_name=False) as other:
        heads = [(one, other, other, one)[i % 4].submit([answer(f"p{i}")]).result() for i in range(12)]
    assert [h.number for h in heads] == list(range(1, 13))
    assert journal.head("w") == heads[-1]
    assert journal.verify({"w": heads[-1]}) == []


def test_a_writer_asks_once_where_its_chain_stands_and_writes_a_few_entries_in_one_statement(
    journal_file, answer, monkeypatch
):
    said = []
    real = journal_file.store.open

    def opened():
        session = real()
        session._db.set_trace_callback(said.append)
        return session

    monkeypatch.setattr(journal_file.store, "open", opened)
    with GroupWriter(journal_file, "w", own_name=False) as writer:
        for i in range(5):
            writer.submit([answer(f"p{i}"), answer(f"q{i}")]).result()
    first = [s.split()[0] for s in said].index("COMMIT")
    assert [s.split()[0] for s in said[first + 1 :]] == ["INSERT"] * 4
    assert journal_file.verify() == []


def test_what_is_handed_in_together_is_told_together_each_with_its_own_answer(journal, answer):
    told, done = [], threading.Event()
    with GroupWriter(journal, "w", own_name=False) as writer:
        writer.submit([answer("p1")]).result()
        writer.announce(4)
        assert writer.waiting == 4
        drafts = [[draft(answer("p2"))], [draft(answer("p1"))], [draft(answer("p3")), draft(answer("p4"))]]
        writer.hand_in_announced(drafts, lambda answers: (told.append(answers), done.set()))
        assert done.wait(30) and writer.waiting == 0
    ((first, second, third),) = told
    assert (first.number, third.number) == (2, 4) and isinstance(second, DuplicateError)
    with pytest.raises(EnvironmentFault, match="closed"):
        writer.announce(1)
    writer.hand_in_announced([[draft(answer("p9"))]], told.append)
    assert isinstance(told[-1][0], EnvironmentFault)
    assert journal.verify() == []
