"""One pass at a time: on one machine by the folder, on several by the server that keeps their journal."""

import secrets
import subprocess
import sys

import psycopg
import pytest

from holdgood.core.errors import EnvironmentFault
from holdgood.core.records import Acknowledgement
from holdgood.journal.sql_session import SqlSession
from holdgood.workflow.live import retrain as retraining
from holdgood.workflow.live import watch as watching
from holdgood.workflow.live.alone import alone
from holdgood.workflow.live.folder import Live

HOLDER = """
import sys
from holdgood.workflow.live.alone import alone
from holdgood.workflow.live.folder import Live
with alone(Live.create(sys.argv[1]), "retrain", "tended", "flights"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def elsewhere():
    """Another process that tends the model from a live folder, as another machine would; ends with the test."""
    begun = []

    def start(folder):
        process = subprocess.Popen([sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        begun.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def free(live, kind="retrain", model="flights"):
    try:
        with alone(live, kind, "tended", model):
            return True
    except EnvironmentFault:
        return False


def test_a_folder_is_tended_by_one_process(tmp_path, elsewhere):
    process = elsewhere(tmp_path / "live")
    live = Live.open(tmp_path / "live")
    assert (free(live), free(live, kind="watch")) == (False, True)
    process.kill()
    process.wait()
    assert free(live)


@pytest.mark.server
def test_two_machines_that_share_a_journal_are_locked_against_each_other(postgres, tmp_path, elsewhere, monkeypatch):
    name = f"j{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        monkeypatch.setenv("HOLDGOOD_JOURNAL", postgres.removesuffix("/postgres") + f"/{name}")
        process = elsewhere(tmp_path / "one" / "live")
        live = Live.create(tmp_path / "other" / "live")  # nothing on this disk tells of the other
        said = "flights is being tended by another process, on this machine or on another"
        with pytest.raises(EnvironmentFault, match=said) as told, alone(live, "retrain", "tended", "flights"):
            pass
        assert "s3cret" not in str(told.value)
        assert free(live, model="orders") and free(live, kind="watch")
        process.kill()  # in the middle of it
        process.wait()
        for _ in range(50):
            if free(live):
                break
            server.execute("SELECT pg_sleep(0.1)")  # the server has yet to see that the connection is gone
        assert free(live)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.server
def test_a_lock_that_the_server_let_go_of_is_noticed_before_the_next_write(postgres, tmp_path, monkeypatch):
    name, said = f"j{secrets.token_hex(4)}", Acknowledgement(alarm="a", who="ann", why="seen")
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        monkeypatch.setenv("HOLDGOOD_JOURNAL", postgres.removesuffix("/postgres") + f"/{name}")
        live = Live.create(tmp_path / "live")
        with alone(live, "retrain", "tended", "flights") as held:
            held.journal.append(said, "live")
            ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
            server.execute(ended, (name,))
            with alone(live, "watch", "watched", "flights") as other:  # the server is there
                other.journal.append(said, "watch")
            with pytest.raises(EnvironmentFault, match="has let go of the lock") as told:
                held.journal.append(said, "live")
        assert "s3cret" not in str(told.value)
        assert [h.number for h in live.journal.heads().values()] == [1, 1]
        with alone(live, "retrain", "tended", "flights") as held:
            held.journal.append(said, "live")
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_look_and_a_pass_write_only_while_they_hold_it(tmp_path, monkeypatch):
    live, said = Live.create(tmp_path / "live"), Acknowledgement(alarm="a", who="ann", why="seen")
    monkeypatch.setattr(watching, "_watched", lambda live, *_: live.journal.append(said, "watch"))
    monkeypatch.setattr(retraining, "_next", lambda asked: asked.live.journal.append(said, "live"))
    monkeypatch.setattr(retraining, "_named", lambda _, model: model)
    monkeypatch.setattr(SqlSession, "holds", lambda *_: False)
    with pytest.raises(EnvironmentFault, match="flights was being watched, but journal.sqlite has let go"):
        watching.watch(live, "flights")
    with pytest.raises(EnvironmentFault, match="flights was being tended, but journal.sqlite has let go"):
        retraining.tend(live, "flights")
    assert live.journal.heads() == {}
