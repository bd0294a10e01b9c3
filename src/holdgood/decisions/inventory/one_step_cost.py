"""Expected money of a step with whole units: holding on what is left, shortage on what is missing, by the stock before demand."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from holdgood.core.errors import DeclarationError


def demand_chances(chances: np.ndarray) -> np.ndarray:
    """Chances of demand 0, 1, 2 …, checked; refused where they do not sum to one or nothing is ever asked for."""
    chances = np.asarray(chances, float)
    if chances.ndim != 1 or not (chances >= 0).all() or not abs(chances.sum() - 1.0) <= 1e-6 or chances[0] >= 1.0:
        raise DeclarationError(
            f"chances that sum to {chances.sum():g}",
            "chances of demand 0, 1, 2 … that sum to one, not all of it at 0",
            "correct them",
        )
    return chances


def poisson_chances(mean: float) -> np.ndarray:
    """Chances of Poisson demand, up to where the rest does not count (1e-13)."""
    if not 0 < mean < np.inf:
        raise DeclarationError(f"a mean of {mean:g}", "a number above zero", "correct it")
    chances = stats.poisson.pmf(np.arange(int(stats.poisson.isf(1e-14, mean)) + 2), mean)
    return np.asarray(chances / chances.sum())


def several_steps(chances: np.ndarray, steps: int) -> np.ndarray:
    """Chances of the demand of several independent steps together."""
    total = np.ones(1)
    for _ in range(steps):
        total = np.convolve(total, chances)
    return total


class StepCost:
    """G(y): expected cost with stock y (whole, may be negative) before demand of these chances."""

    def __init__(self, chances: np.ndarray, holding: float, shortage: float) -> None:
        if not (0 < holding < math.inf and 0 < shortage < math.inf):
            raise DeclarationError(f"holding {holding:g}, shortage {shortage:g}", "numbers above zero", "correct them")
        self._mean = float(chances @ np.arange(len(chances)))
        self._holding, self._shortage = holding, shortage
        below = np.cumsum(chances)
        self._left = np.concatenate([[0.0], np.cumsum(below)])  # E(y - D)+ for y = 0, 1, 2 …
        self.best = int(np.searchsorted(below, shortage / (holding + shortage) - 1e-12))

    def at(self, y: int) -> float:
        """Expected cost of a step with y."""
        last = len(self._left) - 1
        left = 0.0 if y < 0 else self._left[y] if y <= last else self._left[last] + (y - last)
        return float(self._holding * left + self._shortage * (left - y + self._mean))

    def enough(self, level: float) -> int:
        """The largest y below the best one that costs at least ``level``."""
        y = self.best
        while self.at(y) < level:
            y -= max(1, math.floor((level - self.at(y)) / self._shortage))
        while self.at(y + 1) >= level and y < self.best:
            y += 1
        return y
