"""Has performance fallen? Recent losses against those that were promised for this season, at a stated rate of false falls a year."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison
from holdgood.metrics.compare import verdict
from holdgood.metrics.interval import spread_of_mean
from holdgood.metrics.quantile import t_quantile, t_two_sided

YEAR = 365.25
AROUND = 28.0
"""Days to both sides that count as the same season."""

WINDOWS = (7.0, 14.0, 28.0, 56.0)
"""Days looked back: a sudden fall shows in a week, a slow or small one in eight."""

FEWEST_DAYS = 5


@dataclass(frozen=True)
class Losses:
    """Losses a row with the row's moment in days (any zero, UTC); NaN losses have no outcome yet and are left out."""

    days: np.ndarray
    loss: np.ndarray

    def __post_init__(self) -> None:
        if len(self.days) != len(self.loss):
            raise DataError(
                f"{len(self.loss):,} losses with {len(self.days):,} moments", "one moment a loss", "pair them"
            )

    def between(self, begin: float, end: float) -> Losses:
        """Rows from ``begin`` until before ``end``."""
        kept = (self.days >= begin) & (self.days < end)
        return Losses(self.days[kept], self.loss[kept])


def of_season(reference: Losses, begin: float, end: float, *, around: float = AROUND) -> Losses:
    """Rows of earlier years in the season of the days from ``begin`` until ``end``; all rows where no year has it whole.

    A season that the reference never saw cannot be told from a fall; the caller says so.
    """
    half = (end - begin) / 2.0
    phase = (reference.days - (begin + half) + YEAR / 2.0) % YEAR - YEAR / 2.0
    near = (np.abs(phase) <= half + around) & np.isfinite(reference.loss)
    seen = len(np.unique(np.floor(reference.days[near])))
    if seen < FEWEST_DAYS or seen < 0.5 * (end - begin):
        return reference
    return Losses(reference.days[near], reference.loss[near])


def performance(
    reference: Losses,
    recent: Losses,
    now: float,
    *,
    false_a_year: float,
    every_days: float = 7.0,
    seasonal: bool = True,
    unit: str = "",
) -> Comparison | None:
    """How the model does now (first) against what was promised (second); positive where now is better.

    ``reference``: losses of rows that the model did not learn from (holdout, out of fold), with later ones in which it
    held. ``recent``: labelled rows in use since it went live. Each window that is full is one test of this look; over
    looks every ``every_days`` there are at most ``false_a_year`` false falls a year (Bonferroni over windows and looks). The
    clearest window is told. Days are clusters (Welch's t). None while no window has enough days.
    """
    known = Losses(recent.days[np.isfinite(recent.loss)], recent.loss[np.isfinite(recent.loss)])
    if not len(known.days):
        return None
    first = float(known.days.min())
    windows = [w for w in WINDOWS if w == WINDOWS[0] or now - w >= first - 1.0]
    error = min(0.5, false_a_year * every_days / YEAR) / len(WINDOWS)
    told = []
    for window in windows:
        mine = known.between(now - window, now)
        promised = of_season(reference, now - window, now) if seasonal else reference
        # Weeks just before are near in the calendar too; only an earlier year's know the season.
        seen = promised is not reference and float(promised.days.min()) < now - YEAR / 2.0
        second = "promised for the season" if seen else "promised"
        found = _against(promised, mine, error, unit, window, second)
        if found is not None:
            told.append(found)
    if not told:
        return None
    return min(told, key=lambda c: (c.p if c.difference < 0 else 2.0 - c.p) if math.isfinite(c.p) else 3.0)


def _against(promised: Losses, mine: Losses, error: float, unit: str, window: float, second: str) -> Comparison | None:
    """Welch's t of two means whose clusters are days; its level is one-sided ``error`` on the side of a fall."""
    kept = np.isfinite(promised.loss)
    sides = [(mine.loss, np.floor(mine.days)), (promised.loss[kept], np.floor(promised.days[kept]))]
    if any(len(np.unique(days)) < FEWEST_DAYS for _, days in sides):
        return None
    spreads = [spread_of_mean(loss, days.astype(np.int64)) for loss, days in sides]
    variances = [s.error**2 for s in spreads]
    difference = float(np.mean(sides[1][0]) - np.mean(sides[0][0]))
    total = sum(variances)
    if not total > 0.0:
        return None
    df = total**2 / sum(v**2 / max(s.df, 1.0) for v, s in zip(variances, spreads, strict=True))
    wide, level = math.sqrt(total), 1.0 - 2.0 * error
    half = t_quantile(1.0 - error, df) * wide
    p = t_two_sided(difference / wide, df)
    return Comparison(
        first="now", second=second, difference=difference, low=difference - half, high=difference + half,
        level=level, n=len(mine.loss), unit=unit, method=f"Welch's t over days, the last {window:g} days", p=p,
        verdict=verdict(difference, p, level),
    )  # fmt: skip
