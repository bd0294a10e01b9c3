"""One pass at a time: on one machine by the folder, on several by the server that keeps their journal."""

import secrets
import subprocess
import sys

import psycopg
import pytest

from holdgood.core.errors import EnvironmentFault
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
