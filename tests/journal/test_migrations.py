import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest

from holdgood.core.errors import DataError
from holdgood.core.records import Promotion
from holdgood.journal import Head, Journal, live_on, outcomes
from holdgood.journal.chain import BEGINNING, draft, link
from holdgood.journal.postgresql_migrations import _STEP_2

OLD = Path(__file__).parent / "data" / "form-1.sqlite"
"""Written by the release before the columns were added: three predictions, one of them forgotten, a label, an alarm, a promotion."""
HEADS = {
    "live": Head(1, "fcbcdf65364a20f88ae1011bf8d75ccac7fdd7e739c551eafd4b6143da8c1d93"),
    "server": Head(5, "29cb9bb6d64fe34fb0a892fd74755a093ec49cf9ceea7567fa301d2c65a71572"),
    "watch": Head(1, "43531e17d5b7f084597bbfa28afdd0508760074cfaef660d820993deb18c52e6"),
}


@pytest.fixture
def old(tmp_path):
    shutil.copy(OLD, tmp_path / "journal.sqlite")
    return tmp_path / "journal.sqlite"


def test_an_older_file_is_brought_up_to_date_and_its_heads_still_hold(old):
    journal = Journal(old)
    assert journal.verify(HEADS) == []
    assert journal.heads() == HEADS
    assert journal.entries("tombstone")[0].record["entries"] == [["server", 2, 2]]
    there = outcomes(journal, "m")
    assert there.id.tolist() == ["p0", "p2"]
    assert there.label.tolist() == ["yes", None]
    assert str(there.event_time[0]) == "2026-01-01T09:00:00.000000"
    assert [s.bundle_digest for s in live_on(journal, "2999-01-01")] == ["d"]
    journal.append(Promotion(bundle_digest="e", by="bob", why="next", model="m", replaces="d"), "live")
    assert Journal(old).verify(HEADS) == []


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(old):
    with sqlite3.connect(old) as db:
        # the old release took the same prediction twice; this one cannot keep both
        db.execute("DROP TRIGGER never_rewritten")
        db.execute("UPDATE entries SET record = replace(record, '\"p2\"', '\"p0\"') WHERE number = 3")
    db.close()
    with pytest.raises(DataError, match="journal.sqlite"):
        Journal(old)
    db = sqlite3.connect(old)
    assert db.execute("PRAGMA user_version").fetchone() == (0,)
    assert len(db.execute("SELECT * FROM entries").fetchone()) == 9
    db.close()


def test_a_newer_form_and_a_foreign_database_are_refused(tmp_path):
    for name, statement, said in (
        ("newer", "PRAGMA user_version = 99", "has form 99"),
        ("foreign", "CREATE TABLE customers (a)", "it holds other tables"),
    ):
        db = sqlite3.connect(tmp_path / name)
        db.execute(statement)
        db.commit()
        db.close()
        with pytest.raises(DataError, match=said):
            Journal(tmp_path / name)


@pytest.mark.server
def test_a_newer_form_on_a_server_is_refused(database):
    Journal(database)
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("UPDATE holdgood_journal_form SET form = 99")
    with pytest.raises(DataError, match="form 99") as told:
        Journal(database)
    assert "s3cret" not in str(told.value)


OLDER = Path(__file__).parent / "data" / "form-2.sqlite"
"""Written by the release before sheets: three predictions, one of them forgotten, a label, a promotion."""
THEIR_HEADS = {
    "live": Head(1, "609392187093919915c69eda7e966924c5dd44b09d64fe7029eeace747088fb2"),
    "server": Head(5, "327d96aa51229af825eb2601a3622374281e561b5ff197bc2adb99e28aa01af8"),
}


def test_a_file_without_sheets_is_brought_up_to_date(tmp_path, sheet):
    shutil.copy(OLDER, tmp_path / "journal.sqlite")
    journal = Journal(tmp_path / "journal.sqlite")
    assert journal.heads() == THEIR_HEADS
    with journal.session() as session:
        session.append([[sheet()]], "server")
    assert journal.verify(THEIR_HEADS) == []
    assert outcomes(journal, "m").id.tolist() == ["p0", "p2", "s/0", "s/1", "s/2"]


@pytest.mark.server
def test_a_database_without_sheets_is_brought_up_to_date(tmp_path, database, sheet, answer):
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(_STEP_2)
        rows = link(BEGINNING, "server", [draft(answer("p0"))], "2026-03-01T00:00:00.000000+00:00")
        db.execute(f"INSERT INTO entries VALUES ({','.join(['%s'] * 14)})", rows[0])
    journal = Journal(database)
    with journal.session() as session:
        session.append([[sheet()]], "server")
    assert journal.verify({"server": Head(1, rows[0].hash)}) == []
    assert outcomes(journal, "m").id.tolist() == ["p0", "s/0", "s/1", "s/2"]


def test_a_file_that_lost_its_guard_is_brought_up_to_date_and_has_it_again(tmp_path):
    shutil.copy(OLDER, tmp_path / "journal.sqlite")
    db = sqlite3.connect(tmp_path / "journal.sqlite")
    db.execute("DROP TRIGGER never_rewritten")
    assert Journal(tmp_path / "journal.sqlite").verify(THEIR_HEADS) == []
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("UPDATE entries SET record = 'x'")
    db.close()
