"""A column's readings in the order of a clock: runs of one value, single leaps, flat tops."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdgood.audit.clock import Clock

LEAST_RUN = 10
TIMES_LONGER = 3.0
MOST_RUNS = 40
TAIL, LEAST_TAIL = 20, 5  # runs after a gap that say how lengths thin out
SURPRISING = 3.0  # times the tail's index
MOSTLY_REPEATS, NEVER_MOVES = 0.5, 0.9  # of neighbouring readings
SMALL_STEPS, SMALL_SHARE = 2.0, 0.8
_LONGEST = 2_000
_SOME = 20_000
_LEAP = 2.5
SPIKES = 5
_BEYOND = tuple(8.0 * 1.25**k for k in range(20))
_VALLEY, _EMPTY = 2.0, 0.15
FLAT_ROWS = 20
FLAT_SHARE = 0.003
FLAT_TIMES = 1.5
NEAR = 8
REPEATS = 0.7
_NATURAL = (0.0, 1.0, 100.0, 180.0, 359.0, 360.0)


@dataclass(frozen=True)
class Stuck:
    """Rows (places in the clock's order) in runs of one value, how many runs, the longest, and the longest of the rest.

    ``resting``: the longest run at a value where the column rests by nature, which is compared with nothing.
    """

    at: np.ndarray
    runs: int
    longest: int
    usual: int
    resting: int


def stuck(values: np.ndarray, ticking: Clock) -> Stuck | None:
    """Runs of one value that are several times as long as every other run and lie far off the tail of the others' lengths.

    A value at which the column rests again and again (no rain, night) makes several long runs; its bounds do so by nature. A
    series that knows one value only has it as a property. What mostly repeats and jumps when it moves is a setting, a price or a
    figure published now and then: standing still is what it does.
    """
    linked = ticking.series[1:] == ticking.series[:-1]
    same = (values[1:] == values[:-1]) & linked
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    lengths = np.diff(np.concatenate([starts, [len(values)]]))
    if len(lengths) < 50:
        return None
    whole = _whole_series(starts, lengths, linked)
    more = np.flatnonzero((lengths > 1) & np.isfinite(values[starts]) & ~whole)
    starts, lengths = starts[more], lengths[more]
    if len(lengths) > _LONGEST:  # only the longest matter
        keep = lengths >= np.partition(lengths, -_LONGEST)[-_LONGEST]
        starts, lengths = starts[keep], lengths[keep]
    if len(lengths) == 0 or lengths.max() < LEAST_RUN:
        return None
    order = np.lexsort((values[starts], -lengths))
    starts, lengths = starts[order], lengths[order]
    idle = bool(np.mean(values == 0) >= 0.05)
    resting = _resting(values[starts], lengths, float(np.nanmin(values)), float(np.nanmax(values)), idle)
    rests = int(lengths[resting].max(initial=0))
    starts, lengths = starts[~resting], lengths[~resting]
    runs = _apart(lengths)
    if runs == 0:
        return None
    at = np.concatenate([np.arange(s, s + n) for s, n in zip(starts[:runs], lengths[:runs], strict=True)])
    if len(at) > 0.3 * len(values) or _is_setting(values, linked, at):
        return None
    return Stuck(at, runs, int(lengths[0]), int(lengths[runs]) if runs < len(lengths) else 1, rests)


def _whole_series(starts: np.ndarray, lengths: np.ndarray, linked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which runs fill their whole series."""
    edge = np.concatenate([[True], ~linked, [True]])  # edge[p]: a series begins at place p
    whole: NDArray[np.bool_] = edge[starts] & edge[starts + lengths]
    return whole


def _apart(lengths: np.ndarray) -> int:
    """How many of the longest runs (sorted, longest first) stand apart from all others; 0 where none do.

    The k-th spacing of the logarithms, times k, is exponential with the tail's index as its mean (Rényi; Hill 1975): what
    follows the gap says how fast lengths thin out, and the gap must be beyond that by chance.
    """
    for k in range(1, min(MOST_RUNS, len(lengths)) + 1):
        here = float(lengths[k - 1])
        if here < LEAST_RUN:
            return 0
        rest = lengths[k : k + TAIL + 1].astype(np.float64)
        usual = float(rest[0]) if len(rest) else 1.0
        if here < TIMES_LONGER * usual:
            continue
        index = float(np.log(rest[:-1] / rest[-1]).mean()) if len(rest) > LEAST_TAIL else 0.0
        # lengths are whole numbers: a tail of ties knows its index no better than half a row
        index = max(index, math.log1p(0.5 / usual))
        if math.log(here / usual) >= SURPRISING * index:
            return k
    return 0


def _is_setting(values: np.ndarray, linked: NDArray[np.bool_], at: np.ndarray) -> bool:
    """Whether a column, outside of the places ``at``, mostly repeats, and leaps over several of its values when it moves."""
    free = np.ones(len(values), dtype=bool)
    free[at] = False
    both = free[1:] & free[:-1] & linked & np.isfinite(values[1:]) & np.isfinite(values[:-1])
    steps = np.abs(np.diff(values)[both])
    if len(steps) == 0 or np.mean(steps == 0) > NEVER_MOVES:
        return True
    if np.mean(steps == 0) <= MOSTLY_REPEATS:
        return False
    levels = np.unique(values[np.isfinite(values)])
    grid = float(np.median(np.diff(levels)))
    return bool(np.mean(steps[steps > 0] <= SMALL_STEPS * grid * (1 + 1e-9)) < SMALL_SHARE)


def _resting(at: np.ndarray, lengths: np.ndarray, low: float, high: float, idle: bool) -> NDArray[np.bool_]:
    """Which runs stand at zero (where the column is often ``idle``), at a bound, or at a value that has three long runs."""
    out: NDArray[np.bool_] = ((at == 0) & idle) | (at == low) | (at == high)
    long = lengths >= max(LEAST_RUN / 2, 0.2 * float(lengths[~out].max(initial=0)))
    levels, counts = np.unique(at[long], return_counts=True)
    return out | np.isin(at, levels[counts >= 3])


@dataclass(frozen=True)
class Spikes:
    """Rows (places in the clock's order) far from their neighbours, how ``far`` in usual distances, and the least of these."""

    at: np.ndarray
    far: np.ndarray
    beyond: float


def distances(values: np.ndarray, ticking: Clock, at: np.ndarray) -> np.ndarray:
    """How far some readings (places) are from the median of their four neighbours in time; NaN without two of these."""
    linked = np.concatenate(
        [[False, False], ticking.joined, [False, False]]
    )  # linked[p + 1]: p - 1 and p are neighbours
    back, on = linked[at + 1], linked[at + 2]
    last = len(values) - 1
    around = np.stack(
        [
            np.where(back & linked[at], values[np.maximum(at - 2, 0)], np.nan),
            np.where(back, values[np.maximum(at - 1, 0)], np.nan),
            np.where(on, values[np.minimum(at + 1, last)], np.nan),
            np.where(on & linked[np.minimum(at + 3, len(linked) - 1)], values[np.minimum(at + 2, last)], np.nan),
        ]
    )
    around.sort(axis=0)
    seen = np.isfinite(around).sum(axis=0)
    place = np.arange(len(at))
    middle = (around[np.maximum(seen - 1, 0) // 2, place] + around[np.minimum(seen // 2, 3), place]) / 2
    distance: np.ndarray = np.where(seen >= 2, values[at] - middle, np.nan)
    return distance


def usual_distance(values: np.ndarray, ticking: Clock) -> float:
    """How far a reading usually is from its neighbours, by some of them; where most do not move, by those that do; or 0."""
    some = np.arange(0, len(values), max(1, len(values) // _SOME))
    distance = np.abs(distances(values, ticking, some))
    there = distance[np.isfinite(distance)]
    if len(there) < 100:
        return 0.0
    return float(np.quantile(there, 0.68)) or float(np.quantile(there, 0.95)) / 2


def leaping(values: np.ndarray, usual: float) -> np.ndarray:
    """Places that lie above both neighbours or below both, by some usual distances: the only ones that a spike can be at."""
    steps = np.diff(values)
    with np.errstate(invalid="ignore"):
        far = np.abs(steps) > _LEAP * usual
        turned = steps[1:] * steps[:-1] < 0
    return np.flatnonzero(far[1:] & far[:-1] & turned) + 1


def spikes(at: np.ndarray, distance: np.ndarray, usual: float, rows: int) -> Spikes | None:
    """Readings far from their neighbours, with next to nothing between them and the usual distances.

    ``at`` are the places that could be spikes, ``distance`` how far each is; of ``rows`` readings in all.
    """
    if usual <= 0:
        return None
    far = np.abs(distance) / usual
    ranked = np.sort(far[np.isfinite(far)])
    edges = np.array(_BEYOND)
    above = len(ranked) - np.searchsorted(ranked, edges)
    before = np.searchsorted(ranked, edges) - np.searchsorted(ranked, edges / _VALLEY)
    good = (above >= SPIKES) & (above <= 0.05 * rows) & (before <= _EMPTY * above)
    if not good.any():
        return None
    beyond = float(edges[np.flatnonzero(good)[0]])
    with np.errstate(invalid="ignore"):
        hit = far > beyond
    return Spikes(at[hit], far[hit], beyond)


@dataclass(frozen=True)
class Flat:
    """Rows (places in the clock's order) that stand at a bound, the bound, and the most rows at any value near it."""

    at: np.ndarray
    bound: float
    usual: int
    top: bool


def flat(values: np.ndarray, ticking: Clock) -> list[Flat]:
    """Bounds at which many readings stand, in flat tops or bottoms, while each value near the bound is rare.

    Bounds that belong to the scale (0, 100 percent, 360 degrees) are none.
    """
    there = values[np.isfinite(values)]
    n = len(there)
    least = max(FLAT_ROWS, FLAT_SHARE * n)
    if n == 0 or max(np.count_nonzero(there == there.min()), np.count_nonzero(there == there.max())) < least:
        return []
    levels, counts = np.unique(there, return_counts=True)
    out = []
    for top in (True, False):
        bound = float(levels[-1] if top else levels[0])
        rows = int(counts[-1] if top else counts[0])
        near = counts[-NEAR - 1 : -1] if top else counts[1 : NEAR + 1]
        if abs(bound) in _NATURAL or rows < least or len(near) < NEAR or rows > 0.4 * n:
            continue
        if rows < FLAT_TIMES * near.max() and rows < 2 * FLAT_TIMES * near.mean():
            continue
        if _favourites(counts[:-1] if top else counts[1:], rows) >= 2:
            continue  # prices and settings have favourite values; a quantity that is measured has none
        at = np.flatnonzero(values == bound)
        if _repeats(values, bound) > REPEATS:
            continue  # a price or a setting, which stays until it is changed
        beside = np.isin(at - 1, at) | np.isin(at + 1, at)
        if beside.mean() >= 0.5:
            out.append(Flat(at, bound, int(near.max()), top))
    return out


def _repeats(values: np.ndarray, bound: float) -> float:
    """How often a reading off the bound is the same as the one before."""
    off = np.isfinite(values) & (values != bound)
    both = off[1:] & off[:-1]
    return float((values[1:] == values[:-1])[both].mean()) if both.any() else 1.0


def _favourites(counts: np.ndarray, rows: int) -> int:
    """How many values have a third as many rows as the bound and stand out from the values around them as it does."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(counts, 5, mode="edge"), 11)
    return int(((counts >= 0.3 * rows) & (counts >= 4 * FLAT_TIMES * np.median(windows, axis=1))).sum())
