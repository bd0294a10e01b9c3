"""Temporal aggregation: a slow series summed over buckets of several steps, each bucket size smoothed by itself.

The common part of ADIDA (one bucket size) and IMAPA (all sizes up to it).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from holdgood.models.forecasting.croston import smoothed
from holdgood.models.forecasting.local import LocalForecaster

_ALPHAS = (0.1, 0.3)


def mean_interval(y: np.ndarray) -> float:
    """Mean number of steps from one demand to the next, the first counted from the start.

    >>> mean_interval(np.array([0.0, 5.0, 0.0, 0.0, 1.0]))
    2.5
    """
    return float(np.diff(np.flatnonzero(y != 0) + 1, prepend=0).mean())


class Aggregated(LocalForecaster):
    """Buckets are counted back from the end, so every later step shifts them: a level is kept for each shift.

    Numbers a series: how many sizes; for each size k: k, alpha, k levels (buckets that end now, one step ago, …); and
    the last values, as many as the largest size, oldest first.
    """

    @abstractmethod
    def sizes(self, y: np.ndarray) -> Sequence[int]:
        """Bucket sizes for one series."""

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """A level a size and a shift; the alpha a size that fits best in-sample (statsforecast's golden section)."""
        from statsforecast.models import _optimized_ses_forecast

        sizes = [k for k in self.sizes(y) if k <= len(y)]
        numbers: list[float] = [len(sizes)]
        for size in sizes:
            alpha = float(_optimized_ses_forecast(_buckets(y, size), _ALPHAS)[2])
            levels = [
                smoothed(_buckets(y[: len(y) - shift], size), alpha)
                if len(y) - shift >= size
                else float(y.mean() * size)
                for shift in range(size)
            ]
            numbers += [size, alpha, *levels]
        return np.array([*numbers, *y[len(y) - max(sizes) :]])

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Each value ends a bucket of every size; a step that was not observed counts as one without demand."""
        levels, recent = _read(numbers)
        for value in np.nan_to_num(y).tolist():
            recent = [*recent[1:], value]
            for size, alpha, shifts in levels:
                before = shifts.pop()
                shifts.insert(0, before + alpha * (sum(recent[len(recent) - size :]) - before))
        return np.array([len(levels), *[n for size, alpha, s in levels for n in (size, alpha, *s)], *recent])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """The mean over sizes of the level a step, at every step."""
        return np.full(horizon, np.mean([shifts[0] / size for size, _, shifts in _read(numbers)[0]]))


def _buckets(y: np.ndarray, size: int) -> np.ndarray:
    """Sums of whole buckets, counted back from the end."""
    sums: np.ndarray = y[len(y) % size :].reshape(-1, size).sum(axis=1)
    return sums


def _read(numbers: np.ndarray) -> tuple[list[tuple[int, float, list[float]]], list[float]]:
    levels, at = [], 1
    for _ in range(int(numbers[0])):
        size = int(numbers[at])
        levels.append((size, float(numbers[at + 1]), numbers[at + 2 : at + 2 + size].tolist()))
        at += 2 + size
    return levels, numbers[at:].tolist()
