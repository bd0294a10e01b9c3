"""A server in use: models change under load, it is killed, it is ended, tokens come and go. What was acknowledged is in the journal, once."""

import http.client
import json
import signal
import subprocess
import sys
import threading

import pytest

from holdgood.core.records import Prediction
from holdgood.journal import Journal
from holdgood.serving import tokens
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote, roll_back


class Crowd:
    """Some clients that ask without pause until told to stop; what each saw acknowledged, and what went wrong."""

    def __init__(self, server, row, name, count=3):
        self.server, self.body, self.name = server, {"row": row}, name
        self.acknowledged, self.others, self.stop = {}, [], threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(k,)) for k in range(count)]
        for thread in self.threads:
            thread.start()

    def work(self, k):
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        for i in range(100_000):
            if self.stop.is_set():
                return
            id_ = f"{self.name}-{k}-{i}"
            head = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
            try:
                line.request("POST", "/models/jobs/predict", json.dumps({**self.body, "id": id_}), head)
                reply = line.getresponse()
                told = json.loads(reply.read())
            except (OSError, http.client.HTTPException) as error:
                self.others.append(type(error).__name__)
                return
            if reply.status == 200:
                self.acknowledged[id_] = told["bundle"]
            else:
                self.others.append(reply.status)

    def wait(self, more):
        """Until so many more are acknowledged."""
        until = len(self.acknowledged) + more
        while len(self.acknowledged) < until and any(t.is_alive() for t in self.threads):
            self.stop.wait(0.002)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory, live_of):
    """A live folder with one model, and a token."""
    at = tmp_path_factory.mktemp("life")
    live_of(at / "live", {("champion", None): {}})
    return at, tokens.new(at / "live" / "tokens.json", roles=["admin"], name="ann")[0]


@pytest.fixture(scope="module")
def running(place, start):
    at, secret = place
    return start(at / "live", "--rate", "0", "--refused-rate", "0", "--every", "0.2", at=at, token=secret)


def test_promoted_and_rolled_back_under_load_without_a_dropped_request(running, place, bundles, job_rows):
    live = Live.open(place[0] / "live")
    first, second = live.at("jobs").bundle_digest, bundles(seed=1)
    crowd = Crowd(running, job_rows[0], "switch")
    crowd.wait(20)
    made = promote(live, second, "jobs", by="ann", why="better", overrule=True).bundle_digest
    assert running.json("POST", "/admin/reload")[0] == 200  # at once
    assert running.json("POST", "/predict", {"row": job_rows[0]})[1]["bundle"] == made
    crowd.wait(20)
    roll_back(live, "jobs", by="ann", why="not better")
    while running.json("POST", "/predict", {"row": job_rows[0]})[1]["bundle"] != first:  # by itself
        pass
    crowd.wait(20)
    crowd.end()
    assert crowd.others == []
    assert set(crowd.acknowledged.values()) == {first, made}
    entries = {p.id: p.bundle_digest for _, p in live.journal.read(Prediction, model="jobs")}
    assert all(entries[i] == digest for i, digest in crowd.acknowledged.items())


def test_tokens_come_and_go_without_a_restart(running, place, job_rows):
    file = place[0] / "live" / "tokens.json"
    fresh, token = tokens.new(file, roles=["predict"], name="new")
    while running.ask("GET", "/models", token=fresh).status == 401:
        pass
    tokens.revoke(file, token.id)
    while running.ask("GET", "/models", token=fresh).status == 200:
        pass
    assert running.ask("GET", "/models", token=fresh).status == 401
    assert running.ask("GET", "/models").status == 200


def test_killed_under_load_nothing_acknowledged_is_lost_and_nothing_is_there_twice(running, place, start, job_rows):
    at, secret = place
    crowd = Crowd(running, job_rows[1], "killed")
    crowd.wait(60)
    running.end(signal.SIGKILL)
    crowd.end()
    journal = Journal(at / "live" / "journal.sqlite")
    ids = [p.id for _, p in journal.read(Prediction, model="jobs")]
    assert set(crowd.acknowledged) <= set(ids) and len(set(ids)) == len(ids) and len(crowd.acknowledged) >= 60
    assert journal.verify() == []

    again = start(at / "live", "--rate", "0", at=at, token=secret)
    for id_ in [*crowd.acknowledged][-3:]:
        status, told = again.json("POST", "/predict", {"row": job_rows[1], "id": id_})
        assert status == 200 and told["repeated"]

    crowd = Crowd(again, job_rows[2], "ended")
    crowd.wait(40)
    assert again.end(signal.SIGTERM) == 0
    crowd.end()
    ids = {p.id for _, p in journal.read(Prediction, model="jobs")}
    assert set(crowd.acknowledged) <= ids
    assert not {o for o in crowd.others if isinstance(o, int)} - {503}
    assert '"event":"ended"' in again.log.read_text()


def test_what_cannot_be_started_says_why(bundles, tmp_path):
    command = [sys.executable, "-m", "holdgood.cli.app", "serve", str(bundles()), "--host", "0.0.0.0", "--open"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "no tokens on 0.0.0.0" in done.stderr
