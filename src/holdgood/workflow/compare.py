"""Two runs on the rows that both held out: a paired difference, never two bare scores side by side."""

from __future__ import annotations

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
    """Compare two finished runs of one project, per row, on shared holdout rows."""
    project = Project.at(folder)
    one, two = (Run.open(project, project.run(r)) for r in (first, second))
    a, b = _predictions(one), _predictions(two)
    shared, at_a, at_b = np.intersect1d(a["row"], b["row"], return_indices=True)
    if len(shared) < 2:
        raise DataError(
            f"runs {one.id} and {two.id} share {len(shared)} holdout rows",
            "runs of the same table and split",
            "run both with the same split",
        )
    if not np.array_equal(a["y"][at_a], b["y"][at_b]):
        raise DataError(
            f"runs {one.id} and {two.id} answer different questions: outcomes of the same rows differ",
            "the same target",
            "compare runs of one target",
        )
    task = Task.model_validate(one.model.manifest.task)
    y = a["y"][at_a]
    difference = paired(
        loss_rows(task, y, a["prediction"][at_a]),
        loss_rows(task, y, b["prediction"][at_b]),
        first=one.id,
        second=two.id,
        unit=_unit(task),
    )
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
    return {"row": table.column("row").to_numpy(), "y": table.column("y").to_numpy(), "prediction": stacked}


def _changed(one: Run, two: Run) -> tuple[str, ...]:
    a, b = (r.model.declaration.model_dump(mode="json") for r in (one, two))
    return tuple(sorted(_paths(a, b, "")))


def _paths(a: Any, b: Any, where: str) -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        return [p for k in sorted({*a, *b}) for p in _paths(a.get(k), b.get(k), f"{where}.{k}" if where else k)]
    return [] if a == b else [where]
