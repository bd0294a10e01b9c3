"""What was promised when a bundle was made: the predictions of the rows that its run held out, with their moments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from holdgood.core.errors import HoldgoodError
from holdgood.workflow.folder import Project
from holdgood.workflow.live.told import DAY
from holdgood.workflow.result import Run


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows that a run held out: ``row`` in the source, ``moment`` int64 microseconds (UTC), ``y``, ``prediction``."""

    row: np.ndarray
    moment: np.ndarray
    y: np.ndarray
    prediction: np.ndarray

    @property
    def days(self) -> np.ndarray:
        """Moments in days since the epoch, (n,) float."""
        return self.moment / DAY


def run_of(project: Project | None, run_id: str, digest: str) -> Run | None:
    """The run that made a bundle, where its project is at hand and the run is still there."""
    if project is None or not run_id:
        return None
    for folder in project.runs():
        if folder.id == run_id and (folder.path / "bundle" / "manifest.json").exists():
            run = Run.open(project, folder)
            try:
                return run if run.model.manifest.digest == digest else None
            except HoldgoodError:
                return None  # a run whose bundle is damaged promises nothing
    return None


def held_out(run: Run | None) -> HeldOut | None:
    """None where there is no run, or its rows have no moments (no time is declared, or an older version made it)."""
    found = None if run is None else run.folder.find("evaluate")
    file = Path() if found is None else found.path / "predictions.parquet"
    if found is None or not file.exists():
        return None
    table = pq.read_table(file)
    if "moment" not in table.column_names:
        return None
    names = [n for n in table.column_names if n.startswith("prediction")]
    columns = [table.column(n).to_numpy() for n in names]
    prediction = columns[0] if names == ["prediction"] else np.column_stack(columns)
    row, moment, y = (table.column(n).to_numpy() for n in ("row", "moment", "y"))
    return HeldOut(row, moment.astype(np.int64), y, prediction)
