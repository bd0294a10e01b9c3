"""Is one better? Paired tests on the same rows or folds; positive differences mean that the first is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison
from holdgood.metrics.interval import LEVEL, auc_parts, auc_spread, how, spread_of_mean
from holdgood.metrics.quantile import t_quantile, t_two_sided

Verdict = Literal["better", "worse", "not proven"]

_NO_SPREAD = 1e-12
"""A standard error of an area under the curve below this is rounding."""


def verdict(difference: float, p: float, level: float) -> Verdict:
    """``better`` or ``worse`` only where p is below 1 - level."""
    if math.isnan(p) or p >= 1 - level or difference == 0.0:
        return "not proven"
    return "better" if difference > 0 else "worse"


def paired(
    first_loss_rows: np.ndarray,
    second_loss_rows: np.ndarray,
    *,
    first: str,
    second: str,
    clusters: np.ndarray | None = None,
    unit: str = "",
    level: float = LEVEL,
    blocks: int | None = None,
) -> Comparison:
    """Mean of (second's loss - first's loss) over the same rows, with its interval and two-sided p-value.

    Student's t with Hall's correction for skewness; ``clusters`` (n,) are rows that belong together; ``blocks`` is the
    length of a moving block in units that follow in time (rows as given, or clusters in code order), 0 for automatic.
    """
    if len(first_loss_rows) != len(second_loss_rows):
        raise DataError(
            f"{len(first_loss_rows):,} losses of {first} and {len(second_loss_rows):,} of {second}",
            "both models scored on the same rows",
            "score both on one table",
        )
    gain = np.asarray(second_loss_rows, np.float64) - np.asarray(first_loss_rows, np.float64)
    if len(gain) == 0:
        none = {"difference": math.nan, "low": math.nan, "high": math.nan}
        return Comparison(first=first, second=second, **none, level=level, unit=unit, method="no rows")
    difference = float(np.mean(gain))
    spread = spread_of_mean(gain, clusters, blocks)
    low, high = spread.interval(difference, level)
    p = spread.p(difference)
    return Comparison(
        first=first, second=second, difference=difference, low=low, high=high, level=level, n=len(gain), unit=unit,
        method="paired " + how(clusters, blocks, spread.units), p=p, verdict=verdict(difference, p, level),
    )  # fmt: skip


def delong(
    y: np.ndarray,
    first_score: np.ndarray,
    second_score: np.ndarray,
    *,
    first: str = "first",
    second: str = "second",
    clusters: np.ndarray | None = None,
    level: float = LEVEL,
) -> Comparison:
    """Difference of two areas under the ROC curve on the same rows (DeLong, DeLong & Clarke-Pearson 1988).

    Two rankings that differ and have no variance (a perfect one against a constant) are told apart by what the smaller
    class can prove: the exact bound of Clopper & Pearson (1934) for a share that was never missed.
    """
    one, of_one = auc_parts(y, first_score)
    two, of_two = auc_parts(y, second_score)
    difference = one - two
    error, df = auc_spread(y, of_one - of_two, clusters)
    method = "DeLong" + ("" if clusters is None else ", clusters")
    if math.isnan(difference):
        p, ends = math.nan, (math.nan, math.nan)
    elif error <= _NO_SPREAD:
        p, ends = _without_spread(difference, _smaller_class(y, clusters), level)
        method = method if difference == 0.0 else "exact bound of the smaller class: no row contradicts"
    else:
        half = t_quantile((1 + level) / 2, df) * error
        p, ends = t_two_sided(difference / error, df), (difference - half, difference + half)
    return Comparison(
        first=first, second=second, difference=difference, low=ends[0], high=ends[1], level=level, n=len(y),
        unit="area under the ROC curve", method=method, p=p, verdict=verdict(difference, p, level),
    )  # fmt: skip


def _smaller_class(y: np.ndarray, clusters: np.ndarray | None) -> int:
    """Rows of the smaller class, or the fewest clusters that one class lies in."""
    sides = (y == 1, y != 1)
    return min(int(np.count_nonzero(s)) if clusters is None else len(np.unique(clusters[s])) for s in sides)


def _without_spread(difference: float, units: int, level: float) -> tuple[float, tuple[float, float]]:
    """p-value and interval of a difference that no row contradicts; p is below 1 - level where the interval is above 0.

    For a perfect ranking against a constant p is that of a sign test, 2 to the power of 1 - ``units``.
    """
    if difference == 0.0:
        return 1.0, (0.0, 0.0)
    away = abs(difference)
    half = max(1.0, 2.0 * away) * (1.0 - ((1 - level) / 2) ** (1.0 / units))
    low, high = max(-1.0, difference - half), min(1.0, difference + half)
    return min(1.0, 2.0 * (1.0 - min(away, 0.5)) ** units), (low, high)


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values (1979), in the order given; NaN stays NaN and is not counted.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return out
