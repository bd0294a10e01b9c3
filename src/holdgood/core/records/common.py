"""Numbers that never come alone: an interval, a paired comparison, money."""

from __future__ import annotations

from typing import Literal

from holdgood.core.records.envelope import Number, Part
from holdgood.core.text import percent


class Interval(Part):
    """A value with its interval. ``n`` rows (or clusters) behind it; ``method`` in words."""

    value: Number
    low: Number
    high: Number
    level: float = 0.95
    n: int = 0
    method: str = ""

    def __str__(self) -> str:
        return f"{self.value:.4g} ({percent(self.level)}: {self.low:.4g} to {self.high:.4g}, n={self.n:,})"


class Comparison(Part):
    """A paired difference, *first minus second*, signed so that positive means the first is better.

    ``verdict``: ``better`` or ``worse`` only where the interval excludes zero, else ``not proven``.
    """

    first: str
    second: str
    difference: Number
    low: Number
    high: Number
    level: float = 0.95
    n: int = 0
    unit: str = ""
    method: str = ""
    p: Number = float("nan")
    verdict: Literal["better", "worse", "not proven"] = "not proven"


class Money(Part):
    """An amount with its interval. ``assumed``: nobody declared costs, so amounts are in units of one false alarm."""

    amount: Interval
    currency: str = ""
    per: str = "row"
    assumed: bool = True


class Series(Part):
    """A curve for a plot: points in order, with names of the axes."""

    name: str
    x: tuple[Number, ...]
    y: tuple[Number, ...]
    x_name: str = ""
    y_name: str = ""
    low: tuple[Number, ...] = ()
    high: tuple[Number, ...] = ()
