"""How much rows and days usually differ, learned from all days of a model in use: a window's own few days know it badly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.traffic import DAY, Look


@dataclass(frozen=True)
class UsualDays:
    """Variance of rows ``within`` a day and of days beside each other (``between``), and the ``days`` behind them."""

    within: float
    between: float
    days: int

    def of_mean(self, weight: np.ndarray, day: np.ndarray) -> float:
        """Variance of a weighted mean of rows, ``weight`` (n,), that fell on these days, codes (n,)."""
        shared = float(np.sum(np.square(np.bincount(day, weights=weight))))
        return (self.within * float(np.sum(np.square(weight))) + self.between * shared) / float(np.sum(weight)) ** 2


def usual_days(look: Look, values: np.ndarray) -> UsualDays:
    """From ``values`` (n,) of the look's traffic that are known; the window and what came before it each about its own mean.

    Analysis of variance by moments, for days of unequal size (Searle, Casella & McCulloch 1992). A change of the mean between window and
    before is in neither part.

    >>> from holdgood.testing.watcher import look, made_up
    >>> at = look(made_up(1))
    >>> usual_days(at, at.traffic.saved).days
    70
    """
    traffic = look.traffic
    known = traffic.labelled & ~traffic.censored & np.isfinite(values) & (traffic.when < look.ends)
    x, when = values[known], traffic.when[known]
    period = (when >= look.begins).astype(np.int64)
    units, code = np.unique(2 * (when // DAY) + period, return_inverse=True)
    side = units % 2
    rows, sums = np.bincount(code).astype(np.float64), np.bincount(code, weights=x)
    of = [np.bincount(side, weights=w, minlength=2) for w in (rows, sums, np.square(rows))]
    centre = of[1] / np.maximum(of[0], 1.0)
    periods = int((of[0] > 0).sum())
    spare = len(x) - len(units), len(units) - periods
    if min(spare) < 1:
        return UsualDays(0.0, 0.0, 0)
    means = sums / rows
    within = float(np.sum(np.square(x - means[code]))) / spare[0]
    among = float(np.sum(rows * np.square(means - centre[side]))) - within * spare[1]
    worth = float(np.sum(of[0]) - np.sum(of[2] / np.maximum(of[0], 1.0)))
    return UsualDays(within, max(0.0, among / worth), len(units))
