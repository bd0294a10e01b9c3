"""What a chart is, before it is drawn: axes, dots with whiskers, lines with bands. Plain data, no pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from holdgood.reports import format as words

Tone: TypeAlias = Literal["accent", "second", "quiet", "bad"]
"""A role, not a colour: the two themes and the printer each give it theirs."""


@dataclass(frozen=True)
class Axis:
    """One axis. ``style`` is ``number``, ``percent`` (shares of one) or ``money:EUR``; bounds are nice numbers."""

    name: str
    style: str = "number"
    low: float = 0.0
    high: float = 1.0
    step: float = 0.2

    @classmethod
    def over(
        cls, name: str, values: Iterable[float], style: str = "number", bounds: tuple[float, float] | None = None
    ) -> Axis:
        """An axis with four to eight round ticks around the finite values, kept inside ``bounds`` where given.

        >>> a = Axis.over("loss", [0.31, 0.478, float("nan")])
        >>> a.low, a.high, a.step
        (0.3, 0.5, 0.05)
        """
        finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        if low == high:
            low, high = low - (abs(low) / 10 or 1.0), high + (abs(high) / 10 or 1.0)
        raw = (high - low) / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        low, high = _tidy(first * step), _tidy(last * step)
        if bounds:
            low, high = max(low, bounds[0]), min(high, bounds[1])
        return cls(name, style, low, high, _tidy(step))

    @property
    def ticks(self) -> tuple[float, ...]:
        """Where labels stand, both ends included."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return tuple(_tidy(i * self.step) for i in range(first, last + 1))

    def text(self, value: float, places: int | None = None) -> str:
        """A value in the axis' style, to the precision of its ticks unless told otherwise."""
        fine = self.step * (100 if self.style == "percent" else 1)
        if places is None:
            places = max(0, -math.floor(math.log10(fine) + 1e-9))
            if round(fine, places) != _tidy(fine):
                places += 1
        if self.style == "percent":
            return words.percent(value, places)
        if self.style.startswith("money:"):
            return words.money(value, self.style.removeprefix("money:"), places)
        return words.fixed(value, places)

    def fine_text(self, value: float) -> str:
        """A value for tooltips and tables: one or two digits finer than the ticks."""
        fine = (self.high - self.low) * (100 if self.style == "percent" else 1)
        if self.style.startswith("money:"):
            return words.money(value, self.style.removeprefix("money:"))
        return self.text(value, max(0, 2 - math.floor(math.log10(fine)))) if fine > 0 else self.text(value)


def _tidy(value: float) -> float:
    """Without the dust of binary fractions.

    >>> _tidy(3 * 0.1)
    0.3
    """
    return float(f"{value:.12g}")


@dataclass(frozen=True)
class Dot:
    """One named value with its whisker; ``value`` NaN: nothing is drawn and the table says ``note``."""

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan
    tone: Tone = "accent"
    note: str = ""


@dataclass(frozen=True)
class DotPlot:
    """Dots and whiskers, one line each, from top to bottom; ``reference`` draws a vertical line (zero for gains).

    ``beyond``: dots for which there is no room in the picture; they stand in the table only.
    """

    dots: tuple[Dot, ...]
    axis: Axis
    reference: float | None = None
    first_column: str = ""
    note_column: str = ""
    beyond: tuple[Dot, ...] = ()


@dataclass(frozen=True)
class Line:
    """A curve. With ``points`` it is dots and whiskers instead of a line; with ``steps`` a histogram's outline."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    tone: Tone = "accent"
    dashed: bool = False
    points: bool = False
    steps: bool = False


@dataclass(frozen=True)
class LinePlot:
    """Curves over one pair of axes. ``marks`` are named places on the x axis; ``diagonal`` draws y = x."""

    lines: tuple[Line, ...]
    x: Axis
    y: Axis
    marks: tuple[tuple[float, str], ...] = ()
    diagonal: str = ""


@dataclass(frozen=True)
class Segment:
    """A stretch of a bar: how many rows, what they are for, and the words on its right border."""

    label: str
    rows: int
    tone: Literal["accent", "second", "quiet", "gap"]
    border: str = ""


@dataclass(frozen=True)
class SegmentBar:
    """One bar cut into stretches, from early to late where ``timed``."""

    segments: tuple[Segment, ...]
    timed: bool


Plot: TypeAlias = DotPlot | LinePlot | SegmentBar
