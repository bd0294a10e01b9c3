"""Runs side by side: paired differences on the rows that both held out, what each tried and costs, what was declared otherwise."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import Changed, RunComparison, RunPair, RunSummary
from holdgood.core.task import Task
from holdgood.core.text import percent
from holdgood.metrics.compare import paired
from holdgood.metrics.interval import LEVEL
from holdgood.metrics.score import loss_rows
from holdgood.workflow.folder import Project, RunFolder
from holdgood.workflow.result import Run

_SHOWN = 80
"""Characters of a declared value that are shown."""


def compare_runs(folder: Path, runs: Sequence[str]) -> RunComparison:
    """Compare finished runs: each further one with the first, per row, on the holdout rows that both have.

    ``runs``: numbers in the project at ``folder``, or paths of run folders anywhere. Rows that belong together (declared
    clusters, blocks of days) stay together in the intervals, which hold together at 95% however many runs there are. Two
    runs that cannot be paired (other rows, another target) still stand side by side, with the reason.

    Raises DeclarationError for fewer than two runs or one named twice, DataError for a run that is not there or not finished.
    """
    opened = open_runs(folder, runs)
    labels = list(opened)
    if len(labels) < 2:
        raise DeclarationError(
            f"{len(labels)} run to compare", "two or more", "see holdgood runs; --on FILE also takes a single one"
        )
    level = 1.0 - (1.0 - LEVEL) / (len(labels) - 1)
    first = labels[0]
    pairs = tuple(_told(opened[first], opened[label], first, label, level) for label in labels[1:])
    notes = []
    if len(pairs) > 1:
        notes.append(
            f"Each run was compared with run {first} at {percent(level, 1)}, so that all intervals hold together at 95%."
        )
    if len({r.leaderboard.metric for r in opened.values()}) > 1:
        notes.append("The runs were judged by different metrics: their scores do not compare, their paired losses do.")
    worn = [label for label, run in opened.items() if run.holdout.worn]
    if worn:
        notes.append(
            f"The holdout of {', '.join(worn)} was opened many times: choosing among runs by it tunes to it. "
            "New labelled rows settle it: holdgood compare RUN… --on FILE"
        )
    return RunComparison(
        runs=tuple(_summary(label, run) for label, run in opened.items()),
        pairs=pairs,
        declared=_changed([_declared(r) for r in opened.values()]),
        surroundings=_changed([_surroundings(r) for r in opened.values()]),
        notes=tuple(notes),
    )


def open_runs(folder: Path, runs: Sequence[str]) -> dict[str, Run]:
    """Runs by what they are called in a comparison: their number, with the project's name where they are of several."""
    found = [_find(folder, named) for named in runs]
    several = len({r.project.path for r in found}) > 1
    labels = [f"{r.project.path.name}/{r.id}" if several else r.id for r in found]
    twice = [label for i, label in enumerate(labels) if label in labels[:i]]
    if twice:
        raise DeclarationError(f"run {twice[0]} is named twice", "different runs", "see holdgood runs")
    return dict(zip(labels, found, strict=True))


def _find(folder: Path, named: str) -> Run:
    path = Path(named)
    if (path / "run.json").is_file():
        whole = path.resolve()
        return Run.open(Project.at(whole.parent.parent), RunFolder(whole))
    project = Project.at(folder)
    return Run.open(project, project.run(named))


def _told(one: Run, two: Run, first: str, second: str, level: float) -> RunPair:
    """The pair, or why there is none."""
    try:
        return pair(one, two, first=first, second=second, level=level)
    except DataError as error:
        return RunPair(first=first, second=second, reason=error.came)


def pair(one: Run, two: Run, *, first: str, second: str, level: float = LEVEL) -> RunPair:
    """Two finished runs, per row, on shared holdout rows.

    Raises DataError where they read other data, held out other rows or answer another question.
    """
    a, b = _predictions(one), _predictions(two)
    if not _same_rows(one, two):
        raise DataError(
            f"runs {first} and {second} read different data: the main table, or the order of its rows, has changed",
            "runs of the same table, so that a row's number means the same row",
            "run one of them again",
        )
    shared, at_a, at_b = np.intersect1d(a["row"], b["row"], return_indices=True)
    if len(shared) < 2:
        raise DataError(
            f"runs {first} and {second} share {len(shared)} holdout rows",
            "runs of the same table and split",
            "run both with the same split",
        )
    task, other = (Task.model_validate(r.model.manifest.task) for r in (one, two))
    if (task.kind, task.classes) != (other.kind, other.classes) or not np.array_equal(a["y"][at_a], b["y"][at_b]):
        raise DataError(
            f"runs {first} and {second} answer different questions: outcomes of the same rows differ",
            "the same target",
            "compare runs of one target",
        )
    y = a["y"][at_a]
    losses = [loss_rows(task, y, p) for p in (a["prediction"][at_a], b["prediction"][at_b])]
    units: list[np.ndarray | None] = [u for u in (a["unit"][at_a], b["unit"][at_b]) if (u >= 0).all()]
    told = [
        paired(*losses, first=first, second=second, clusters=clusters, unit=unit_of(task), level=level)
        for clusters in units or [None]
    ]
    # Where the runs declared other clusters, the one that proves less is believed.
    difference = max(told, key=lambda c: math.inf if math.isnan(c.p) else c.p)
    return RunPair(
        first=first,
        second=second,
        difference=difference,
        rows=len(shared),
        only_first=len(a["row"]) - len(shared),
        only_second=len(b["row"]) - len(shared),
    )


def unit_of(task: Task) -> str:
    """What a difference of losses is measured in."""
    return "squared error" if task.kind == "regression" else "log loss"


def _summary(label: str, run: Run) -> RunSummary:
    board, said = run.leaderboard, run.holdout
    by_name = {t.name: t for t in board.trials}
    used = [by_name[n] for n in (board.members or {board.chosen: 1.0}) if n in by_name]
    seconds = run.folder.status().get("seconds")
    return RunSummary(
        run=label,
        chosen=board.chosen,
        delivered=board.delivered,
        budget=board.budget,
        metric=said.metric,
        higher_is_better=board.higher_is_better,
        score=said.metrics.get(said.metric),
        prior=said.baselines.get("prior", {}).get(said.metric),
        judged_rows=said.rows,
        development_rows=board.rows,
        openings=said.openings,
        tuned_on=said.tuned_on,
        seconds=math.nan if seconds is None else float(seconds),
        fit_seconds=sum(t.fit_seconds for t in board.trials),
        predict_us_per_row=sum(t.predict_us_per_row for t in used) if used else math.nan,
        latency_ms=_latency(run),
        size_bytes=_size(run),
        trials=board.trials,
    )


def _latency(run: Run) -> float:
    found = _facts(run).get("p95_ms")
    return float(found) if isinstance(found, (int, float)) else math.nan


def _size(run: Run) -> int:
    chain = run.bundle / "parts" / "chain"
    return sum(f.stat().st_size for f in chain.rglob("*") if f.is_file())


def _predictions(run: Run) -> dict[str, np.ndarray]:
    found = run.folder.find("evaluate")
    if found is None or not (found.path / "predictions.parquet").exists():
        raise DataError(
            f"run {run.id} has no holdout predictions", "a finished run", "holdgood run takes it up where it stopped"
        )
    table = pq.read_table(found.path / "predictions.parquet")
    columns = [table.column(n).to_numpy() for n in table.column_names if n.startswith("prediction")]
    stacked = columns[0] if len(columns) == 1 else np.column_stack(columns)
    none = np.full(table.num_rows, -1, dtype=np.int64)  # a run of an older version noted no units
    unit = table.column("unit").to_numpy() if "unit" in table.column_names else none
    return {
        "row": table.column("row").to_numpy(),
        "y": table.column("y").to_numpy(),
        "unit": unit,
        "prediction": stacked,
    }


def _same_rows(one: Run, two: Run) -> bool:
    """Whether row numbers mean the same rows: the same facts in the main table, written in the same order.

    The fingerprint is of the rows in canonical order, and so is each run's list of row numbers.
    """
    first, second = data_of(one), data_of(two)
    a, b = _row_numbers(one), _row_numbers(two)
    return (not first or not second or first == second) and np.array_equal(a[np.isin(a, b)], b[np.isin(b, a)])


def data_of(run: Run) -> str:
    """Fingerprint of the main table as the run read it; empty for a run that did not note it."""
    return str(_facts(run).get("data", ""))


def _facts(run: Run) -> dict[str, Any]:
    found = run.folder.find("evaluate")
    try:
        facts = {} if found is None else json.loads((found.path / "facts.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _row_numbers(run: Run) -> np.ndarray:
    found = run.folder.find("split")
    if found is None or not (found.path / "split.parquet").exists():
        raise DataError(f"run {run.id} has no split", "a finished run", "holdgood run takes it up where it stopped")
    return np.asarray(pq.read_table(found.path / "split.parquet", columns=["row"]).column("row").to_numpy())


def _declared(run: Run) -> dict[str, Any]:
    """What was declared, as the run used it (passwords hidden); what travels with the bundle where that is not there."""
    used = run.folder.declaration() or run.model.declaration
    return used.model_dump(mode="json")


def _surroundings(run: Run) -> dict[str, Any]:
    """What else a result depends on: the data and the versions of libraries."""
    try:
        versions = json.loads((run.folder.path / "versions.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        versions = {}
    data = data_of(run)[:12]
    return ({"main table": data} if data else {}) | (versions if isinstance(versions, dict) else {})


def _changed(said: Sequence[Any]) -> tuple[Changed, ...]:
    """Paths whose values are not the same in all of some nested mappings."""
    return tuple(Changed(what=path, values=values) for path, values in sorted(_differing(said, "")))


def _differing(said: Sequence[Any], where: str) -> list[tuple[str, tuple[str, ...]]]:
    if all(isinstance(s, dict) for s in said):
        keys = sorted({k for s in said for k in s})
        return [p for k in keys for p in _differing([s.get(k) for s in said], f"{where}.{k}" if where else str(k))]
    if all(s == said[0] for s in said):
        return []
    return [(where, tuple(_text(s) for s in said))]


def _text(value: Any) -> str:
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
