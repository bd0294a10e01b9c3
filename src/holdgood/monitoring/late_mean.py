"""The mean of something over a window whose outcomes are known in part: rows weighted by their chance of being known by now."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.records.common import Comparison, Interval
from holdgood.core.traffic import DAY, Traffic
from holdgood.metrics.compare import verdict
from holdgood.metrics.interval import Spread, spread_of_mean, weighted
from holdgood.metrics.quantile import normal_quantile
from holdgood.monitoring.delay import Delay
from holdgood.monitoring.usual_days import UsualDays

RAREST = 0.2
"""Rows whose chance of being known by now is smaller are left out, as too young: one of them would stand for more than five, and
the mean would hang on a handful."""

LARGEST = 0.05
"""Outcomes so large that fewer of their like are known in full are left out. They weigh in a mean of losses, so that more is borne than of young
rows; what is left out makes a loss seem smaller, never larger."""

DAYS = 5
"""From so many days on, days are the units of chance: rows of one day share what happened on it."""

LEFT_OUT = "; outcomes left out: "
"""What begins the last part of a comparison's method, where there are such."""

LEANS = 2.5
"""Skewness of a window counts in full where two in five of the usual days are its own, and less where its error hangs less on itself."""


@dataclass(frozen=True)
class LateMean:
    """A weighted mean with its spread, rows behind it and the share of the window that is known; rows that are known and yet left out, as too
    ``young`` (RAREST) or too ``large`` (LARGEST).
    """

    value: float
    spread: Spread
    rows: int
    share: float
    young: int = 0
    large: int = 0

    @property
    def left_out(self) -> str:
        """Which outcomes do not count, and why; empty where all do."""
        young = f"{self.young:,} of rows so young that few of their age have one" if self.young else ""
        large = f"{self.large:,} so large that few like them are known in full" if self.large else ""
        return ", ".join(filter(None, (young, large)))

    @property
    def error(self) -> float:
        """The standard error."""
        return self.spread.error

    @property
    def df(self) -> float:
        """Degrees of freedom of the error."""
        return self.spread.df

    def interval(self, level: float) -> Interval:
        """Student's t, widened by Hall's correction for skewness."""
        low, high = self.spread.interval(self.value, level) if self.rows > 1 else (math.nan, math.nan)
        return Interval(
            value=self.value, low=low, high=high, level=level, n=self.rows,
            method=f"weighted by the chance of an outcome by now; {self.share:.0%} of rows have one",
        )  # fmt: skip


def late_mean(window: Traffic, values: np.ndarray, delay: Delay, *, usual: UsualDays | None = None) -> LateMean:
    """Mean of ``values`` (n,) over the window's rows with a final outcome, each weighted by 1 / chance (Hajek): of being known at its age, and of
    being known in full at its size (``censoring``).

    ``usual``: what all days say of the spread. Where sums are skewed, a window whose mean is low by chance also seems steadier
    than it is (or one whose mean is high, where they lean the other way): its error is never less than usual days would make it.
    """
    known = window.labelled & ~window.censored & np.isfinite(values)
    chance = delay.by((window.as_of - window.when) / DAY)
    # A row that is known although no earlier row was so soon: its chance is that of the quickest.
    chance = np.maximum(chance, delay.chance[0] if len(delay.chance) else 1.0)
    used = known & (chance >= RAREST)
    young, large = int((known & ~used).sum()), 0
    if window.in_full is not None:
        full = np.nan_to_num(window.in_full, nan=1.0)
        large = int((used & (full < LARGEST)).sum())
        used, chance = used & (full >= LARGEST), chance * full
    share = float(known.mean()) if len(window) else 0.0
    if used.sum() < 2:
        return LateMean(math.nan, Spread(math.nan, 0.0, 0.0, 0), int(used.sum()), share, young, large)
    weight = 1.0 / chance[used]
    rows = weighted(values[used], weight)
    days, day = np.unique(window.when[used] // DAY, return_inverse=True)
    apart = len(days) >= DAYS
    spread = spread_of_mean(rows, day if apart else None)
    # Days whose rows stand for many vary more than others: the error is known from few of them.
    each = np.bincount(day, weights=np.square(weight)) if apart else np.square(weight)
    worth = float(each.sum()) ** 2 / float(np.square(each).sum()) * (1.0 - 1.0 / len(each))
    spread = replace(spread, df=min(spread.df, worth))
    if usual is not None and usual.days >= DAYS:
        spread = _no_less_than(usual, spread, weight, day)
    return LateMean(float(np.mean(rows)), spread, int(used.sum()), share, young, large)


def _no_less_than(usual: UsualDays, spread: Spread, weight: np.ndarray, day: np.ndarray) -> Spread:
    """The window's own spread, or that of usual days where it is larger; all days then say how well it is known."""
    error = math.sqrt(usual.of_mean(weight, day))
    if error <= spread.error:
        return spread
    each = np.bincount(day, weights=np.square(weight))
    even = float(each.sum()) ** 2 / float(np.square(each).sum()) / len(each)
    own = min(1.0, LEANS * len(each) / usual.days)
    return replace(spread, error=error, df=max(1.0, even * (usual.days - 2)), skew=own * spread.skew)


def against(promised: Interval, seen: LateMean, *, alpha: float, unit: str, lower_is_better: bool) -> Comparison:
    """What is seen in use against what was promised; positive: better than promised. Interval at level 1 - ``alpha``.

    Welch's degrees of freedom; the promise's standard error is read from its interval. Skewness counts (Hall): few large gains or losses
    make a mean that is low by chance look surer than it is.
    """
    sign = -1.0 if lower_is_better else 1.0
    error = (promised.high - promised.low) / (2.0 * normal_quantile((1 + promised.level) / 2))
    both = math.hypot(seen.error, error) if math.isfinite(error) else seen.error
    difference = sign * (seen.value - promised.value)
    low = high = p = math.nan
    if not (math.isnan(difference) or math.isnan(both)):
        part = seen.error / both if both > 0 else 1.0
        df = max(seen.df / part**4, 1.0) if part > 0 else 1e7
        spread = Spread(both, df, sign * seen.spread.skew * part**3, max(seen.spread.units, 2))
        (low, high), p = spread.interval(difference, 1 - alpha), spread.p(difference) if both > 0 else 1.0
    return Comparison(
        first="in use", second="promised", difference=difference, low=low, high=high,
        level=1 - alpha, n=seen.rows, unit=unit, p=p,
        method=f"t of two samples with skewness correction; {seen.share:.0%} of rows have an outcome"
        + (f"{LEFT_OUT}{seen.left_out}" if seen.left_out else ""),
        verdict=verdict(difference, p, 1 - alpha),
    )  # fmt: skip
