"""A run for teams that keep their experiments on an MLflow server: parameters, metrics, trials as nested runs, records as files.

The run folder stays the source of truth; what is exported is a copy of what it says. Nothing goes anywhere but to the server
that is named.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from holdgood.core.errors import DeclarationError, EnvironmentFault, MissingExtra
from holdgood.core.records import Leaderboard, Trial
from holdgood.core.records.envelope import write, write_bytes
from holdgood.core.urls import mask
from holdgood.workflow.folder import masked
from holdgood.workflow.register_mlflow import checked_name, register, send
from holdgood.workflow.result import Run

LONGEST = 500
"""Characters of a parameter that servers of every version take."""
A_CALL = 100
"""Parameters that one call may carry."""
_NOT_IN_A_NAME = re.compile(r"[^\w\-. :/]")
# Told to the client before it is loaded: it sends nothing about its use, and does not try for minutes.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
}
_STATUS = {"ok": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}


@dataclass(frozen=True)
class Exported:
    """Where a run is to be found on the server. ``again``: it was there already, and nothing was sent.

    ``model`` and ``version``: what its bundle is registered as; ``version_again``: it was registered already.
    """

    run: str
    experiment: str
    mlflow_run: str
    url: str
    trials: int
    again: bool = False
    model: str | None = None
    version: str | None = None
    version_again: bool = False


def export_run(
    run: Run,
    to: str,
    *,
    experiment: str | None = None,
    force: bool = False,
    bundle: bool = False,
    register_as: str | None = None,
    champion: bool = False,
) -> Exported:
    """Export a finished run to the MLflow server at ``to`` (http or https); its trials become runs nested in it.

    ``experiment``: where it goes, made where it is not there; default the project's name. A run that is there already is
    not sent again, unless ``force``. ``bundle``: the delivered model's files too. ``register_as``: the bundle becomes a version of the
    registered model of this name, once; ``champion``: and gets that alias, unless its verdict is "not ready".

    Raises DeclarationError for an address that is no server's, a name that is none or a champion that is not ready,
    DataError for a run that is not finished, MissingExtra
    without mlflow-skinny, EnvironmentFault where the server cannot be reached or refuses.
    """
    if not _is_server(to):
        raise DeclarationError(
            f"{mask(to)} is no address of a server",
            "http://… or https://…",
            "write for example --to http://localhost:5000",
        )
    name = experiment or run.model.declaration.name
    model = None if register_as is None else checked_name(register_as)
    content = _Content.of(run)
    if champion:
        _may_be_champion(run, model)
    with _client(to) as (client, fault):
        try:
            done = _sent(client, run, content, to.rstrip("/"), name, force, bundle)
            if model is None:
                return done
            tags = {"holdgood.digest": run.model.manifest.digest, "holdgood.verdict": run.verdict.status}
            tags |= {"holdgood.run": run.id, "holdgood.project": content.tags["holdgood.project"]}
            version, known = register(client, done.mlflow_run, model, run.bundle, tags, champion=champion)
            return replace(done, model=model, version=version, version_again=known)
        except (fault, OSError) as error:  # what requests raises is an OSError
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise EnvironmentFault(
                f"the MLflow server at {mask(to)} did not take run {run.id}: {mask(said)[:300]}",
                "a server that answers and lets you write",
                "check the address and MLFLOW_TRACKING_USERNAME, …_PASSWORD or …_TOKEN; then export again",
            ) from None


def _may_be_champion(run: Run, model: str | None) -> None:
    if model is None:
        raise DeclarationError(
            "a champion of no registered model",
            "the model's name",
            "add the name that it is registered as: --register NAME",
        )
    if run.verdict.status == "not ready":
        raise DeclarationError(
            f"run {run.id} is not ready: {run.verdict.headline}",
            "a verdict of ready, or ready to pilot",
            "register it without --champion, or see which gates failed: holdgood show verdict",
        )


def _is_server(to: str) -> bool:
    try:
        address = urlsplit(to)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False


@contextmanager
def _client(to: str) -> Iterator[tuple[Any, type[Exception]]]:
    """The client, and what it raises; settings of ours hold only while it is used, and where the user made none."""
    before = {name: os.environ.get(name) for name in _SETTINGS}
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        try:
            from mlflow import MlflowClient  # here and not at the top: an optional library, wanted for the export only
            from mlflow.exceptions import MlflowException
        except ImportError:
            raise MissingExtra.named("mlflow", "mlflow-skinny", "exporting to an MLflow server") from None
        yield MlflowClient(tracking_uri=to, registry_uri=to), MlflowException
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)


@dataclass(frozen=True)
class _Content:
    """What of a run is exported, before anything is sent: a run that lacks a record sends nothing."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    board: Leaderboard
    digest: str

    @classmethod
    def of(cls, run: Run) -> _Content:
        board, said, verdict = run.leaderboard, run.holdout, run.verdict
        used = masked(run.folder.declaration() or run.model.declaration)
        declared = used.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        params = {
            **_flat(declared),
            "chosen": board.chosen,
            "delivered": board.delivered,
            "calibration": board.calibration or "none",
            "development_rows": str(board.rows),
            "holdout_rows": str(said.rows),
        }
        metrics: dict[str, float] = {}
        for name, interval in said.metrics.items():
            metrics |= {
                f"holdout/{name}": interval.value,
                f"holdout/{name}.low": interval.low,
                f"holdout/{name}.high": interval.high,
            }
        for baseline, scores in said.baselines.items():
            metrics |= {f"{baseline}/{name}": interval.value for name, interval in scores.items()}
        if said.money is not None and not said.money.assumed:
            money = said.money.amount
            metrics |= {"money": money.value, "money.low": money.low, "money.high": money.high}
        metrics |= {
            "threshold": board.threshold,
            "openings": float(said.openings),
            "fit_seconds": sum(t.fit_seconds for t in board.trials),
            "seconds": float(run.folder.status().get("seconds") or math.nan),
        }
        content = json.dumps([board.payload(), said.payload(), verdict.payload(), params], sort_keys=True)
        tags = {
            "holdgood.run": run.id,
            "holdgood.project": used.name,
            "holdgood.verdict": verdict.status,
            "holdgood.data": run.split.holdout_fingerprint,
            "holdgood.tuned_on": said.tuned_on,
            "mlflow.source.name": "holdgood",
            "mlflow.note.content": "\n\n".join((verdict.headline, *verdict.sentences))[:5000],
        }
        return cls(params, metrics, tags, board, hashlib.sha256(content.encode()).hexdigest()[:32])


def _flat(declared: Mapping[str, Any], where: str = "") -> dict[str, str]:
    """Nested values by dotted path."""
    found: dict[str, str] = {}
    for key, value in declared.items():
        path = f"{where}.{key}" if where else str(key)
        found |= _flat(value, path) if isinstance(value, Mapping) else {path: _text(value)}
    return found


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _sent(client: Any, run: Run, content: _Content, to: str, name: str, force: bool, bundle: bool) -> Exported:
    where = _experiment(client, name)
    found = client.search_runs([where], f"tags.`holdgood.export` = '{content.digest}'", max_results=1)
    done = sum(t.status != "skipped" for t in content.board.trials)

    def told(mlflow_run: str, again: bool) -> Exported:
        return Exported(run.id, name, mlflow_run, f"{mask(to)}/#/experiments/{where}/runs/{mlflow_run}", done, again)

    if found and not force:
        return told(found[0].info.run_id, True)
    began = _began(run)
    parent = client.create_run(
        where, start_time=began, run_name=f"{content.tags['holdgood.project']} {run.id}"
    ).info.run_id
    try:
        _log(client, parent, content.params, content.metrics, content.tags, began)
        for trial in content.board.trials:
            if trial.status != "skipped":
                _nested(client, where, parent, trial, content.board, began)
        _files(client, parent, run, content.board, bundle)
        # the mark comes last: what was cut off on the way is not taken for a whole export
        client.set_tag(parent, "holdgood.export", content.digest)
    except BaseException:
        client.set_terminated(parent, "FAILED")
        raise
    client.set_terminated(
        parent, "FINISHED", began + int(1000 * (content.metrics["seconds"] if content.metrics["seconds"] > 0 else 0))
    )
    return told(parent, False)


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage != "active":
        raise DeclarationError(
            f"the experiment {name!r} was deleted on the server",
            "one that is active",
            "restore it there, or name another: --experiment NAME",
        )
    return str(found.experiment_id)


def _began(run: Run) -> int:
    """Milliseconds since the epoch at which the run began."""
    try:
        return int(1000 * datetime.fromisoformat(str(run.folder.status()["started_utc"])).timestamp())
    except (KeyError, ValueError):
        return int(1000 * time.time())


def _log(
    client: Any, to: str, params: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str], when: int,
    steps: Sequence[tuple[str, float, int]] = (),
) -> None:  # fmt: skip
    """Parameters, metrics and tags of one run; numbers that are none are left out. ``steps``: further values by step."""
    from mlflow.entities import Metric, Param, RunTag  # the client has been loaded by now

    named = [Param(k, v or "–") for k, v in _names(params).items()]
    values = [Metric(k, float(v), when, 0) for k, v in _names(metrics).items() if math.isfinite(v)]
    values += [Metric(_name(k), float(v), when, step) for k, v, step in steps if math.isfinite(v)]
    client.log_batch(to, metrics=values, params=named[:A_CALL], tags=[RunTag(k, v) for k, v in tags.items()])
    for start in range(A_CALL, len(named), A_CALL):
        client.log_batch(to, params=named[start : start + A_CALL])


def _names(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values by names that a server takes; of two that become one the later gets a number."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = base = _name(key)
        number = 2
        while name in found:
            name, number = f"{base}_{number}", number + 1
        found[name] = value
    return found


def _name(key: str) -> str:
    return _NOT_IN_A_NAME.sub("_", key).strip("/. ")[:200] or "_"


def _nested(client: Any, where: str, parent: str, trial: Trial, board: Leaderboard, began: int) -> None:
    tags = {"mlflow.parentRunId": parent, "holdgood.family": trial.family, "holdgood.status": trial.status}
    tags |= {"holdgood.reason": trial.reason} if trial.reason else {}
    child = client.create_run(where, start_time=began, tags=tags, run_name=trial.name).info.run_id
    params = {"family": trial.family, "rung": str(trial.rung)} | {k: _text(v) for k, v in trial.parameters.items()}
    metrics: dict[str, float] = {
        "fit_seconds": trial.fit_seconds,
        "predict_us_per_row": trial.predict_us_per_row,
        "size_bytes": float(trial.size_bytes),
    }
    name = f"out_of_fold/{board.metric}"
    if trial.score is not None:
        metrics |= {name: trial.score.value, f"{name}.low": trial.score.low, f"{name}.high": trial.score.high}
    if trial.rounds is not None:
        metrics["rounds"] = float(trial.rounds)
    folds = [(f"fold/{board.metric}", score, i) for i, score in enumerate(trial.fold_scores)]
    _log(client, child, params, metrics, {}, began, folds)
    client.set_terminated(child, _STATUS.get(trial.status, "FINISHED"), began + int(1000 * trial.fit_seconds))


def _files(client: Any, to: str, run: Run, board: Leaderboard, bundle: bool) -> None:
    """The report, the records that people ask for, and the trials as a table."""
    records = {
        "leaderboard": board,
        "evaluation": run.holdout,
        "verdict": run.verdict,
        "card": run.card,
        "fairness": run.fairness,
        "split": run.split,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, record in records.items():
            write(Path(folder) / f"{name}.json", record)
        write_bytes(Path(folder) / "trials.csv", trials_table(board).encode())
        for file in (run.report, run.folder.path / "declaration.json", run.folder.path / "lessons.json"):
            if file.exists():
                write_bytes(Path(folder) / file.name, file.read_bytes())
        client.log_artifacts(to, folder)
    if bundle:
        send(client, to, run.bundle, run.model.manifest.digest)


def trials_table(board: Leaderboard) -> str:
    """All trials as CSV, in the order that they were tried."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        [
            "trial",
            "family",
            "rung",
            "status",
            board.metric,
            "low",
            "high",
            "fit_seconds",
            "size_bytes",
            "parameters",
            "reason",
        ]
    )
    for t in board.trials:
        score = ["", "", ""] if t.score is None else [t.score.value, t.score.low, t.score.high]
        rows.writerow(
            [
                t.name,
                t.family,
                t.rung,
                t.status,
                *score,
                t.fit_seconds,
                t.size_bytes,
                json.dumps(t.parameters),
                t.reason,
            ]
        )
    return text.getvalue()
