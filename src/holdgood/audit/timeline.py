"""When each row of a table happened, which series it belongs to, and whether rows follow a regular step.

The time is the declared one or the first column of moments that runs regularly (else the one with most moments). Series are
declared, or found as the fewest-levelled column (or pair) within which a moment has one row. What decides is looked up in
three stretches of time, so that a large table is sorted only where something regular is to be counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.far_off import bulk
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.core import sql
from holdgood.core.budget import seconds_of
from holdgood.core.declaration import TableSpec
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

MICRO = 1_000_000
HOUR = 3600 * MICRO
DAY = 24 * HOUR
YEAR = 365.2425 * DAY

ROWS = 30  # fewer rows have no rhythm
WHOLE_ROWS = 200_000  # larger tables are judged by three stretches of time
STRETCH_ROWS = 20_000
ALONE = 0.8  # distinct moments (of a series) a row
SAME_STEP = 0.5  # share of differences that are the usual step
USUAL = 1.45  # usual steps from one row to the next, longer ones counted as 3
PRESENT = 0.2  # share of a lifetime's moments at which a found series is there
DENSE = 0.05  # share of all moments at which a found series is there, on average
SERIES_ROWS = 2
NEAR_STEP = 0.8  # or this share within a quarter of the usual one
SERIES_COLUMNS = 8
TIME_COLUMNS = 4


@dataclass(frozen=True)
class Timeline:
    """Rows in time. ``at``: microseconds since the epoch (int64, 0 where missing), ``there``: bool, one a row.

    ``series``: code a row (int64, -1 where missing) or None for a single one. ``step``: the usual difference in ticks, 0 where rows
    follow none; ``exact``: most differences are it to the tick; ``every``: it is declared. ``months``: ticks are calendar months, else microseconds.
    """

    table: Table
    columns: tuple[str, ...]
    series_columns: tuple[str, ...]
    at: np.ndarray
    there: np.ndarray
    series: np.ndarray | None
    count: int
    step: int
    exact: bool
    months: bool
    declared: bool
    every: bool

    @property
    def ticks(self) -> np.ndarray:
        """int64, one a row: microseconds or months since the epoch."""
        return months_of(self.at) if self.months else self.at


_timelines: Memory[Timeline | None] = Memory()


def timelines(context: AuditContext) -> list[Timeline]:
    """The timeline of every table that has one, in the order of the tables."""
    return [t for t in (timeline(context, table) for table in context.tables.values()) if t is not None]


def timeline(context: AuditContext, table: Table) -> Timeline | None:
    """The timeline of a table, or None where no column tells the time. Remembered while the data lives."""
    spec = context.spec(table.name)
    key = (table.columns, spec.time, tuple(spec.series), spec.every)
    return _timelines.get(table.data, key, lambda: _timeline(table, spec))


def months_of(at: np.ndarray) -> np.ndarray:
    """Calendar months since the epoch of microseconds since the epoch."""
    return at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def _timeline(table: Table, spec: TableSpec) -> Timeline | None:
    if table.rows < ROWS:
        return None
    found = [_of(table, spec, names, at, there) for names, at, there in _times(table, spec)]
    if not found:
        return None
    regular = [t for t in found if t.step]
    if regular:
        return regular[0]
    return max(found, key=lambda t: _distinct(table, t.columns))  # the first of equals


def _distinct(table: Table, names: tuple[str, ...]) -> int:
    return max((c.distinct for c in profile(table).columns if c.name in names), default=0)


def _times(table: Table, spec: TableSpec) -> Iterable[tuple[tuple[str, ...], np.ndarray, np.ndarray]]:
    """The declared time, or the columns of moments that are there in nearly every row and vary."""
    if spec.time is not None:
        array = sql.evaluate(spec.time, table.data, purpose=f"tables.{table.name}.time")
        if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
            plain = array.cast(pa.timestamp("us", getattr(array.type, "tz", None)), safe=False).cast(pa.timestamp("us"))
            at, there = columns.moments(Table("", pa.table({"v": plain}), ()), "v")
            there = _amid(at, there)
            if there.sum() >= ROWS:
                yield sql.columns_in(spec.time, table.names), at, there
        return
    told = [
        c.name
        for c in profile(table).columns
        if columns.is_moment(table, c.name) and c.missing <= 0.05 * c.rows and c.distinct >= ROWS // 2
    ]
    for name in told[:TIME_COLUMNS]:
        at, there = columns.moments(table, name)
        yield (name,), at, _amid(at, there)


def _amid(at: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The moments that are no wrong dates: what lies far off the bulk (AUD008 tells it) would stretch time to it."""
    if not there.any():
        return there
    moments, cells = np.unique(at[there], return_counts=True)
    inside = bulk(moments, cells)
    if not inside.early and not inside.late:
        return there
    return there & (at >= inside.low) & (at <= inside.high)


def _of(table: Table, spec: TableSpec, names: tuple[str, ...], at: np.ndarray, there: np.ndarray) -> Timeline:
    rows, stretch = _stretches(table, at, there)
    months = _by_months(at[rows])
    ticks = months_of(at[rows]) if months else at[rows]
    chosen: tuple[str, ...] = ()
    step, exact = 0, False
    if len(rows) >= ROWS:
        for candidate in _series(table, spec, names, rows, ticks):
            codes = _joined(_codes(table, candidate, rows), stretch)
            if candidate and not spec.series and not _one_clock(ticks, codes):
                continue
            step, exact = _rhythm(ticks, codes)
            if step or spec.series:
                chosen = candidate
                break
    if spec.every is not None and not months:
        step, exact = max(1, round(seconds_of(spec.every) * MICRO)), True
        chosen = tuple(spec.series)
    series, count = None, 1
    if chosen:
        series = _codes(table, chosen, None)
        count = int(series.max()) + 1
    told = spec.time is not None, spec.every is not None
    return Timeline(table, names, chosen, at, there, series, count, step, exact, months, *told)


def _stretches(table: Table, at: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of all rows, or of those within three stretches of time; and the number of each one's stretch."""
    if table.rows <= WHOLE_ROWS:
        rows = np.flatnonzero(there)
        return rows, np.zeros(len(rows), dtype=np.int64)
    some = sample(table)
    known = np.sort(at[some][there[some]])
    if len(known) < ROWS:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    width = max(1, round(len(known) * STRETCH_ROWS / table.rows))
    out, numbers = [], []
    for number, place in enumerate((0.15, 0.5, 0.85)):
        first = min(int(place * len(known)), len(known) - 1)
        low, high = known[first], known[min(first + width, len(known) - 1)]
        rows = np.flatnonzero(there & (at >= low) & (at < max(high, low + 1)))
        out.append(rows)
        numbers.append(np.full(len(rows), number, dtype=np.int64))
    if sum(map(len, out)) > WHOLE_ROWS:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)  # a few moments hold most rows: no rhythm
    return np.concatenate(out), np.concatenate(numbers)


def _by_months(at: np.ndarray) -> bool:
    """All moments are first (or last) days of months, at one time of day, in at least three months."""
    if len(at) < ROWS:
        return False
    days = at // DAY
    first = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) == days
    days = days + 1
    last = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) == days
    if not (first.all() or last.all()) or (at % DAY).min() != (at % DAY).max():
        return False
    return len(np.unique(months_of(at))) >= 3


def _series(
    table: Table, spec: TableSpec, time: tuple[str, ...], rows: np.ndarray, ticks: np.ndarray
) -> Iterable[tuple[str, ...]]:
    """Sets of columns within which nearly every moment has one row, fewest levels first; the empty set where time alone does."""
    if spec.series:
        yield tuple(spec.series)
        return
    _, counts = np.unique(ticks, return_counts=True)
    if len(counts) >= ALONE * len(ticks):
        yield ()
        return
    crowd = float(np.median(np.repeat(counts, counts)))
    levels = [
        (c.distinct, c.name)
        for c in profile(table).columns
        if c.name not in time
        and 2 <= c.distinct <= max(2, table.rows // 10)
        and c.missing <= 0.01 * c.rows
        and (columns.is_text(table, c.name) or pa.types.is_integer(table.data.schema.field(c.name).type))
    ]
    levels.sort(key=lambda c: c[0])  # stable: ties in the order of the schema
    tick = np.unique(ticks, return_inverse=True)[1]
    enough = [(n, name) for n, name in levels if n >= crowd][:SERIES_COLUMNS]
    for _, name in enough:
        if _alone(tick, _codes(table, (name,), rows)) >= ALONE:
            yield (name,)
    few = [(n, name) for n, name in levels if n < crowd or (n, name) in enough][:SERIES_COLUMNS]
    pairs = [(a[0] * b[0], a[1], b[1]) for a, b in combinations(few, 2) if a[0] * b[0] >= crowd]
    for _, one, two in sorted(pairs, key=lambda p: p[0]):
        if _alone(tick, _codes(table, (one, two), rows)) >= ALONE:
            yield (one, two)


def _alone(tick: np.ndarray, codes: np.ndarray) -> float:
    """Distinct (series, moment) a row: 1 where each row has its own."""
    return float(len(np.unique(_joined(codes, tick))) / len(tick))


def _one_clock(ticks: np.ndarray, series: np.ndarray) -> bool:
    """Series of one kind are read at the same moments: each is there at a good share of all moments of its lifetime.

    Things that merely recur (a flight's number, every day at its own hour) are there at few.
    """
    _, moment, rows = np.unique(ticks, return_inverse=True, return_counts=True)
    shared = rows[moment] > 1  # what lies beside the clock lies there alone
    if not shared.any():
        return False
    ticks, series = ticks[shared], series[shared]
    moment = np.unique(ticks, return_inverse=True)[1]
    code = np.unique(series, return_inverse=True)[1]
    n = int(code.max()) + 1
    first, last = np.full(n, len(moment)), np.full(n, -1)
    np.minimum.at(first, code, moment)
    np.maximum.at(last, code, moment)
    alive = float((last - first + 1).sum())
    return (
        len(ticks) >= SERIES_ROWS * n and len(ticks) >= PRESENT * alive and len(ticks) >= DENSE * n * (moment.max() + 1)
    )


def _codes(table: Table, names: tuple[str, ...], rows: np.ndarray | None) -> np.ndarray:
    """One code a row for the values of some columns together, -1 where one is missing."""
    n = table.rows if rows is None else len(rows)
    out = np.zeros(n, dtype=np.int64)
    gone = np.zeros(n, dtype=bool)
    for name in names:
        array = table.data.column(name)
        codes, _ = columns.codes_of(array if rows is None else array.take(pa.array(rows)))
        gone |= codes < 0
        out = _joined(out, codes)
    out = np.unique(out, return_inverse=True)[1] if len(names) > 1 else out
    if rows is None and names:
        # the order of levels is the order in which they come: made one that depends on content alone
        out = _by_content(out, table, names)
    out[gone] = -1
    return out


def _by_content(codes: np.ndarray, table: Table, names: tuple[str, ...]) -> np.ndarray:
    first = np.unique(codes, return_index=True)[1]
    texts = [
        tuple(map(str, row))
        for row in zip(*[table.data.column(n).take(pa.array(first)).to_pylist() for n in names], strict=True)
    ]
    rank = np.empty(len(first), dtype=np.int64)
    rank[sorted(range(len(first)), key=lambda i: texts[i])] = np.arange(len(first))
    return rank[np.unique(codes, return_inverse=True)[1]]


def _joined(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """One code for a pair of codes (both small enough that the product fits 63 bits)."""
    return np.asarray((one + 1) * (int(two.max(initial=0)) + 2) + (two + 1))


def _rhythm(ticks: np.ndarray, series: np.ndarray) -> tuple[int, bool]:
    """The usual difference between neighbours in a series (0: none), and whether most are exactly that."""
    order = np.lexsort((ticks, series))
    tick, code = ticks[order], series[order]
    same = (code[1:] == code[:-1]) & (tick[1:] > tick[:-1])
    steps, owner = np.diff(tick)[same], code[1:][same]
    if len(steps) < ROWS // 2:
        return 0, False
    own = modes(owner, steps)
    values, counts = np.unique(own, return_counts=True)
    step = int(values[np.argmax(counts)])
    fits = float((steps == own).mean())
    # nights and weekends are long steps and few; what comes by chance leaves out moments everywhere
    usual = float(np.clip(np.round(steps / own), 1, 3).mean())
    if fits >= SAME_STEP and usual <= USUAL:
        return step, True
    middle = float(np.median(steps))
    if float((np.abs(steps - middle) <= 0.25 * middle).mean()) >= NEAR_STEP:
        return max(1, round(middle)), False
    return 0, False


def modes(owner: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each entry the most common value among those of its owner (the smallest of equals); owners in any order."""
    order = np.lexsort((values, owner))
    o, v = owner[order], values[order]
    new = np.r_[True, (o[1:] != o[:-1]) | (v[1:] != v[:-1])]
    start = np.flatnonzero(new)
    counts = np.diff(np.r_[start, len(o)])
    runs_owner, runs_value = o[start], v[start]
    best = np.lexsort((runs_value, -counts, runs_owner))
    first = np.r_[True, runs_owner[best][1:] != runs_owner[best][:-1]]
    owners, top = runs_owner[best][first], runs_value[best][first]
    return np.asarray(top[np.searchsorted(owners, owner)])


def duration(micros: float) -> str:
    """A length of time in words.

    >>> duration(90 * 60 * MICRO), duration(2 * DAY), duration(30 * MICRO)
    ('1.5 hours', '2 days', '30 seconds')
    """
    for size, word in ((YEAR, "year"), (DAY, "day"), (HOUR, "hour"), (60 * MICRO, "minute"), (MICRO, "second")):
        if micros >= size * (2 if word == "year" else 1) or word == "second":
            value = micros / size
            shown = f"{value:.1f}".rstrip("0").rstrip(".") if value < 100 else f"{value:,.0f}"
            return f"{shown} {word}{'' if shown == '1' else 's'}"
    raise AssertionError("unreachable")


def when(micros: float) -> str:
    """A moment in words: the day, and the time where it is not midnight.

    >>> when(0), when(5400 * MICRO)
    ('1970-01-01', '1970-01-01 01:30')
    """
    text = str(np.datetime64(round(micros), "us").astype("datetime64[m]"))
    return text[:10] if text.endswith("T00:00") else text.replace("T", " ")
