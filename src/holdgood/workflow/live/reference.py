"""A reference given as a file, where the bundle carries none or another time should count as usual."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.core.errors import HoldgoodError
from holdgood.core.table import Table
from holdgood.features.usual import Usual
from holdgood.workflow.predict import Predictor
from holdgood.workflow.rows import moments
from holdgood.workflow.target import outcomes


def usual_of(predictor: Predictor, source: Any, others: Mapping[str, Table], *, base: Path | None = None) -> Usual:
    """Rows of the main table, with the target where it is known. Rows that the model learned from flatter its promise."""
    table = predictor.table_of(source, base=base)
    frame = predictor.frame(table, others)
    declared = predictor.declaration
    expression = declared.task.decision_time or declared.tables[declared.main].time
    time = moments(expression, table, purpose="the reference's time") if expression else None
    prediction = predictor.chain.predict(frame)
    y = _outcomes(predictor, source, base)
    known = np.isfinite(y) if len(y) == len(frame) else np.zeros(len(frame), bool)
    return Usual.of(
        frame,
        time,
        prediction=prediction[known],
        outcome=y[known] if known.any() else np.zeros(0),
        answered=None if time is None else time[known],
        held=np.ones(int(known.sum()), bool),
        rows=max(1, declared.watch.rows),
        seed=declared.budget.seed,
    )


def _outcomes(predictor: Predictor, source: Any, base: Path | None) -> np.ndarray:
    """Coded outcomes (n,), or none where the file does not hold what the target is computed from."""
    try:
        found: np.ndarray = outcomes(predictor.declaration.task, predictor.as_read(source, base=base), predictor.task)
    except HoldgoodError:
        return np.zeros(0)
    return found
