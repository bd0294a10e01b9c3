import sqlite3

import pytest

from holdgood.core.errors import DataError
from holdgood.journal import Journal
from holdgood.journal.backup import backup, restore
from holdgood.journal.sqlite_store import SqliteSession


def test_a_backup_goes_forward_and_forgets_what_was_forgotten(journal, answer, label, tmp_path):
    journal.append_many([answer("p1", subject="Jane Doe of Elm Street"), answer("p2")], "server")
    copy = tmp_path / "backup.sqlite"
    assert backup(journal, copy) == 2
    journal.append(label("p2"), "labels")
    journal.forget("server", 1, who="o", why="w")
    assert backup(journal, copy) == 2
    assert backup(journal, copy) == 0
    assert Journal(copy).heads() == journal.heads()
    assert Journal(copy).verify(journal.heads()) == []
    assert all(b"Elm Street" not in f.read_bytes() for f in tmp_path.glob("backup.sqlite*"))


def test_restore_into_an_empty_or_a_shorter_journal_never_over_a_longer_one(journal, answer, tmp_path):
    journal.append(answer("p1"), "server")
    heads, copy = journal.heads(), tmp_path / "b.sqlite"
    backup(journal, copy)
    fresh = Journal(tmp_path / "fresh.sqlite")
    assert restore(fresh, copy, heads) == 1
    assert fresh.prediction("m", "p1") == journal.prediction("m", "p1")
    journal.append(answer("p2"), "server")
    with pytest.raises(DataError, match="does not hold all that .* holds: 'server' had 2 entries"):
        restore(journal, copy)
    with pytest.raises(DataError, match="heads kept outside"):
        restore(Journal(tmp_path / "other.sqlite"), copy, journal.heads())
    fresh.append(answer("p3"), "server")
    with pytest.raises(DataError, match="rewritten at or before entry 2"):
        backup(journal, fresh.path)
    assert journal.verify() == []
    assert fresh.verify() == []


def test_a_backup_that_was_changed_is_not_restored(journal_file, answer, tmp_path):
    journal_file.append(answer(), "server")
    copy = tmp_path / "b.sqlite"
    backup(journal_file, copy)
    with sqlite3.connect(copy) as db:
        db.execute("DROP TRIGGER never_rewritten")
        db.execute("UPDATE entries SET record = replace(record, '0.3', '0.9')")
    db.close()
    empty = Journal(tmp_path / "empty.sqlite")
    with pytest.raises(DataError, match="b.sqlite is damaged: entry 1 of 'server': its record was changed"):
        restore(empty, copy)
    assert empty.entries() == []
    with pytest.raises(DataError, match="no backup at"):
        restore(empty, tmp_path / "none.sqlite")


def test_an_update_that_is_cut_off_leaves_the_backup_as_it_was(journal, answer, tmp_path, monkeypatch):
    journal.append_many([answer("p1"), answer("p2")], "server")
    copy = tmp_path / "backup.sqlite"
    backup(journal, copy)
    journal.append(answer("p3"), "server")
    journal.forget_many([("server", 1)], "live", who="o", why="w")
    before = Journal(copy).heads()

    def cut_off(*_):
        raise DataError("cut off while the record that was forgotten was emptied", "", "")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteSession, "many", cut_off)
        with pytest.raises(DataError, match="cut off while"):
            backup(journal, copy)
    assert (Journal(copy).heads(), Journal(copy).verify(before)) == (before, [])


@pytest.mark.server
def test_a_file_moves_into_a_server(journal_file, answer, label, database):
    journal_file.append_many([answer("p1"), answer("p2"), label("p1")], "server")
    journal_file.forget("server", 2, who="o", why="w")
    team = Journal(database)
    assert restore(team, journal_file.path, journal_file.heads()) == 4
    assert team.heads() == journal_file.heads()
    team.append(answer("p3"), "server")
    assert team.verify(journal_file.heads()) == []
