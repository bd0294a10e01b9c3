"""A part of a column that is a shifted copy of the rest: the same values times a constant, as units and slips of digits make.

Seen from what each value should be (``expected``), most rows lie around zero and the wrong ones around the logarithm of the
factor. They are a copy only if there are clearly more of them there than on either side of that place: an honest heavy tail
thins out and has no such hill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdgood.audit.expected import View

ROWS = 5
DENSER = 4.0
LARGEST_SHARE = 0.45
CORE = 0.04
_SLACK = 0.35
_DECIMALS = 6
_WHOLE = 1e-3


@dataclass(frozen=True)
class Copy:
    """Rows of a view (mask) whose value is ``factor`` times what it should be: their residuals are ``within`` the hill.

    ``surprise`` is minus the logarithm (base ten) of the chance of so many rows there, were they spread evenly over the
    hill and the flank beside it that holds more.
    """

    view: View
    factor: float
    marks: NDArray[np.bool_]
    rows: int
    beside: int
    surprise: float
    within: tuple[float, float]


class Hills:
    """The residuals of a view on a logarithmic scale, sorted once, so that many factors can be tried."""

    def __init__(self, view: View) -> None:
        self.view = view
        residual = view.residual
        self.there = np.sort(residual[np.isfinite(residual)])
        self.middle = float(self.there[len(self.there) // 2])

    def at(self, factor: float, *, loose: bool = False) -> Copy | None:
        """The hill at one factor, or None where there is none.

        ``loose``: where it lies far from everything, it need not have the middle of the rest: rows of one stretch or group lie
        where that group lies.
        """
        shift = math.log(factor)
        reach = min(8 * self.view.spread, abs(shift) / 2)
        first, last = np.searchsorted(self.there, (self.middle - reach, self.middle + reach))
        main = self.there[first:last]
        if len(main) < 0.5 * len(self.there):
            return None
        low, high = float(main[int(CORE * len(main))]), float(main[int((1 - CORE) * (len(main) - 1))])
        rim = 0.1 * (high - low)
        low, high = low - rim, high + rim
        if abs(shift) < 1.25 * (high - low):
            return None
        rows = self._between(shift + low, shift + high)
        if rows < ROWS or rows > LARGEST_SHARE * len(self.there):
            return None
        if abs(shift) >= 4.0 * (
            high - low
        ):  # far from everything: rows of one group may lie anywhere within the column
            low, high = low - 0.5 * (high - low), high + 0.5 * (high - low)
            rows = self._between(shift + low, shift + high)
        surprise, beside = self._hill(low, high, shift, rows)
        if surprise <= 0.0:
            return None
        sd = max(float(np.std(main)), 1e-9)
        top = float(self.there[np.searchsorted(self.there, shift + low) + rows // 2])
        slack = 2.0 if loose and abs(shift) >= 2.0 * (high - low) else _SLACK
        if abs(top - self.middle - shift) > slack * sd + 3.0 * sd / math.sqrt(rows):
            return None
        with np.errstate(invalid="ignore"):
            marks = (self.view.residual >= shift + low) & (self.view.residual <= shift + high)
        surprise += grain(self.view, factor, marks)
        return Copy(self.view, factor, marks, rows, beside, surprise, (shift + low, shift + high))

    def by_grain(self, factor: float) -> Copy | None:
        """The copy at a power of ten that has no hill of its own, known by its last digits alone.

        Ten times a whole number ends in 0. Honest numbers that are rounded more when they are large do so too; but then their
        last digit but one is mostly 0 as well, and so it is with the values between the column's middle and the copy.
        """
        shift = math.log(factor)
        residual, units = self.view.residual, in_units(self.view, factor)
        if units is None:
            return None
        step = 10 if factor > 1 else 1
        ends = np.abs(units - np.round(units / step) * step) < _WHOLE
        if factor < 1:
            ends = ~ends
        wide = max(2 * self.view.spread, 0.3)
        with np.errstate(invalid="ignore"):
            inside = np.abs(residual - self.middle - shift) <= wide
            between = (residual / shift > 0.25) & (residual / shift < 0.55)
            main = np.abs(residual - self.middle) <= 2 * self.view.spread
        if inside.sum() < ROWS or main.sum() < 100 or abs(shift) < wide:
            return None
        usual, hits, of = float(ends[main].mean()), int((inside & ends).sum()), int(inside.sum())
        usual = max(usual, float(ends[between].mean()) if between.sum() >= ROWS else 0.0, 0.02)
        low, high = float(residual[inside].min()), float(residual[inside].max())
        hit = inside & ends
        if hits < ROWS or abs(float(np.median(residual[hit])) - self.middle - shift) > 0.5 * self.view.spread:
            return None
        again = np.abs(units - np.round(units / 100) * 100) < _WHOLE
        if factor > 1 and again[hit].mean() > 2 * max(usual, 0.1):
            return None
        by_chance = (of - hits) * usual / (1 - usual) if usual < 1 else of
        if hits - by_chance < ROWS or hits < 0.1 * of or hits < 3 * by_chance:
            return None
        surprise = tail(hits, of, usual)
        return Copy(self.view, factor, hit, hits, round(by_chance), surprise, (low, high))

    def _between(self, low: float, high: float) -> int:
        return int(np.searchsorted(self.there, high, "right") - np.searchsorted(self.there, low))

    def _hill(self, low: float, high: float, shift: float, rows: int) -> tuple[float, int]:
        """How surprising the hill is against its inner and its outer flank, and how many rows the fuller flank holds."""
        width = high - low
        if shift > 0:
            near, beyond = shift + low, shift + high
            flanks = [(max((high + near) / 2, near - width), near), (beyond, beyond + width)]
        else:
            near, beyond = shift + high, shift + low
            flanks = [(near, min((low + near) / 2, near + width)), (beyond - width, beyond)]
        worst, most = math.inf, 0
        for left, right in flanks:
            beside = self._between(left, right)
            wide = max(right - left, 1e-12)
            if rows / width < DENSER * (beside + 0.5) / wide:
                return 0.0, beside
            worst, most = min(worst, tail(rows, rows + beside, width / (width + wide))), max(most, beside)
        return worst, most


def by_multiples(view: View, factor: float) -> Copy | None:
    """The copy at a factor whose values are off the grid of decimals that the column is written on, and back on it once divided.

    Inches to two decimals are multiples of 0.254 among millimetres. Only where a multiple says something: the cells'
    own rounding, divided by the factor, must be finer than the grid. Cells that lie where the column lies were converted
    rightly, by whoever keeps the table or by a repair: they have to be nearer to the factor than to the rest.
    """
    there = np.isfinite(view.value)
    cells = np.abs(view.cells)
    grid = decimals(cells[there], 0.8)
    finest = decimals(cells[there], 1.0)
    if grid is None or finest is None or finest <= grid:
        return None
    chance = 10.0 ** (grid - finest) / factor + 0.02
    units = cells * 10.0**grid
    with np.errstate(invalid="ignore"):
        off = there & (np.abs(units - np.round(units)) > _WHOLE)
        back = units / factor
        fits = off & (np.abs(back - np.round(back)) <= 0.51 * 10.0 ** (grid - finest) / factor + 1e-9) & (back > 0.5)
    hits, of = int(fits.sum()), int(off.sum())
    if hits < ROWS or hits < 0.8 * of or hits > LARGEST_SHARE * int(there.sum()):
        return None
    residual = view.residual[fits]
    beyond = float(np.median(residual)) - float(np.nanmedian(view.residual))
    if abs(beyond - math.log(factor)) >= abs(beyond):
        return None
    return Copy(
        view, factor, fits, hits, of - hits, tail(hits, of, chance), (float(residual.min()), float(residual.max()))
    )


def in_units(view: View, factor: float) -> np.ndarray | None:
    """The cells counted in the last decimal that the rest of the column is written with; None where factors of ten leave no
    trace: for other factors, and in columns of many decimals.
    """
    if abs(math.log10(factor)) % 1 > 1e-9:
        return None
    with np.errstate(invalid="ignore"):
        usual = view.cells[np.abs(view.residual) <= 2 * view.spread]
    places = decimals(usual)
    return None if places is None else np.abs(view.cells) * 10.0**places


def grain(view: View, factor: float, marks: NDArray[np.bool_]) -> float:
    """How much more surprising a copy is for its last digits: ten times a whole number ends in 0, a tenth of it is not whole."""
    units = in_units(view, factor)
    if units is None:
        return 0.0
    step = 10 if factor > 1 else 1
    ends = np.abs(units - np.round(units / step) * step) < _WHOLE
    if factor < 1:
        ends = ~ends
    with np.errstate(invalid="ignore"):
        usual = max(float(ends[np.abs(view.residual) <= 2 * view.spread].mean()), 0.02)
    return tail(int(ends[marks].sum()), int(marks.sum()), min(usual, 1.0))


def decimals(values: np.ndarray, most: float = 0.98) -> int | None:
    """How many decimals most values are written with; None where more than six, or where there are too many digits."""
    some = values[np.isfinite(values)]
    some = some if most == 1.0 else some[:: max(1, len(some) // 1_000)]
    for d in range(_DECIMALS + 1):
        scaled = some * 10.0**d
        whole = np.abs(scaled - np.round(scaled)) <= 1e-6 * np.maximum(1.0, np.abs(scaled))
        if len(some) and whole.mean() >= most:
            return d if np.abs(scaled).max() < 1e12 else None
    return None


def tail(hits: int, of: int, share: float) -> float:
    """Minus log10 of P(Binomial(of, share) >= hits), by Chernoff's bound."""
    seen = hits / of
    if seen <= share:
        return 0.0
    gain = seen * math.log(seen / share) + (0.0 if seen >= 1 else (1 - seen) * math.log((1 - seen) / (1 - share)))
    return of * gain / math.log(10)


def varied(values: np.ndarray, usual: np.ndarray) -> bool:
    """Whether some values are as mixed as values of the column usually are; a single code repeated is no copy."""
    some = values[np.isfinite(values)]
    _, counts = np.unique(some, return_counts=True)
    _, all_counts = np.unique(usual[np.isfinite(usual)], return_counts=True)
    top, usual_top = counts.max() / len(some), all_counts.max() / all_counts.sum()
    return len(counts) >= min(5, len(some)) and top <= max(0.3, 1.5 * usual_top)
