"""Exporting a run to a real MLflow server, and what is said where there is none. In CI the server must be there."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

from holdgood.bundle import verify
from holdgood.core.errors import DataError, DeclarationError, EnvironmentFault, MissingExtra
from holdgood.workflow.export_mlflow import export_run, trials_table

OURS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
PATIENCE = 150


def _absent(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs an MLflow server: {reason}")
    pytest.skip(f"no MLflow server: {reason}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of an MLflow server of our own, with a database and files in a temporary folder."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder / "files")]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **OURS}, stdout=log, stderr=log, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}"
    try:
        began = time.monotonic()
        while not _answers(address):
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                _absent((folder / "log").read_text()[-400:])
            time.sleep(0.3)
        yield address
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        log.close()


def _answers(address):
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def exported(server, finished):
    return export_run(finished, server)


@pytest.fixture(scope="module")
def client(server):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=server)


@pytest.mark.server
def test_parameters_metrics_and_tags_are_those_of_the_run(exported, client, finished):
    found = client.get_run(exported.mlflow_run)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "company 0001"
    assert client.get_experiment(found.info.experiment_id).name == "company"
    headline = finished.holdout.metrics["log_loss"]
    assert found.data.metrics["holdout/log_loss"] == pytest.approx(headline.value)
    assert found.data.metrics["holdout/log_loss.low"] == pytest.approx(headline.low)
    assert found.data.metrics["prior/log_loss"] == pytest.approx(finished.holdout.baselines["prior"]["log_loss"].value)
    assert found.data.metrics["money"] == pytest.approx(finished.holdout.money.amount.value)
    assert found.data.params["chosen"] == finished.leaderboard.chosen
    assert found.data.params["task.target"] == "hours_taken > 3"
    assert found.data.params["budget.trials"] == "5"
    assert found.data.tags["holdgood.verdict"] == finished.verdict.status
    assert finished.verdict.headline in found.data.tags["mlflow.note.content"]
    assert "development rows" in found.data.tags["holdgood.tuned_on"]


@pytest.mark.server
def test_each_trial_is_a_run_nested_in_it(exported, client, finished):
    parent = client.get_run(exported.mlflow_run)
    where = [parent.info.experiment_id]
    nested = client.search_runs(where, f"tags.`mlflow.parentRunId` = '{exported.mlflow_run}'")
    tried = {t.name: t for t in finished.leaderboard.trials if t.status != "skipped"}
    assert {r.info.run_name for r in nested} == set(tried)
    assert exported.trials == len(tried)
    for run in nested:
        trial = tried[run.info.run_name]
        assert run.data.params["family"] == trial.family
        assert run.data.metrics["out_of_fold/log_loss"] == pytest.approx(trial.score.value)
        assert run.data.metrics["fit_seconds"] == pytest.approx(trial.fit_seconds)
        steps = client.get_metric_history(run.info.run_id, "fold/log_loss")
        assert sorted(m.step for m in steps) == list(range(len(trial.fold_scores)))
        assert set(run.data.params) >= set(trial.parameters)


@pytest.mark.server
def test_report_leaderboard_and_card_come_back_as_files(exported, client, finished, tmp_path):
    names = {f.path for f in client.list_artifacts(exported.mlflow_run)}
    assert {"report.html", "leaderboard.json", "card.json", "evaluation.json", "verdict.json", "trials.csv"} <= names
    assert {"declaration.json", "lessons.json"} <= names
    assert "bundle" not in names
    back = client.download_artifacts(exported.mlflow_run, "leaderboard.json", str(tmp_path))
    with open(back) as file:
        assert json.load(file)["payload"] == finished.leaderboard.payload()
    report = client.download_artifacts(exported.mlflow_run, "report.html", str(tmp_path))
    with open(report, "rb") as file:
        assert file.read() == finished.report.read_bytes()


@pytest.mark.server
def test_what_is_there_is_not_sent_again_unless_asked(exported, server, client, finished):
    again = export_run(finished, server)
    assert again.again
    assert again.mlflow_run == exported.mlflow_run
    forced = export_run(finished, server, experiment="another place / [ü]", force=True, bundle=True)
    assert not forced.again
    assert forced.mlflow_run != exported.mlflow_run
    files = {f.path for f in client.list_artifacts(forced.mlflow_run, "bundle")}
    assert "bundle/manifest.json" in files


@pytest.mark.server
def test_a_bundle_is_registered_once_and_comes_back_as_it_was(exported, server, client, finished, tmp_path):
    done = export_run(finished, server, register_as="late orders")
    assert (done.again, done.model, done.version, done.version_again) == (True, "late orders", "1", False)
    found = client.get_model_version("late orders", "1")
    assert found.run_id == exported.mlflow_run
    digest = finished.model.manifest.digest
    assert found.tags["holdgood.digest"] == digest
    assert found.tags["holdgood.verdict"] == finished.verdict.status
    back = client.download_artifacts(found.run_id, "bundle", str(tmp_path))
    assert verify(back).digest == digest
    names = {p.name for p in Path(back).rglob("*")}
    assert not any(n == "MLmodel" or n.endswith((".pkl", ".joblib")) for n in names)
    again = export_run(finished, server, register_as="late orders")
    assert (again.version, again.version_again) == ("1", True)
    assert len(client.search_model_versions("name = 'late orders'")) == 1


@pytest.mark.server
def test_a_bundle_whose_sending_was_cut_off_is_sent_whole_before_it_is_registered(server, client, finished, tmp_path):
    from mlflow import MlflowClient

    export_run(finished, server, experiment="half a bundle")

    def cut(self, run, folder, path=None):
        self.log_artifact(run, str(Path(folder) / "manifest.json"), path)
        raise OSError("connection lost")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifacts", cut)
        with pytest.raises(EnvironmentFault, match="connection lost"):
            export_run(finished, server, experiment="half a bundle", register_as="half")
    done = export_run(finished, server, experiment="half a bundle", register_as="half")
    found = client.get_model_version("half", done.version)
    assert (
        verify(client.download_artifacts(found.run_id, "bundle", str(tmp_path))).digest == found.tags["holdgood.digest"]
    )


@pytest.mark.server
def test_the_champion_is_an_alias_and_one_that_is_not_ready_is_none(server, client, finished, monkeypatch):
    ready = finished.verdict.model_copy(update={"status": "ready"})
    monkeypatch.setattr(type(finished), "verdict", property(lambda _: ready))
    done = export_run(finished, server, register_as="chosen", champion=True)
    assert client.get_model_version_by_alias("chosen", "champion").version == done.version
    worse = finished.verdict.model_copy(update={"status": "not ready"})
    monkeypatch.setattr(type(finished), "verdict", property(lambda _: worse))
    with pytest.raises(DeclarationError, match="not ready"):
        export_run(finished, server, register_as="another", champion=True)
    assert not client.search_registered_models("name = 'another'")


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "x' OR name = 'y", "line\nbreak"])
def test_a_name_that_no_registry_takes_is_refused_before_anything_is_sent(finished, name):
    with pytest.raises(DeclarationError, match="no name of a registered model"):
        export_run(finished, "http://127.0.0.1:1", register_as=name)


def test_a_champion_of_nothing_is_refused(finished):
    with pytest.raises(DeclarationError, match="of no registered model"):
        export_run(finished, "http://127.0.0.1:1", champion=True)


@pytest.mark.server
def test_a_deleted_experiment_is_not_written_to(server, client, finished):
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(DeclarationError, match="'gone' was deleted"):
        export_run(finished, server, experiment="gone")


@pytest.mark.server
def test_an_export_that_is_cut_off_is_marked_failed_and_not_taken_for_whole(server, client, finished, monkeypatch):
    from holdgood.workflow import export_mlflow

    def cut(*_):
        raise OSError("connection lost")

    with monkeypatch.context() as patch:
        patch.setattr(export_mlflow, "_files", cut)
        with pytest.raises(EnvironmentFault, match="connection lost"):
            export_run(finished, server, experiment="cut")
    where = client.get_experiment_by_name("cut").experiment_id
    parents = client.search_runs([where], "tags.`holdgood.run` = '0001'")
    assert [r.info.status for r in parents] == ["FAILED"]
    assert not export_run(finished, server, experiment="cut").again


@pytest.mark.server
def test_it_sends_nothing_about_its_use_and_leaves_the_environment_as_it_was(server, finished, monkeypatch):
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    export_run(finished, server)
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "address", ["", "mlruns", "file:///tmp/x", "sqlite:///x.db", "databricks", "http://", "http://[x", "http://h:abc"]
)
def test_only_a_server_is_exported_to(finished, address):
    with pytest.raises(DeclarationError, match="no address of a server"):
        export_run(finished, address)


def test_a_server_that_is_not_there_is_told_without_the_password(finished):
    pytest.importorskip("mlflow")
    with pytest.raises(EnvironmentFault, match="did not take run 0001") as told:
        export_run(finished, "http://ann:s3cret@127.0.0.1:9")
    assert "s3cret" not in str(told.value)


def test_without_the_library_it_says_what_to_install(finished, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtra, match=r"holdgood\[mlflow\]"):
        export_run(finished, "http://127.0.0.1:9")


def test_an_unfinished_run_sends_nothing(finished, tmp_path):
    import shutil

    from holdgood.workflow.folder import Project
    from holdgood.workflow.result import Run

    folder = shutil.copytree(finished.project.path, tmp_path / "company")
    project = Project.at(folder)
    run = Run.open(project, project.run("1"))
    shutil.rmtree(run.folder.find("evaluate").path)
    with pytest.raises(DataError, match="has no evaluate yet"):
        export_run(run, "http://127.0.0.1:9")


def test_trials_are_a_table(finished):
    lines = trials_table(finished.leaderboard).splitlines()
    assert lines[0].startswith("trial,family,rung,status,log_loss,low,high")
    assert len(lines) == 1 + len(finished.leaderboard.trials)
