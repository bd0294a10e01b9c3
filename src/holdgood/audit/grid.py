"""Rows of a regular timeline in order of series and time, with each series' own step and what is missing between its rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from holdgood.audit.memory import Memory
from holdgood.audit.timeline import DAY, HOUR, Timeline, modes

WEEK = 7 * DAY
COME_AND_GO = 0.6  # a series with less of its moments has no gaps: it comes and goes
MOST = 20  # missing moments an entry beyond which there is no rhythm to speak of
CLOSED = 0.5  # presence below which a slot of the week is closed
PERIODS = 5  # weeks or days to know which of their slots are closed


@dataclass(frozen=True)
class Grid:
    """One entry a (series, moment), sorted. ``rows``: the position of one of its rows; ``copies``: how many rows it has.

    ``steps``: ticks between moments of the entry's series. ``off``: the entry lies beside its series' clock.
    """

    line: Timeline
    rows: np.ndarray
    series: np.ndarray
    tick: np.ndarray
    copies: np.ndarray
    steps: np.ndarray
    off: np.ndarray

    @cached_property
    def holes(self) -> Holes:
        """What is missing between the first and the last moment of each series."""
        return _holes(self)


@dataclass(frozen=True)
class Holes:
    """Runs of missing moments. ``before``: the entry before each run; ``length``: moments missing that should be there.

    ``tick`` and ``run``: each missing moment that should be there, and the run that it belongs to. ``expected``: moments
    that should be there in all, in the ``series`` that do not come and go; ``closed``: slots of the week without rows.
    """

    before: np.ndarray
    length: np.ndarray
    tick: np.ndarray
    run: np.ndarray
    expected: int
    series: int
    sparse: int
    closed: int


_grids: Memory[Grid] = Memory()


def grid(line: Timeline) -> Grid:
    """The grid of a timeline that has a step. Remembered while the data lives."""
    return _grids.get(line.table.data, (line.columns, line.series_columns, line.step), lambda: _grid(line))


def _grid(line: Timeline) -> Grid:
    good = line.there if line.series is None else line.there & (line.series >= 0)
    rows = np.flatnonzero(good)
    tick = line.ticks[rows]
    series = np.zeros(len(rows), dtype=np.int64) if line.series is None else line.series[rows]
    if line.count > 1:
        order = np.lexsort((tick, series))
    else:
        order = np.arange(len(rows)) if (np.diff(tick) >= 0).all() else np.argsort(tick, kind="stable")
    rows, tick, series = rows[order], tick[order], series[order]
    new = np.r_[True, (tick[1:] != tick[:-1]) | (series[1:] != series[:-1])] if len(rows) else np.zeros(0, dtype=bool)
    first = np.flatnonzero(new)
    copies = np.diff(np.r_[first, len(rows)])
    rows, tick, series = rows[first], tick[first], series[first]
    steps = _steps(line, series, tick)
    off = np.zeros(len(tick), dtype=bool)
    if line.exact and not line.months and len(tick):
        phase = tick % steps
        off = phase != modes(series, phase)
        runs = int((off[1:] > off[:-1]).sum()) + int(off[0])
        if off.sum() > 20 * runs:
            off[:] = False  # long stretches beside the clock: the clock itself was set otherwise
    return Grid(line, rows, series, tick, copies, steps, off)


def _steps(line: Timeline, series: np.ndarray, tick: np.ndarray) -> np.ndarray:
    """Each entry's step: its series' own where the series is long enough to have one."""
    steps = np.full(len(series), line.step, dtype=np.int64)
    if line.count == 1 or not line.exact or len(series) < 2:
        return steps
    same = series[1:] == series[:-1]
    owner, diff = series[1:][same], np.diff(tick)[same]
    if len(owner) == 0:
        return steps
    own = modes(owner, diff)
    of = np.full(line.count, line.step, dtype=np.int64)
    long = np.bincount(owner, minlength=line.count) >= 6
    fits = np.bincount(owner, weights=own == diff, minlength=line.count) >= 0.5 * np.bincount(
        owner, minlength=line.count
    )
    at = long[owner] & fits[owner]
    of[owner[at]] = own[at]
    return np.asarray(of[series])


def _holes(g: Grid) -> Holes:
    tick, steps = g.tick, g.steps
    if g.off.any():  # beside the clock is not missing: each such row stands for the nearest moment
        phase = modes(g.series, tick % steps)
        tick = phase + np.round((tick - phase) / steps).astype(np.int64) * steps
    same = g.series[1:] == g.series[:-1]
    gone = np.where(same, np.round(np.diff(tick) / steps[1:]).astype(np.int64) - 1, 0).clip(min=0)
    if not g.line.exact:
        gone[np.diff(g.tick) < 1.75 * steps[1:]] = 0
    before = np.flatnonzero(gone)
    length = gone[before]
    if length.sum() > MOST * len(tick):
        return _none(len(np.unique(g.series)))
    run = np.repeat(np.arange(len(before)), length)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(length) - length, length) + 1
    missing = tick[before][run] + nth * steps[before][run]
    closed = None if g.line.every else _closed(g, tick, missing)  # what is declared to come is missing, at night too
    if closed is not None:
        slots, period = closed
        out = slots[missing % period // _width(g)]
        if _closed_days(slots, period):  # where weekends are closed, a single closed day is a holiday
            out |= _single_days(missing, run, out, tick)
        missing, run = missing[~out], run[~out]
    # series that come and go are not counted; one long stretch is a gap and not a habit
    owner = g.series[before][run]
    have, lost = np.bincount(g.series, minlength=g.line.count), np.bincount(owner, minlength=g.line.count)
    longest = np.zeros(g.line.count)
    np.maximum.at(longest, g.series[before], np.bincount(run, minlength=len(before)))
    sparse = (have < COME_AND_GO * (have + lost - longest)) & (not g.line.every)
    missing, run = missing[~sparse[owner]], run[~sparse[owner]]
    kept = int(have[~sparse].sum())
    length = np.bincount(run, minlength=len(before))
    some = length > 0
    number = np.cumsum(some) - 1
    return Holes(
        before[some],
        length[some],
        missing,
        number[run],
        kept + len(missing),
        int((have[~sparse] > 0).sum()),
        int(((have > 0) & sparse).sum()),
        0 if closed is None else int(closed[0].sum()),
    )


def _none(sparse: int) -> Holes:
    nothing = np.zeros(0, dtype=np.int64)
    return Holes(nothing, nothing, nothing, nothing, 0, 0, sparse, 0)


def _width(g: Grid) -> int:
    return max(int(g.line.step), HOUR)


def _closed(g: Grid, present: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, int] | None:
    """Which slots of the week (of the day, in shorter data) have rows in less than half of the weeks, and the period.

    Weeks that are missing altogether, or nearly, do not count.
    """
    if g.line.months or g.line.step > DAY or len(present) == 0 or len(missing) == 0:
        return None
    for period in (WEEK, DAY):
        start, width = int(present.min()) // period, _width(g)
        here = np.bincount(present // period - start)
        if (here > 0).sum() < PERIODS or period % width or width == period:
            continue
        living = here >= 0.25 * np.median(here[here > 0])
        slots = period // width
        of = missing // period - start
        lost = np.bincount(missing[living[np.minimum(of, len(living) - 1)]] % period // width, minlength=slots)
        have = np.bincount(present % period // width, minlength=slots)
        return np.asarray(have < CLOSED * (have + lost)), period
    return None


def _closed_days(closed: np.ndarray, period: int) -> bool:
    return period == WEEK and bool(closed.reshape(7, -1).all(axis=1).any())


def _single_days(missing: np.ndarray, run: np.ndarray, out: np.ndarray, tick: np.ndarray) -> np.ndarray:
    """Missing moments of runs that, apart from closed slots, lie within one day, where such days are few."""
    keep = ~out
    n = int(run.max()) + 1 if len(run) else 0
    low, high = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(low, run[keep], missing[keep] // DAY)
    np.maximum.at(high, run[keep], missing[keep] // DAY)
    single = low == high
    days = len(np.unique(tick // DAY))
    if len(np.unique(low[single])) > 0.06 * days:
        return np.zeros(len(missing), dtype=bool)
    return np.asarray(single[run])
