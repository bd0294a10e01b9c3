"""The mean of something over a window whose outcomes are known in part: rows weighted by their chance of being known by now."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.core.records.common import Comparison, Interval
from holdgood.core.traffic import DAY, Traffic
from holdgood.metrics.compare import verdict
from holdgood.metrics.interval import spread_of_mean, weighted
from holdgood.metrics.quantile import normal_quantile, t_quantile, t_two_sided
from holdgood.monitoring.delay import Delay

RAREST = 0.05
"""Rows whose chance of being known by now is smaller are left out: one of them would stand for more than twenty."""

DAYS = 5
"""From so many days on, days are the units of chance: rows of one day share what happened on it."""


@dataclass(frozen=True)
class LateMean:
    """A weighted mean with its standard error, degrees of freedom, rows behind it and the share of the window that is known."""

    value: float
    error: float
    df: float
    rows: int
    share: float

    def interval(self, level: float) -> Interval:
        """Student's t."""
        half = t_quantile((1 + level) / 2, max(self.df, 1.0)) * self.error if self.rows > 1 else math.nan
        return Interval(
            value=self.value, low=self.value - half, high=self.value + half, level=level, n=self.rows,
            method=f"weighted by the chance of an outcome by now; {self.share:.0%} of rows have one",
        )  # fmt: skip


def late_mean(window: Traffic, values: np.ndarray, delay: Delay) -> LateMean:
    """Mean of ``values`` (n,) over the window's rows with a final outcome, each weighted by 1 / chance (Hajek)."""
    known = window.labelled & ~window.censored & np.isfinite(values)
    chance = delay.by((window.as_of - window.when) / DAY)
    # A row that is known although no earlier row was so soon: its chance is that of the quickest.
    chance = np.maximum(chance, delay.chance[0] if len(delay.chance) else 1.0)
    used = known & (chance >= RAREST)
    share = float(known.mean()) if len(window) else 0.0
    if used.sum() < 2:
        return LateMean(math.nan, math.nan, 0.0, int(used.sum()), share)
    rows = weighted(values[used], 1.0 / chance[used])
    day = window.when[used] // DAY
    spread = spread_of_mean(rows, day if len(np.unique(day)) >= DAYS else None)
    return LateMean(float(np.mean(rows)), spread.error, spread.df, int(used.sum()), share)


def against(promised: Interval, seen: LateMean, *, alpha: float, unit: str, lower_is_better: bool) -> Comparison:
    """What is seen in use against what was promised; positive: better than promised. Interval at level 1 - ``alpha``.

    Welch's degrees of freedom; the promise's standard error is read from its interval.
    """
    sign = -1.0 if lower_is_better else 1.0
    error = (promised.high - promised.low) / (2.0 * normal_quantile((1 + promised.level) / 2))
    both = math.hypot(seen.error, error) if math.isfinite(error) else seen.error
    difference = sign * (seen.value - promised.value)
    nothing = math.isnan(difference) or math.isnan(both)
    df = seen.df * (both / seen.error) ** 4 if not nothing and seen.error > 0 else 1e7
    half = math.nan if nothing else t_quantile(1 - alpha / 2, max(df, 1.0)) * both
    p = math.nan if nothing else t_two_sided(difference / both, max(df, 1.0)) if both > 0 else 1.0
    return Comparison(
        first="in use", second="promised", difference=difference, low=difference - half, high=difference + half,
        level=1 - alpha, n=seen.rows, unit=unit, method=f"t of two samples; {seen.share:.0%} of rows have an outcome", p=p,
        verdict=verdict(difference, p, 1 - alpha),
    )  # fmt: skip
