"""A deletion by who may delete is told from rows that somebody with access to the database alone has emptied."""

import pytest

from holdgood.journal import Journal
from holdgood.journal.chain import TOMBSTONE, Draft, link
from holdgood.journal.keys import Keys
from holdgood.journal.tombstones import Seal, cover, tombstone

KEY = Seal(b"k" * 32)
_EMPTY = (
    "UPDATE entries SET record = NULL, salt = NULL, model = NULL, ref = NULL, place = NULL, subject = NULL, moment = NULL "
    "WHERE writer = ? AND number = ?"
)


def forge(journal: Journal, spans, *, writer="live", covers=None, seal=None):
    """What somebody can do who writes SQL, knows how holdgood works, and has every right in the database."""
    places = [(w, n) for w, first, last in spans for n in range(first, last + 1)]
    with journal.session() as session, session.writing(writer):
        hashes = [session.one("SELECT hash FROM entries WHERE writer = ? AND number = ?", place)[0] for place in places]
        session.many(_EMPTY, places)
        stone = tombstone(spans, "ann", "retention", cover(hashes) if covers is None else covers, seal)
        (row,) = link(session.head(writer), writer, [stone], "2026-04-01T00:00:00.000000+00:00")
        session.insert([row])


@pytest.fixture
def written(journal, answer, label):
    journal.append_many([answer(f"p{i}") for i in range(5)], "server")
    journal.append(label("p1"), "labels")
    return journal


def test_a_true_deletion_is_counted_with_who_why_and_where(written):
    heads = written.heads()
    written.forget_many([("server", 1), ("server", 2), ("labels", 1)], "live", who="ann", why="request", seal=KEY)
    written.forget("server", 4, who="bo", why="retention", seal=KEY)
    assert written.verify(heads, KEY) == []
    told = [(s.writer, s.number, s.who, s.why, s.entries, s.sealed(KEY)) for s in written.forgotten()]
    assert told == [("live", 1, "ann", "request", 3, True), ("server", 6, "bo", "retention", 1, True)]
    assert written.forgotten()[0].spans == (("labels", 1, 1), ("server", 1, 2))


@pytest.mark.parametrize("writer", ["live", "server", "somebody"])
def test_a_forged_tombstone_is_found_in_whichever_chain_it_stands(written, writer):
    written.forget("server", 1, who="ann", why="request", seal=KEY)
    heads = written.heads()
    forge(written, [("server", 2, 3)], writer=writer)
    assert written.verify(heads) == [], "without the key nothing tells it from a deletion"
    (fault,) = written.verify(heads, KEY)
    assert (
        "says that 'ann' had 2 forgotten, but it has no seal: whoever wrote it did not have the folder's key" in fault
    )


def test_neither_a_key_of_ones_own_nor_a_seal_that_was_seen_helps(written):
    written.forget("server", 1, who="ann", why="request", seal=KEY)
    true = written.forgotten()[0].body["seal"]
    forge(written, [("server", 2, 2)], seal=Seal(b"e" * 32))

    class Copied(Seal):
        name = KEY.name

        def of(self, body):
            return true

    forge(written, [("server", 3, 3)], seal=Copied(b"x" * 32))
    other, copied = written.verify({}, KEY)
    assert f"sealed with another key than {KEY.name}" in other
    assert copied.endswith("its seal is false")


def test_a_tombstone_of_other_entries_is_found_without_the_key(written):
    forge(written, [("server", 2, 3)], covers="0" * 64)
    assert written.verify() == ["entry 1 of 'live' is a tombstone of other entries than those that it names"]


def test_a_second_tombstone_of_an_entry_is_found(written):
    written.forget("server", 2, who="ann", why="request")
    forge(written, [("server", 2, 3)])
    assert any("is a second tombstone of entry 2 of 'server'" in fault for fault in written.verify())


def test_what_was_forgotten_before_there_was_a_key_needs_no_seal(written):
    forge(written, [("server", 1, 1)], covers="")  # as releases before the seal wrote it
    seal = Seal(b"k" * 32, {w: h.number for w, h in written.heads().items()})
    assert written.verify({}, seal) == []
    forge(written, [("server", 2, 2)], covers="")
    assert [f.partition(" says")[0] for f in written.verify({}, seal)] == ["entry 2 of 'live'"]


@pytest.mark.parametrize(
    "text",
    [
        r'{"covers":"","entries":[["server",1,1]],"key":"\ud800","seal":"\ud800","who":"ann","why":"w"}',
        r'{"entries":[["server",1,1]],"seal":"00","who":"\ud800","why":"\udfff"}',
        '{"entries":[["server",1,1]],"seal":"00","who":"ann","why":NaN}',
        f'{{"entries":[["server",1,1],["server",-{"9" * 4300},{"9" * 4300}]],"seal":"00","who":"ann","why":"w"}}',
    ],
    ids=["a seal that is no text", "a name that is no text", "no JSON", "more entries than can be counted"],
)
def test_a_forged_tombstone_does_not_keep_verify_from_telling(journal_file, answer, text):
    journal_file.append(answer("p1"), "server")
    with journal_file.session() as session, session.writing("live"):
        session.many(_EMPTY, [("server", 1)])
        stone = Draft(TOMBSTONE, text, Keys())
        (row,) = link(session.head("live"), "live", [stone], "2026-04-01T00:00:00.000000+00:00")
        session.insert([row])
    assert journal_file.verify({}, KEY), "without a word"
    assert all(isinstance(f"{s.entries:,} {s.who} {s.why}".encode(), bytes) for s in journal_file.forgotten())
