"""What a drifted feature does to predictions and money: the reference, with this feature as it is now, scored again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdgood.core.frame import Frame

ROWS = 500


@dataclass(frozen=True)
class Impact:
    """``moved``: mean absolute change of a prediction, in standard deviations of predictions; ``money``: mean change of expected cost a row."""

    moved: float
    money: float


def impact(
    predict: Callable[[Frame], np.ndarray], cost: Callable[[np.ndarray], np.ndarray] | None, reference: Frame,
    current: Frame, feature: str, seed: int,
) -> Impact:  # fmt: skip
    """Replace one column of reference rows with values in use, rank for rank for numbers (a quantile for a quantile), else drawn.

    ``cost``: expected money of rows with these predictions (n,), or None. NaN money without costs.
    """
    rng = np.random.default_rng(seed)
    rows = reference.take(rng.permutation(len(reference))[:ROWS])
    now = current.column(feature)
    before = rows.column(feature)
    if before.dtype.kind == "f" and np.isfinite(now).any():
        fresh = _as_now(before, now, rng)
    else:
        fresh = now[rng.integers(0, len(now), len(rows))]
    old, new = predict(rows), predict(rows.with_column(feature, fresh))
    spread = float(np.std(old)) or 1.0
    money = float(np.mean(cost(new) - cost(old))) if cost is not None else float("nan")
    return Impact(float(np.mean(np.abs(new - old))) / spread, money)


def _as_now(before: np.ndarray, now: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each number moved to the value that holds its rank now; so many gaps as there are now."""
    there = now[np.isfinite(now)]
    known = np.isfinite(before)
    rank = rng.random(len(before))
    rank[known] = (np.argsort(np.argsort(before[known], kind="stable"), kind="stable") + 0.5) / max(1, known.sum())
    fresh: np.ndarray = np.quantile(there, rank, method="nearest")
    fresh[rng.random(len(before)) < 1.0 - len(there) / len(now)] = np.nan
    return fresh
