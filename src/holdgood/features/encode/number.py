"""Numbers: as they are for trees; clipped, compressed where very skewed, standardised and imputed for linear models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.protocols import Parts
from holdgood.features.encode.block import Targets, damaged, written

# Ratio of the far tail to the near one beyond which a number is compressed: 3.4 for a normal distribution, 9.6 for a
# log-normal one of sigma 1.
_SKEWED = 9.0


class Plain:
    """The number itself, NaN for missing."""

    kind: ClassVar[str] = "plain"
    categorical: ClassVar[bool] = False

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ("",)

    def fit(self, values: np.ndarray, targets: Targets) -> None:
        """Nothing to learn."""

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """As it is."""
        out[:, 0] = values

    def row(self, value: Any) -> Sequence[float]:
        """As it is."""
        return (value,)

    def to_parts(self) -> Parts:
        """Nothing."""
        return Parts()

    @classmethod
    def from_parts(cls, parts: Parts) -> Plain:
        """Rebuild."""
        return cls()


class Scaled:
    """Signed log where very skewed, clipped, minus mean, over standard deviation; missing takes the median.

    A column for missing is made only where training rows had any. A column without spread has no columns at all.
    """

    kind: ClassVar[str] = "scaled"
    categorical: ClassVar[bool] = False

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._numbers = {"low": 0.0, "high": 0.0, "log": 0.0, "median": 0.0, "mean": 0.0, "sd": 1.0}

    def fit(self, values: np.ndarray, targets: Targets) -> None:
        """Learn the numbers from the values that are there and finite."""
        there = np.isfinite(values)
        present = values[there]
        names = []
        with np.errstate(over="ignore", invalid="ignore"):  # a spread that is not finite makes no column
            names += self._learn(present)
        if 0 < len(present) < len(values):
            names.append(" (missing)")
        self.names = tuple(names)

    def _learn(self, present: np.ndarray) -> list[str]:
        if not len(present):
            return []
        unit = _log_unit(present)
        shaped = _signed_log(present, unit) if unit else present
        low, first, median, last, high = (float(q) for q in np.quantile(shaped, (0.0, 0.01, 0.5, 0.99, 1.0)))
        if last > first:
            low, high = max(low, 2 * first - last), min(high, 2 * last - first)
        clipped = np.clip(shaped, low, high)
        mean, sd = float(clipped.mean()), float(clipped.std())
        if not np.isfinite(sd) or sd <= 1e-12 * max(1.0, abs(mean)):
            return []
        self._numbers = {"low": low, "high": high, "log": unit, "median": median, "mean": mean, "sd": sd}
        return [""]

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Standardised value, then 1.0 where it was missing."""
        there = np.isfinite(values)
        if "" in self.names:
            p = self._numbers
            # on one contiguous array: the logarithm's bits must not depend on strides
            shaped = np.where(there, values, 0.0)
            if p["log"]:
                shaped = _signed_log(shaped, p["log"])
            shaped = np.where(there, np.clip(shaped, p["low"], p["high"]), p["median"])
            out[:, 0] = (shaped - p["mean"]) / p["sd"]
        if " (missing)" in self.names:
            out[:, -1] = ~there

    def row(self, value: Any) -> Sequence[float]:
        """As ``write``; the logarithm is NumPy's, whose bits are not those of other libraries."""
        p, there, found = self._numbers, math.isfinite(value), []
        if "" in self.names:
            if p["log"]:
                return written(self, value)
            shaped = min(max(value, p["low"]), p["high"]) if there else p["median"]
            found.append((shaped - p["mean"]) / p["sd"])
        if " (missing)" in self.names:
            found.append(0.0 if there else 1.0)
        return found

    def to_parts(self) -> Parts:
        """Six numbers and the names."""
        return Parts({"names": list(self.names), **self._numbers})

    @classmethod
    def from_parts(cls, parts: Parts) -> Scaled:
        """Rebuild."""
        block = cls()
        names = parts.json.get("names")
        if names not in ([], [""], [" (missing)"], ["", " (missing)"]):
            raise damaged(f"columns {names!r} for a number")
        numbers = {k: parts.json.get(k) for k in block._numbers}
        if not all(isinstance(v, (int, float)) and np.isfinite(v) for v in numbers.values()) or not numbers["sd"]:
            raise damaged("a scale that is not a number")
        block.names, block._numbers = tuple(names), {k: float(v) for k, v in numbers.items() if v is not None}
        return block


def _signed_log(values: np.ndarray, unit: float) -> np.ndarray:
    return np.asarray(np.copysign(np.log1p(np.abs(values) / unit), values))


def _log_unit(present: np.ndarray) -> float:
    """The unit of the signed logarithm where either tail is very long, else 0: the median size of what is not zero."""
    least, lower, middle, upper, most = np.quantile(present, (0.01, 0.25, 0.5, 0.75, 0.99))
    right, left = most - middle > _SKEWED * (upper - middle), middle - least > _SKEWED * (middle - lower)
    sizes = np.abs(present[present != 0])
    if not (right or left) or len(sizes) == 0 or least == most:
        return 0.0
    unit = float(np.median(sizes))
    return unit if np.isfinite(unit) and unit > 0 else 0.0
