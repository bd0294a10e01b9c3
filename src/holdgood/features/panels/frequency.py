"""Which step a panel has: found from the gaps between the rows of each series, or told why it cannot be found."""

from __future__ import annotations

import math

import numpy as np

from holdgood.core.errors import DataError
from holdgood.features.panels.grid import DAY, HOUR, MINUTE, SECOND, Grid, fixed, months

# Share of gaps that a step must explain, and share of them that must be exactly one step.
_EXPLAINED, _SINGLE = 0.98, 0.05
_MOST_GAPS = 1_000_000
_NICE = tuple(n * u for u, ns in ((HOUR, (12, 6, 4, 3, 2, 1)), (MINUTE, (30, 20, 15, 10, 5, 1)), (SECOND, (30, 10, 5, 1))) for n in ns)  # fmt: skip
_DO = 'declare it, for example frequency = "D" under [forecast]; several rows in one step then need duplicates = "sum"'


def infer(moments: np.ndarray, series: np.ndarray) -> Grid:
    """The grid of rows sorted by series and time. moments: (n,) int64 microseconds; series: (n,) codes.

    Raises DataError where no step explains the gaps.
    """
    gaps = np.diff(moments[: _MOST_GAPS + 1])[np.diff(series[: _MOST_GAPS + 1]) == 0]
    gaps = gaps[gaps > 0]
    stamps = np.unique(moments[:_MOST_GAPS])
    if not len(gaps):  # one row a series: what they are to each other
        gaps = np.diff(stamps)
    if not len(gaps):
        raise DataError(
            "the step cannot be found: all rows have one and the same time" if len(stamps) else "no row has a time",
            "at least two moments",
            _DO,
        )
    found = _months(stamps, gaps, moments) or _days(gaps, stamps, moments) or _within_a_day(gaps, moments)
    if found is None:
        raise DataError(
            f"the step cannot be found: the rows of a series are {_told(gaps)} apart",
            "one step that most gaps have",
            _DO,
        )
    return found


def _months(stamps: np.ndarray, gaps: np.ndarray, moments: np.ndarray) -> Grid | None:
    """Stamps on one day of the month (or its last), nothing nearer than a month."""
    if np.mean(gaps >= 27.5 * DAY) < _EXPLAINED:
        return None
    days = np.floor_divide(stamps, DAY).astype("M8[D]")
    month = days.astype("M8[M]")
    within = (days - month.astype("M8[D]")).astype(np.int64)
    last = (days + 1).astype("M8[M]") != month
    if max(np.bincount(within).max() / len(within), last.mean()) < _EXPLAINED:
        return None
    apart = np.rint(gaps / (30.436875 * DAY)).astype(np.int64)
    for size in (12, 6, 4, 3, 2, 1):
        if np.mean(apart % size == 0) >= _EXPLAINED and (size == 1 or np.mean(apart == size) >= _SINGLE):
            return months(size, moments[:_MOST_GAPS])
    return None


def _days(gaps: np.ndarray, stamps: np.ndarray, moments: np.ndarray) -> Grid | None:
    """Whole days apart, up to an hour that a clock was put forward or back."""
    apart = np.rint(gaps / DAY).astype(np.int64)
    if np.mean((apart >= 1) & (np.abs(gaps - apart * DAY) <= HOUR)) < _EXPLAINED:
        return None
    size = _explaining(apart, (7, 1))
    if size is None:
        return None
    if size == 1 and len(stamps) >= 10:
        weekday = (np.floor_divide(stamps, DAY) + 3) % 7
        if np.mean(weekday >= 5) <= 0.005 and stamps[-1] - stamps[0] >= 14 * DAY:
            clock = np.unique(moments[:_MOST_GAPS] % DAY, return_counts=True)
            return Grid("B", "business", clock=int(clock[0][np.argmax(clock[1])]))
    return fixed(size * DAY, moments[:_MOST_GAPS])


def _within_a_day(gaps: np.ndarray, moments: np.ndarray) -> Grid | None:
    size = _explaining(gaps, ())
    if size is not None and size >= SECOND:
        return fixed(size, moments[:_MOST_GAPS])
    for nice in _NICE:  # readings that come a little early or late
        near = np.abs(gaps - np.rint(gaps / nice) * nice) <= nice / 10
        if np.mean(near & (gaps > nice / 2)) >= _EXPLAINED and np.mean(np.abs(gaps - nice) <= nice / 10) >= 0.5:
            return fixed(nice, moments[:_MOST_GAPS], slack=nice // 8)
    return None


def _explaining(gaps: np.ndarray, usual: tuple[int, ...]) -> int | None:
    """The largest step of which nearly all gaps are multiples and that is itself a gap."""
    sizes, counts = np.unique(gaps, return_counts=True)
    common = sizes[counts >= 0.01 * counts.sum()]
    candidates = {int(sizes[np.argmax(counts)]), *usual}
    if len(common):
        candidates.add(math.gcd(*(int(c) for c in common)))
    for size in sorted(candidates, reverse=True):
        if size > 0 and np.mean(gaps % size == 0) >= _EXPLAINED and np.mean(gaps == size) >= _SINGLE:
            return size
    return None


def _told(gaps: np.ndarray) -> str:
    """The most frequent gaps in words."""
    sizes, counts = np.unique(gaps, return_counts=True)
    first = np.argsort(-counts, kind="stable")[:3]
    told = [f"{_span(int(sizes[i]))} ({counts[i] / counts.sum():.0%})" for i in first]
    return ", ".join(told) + (f" and {len(sizes) - 3:,} other spans" if len(sizes) > 3 else "")


def _span(size: int) -> str:
    for name, unit in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size / SECOND:.4g} s"


def seasons_of(grid: Grid) -> tuple[int, ...]:
    """Season lengths in steps that a grid suggests, the main one first; (1,) for none.

    >>> seasons_of(Grid("MS", "months", 1)), seasons_of(Grid("h", "fixed", HOUR)), seasons_of(Grid("YS", "months", 12))
    ((12,), (24, 168), (1,))
    """
    if grid.unit == "months":
        return (12 // grid.size,) if grid.size in (1, 2, 3, 4, 6) else (1,)
    if grid.unit == "business":
        return (5,)
    if grid.size % (7 * DAY) == 0:
        return (52,) if grid.size == 7 * DAY else (1,)
    if grid.size == DAY:
        return (7,)
    if grid.size < DAY and DAY % grid.size == 0 and DAY // grid.size > 1:
        return (DAY // grid.size, 7 * DAY // grid.size)
    return (1,)
