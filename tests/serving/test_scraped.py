"""A real Prometheus scrapes a real server by the shipped rules and settings; a real Alertmanager tells whoever is on call."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from holdgood.serving import tokens

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("sinks", ROOT / "tests" / "monitoring" / "sinks.py")
sinks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sinks)


@contextlib.contextmanager
def prometheus(folder, port, token, alertmanager):
    """A real Prometheus with the shipped files; only addresses, the token's place and the pace are changed."""
    if shutil.which("prometheus") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs prometheus")
        pytest.skip("no Prometheus here: apt-get install prometheus")
    settings = (ROOT / "deploy" / "prometheus.yml").read_text()
    for shipped, here in (
        ("127.0.0.1:8000", f"127.0.0.1:{port}"),
        ("127.0.0.1:9093", alertmanager.removeprefix("http://")),
        ("interval: 15s", "interval: 1s"),
    ):
        assert shipped in settings
        settings = settings.replace(shipped, here)
    (folder / "prometheus.yml").write_text(settings)
    shutil.copy(ROOT / "deploy" / "alerts.yml", folder)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "holdgood_metrics_token").write_text(token)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{own}",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()


def heard(sink, state, seconds=120.0):
    """The first alert in this state that the sink gets."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for _, _, body in list(sink.got):
            for alert in json.loads(body)["alerts"]:
                if alert["status"] == state and alert["labels"]["alertname"] == "HoldgoodJournalAway":
                    return alert
        time.sleep(0.1)
    raise AssertionError(f"nothing was {state}: {[b for _, _, b in sink.got]}")


@pytest.mark.server
def test_a_journal_that_is_away_reaches_whoever_is_on_call_and_so_does_its_end(bundles, start, job_rows, tmp_path):
    away = tmp_path / "away"
    away.write_text("a file where the journal's folder should be")
    secret = {role: tokens.new(tmp_path / "tokens.json", roles=[role], name=role)[0] for role in ("metrics", "predict")}
    server = start(
        f"jobs={bundles()}", "--journal", away / "journal.sqlite", "--tokens", tmp_path / "tokens.json",
        at=tmp_path, token=secret["predict"],
    )  # fmt: skip
    assert server.ask("GET", "/metrics", token=secret["predict"]).status == 403
    assert re.search(rb"^holdgood_journal_up 0\.0$", server.ask("GET", "/metrics", token=secret["metrics"]).text, re.M)
    (tmp_path / "am").mkdir()
    (tmp_path / "p").mkdir()
    sink = sinks.Http()
    with (
        sinks.alertmanager(tmp_path / "am", sink.url) as alertmanager,
        prometheus(tmp_path / "p", server.port, secret["metrics"], alertmanager),
    ):
        told = heard(sink, "firing")
        assert told["labels"]["severity"] == "high"
        assert told["labels"]["job"] == "holdgood"
        assert "is the database up" in told["annotations"]["todo"]
        away.unlink()
        assert server.ask("POST", "/predict", {"row": job_rows[0]}).status == 200
        heard(sink, "resolved")
