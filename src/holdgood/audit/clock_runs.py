"""Moments that come twice and moments that are missing, as runs: the traces that a clock leaves when it is set otherwise.

A clock set forward by k leaves a hole of k, set back it writes k twice. A stretch of rows in another zone leaves both, one
at each end; single rows in another zone leave a hole each, and a double k away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.audit.grid import Grid
from holdgood.audit.rows import row_hashes
from holdgood.audit.timeline import DAY, HOUR

MOST_HOURS = 14
DOUBLED = 0.01  # where more moments than this come twice, rows share moments on purpose
PLACES = 60
EPOCH_SUNDAY = 3  # 1970-01-04
LEAST_PAIRS = 5


@dataclass(frozen=True)
class Run:
    """Consecutive moments of one series: the first tick, how many, and the entry of the grid before or at the first."""

    tick: int
    length: int
    series: int
    entry: int


@dataclass(frozen=True)
class Stretch:
    """Rows from ``first`` to ``last`` (ticks, both within) that lie ``hours`` too late (negative: too early).

    ``hours`` were written twice at ``twice`` and are missing at ``missing`` (None: no hole of that length).
    """

    hours: float
    twice: int
    missing: int | None
    series: int
    rows: int
    entry: int


def doubles(g: Grid) -> list[Run]:
    """Runs of moments that come more than once with different content; none where that is usual in the table."""
    twice = np.flatnonzero(g.copies > 1)
    if len(twice) == 0 or len(twice) > max(2 * MOST_HOURS, DOUBLED * len(g.tick)):
        return []
    new = np.r_[True, (np.diff(g.tick[twice]) != g.steps[twice[1:]]) | (np.diff(g.series[twice]) != 0)]
    start = np.flatnonzero(new)
    length = np.diff(np.r_[start, len(twice)])
    runs = [
        Run(int(g.tick[twice[s]]), int(n), int(g.series[twice[s]]), int(twice[s]))
        for s, n in zip(start, length, strict=True)
    ]
    return [r for r in runs if not _copies(g, r)] if len(runs) <= PLACES * max(1, g.line.count) else []


def holes(g: Grid) -> list[Run]:
    """Runs of missing moments of at most 14 hours."""
    h = g.holes
    short = np.flatnonzero(h.length * g.steps[h.before] <= MOST_HOURS * HOUR)[: 50 * PLACES]
    return [
        Run(int(g.tick[e] + g.steps[e]), int(n), int(g.series[e]), int(e))
        for e, n in zip(h.before[short], h.length[short], strict=True)
    ]


def _copies(g: Grid, run: Run) -> bool:
    """All rows at the run's moments are copies of one another: rows written twice, not hours."""
    at, there = g.line.ticks, g.line.there
    inside = there & (at >= run.tick) & (at < run.tick + run.length * int(g.steps[run.entry]))
    if g.line.series is not None:
        inside &= g.line.series == run.series
    rows = np.flatnonzero(inside)
    whole = row_hashes(g.line.table, g.line.table.names)[rows]
    return len(np.unique(whole)) == len(np.unique(at[rows]))


def stretches(g: Grid, twice: list[Run], missing: list[Run]) -> list[Stretch]:
    """Doubled runs of whole hours, each with the nearest hole of its length in the same series."""
    out = []
    for run in twice:
        step = int(g.steps[run.entry])
        if run.length * step % HOUR or not HOUR <= run.length * step <= MOST_HOURS * HOUR:
            continue
        match = [m for m in missing if m.series == run.series and m.length == run.length]
        if not match and run.length < 2:
            continue
        hole = min(match, key=lambda m: (abs(m.tick - run.tick), m.tick)) if match else None
        hours = run.length * step / HOUR
        mine = g.series == run.series
        if hole is None:
            out.append(Stretch(-hours, run.tick, None, run.series, 0, run.entry))
        elif hole.tick < run.tick:  # forward at the hole, back at the double
            rows = int((mine & (g.tick > hole.tick) & (g.tick < run.tick + run.length * step)).sum())
            out.append(Stretch(hours, run.tick, hole.tick, run.series, rows, hole.entry + 1))
        else:
            rows = int((mine & (g.tick >= run.tick) & (g.tick < hole.tick)).sum())
            out.append(Stretch(-hours, run.tick, hole.tick, run.series, rows, run.entry))
    return out


def scattered(g: Grid) -> tuple[float, np.ndarray] | None:
    """Single rows in another zone: the hours, and the entries at which they landed. None where no lag stands out."""
    twice = np.flatnonzero(g.copies > 1)
    h = g.holes
    if min(len(twice), len(h.tick)) < LEAST_PAIRS or len(h.tick) > 200_000 or len(twice) > 0.3 * len(g.tick):
        return None
    step = int(g.line.step)
    owner = g.series[h.before][h.run]
    base, span = int(g.tick.min()) - (MOST_HOURS + 1) * HOUR, int(np.ptp(g.tick)) + 2 * (MOST_HOURS + 1) * HOUR
    there = g.series[twice] * span + (g.tick[twice] - base)
    lags = [k * HOUR for k in range(-MOST_HOURS, MOST_HOURS + 1) if k and k * HOUR % step == 0]
    if not lags:
        return None
    hits = np.array([np.isin(owner * span + (h.tick - base) + k, there).sum() for k in lags])
    best = int(np.argmax(hits))
    rest = np.delete(hits, best)
    if hits[best] < max(LEAST_PAIRS, 0.5 * min(len(twice), len(h.tick))) or (len(rest) and hits[best] < 3 * rest.max()):
        return None
    landed = np.isin(there, owner * span + (h.tick - base) + lags[best])
    return lags[best] / HOUR, twice[landed]


@dataclass(frozen=True)
class Changes:
    """A region whose days of daylight-saving time the runs follow: hours missing in its spring, twice in its autumn.

    ``spring`` and ``autumn``: starts of the hours hit; ``days``: change days within the table's time; ``chance``: how probable so
    many hits are by chance, corrected for the regions and hours tried.
    """

    region: str
    spring: tuple[int, ...]
    autumn: tuple[int, ...]
    days: int
    chance: float


# month and Sunday of the month (-1: the last) on which clocks go forward and back, as of the last two decades
REGIONS = {
    "Europe": ((3, -1), (10, -1)),
    "North America": ((3, 2), (11, 1)),
    "Australia": ((10, 1), (4, 1)),
    "New Zealand": ((9, -1), (4, 1)),
    "Brazil": ((10, 3), (2, 3)),
}


def sundays(which: tuple[int, int], low: int, high: int) -> list[int]:
    """Starts (microseconds) of the Sundays of a rule between two moments."""
    month, nth = which
    out = []
    for year in range(_year(low), _year(high) + 1):
        first = int(np.datetime64(f"{year}-{month:02d}-01", "D").astype(np.int64))
        after = int((np.datetime64(f"{year}-{month:02d}", "M") + 1).astype("datetime64[D]").astype(np.int64))
        day = (
            first + (EPOCH_SUNDAY - first) % 7 + 7 * (nth - 1)
            if nth > 0
            else after - 1 - (after - 1 - EPOCH_SUNDAY) % 7
        )
        if low <= day * DAY <= high - DAY:
            out.append(day * DAY)
    return out


def daylight(g: Grid, twice: list[Run], missing: list[Run]) -> Changes | None:
    """The region whose change days have a missing hour in spring or an hour twice in autumn, beyond chance.

    Only hours that are missing (or come twice) in all series count, and only runs of exactly one hour.
    """
    if g.line.months or HOUR % g.line.step or len(g.tick) == 0:
        return None
    low, high = int(g.tick.min()), int(g.tick.max())
    moments = max(1, (high - low) // HOUR)
    lost, double = _everywhere(g, missing), _everywhere(g, twice)
    best: Changes | None = None
    for region, (forward, back) in REGIONS.items():
        springs, autumns = sundays(forward, low, high), sundays(back, low, high)
        spring, p_spring = _hits(springs, lost, range(4), moments)
        autumn, p_autumn = _hits(autumns, double, range(-1, 4), moments)
        chance = len(REGIONS) * p_spring * p_autumn
        if (spring or autumn) and (best is None or chance < best.chance):
            best = Changes(region, spring, autumn, len(springs) + len(autumns), min(1.0, chance))
    return best


def _everywhere(g: Grid, runs: list[Run]) -> set[int]:
    """Hours (their starts) in which a run of exactly one hour starts in every series that is alive then."""
    ticks = np.array([r.tick for r in runs if r.length * int(g.steps[r.entry]) == HOUR], dtype=np.int64)
    hours = ticks // HOUR * HOUR  # a clock that ticks at half past is on time as well
    if g.line.count == 1:
        return set(hours.tolist())
    first, last = np.full(g.line.count, np.iinfo(np.int64).max), np.full(g.line.count, np.iinfo(np.int64).min)
    np.minimum.at(first, g.series, g.tick)
    np.maximum.at(last, g.series, g.tick)
    values, at, counts = np.unique(hours, return_index=True, return_counts=True)
    values_at = ticks[at]
    alive = ((first[None, :] <= values_at[:, None]) & (last[None, :] >= values_at[:, None])).sum(1)
    return set(values[counts >= alive].tolist())


def _hits(days: list[int], runs: set[int], hours: range, moments: int) -> tuple[tuple[int, ...], float]:
    """The hour of the night at which runs hit most change days, and the chance of that (binomial, times the hours tried)."""
    best: tuple[tuple[int, ...], float] = ((), 1.0)
    for hour in hours:
        hit = tuple(d + hour * HOUR for d in days if d + hour * HOUR in runs)
        rate = (len(runs) - len(hit) + 0.5) / moments
        n, m = len(days), len(hit)
        tail = (
            math.fsum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(m, n + 1)) if rate < 1 else 1.0
        )
        if hit and len(hours) * tail < best[1]:
            best = (hit, len(hours) * tail)
    return best


def _year(micros: int) -> int:
    return int(np.datetime64(micros, "us").astype("datetime64[Y]").astype(int)) + 1970
