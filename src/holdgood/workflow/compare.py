"""Two runs on the rows that both held out: a paired difference, never two bare scores side by side."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison
from holdgood.core.task import Task
from holdgood.metrics.compare import paired
from holdgood.metrics.score import loss_rows
from holdgood.workflow.folder import Project
from holdgood.workflow.result import Run


@dataclass(frozen=True)
class Compared:
    """The difference, on how many shared rows, and what was declared differently."""

    difference: Comparison
    rows: int
    only_first: int
    only_second: int
    changed: tuple[str, ...]
    chosen: tuple[str, str]

    def payload(self) -> dict[str, Any]:
        """For machines."""
        return {
            "difference": self.difference.model_dump(mode="json"),
            "rows": self.rows,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "changed": list(self.changed),
            "chosen": list(self.chosen),
        }

    def lines(self) -> list[str]:
        """For people."""
        d = self.difference
        said = {
            "better": f"run {d.first} is better",
            "worse": f"run {d.first} is worse",
            "not proven": "neither is proven better",
        }[d.verdict]
        lines = [
            f"{said}: mean {d.unit} per row lower by {d.difference:.5g} ({d.level:.0%}: {d.low:.5g} to {d.high:.5g}) on {self.rows:,} rows that both held out",
            f"chosen: {self.chosen[0]} and {self.chosen[1]}",
        ]
        if self.only_first or self.only_second:
            lines.append(
                f"left out: {self.only_first:,} rows that only run {d.first} held out, {self.only_second:,} that only run {d.second} did"
            )
        lines.append("declared differently: " + (", ".join(self.changed) if self.changed else "nothing"))
        return lines


def compare_runs(folder: Path, first: str, second: str) -> Compared:
    """Compare two finished runs of one project, per row, on shared holdout rows.

    Rows that belong together (declared clusters, blocks of days) stay together in the interval. DataError where the
    runs read other data, held out other rows or answer another question.
    """
    project = Project.at(folder)
    one, two = (Run.open(project, project.run(r)) for r in (first, second))
    a, b = _predictions(one), _predictions(two)
    if not _same_rows(one, two):
        raise DataError(
            f"runs {one.id} and {two.id} read different data: the main table, or the order of its rows, has changed",
            "runs of the same table, so that a row's number means the same row",
            "run one of them again",
        )
    shared, at_a, at_b = np.intersect1d(a["row"], b["row"], return_indices=True)
    if len(shared) < 2:
        raise DataError(
            f"runs {one.id} and {two.id} share {len(shared)} holdout rows",
            "runs of the same table and split",
            "run both with the same split",
        )
    task, other = (Task.model_validate(r.model.manifest.task) for r in (one, two))
    if (task.kind, task.classes) != (other.kind, other.classes) or not np.array_equal(a["y"][at_a], b["y"][at_b]):
        raise DataError(
            f"runs {one.id} and {two.id} answer different questions: outcomes of the same rows differ",
            "the same target",
            "compare runs of one target",
        )
    y = a["y"][at_a]
    losses = [loss_rows(task, y, p) for p in (a["prediction"][at_a], b["prediction"][at_b])]
    units: list[np.ndarray | None] = [u for u in (a["unit"][at_a], b["unit"][at_b]) if (u >= 0).all()]
    told = [
        paired(*losses, first=one.id, second=two.id, clusters=clusters, unit=_unit(task))
        for clusters in units or [None]
    ]
    # Where the runs declared other clusters, the one that proves less is believed.
    difference = max(told, key=lambda c: math.inf if math.isnan(c.p) else c.p)
    changed = _changed(one, two)
    return Compared(
        difference,
        len(shared),
        len(a["row"]) - len(shared),
        len(b["row"]) - len(shared),
        changed,
        (one.leaderboard.chosen, two.leaderboard.chosen),
    )


def _unit(task: Task) -> str:
    return "squared error" if task.kind == "regression" else "log loss"


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
    first, second = _data(one), _data(two)
    a, b = _row_numbers(one), _row_numbers(two)
    return (not first or not second or first == second) and np.array_equal(a[np.isin(a, b)], b[np.isin(b, a)])


def _data(run: Run) -> str:
    """Fingerprint of the main table as the run read it; empty for a run that did not note it."""
    found = run.folder.find("evaluate")
    try:
        facts = {} if found is None else json.loads((found.path / "facts.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(facts.get("data", "")) if isinstance(facts, dict) else ""


def _row_numbers(run: Run) -> np.ndarray:
    found = run.folder.find("split")
    if found is None or not (found.path / "split.parquet").exists():
        raise DataError(f"run {run.id} has no split", "a finished run", "holdgood run takes it up where it stopped")
    return np.asarray(pq.read_table(found.path / "split.parquet", columns=["row"]).column("row").to_numpy())


def _changed(one: Run, two: Run) -> tuple[str, ...]:
    a, b = (r.model.declaration.model_dump(mode="json") for r in (one, two))
    return tuple(sorted(_paths(a, b, "")))


def _paths(a: Any, b: Any, where: str) -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        return [p for k in sorted({*a, *b}) for p in _paths(a.get(k), b.get(k), f"{where}.{k}" if where else k)]
    return [] if a == b else [where]
