"""A live folder is kept elsewhere while it is in use, and brought back whole; never over anything."""

import fcntl
import json
import os
import secrets
import shutil
import threading

import psycopg
import pytest

from holdgood.bundle import save
from holdgood.core.errors import DataError, EnvironmentFault, TamperedError
from holdgood.core.records import Prediction, Verdict
from holdgood.core.task import Task
from holdgood.journal import GroupWriter, Journal
from holdgood.serving import tokens
from holdgood.workflow.live import keeping
from holdgood.workflow.live.folder import Live


def answer(i):
    return Prediction(
        id=f"{i:04d}", model="flights", bundle_digest="d", subject=f"person-{i % 2} of Elm Street", facts={"x": i}
    )


@pytest.fixture
def at(tmp_path, cli):
    """A folder with a live model that has answered, a token, and a head kept outside."""
    task = Task(kind="binary", classes=("no", "yes"), target="late")
    records = {"verdict": Verdict(status="ready", headline="h", gates=())}
    for n in (1, 2):
        save(tmp_path / f"run{n}" / "bundle", name="flights", parts={}, records=records, task=task, extra_json={"n": n})
        assert cli("promote", f"run{n}", "--why", "w", "--by", "ann", at=tmp_path).code == 0
    Live.open(tmp_path / "live").journal.append_many([answer(i) for i in range(9)], "server")
    tokens.new(tmp_path / "live" / "tokens.json", roles=("predict",), name="shop")
    assert cli("journal", "head", "--to", "head.json", at=tmp_path).code == 0
    return tmp_path


def test_everything_comes_back_and_verifies_against_a_head_kept_outside(at, cli):
    assert keeping.TOKENS == tokens.FILE_NAME
    (at / "live" / "retraining").mkdir()
    (at / "live" / "retraining" / "rows.parquet").write_bytes(b"rows")
    kept = cli("backup", "live", "kept", at=at)
    assert kept.code == 0, kept.all
    assert "kept in kept: 11 new entries, 2 bundles; it verifies" in kept.out
    assert "not in it: retraining/" in kept.err
    assert [
        f.name for f in (at / "kept").iterdir() if f.name in ("forget.key", "tokens.json") and f.stat().st_mode & 0o077
    ] == []
    shutil.move(at / "live", at / "lost")
    back = cli("restore", "kept", "live", "--head", "head.json", "--json", at=at)
    assert (back.code, back.json["new_entries"], back.json["bundles"]) == (0, 11, 2), back.all
    for name in ("live.toml", "forget.key", "tokens.json"):
        assert (at / "live" / name).read_bytes() == (at / "lost" / name).read_bytes()
    assert Live.open(at / "live").standing() == Live.open(at / "lost").standing()
    assert cli("journal", "verify", "--head", "head.json", at=at).code == 0
    assert cli("rollback", "flights", "--why", "w", at=at).code == 0, "earlier bundles are there too"
    assert (at / "live" / "forget.key").stat().st_mode & 0o077 == 0


def test_it_is_kept_while_answers_are_written_and_brought_up_to_date(at, cli):
    live = Live.open(at / "live")
    ended = threading.Event()

    def serve():
        with GroupWriter(live.journal, "other") as writer:
            for i in range(100, 5000):
                writer.submit([answer(i)]).result()
                if ended.is_set():
                    return

    busy = threading.Thread(target=serve)
    busy.start()
    try:
        first = cli("backup", "live", "kept", "--json", at=at)
    finally:
        ended.set()
        busy.join()
    assert first.code == 0, first.all
    assert cli("journal", "forget", "--subject", "person-0 of Elm Street", "--why", "asked", "--yes", at=at).code == 0
    (at / "live" / "live.toml").write_text("[approval]\nneeded = 1\n")
    assert cli("backup", "live", "kept", at=at).code == 0
    assert Journal(at / "kept" / "journal.sqlite").heads() == live.journal.heads()
    assert (at / "kept" / "live.toml").read_text() == "[approval]\nneeded = 1\n"
    assert all(b"person-0 of Elm" not in f.read_bytes() for f in (at / "kept").glob("journal.sqlite*"))


def test_nothing_is_overwritten(at, cli, refuses):
    cli("backup", "live", "kept", at=at)
    refuses("restore", "kept", "live", at=at, code=3, says=["live is there already", "nothing was overwritten"])
    refuses("backup", "live", "run1", at=at, code=3, says=["run1 holds something else"])
    refuses("restore", "run1", "new", at=at, code=3, says=["run1 is no backup"])
    assert not (at / "new").exists()


def test_what_was_taken_away_since_does_not_come_back(at, cli):
    cli("backup", "live", "kept", at=at)
    (at / "live" / "tokens.json").unlink()
    assert cli("backup", "live", "kept", at=at).code == 0
    assert not (at / "kept" / "tokens.json").exists()
    assert cli("restore", "kept", "new", at=at).code == 0
    assert not (at / "new" / "tokens.json").exists(), "callers that were let in no more"


def test_what_was_put_into_a_backup_is_found(at, cli, refuses):
    given = at / "live" / "tokens.json"
    (at / "kept-tokens").write_bytes(given.read_bytes())
    given.unlink()
    cli("backup", "live", "kept", at=at)
    (at / "kept-tokens").rename(at / "kept" / "tokens.json")
    refuses("restore", "kept", "new", at=at, code=4, says=["tokens.json in kept was added"])
    assert not (at / "new").exists()


def test_a_first_backup_that_was_cut_off_is_gone_on_with(at, cli, refuses, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(keeping, "heads_of", lambda book: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert cli("backup", "live", "kept", at=at).code != 0
    refuses("restore", "kept", "new", at=at, code=3, says=["kept is no backup"])
    again = cli("backup", "live", "kept", at=at)
    assert again.code == 0, again.all
    assert cli("restore", "kept", "new", at=at).code == 0


@pytest.mark.parametrize("file", ["forget.key", "live.toml", "heads.json", "journal.sqlite"])
def test_an_update_that_was_cut_off_is_told_and_brought_back_only_where_that_is_asked_for(
    at, cli, refuses, monkeypatch, file
):
    live, real = Live.open(at / "live"), keeping._write
    keeping.keep(live, at / "kept")
    live.journal.append(answer(50), "server")
    (at / "live" / "live.toml").write_text("[approval]\nneeded = 1\n")
    (at / "live" / "tokens.json").unlink()

    def cut_off(target, *given, **how):
        if file == "journal.sqlite" or target.name == file:
            raise OSError(28, "No space left on device")
        real(target, *given, **how)

    with monkeypatch.context() as full:
        full.setattr(*((Live, "keep") if file == "journal.sqlite" else (keeping, "_write")), cut_off)
        with pytest.raises(EnvironmentFault, match="No space left"):
            keeping.keep(live, at / "kept")
    said = ["the last backup into kept, begun on ", "did not come to its end", "--unfinished"]
    refuses("restore", "kept", "new", at=at, code=3, says=said)
    back = keeping.bring_back(at / "kept", at / "new", unfinished=True)
    assert "did not come to its end: some of this is from then, some was kept on" in back.notes[0]
    assert Live.open(at / "new").journal.heads() == live.journal.heads()
    again = cli("backup", "live", "kept", at=at)
    assert again.code == 0 and "did not come to its end; this one has made it whole" in again.err, again.all
    whole = cli("restore", "kept", "whole", "--json", at=at)
    assert (whole.code, whole.json["notes"]) == (0, []), whole.all


def test_what_was_changed_in_a_backup_that_was_cut_off_is_found(at, monkeypatch):
    live = Live.open(at / "live")
    keeping.keep(live, at / "kept")
    with monkeypatch.context() as full:
        full.setattr(keeping, "heads_of", lambda book: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(EnvironmentFault):
            keeping.keep(live, at / "kept")
    (at / "kept" / "tokens.json").write_text("{}")
    with pytest.raises(TamperedError, match="tokens.json in .*kept was changed"):
        keeping.bring_back(at / "kept", at / "new", unfinished=True)


def test_of_two_backups_into_one_folder_the_second_waits(at, refuses):
    keeping.keep(Live.open(at / "live"), at / "kept")
    held = os.open(at / "kept", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    refuses("backup", "live", "kept", at=at, code=6, says=["another command is keeping something in kept"])
    os.close(held)
    assert keeping.keep(Live.open(at / "live"), at / "kept").notes == ()


def test_a_backup_that_is_refused_leaves_the_earlier_one_whole(at):
    live = Live.open(at / "live")
    keeping.keep(live, at / "kept")
    Journal(at / "kept" / "journal.sqlite").append(answer(60), "server")
    live.journal.append(answer(61), "server")
    with pytest.raises(DataError, match="rewritten"):
        keeping.keep(live, at / "kept")
    assert keeping.bring_back(at / "kept", at / "new").notes == ()


def test_a_journal_that_outlived_the_folder_is_held_against_the_key(at, cli, refuses):
    shutil.copy(at / "live" / "journal.sqlite", at / "team.sqlite")  # as on a server
    (at / "live" / "live.toml").write_text(f'journal = "{at / "team.sqlite"}"\n[keep]\nkey = "{at / "team.key"}"\n')
    shutil.copy(at / "live" / "forget.key", at / "team.key")
    assert cli("backup", "live", "kept", at=at).code == 0
    team = Journal(at / "team.sqlite")
    team.forget("server", 1, who="mallory", why="not by ann")
    said = [
        "team.sqlite, which has outlived the folder, does not verify",
        "it has no seal",
        "HOLDGOOD_JOURNAL=journal.sqlite",
    ]
    refuses("restore", "kept", "new", at=at, code=3, says=said)
    assert not (at / "new").exists()
    (at / "team.key").unlink()
    told = cli("restore", "kept", "new", at=at)
    assert (
        told.code == 0 and "whether 1 deletion in team.sqlite was made by who may delete could not be told" in told.err
    ), told.all


@pytest.mark.parametrize(
    ("file", "code", "said"),
    [
        ("live.toml", 4, "live.toml in kept was changed"),
        ("tokens.json", 4, "tokens.json in kept was changed"),
        ("heads.json", 4, "heads.json in kept was changed"),
        ("bundles/*/manifest.json", 4, ""),
    ],
)
def test_a_backup_that_was_changed_is_not_brought_back(at, cli, file, code, said):
    cli("backup", "live", "kept", at=at)
    changed = next((at / "kept").glob(file))
    changed.write_bytes(changed.read_bytes() + b"\n ")
    refused = cli("restore", "kept", "new", at=at)
    assert refused.code == code and said in refused.err, refused.all
    assert not (at / "new").exists()


def test_a_shorter_journal_and_a_forged_deletion_in_it_are_found(at, cli):
    cli("backup", "live", "kept", at=at)
    Live.open(at / "live").journal.append(answer(77), "server")
    cli("journal", "head", "--to", "later.json", at=at)
    older = cli("restore", "kept", "new", "--head", "later.json", at=at)
    assert older.code == 3 and "'server' had 10 entries" in older.err
    Live.open(at / "live").journal.forget("server", 1, who="ann", why="not by ann")
    forged = cli("backup", "live", "kept", at=at)
    assert forged.code == 3 and "it has no seal" in forged.err


def test_a_bundle_that_answers_and_is_gone_is_told(at, cli):
    live = Live.open(at / "live")
    shutil.rmtree(at / "live" / "bundles" / live.at("flights").bundle_digest)
    told = cli("backup", "live", "kept", at=at)
    assert told.code == 4 and "which is live" in told.err
    assert Journal(at / "kept" / "journal.sqlite").heads() == live.journal.heads(), "the rest is kept all the same"


@pytest.mark.server
def test_a_journal_on_a_server_is_in_it_and_one_that_outlived_the_folder_is_left(at, cli, postgres):
    names = [f"j{secrets.token_hex(4)}" for _ in range(2)]
    url = postgres.removesuffix("/postgres")
    with psycopg.connect(postgres, autocommit=True) as server:
        for name in names:
            server.execute(f"CREATE DATABASE {name}")
        team = Journal(f"{url}/{names[0]}")
        cli("journal", "restore", at / "live" / "journal.sqlite", "--journal", f"{url}/{names[0]}", at=at)
        (at / "live" / "live.toml").write_text(f'journal = "{url}/{names[0]}"\n')
        kept = cli("backup", "live", "kept", at=at)
        assert kept.code == 0 and "its entries are in journal.sqlite; its users, rights" in kept.err, kept.all
        assert "s3cret" not in kept.all
        team.append(answer(50), "server")  # the server goes on, the folder is lost
        back = cli("restore", "kept", "again", "--json", at=at)
        assert (back.code, back.json["new_entries"]) == (0, 0), back.all
        assert len(team.entries("prediction")) == 10
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOLDGOOD_JOURNAL", f"{url}/{names[1]}")
            anew = cli("restore", "kept", "anew", "--json", at=at)
            assert (anew.code, anew.json["new_entries"]) == (0, 11), anew.all
            Journal(f"{url}/{names[1]}").append(answer(51), "another")
            assert cli("journal", "verify", "--live", "anew", at=at).code == 0
        for name in names:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert json.loads((at / "kept" / "backup.json").read_text())["format"] == 1
