"""Rows in use as features: what the journal kept of them, built as the model builds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from holdgood.core.frame import Feature, Frame, frame_of
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.features.usual import Usual
from holdgood.metrics.ranking import midranks
from holdgood.workflow.predict import Predictor


@dataclass(frozen=True, eq=False)
class InUse:
    """``features``: coarse, of the answers at ``rows`` (positions); None where they are not known. ``notes``: what is not watched, and why."""

    usual: Usual | None
    features: Frame | None
    prediction: np.ndarray
    when: np.ndarray
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Features that tell the time: they are always other than they were."""

    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def features_of(
    predictor: Predictor, facts: np.ndarray, told: np.ndarray, others: Mapping[str, Table]
) -> tuple[Frame, np.ndarray]:
    """Features of the answers whose facts are kept, and their positions. Raises what reading rows raises."""
    rows = np.flatnonzero(told)
    kept = [facts[i] for i in rows]
    # Columns of the contract alone: what is known only afterwards is none of a question, and what callers add is none of a model.
    table = predictor.table_of(pa.table({n: column_of([f.get(n) for f in kept]) for n in known_columns(predictor)}))
    return predictor.frame(table, others), rows


def prediction_frame(task: Task, prediction: np.ndarray) -> Frame:
    """Predictions as features: one column, or one a class. Rounded as the reference keeps them."""
    rounded = np.round(prediction, 4)
    if task.kind == "multiclass":
        names = [f"probability of {c}" for c in task.classes]
        return frame_of([(Feature(n, "number"), rounded[:, k].copy()) for k, n in enumerate(names)])
    return frame_of([(Feature("probability" if task.kind == "binary" else "prediction", "number"), rounded)])


def known_columns(predictor: Predictor) -> list[str]:
    """The columns of the main table that the contract knows."""
    rules = next(t for t in predictor.contract.tables if t.name == predictor.declaration.main)
    return [c.name for c in rules.columns]


def column_of(values: Sequence[object]) -> pa.Array:
    """JSON values as one column; kinds that do not go together, and integers beyond 64 bits, become text, as in a file."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if v is None else str(v) for v in values])


CLOCK = 0.9
"""A number whose ranks follow the time so closely tells the time: a running number, a year."""


def telling_time(usual: Usual, predictor: Predictor) -> tuple[str, ...]:
    """Features that are other now than then because time has passed: parts of a date alone, and what runs with the clock."""
    declared = predictor.declaration
    times = {f"{declared.main}.{c}" for c in (declared.tables[declared.main].time, declared.task.decision_time) if c}
    found = []
    for feature, values in zip(usual.frame.features, usual.frame.arrays, strict=True):
        by_name = set(feature.origin) and set(feature.origin) <= times
        if by_name or (feature.type == "number" and len(usual.moment) and _runs(values, usual.moment)):
            found.append(feature.name)
    return tuple(found)


def _runs(values: np.ndarray, moment: np.ndarray) -> bool:
    known = np.isfinite(values)
    if known.sum() < 50:
        return False
    a, b = midranks(values[known]), midranks(moment[known].astype(np.float64))
    return bool(a.std() > 0 and b.std() > 0 and abs(np.corrcoef(a, b)[0, 1]) >= CLOCK)
