"""Explain: how one row's prediction changes when one of its facts is replaced by typical ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.frame import Frame
from holdgood.core.task import Task
from holdgood.evaluation.origins import Fact, facts, replaced

SAMPLE = 64
ROWS_AT_ONCE = 65_536


def explain_rows(
    predict: Callable[[Frame], np.ndarray],
    rows: Frame,
    background: Frame,
    task: Task,
    *,
    top: int = 5,
    seed: int = 0,
) -> list[list[tuple[str, float]]]:
    """For each row its ``top`` facts as (raw columns, change), the largest change first.

    The change is the row's prediction minus its mean prediction with that fact taken, one after the other, from 64
    background rows: positive means that this row's own fact raises the prediction. Units: chance of the positive class
    (binary), chance of the class that the row is most likely to be (multiclass), units of the target (regression).

    It needs nothing of the model but its predictions, and a row's explanation does not depend on the other rows. It is
    not additive: changes do not sum to the prediction, and where two facts tell the same thing either may look small.
    It says what moves the model, not what would change the world. Raises DataError where the background has no rows or
    other features.
    """
    if rows.features != background.features or len(background) == 0:
        raise DataError(
            f"a background of {len(background):,} rows and {len(background.features)} features",
            f"at least one row with the same {len(rows.features)} features",
            "pass development rows from the same feature plan",
        )
    if len(rows) == 0:
        return []
    if len(background) > SAMPLE:
        background = background.take(
            np.sort(np.random.default_rng(seed).choice(len(background), SAMPLE, replace=False))
        )
    plain = predict(rows)
    column = np.argmax(plain, axis=1) if plain.ndim == 2 else None
    own = _of(plain, column)
    everything = facts(rows)
    changes = np.empty((len(rows), len(everything)))
    for position, fact in enumerate(everything):
        changes[:, position] = _changes(predict, rows, background, fact, own, column)
    # stable: equal changes stay in the order of the schema
    order = np.argsort(-np.abs(changes), axis=1, kind="stable")[:, :top]
    return [[(everything[i].name, float(changes[r, i])) for i in order[r]] for r in range(len(rows))]


def _of(prediction: np.ndarray, column: np.ndarray | None) -> np.ndarray:
    return prediction if column is None else prediction[np.arange(len(prediction)), column]


def _changes(
    predict: Callable[[Frame], np.ndarray],
    rows: Frame,
    background: Frame,
    fact: Fact,
    own: np.ndarray,
    column: np.ndarray | None,
) -> np.ndarray:
    """Mean of own prediction minus the prediction with the fact taken from each background row in turn; (n,)."""
    b = len(background)
    step = max(1, ROWS_AT_ONCE // b)
    found = np.empty(len(rows))
    for start in range(0, len(rows), step):
        here = np.arange(start, min(start + step, len(rows)))
        repeated = rows.take(np.repeat(here, b))
        typical = background.take(np.tile(np.arange(b), len(here)))
        prediction = predict(replaced(repeated, fact, typical))
        picked = _of(prediction, None if column is None else np.repeat(column[here], b))
        # differences before the mean: a fact that the model does not use changes exactly nothing
        found[here] = (own[here, None] - picked.reshape(len(here), b)).mean(axis=1)
    return found
