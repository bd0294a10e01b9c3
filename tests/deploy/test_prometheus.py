"""What Prometheus and Alertmanager are given loads, says what it should and when, and names only what the server counts and the runbook explains."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from holdgood.serving.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def tool(*command):
    """Run one of Prometheus' own tools: what it said, or a failure with it."""
    if shutil.which(command[0]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs {command[0]}")
        pytest.skip(f"no {command[0]} here: apt-get install prometheus prometheus-alertmanager")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def laid_out(tmp_path):
    """The files as they lie on a machine, with a token, and the rules' tests beside them."""
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(DEPLOY / name, tmp_path)
    shutil.copy(Path(__file__).with_name("alerts_test.yml"), tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "holdgood_metrics_token").write_text("t")
    return tmp_path


def rules():
    return [r for g in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for r in g["rules"]]


@pytest.mark.server
def test_prometheus_takes_settings_and_rules_and_each_rule_does_as_its_test_says(laid_out):
    assert "SUCCESS: 10 rules found" in tool("promtool", "check", "config", str(laid_out / "prometheus.yml"))
    tool("promtool", "test", "rules", str(laid_out / "alerts_test.yml"))
    tested = {t["alertname"] for case in yaml.safe_load((laid_out / "alerts_test.yml").read_text())["tests"]
              for t in case["alert_rule_test"] if t.get("exp_alerts")}  # fmt: skip
    assert tested == {r["alert"] for r in rules()}


@pytest.mark.server
def test_alertmanager_takes_its_settings():
    tool("amtool", "check-config", str(DEPLOY / "alertmanager.yml"))


def test_rules_name_what_the_server_counts():
    metrics = Metrics()
    metrics.counted("/predict", 200, 0.1)
    metrics.answered("m", "champion", "ok")
    metrics.live.labels("m", "champion", "d").set(1)
    metrics.loads.labels("failed").inc()
    metrics.shadow_faults.labels("m").inc()
    there = {re.match(r"[a-z_]+", line)[0] for line in metrics.text().decode().splitlines() if line[0] != "#"}
    for rule in rules():
        named = set(re.findall(r"holdgood_[a-z_]+", rule["expr"]))
        assert named <= there, rule["alert"]
        labels = set(re.findall(r"(?:place|verdict|status|route|outcome)=", rule["expr"]))
        assert labels <= set(re.findall(r"(?:place|verdict|status|route|outcome)=", metrics.text().decode()))


def test_every_rule_stands_in_the_runbook_with_what_to_do():
    book = (ROOT / "docs" / "operations" / "server.md").read_text()
    parts = {p.split("\n", 1)[0]: p for p in book.split("\n## ")[1:]}
    assert set(parts) == {r["alert"] for r in rules()}
    for rule in rules():
        assert rule["labels"]["severity"] in {"low", "medium", "high"}
        assert rule["annotations"]["todo"]
        for part in ("**Means.**", "**Check first", "**Ignore when**"):
            assert part in parts[rule["alert"]], (rule["alert"], part)
