"""Croston: size and interval of demands smoothed apart (Croston 1972); SBA takes its bias off (Syntetos and Boylan 2005)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.intermittent import is_intermittent
from holdgood.models.forecasting.local import LocalForecaster

_ALPHAS = (0.1, 0.3)
_FIXED = 0.1


class Croston(LocalForecaster):
    """Numbers a series: alpha of sizes and of intervals, size, interval, steps since the last demand, factor.

    Parameters: optimised, alphas between 0.1 and 0.3 that fit best in-sample (statsforecast's golden section) instead of
    0.1; factor, 1 for Croston, 0.95 for SBA with an alpha of 0.1.
    """

    part: ClassVar[str] = "croston"
    shortest: ClassVar[int] = 2

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Numbers of one series that has some demand (it is not constant)."""
        places = np.flatnonzero(y != 0)
        sizes, gaps = y[places], np.diff(places + 1, prepend=0).astype(np.float64)
        alphas = [_FIXED, _FIXED]
        if self.parameters["optimised"]:
            from statsforecast.models import _optimized_ses_forecast

            alphas = [float(_optimized_ses_forecast(v, _ALPHAS)[2]) for v in (sizes, gaps)]
        since = len(y) - 1 - int(places[-1])
        factor = float(self.parameters["factor"])
        return np.array([*alphas, smoothed(sizes, alphas[0]), smoothed(gaps, alphas[1]), since, factor])

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Both levels move where there is demand; a step that was not observed counts as one without."""
        by_size, by_gap, size, gap, since, factor = numbers.tolist()
        for value in y.tolist():
            since += 1
            if value == value and value != 0:
                size += by_size * (value - size)
                gap += by_gap * (since - gap)
                since = 0.0
        return np.array([by_size, by_gap, size, gap, since, factor])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """Size over interval, at every step."""
        return np.full(horizon, numbers[5] * numbers[2] / numbers[3])


def smoothed(values: np.ndarray, alpha: float) -> float:
    """Simple exponential smoothing, started at the first value: the level after the last.

    >>> smoothed(np.array([1.0, 3.0]), 0.5)
    2.0
    """
    level = float(values[0])
    for value in values[1:].tolist():
        level += alpha * (value - level)
    return level


class CrostonFamily:
    """What planners of spare parts know."""

    name: ClassVar[str] = "croston"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """SBA, Croston, Croston with optimised alphas; nothing where no series is intermittent."""
        if not is_intermittent(panel):
            return []
        return [
            ("croston-sba", {"optimised": False, "factor": 1 - _FIXED / 2}),
            ("croston", {"optimised": False, "factor": 1.0}),
            ("croston-optimised", {"optimised": True, "factor": 1.0}),
        ]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Croston(parameters)


FAMILY = CrostonFamily
