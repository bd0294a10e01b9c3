"""Outcomes told as columns: where a target is computed, the columns that it is computed from say more than the outcome.

``{"minutes_late": 42}`` is judged and learned from by the target's own expression, ``minutes_late > 30``; ``true`` can be judged only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.connectors import read_table
from holdgood.core.errors import DataError, HoldgoodError, did_you_mean
from holdgood.core.sql import columns_in
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.workflow.live.in_use import column_of
from holdgood.workflow.predict import Predictor
from holdgood.workflow.target import outcomes


def whole(label: Mapping[str, Any], facts: Mapping[str, Any] | None, model: Predictor) -> dict[str, Any]:
    """The columns that the target needs: those told, the others as the row was asked about.

    DataError for a column that the target does not know, and where one is missing that the row did not say either.
    """
    target, known = model.declaration.task.target, facts or {}
    # a bundle of an earlier release does not say which columns its target is computed from: those that are named here
    needed = tuple(model.outcome) or columns_in(target, tuple(dict.fromkeys([*label, *known])))
    strange = [n for n in label if n not in needed]
    if strange:
        raise DataError(
            f"{strange[0][:60]!r} is no column of the target {target!r}",
            "columns of the target: " + (", ".join(needed) or "what its expression names"),
            did_you_mean(strange[0], needed) or "take it out",
        )
    missing = [n for n in needed if n not in label and n not in known]
    if missing or not needed:
        raise DataError(
            f"the target {target!r} is computed from {counted(len(needed), 'column')}, and {', '.join(missing) or 'none'} is not there",
            "every column of the target that the row was not asked with",
            'for example "value": {' + ", ".join(f'"{n}": …' for n in missing) + "}",
        )
    return {n: label[n] if n in label else known[n] for n in needed}


def typed(labels: Sequence[Mapping[str, Any]], model: Predictor) -> Table:
    """Labels as a table, in the types that the target was computed from; a value that is none of its type is missing."""
    names = sorted({str(k) for label in labels for k in label})
    data = pa.table({n: column_of([label.get(n) for label in labels]) for n in names})
    return read_table(data, name="labels", types={n: t for n, t in model.outcome.items() if n in names})


def computed(labels: Sequence[Mapping[str, Any]], model: Predictor) -> np.ndarray:
    """Outcomes of labels that are columns, coded as the task says (n,); NaN where the expression gives none that the task knows."""
    y = outcomes(model.declaration.task, typed(labels, model), model.task)
    return y if model.task.kind == "regression" else np.where(y >= 0, y, np.nan)


def known_outcomes(labels: Sequence[dict[str, Any]], model: Predictor) -> np.ndarray:
    """Which labels that are columns give an outcome, (n,) bool; where one spoils all, halves are asked by themselves."""
    if not labels:
        return np.zeros(0, bool)
    try:
        return np.asarray(np.isfinite(computed(labels, model)), bool)
    except HoldgoodError:
        if len(labels) == 1:
            return np.zeros(1, bool)
    half = len(labels) // 2
    return np.concatenate([known_outcomes(labels[:half], model), known_outcomes(labels[half:], model)])


def no_outcome(model: Predictor) -> str:
    """What to say of columns that give none."""
    return f"the target {model.declaration.task.target!r} gives no outcome of these columns that the model knows"
