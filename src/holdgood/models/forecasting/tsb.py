"""TSB: size and probability of demand smoothed apart (Teunter, Syntetos and Babai 2011). It follows items that die out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.croston import smoothed
from holdgood.models.forecasting.intermittent import is_intermittent
from holdgood.models.forecasting.local import LocalForecaster


class Tsb(LocalForecaster):
    """Numbers a series: alpha of sizes and of the probability, size, probability. Parameters: sizes, probability (the alphas)."""

    part: ClassVar[str] = "tsb"
    shortest: ClassVar[int] = 2

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Numbers of one series that has some demand (it is not constant)."""
        by_size, by_chance = float(self.parameters["sizes"]), float(self.parameters["probability"])
        there = y != 0
        return np.array(
            [by_size, by_chance, smoothed(y[there], by_size), smoothed(there.astype(np.float64), by_chance)]
        )

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The probability moves at every observed step, the size where there is demand."""
        by_size, by_chance, size, chance = numbers.tolist()
        for value in y[np.isfinite(y)].tolist():
            if value != 0:
                size += by_size * (value - size)
            chance += by_chance * (float(value != 0) - chance)
        return np.array([by_size, by_chance, size, chance])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """Size times probability, at every step."""
        return np.full(horizon, numbers[2] * numbers[3])


class TsbFamily:
    """Croston for items that may be at their end."""

    name: ClassVar[str] = "tsb"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """A slow and a quick one; nothing where no series is intermittent."""
        if not is_intermittent(panel):
            return []
        return [("tsb", {"sizes": 0.1, "probability": 0.1}), ("tsb-quick", {"sizes": 0.2, "probability": 0.2})]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Tsb(parameters)


FAMILY = TsbFamily
