"""Traces: how each column moves along time, in some four hundred bins, without the week's and the day's profile.

Numbers are standardised by their quartiles (of their series where there are several) and clipped, so that a few outliers
are no movement; frequent levels of categories and booleans are shares. What follows the calendar or counts up is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.profile import QUANTILES, profile
from holdgood.audit.sample import sample
from holdgood.audit.timeline import DAY, HOUR, YEAR, Timeline
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

BINS = 400
BIN_ROWS = 20
LEAST_BINS = 40
CLIP = 4.0
CHUNK = 128
LEVELS = 6
FLAGS = 31  # distinct values that a flag of the day may have
LEVEL_SHARE = 0.05
COUNTS_UP = 0.97  # rank correlation with time from which a column tells the time
CALENDAR = 0.9  # of the variance explained by the month: a column of months or seasons
CLOCK_ROWS = 2500
CLOCK = 0.7  # by the hour, the day of the week or of the month, in whatever time zone
YEARS = 2.2  # of data from which a yearly season can be told
HARMONICS = 3
SERIES_ROWS = 3


@dataclass(frozen=True)
class Traces:
    """``mean`` and ``spread``: (bins, traces), mean and variance within each bin in robust standard deviations; NaN where empty.

    ``labels``: (column, level or None) of each trace; ``unit``: what one standard deviation is in the column's own unit;
    ``noise``: standard deviation of the rows around their bin's mean; ``count``: rows a bin of the sample. ``edges``: bins + 1
    places on the axis (``at``, one a table row where ``there``).
    """

    table: Table
    labels: tuple[tuple[str, str | None], ...]
    mean: np.ndarray
    spread: np.ndarray
    count: np.ndarray
    unit: np.ndarray
    noise: np.ndarray
    edges: np.ndarray
    at: np.ndarray
    there: np.ndarray
    years: float

    @property
    def season(self) -> np.ndarray:
        """(bins, 2 · harmonics) of the year, or no columns where the data are too short to know it."""
        if self.years < YEARS:
            return np.zeros((len(self.mean), 0))
        angle = 2 * np.pi * (self.edges[:-1] + self.edges[1:])[:, None] / 2 / YEAR * np.arange(1, HARMONICS + 1)
        return np.hstack([np.cos(angle), np.sin(angle)])


_traces: Memory[Traces | None] = Memory()


def traces(line: Timeline) -> Traces | None:
    """Traces along a timeline; None where there are too few rows or bins. Remembered while the data live."""
    key = (line.columns, line.series_columns)
    return _traces.get(line.table.data, key, lambda: _along_time(line))


def along(table: Table, name: str) -> Traces | None:
    """Traces along a column of numbers that is no time; neither weeks nor series."""
    values = columns.numbers(table, name)
    there = np.isfinite(values)
    rows = sample(table)
    rows = rows[there[rows]]
    if len(rows) < LEAST_BINS * BIN_ROWS:
        return None
    low, high = float(values[rows].min()), float(values[rows].max())
    edges = np.linspace(low, high + 1.0, _bins(len(rows)) + 1)
    return _made(table, (name,), rows, values, there, edges, None, None, 0.0)


def _bins(rows: int) -> int:
    return int(min(BINS, rows // BIN_ROWS))


def _along_time(line: Timeline) -> Traces | None:
    rows = sample(line.table)
    rows = rows[line.there[rows]]
    if len(rows) < LEAST_BINS * BIN_ROWS // 2:
        return None
    at = line.at[rows]
    low, high = np.quantile(at, [0.0005, 0.9995])  # strays far beyond all others are no time
    span = float(high - low)
    width = span / max(LEAST_BINS, _bins(len(rows)))
    distinct = len(np.unique(at))
    if line.step:
        step = line.step * (YEAR / 12 if line.months else 1)
        width = float(max(1, round(width / step)) * step)
    for size in (DAY, HOUR):
        if width > 0.7 * size:
            width = float(max(1, round(width / size)) * size)
            break
    n = int(np.ceil(span / width)) if width else 0
    if n < LEAST_BINS or distinct < LEAST_BINS:
        return None
    start = float(low) // DAY * DAY if width >= DAY else float(low)
    edges = start + width * np.arange(n + 2)
    edges = edges[: int(np.searchsorted(edges, high)) + 1]
    series = None if line.series is None else line.series[rows]
    names = (*line.columns, *line.series_columns)
    at_all = line.at.astype(np.float64)
    return _made(line.table, names, rows, at_all, line.there, edges, _slots(at, span), series, span / YEAR)


def _slots(at: np.ndarray, span: float) -> np.ndarray | None:
    """The hour of the week, the day of the week or the hour of the day of each row, as the data are long enough to know it."""
    hours = len(np.unique(at % DAY // HOUR)) > 1
    if span >= 42 * DAY:
        return np.asarray((at % (7 * DAY)) // HOUR if hours else (at % (7 * DAY)) // DAY)
    return np.asarray(at % DAY // HOUR) if hours and span >= 5 * DAY else None


def _made(
    table: Table,
    skip: tuple[str, ...],
    rows: np.ndarray,
    axis: np.ndarray,
    there: np.ndarray,
    edges: np.ndarray,
    slots: np.ndarray | None,
    series: np.ndarray | None,
    years: float,
) -> Traces | None:
    place = axis[rows]
    order = np.argsort(place, kind="stable")
    rows, place = rows[order], place[order]
    inside = (place >= edges[0]) & (place < edges[-1])
    kept = order[inside]
    rows, place = rows[inside], place[inside]
    if len(rows) == 0:
        return None
    bin_of = np.searchsorted(edges, place, side="right") - 1
    n = len(edges) - 1
    clock = _Clock.of(place, years > 0)
    labels: list[tuple[str, str | None]] = []
    parts: list[tuple[np.ndarray, ...]] = []
    pending: list[np.ndarray] = []
    units: list[float] = []

    def flush() -> None:
        if pending:
            x = np.stack(pending, axis=1)
            parts.append(
                _binned(x, bin_of, n, None if slots is None else slots[kept], None if series is None else series[kept])
            )
            pending.clear()

    for label, values, unit, few in _columns(table, skip, rows):
        if (label[1] is None and _tells_time(values, clock)) or (few and years > 0 and _of_the_day(values, place)):
            continue
        labels.append(label)
        units.append(unit)
        pending.append(values)
        if len(pending) == CHUNK:
            flush()
    flush()
    if not labels:
        return None
    mean, spread, scale = (np.concatenate([p[i] for p in parts], axis=-1) for i in range(3))
    with np.errstate(invalid="ignore"):
        noise = np.sqrt(np.nanmedian(spread, axis=0))
    count = np.bincount(bin_of, minlength=n)
    return Traces(table, tuple(labels), mean, spread, count, np.array(units) * scale, noise, edges, axis, there, years)


def _columns(
    table: Table, skip: tuple[str, ...], rows: np.ndarray
) -> Iterator[tuple[tuple[str, str | None], np.ndarray, float, bool]]:
    """(column, level), standardised values (float32, NaN where missing), what one is in the column's unit, and whether few values."""
    for c in profile(table).columns:
        if c.name in skip or c.missing > 0.5 * c.rows or c.distinct < 2:
            continue
        if columns.is_numeric(table, c.name):
            if c.distinct == c.rows - c.missing and c.distinct > 1000 and _whole(c):
                continue  # numbers that name rows
            unit = _scale(c)
            if unit > 0 and c.quantiles:
                values = (columns.numbers(table, c.name)[rows] - c.quantiles[QUANTILES.index(0.5)]) / unit
                yield (c.name, None), np.clip(values, -CLIP, CLIP).astype(np.float32), unit, c.distinct <= FLAGS
        elif c.distinct <= 200 and (columns.is_text(table, c.name) or c.type == "boolean"):
            codes, words = _codes(table.data.column(c.name).take(pa.array(rows)))
            size = np.bincount(codes[codes >= 0], minlength=len(words)) / max(1, len(codes))
            often = [k for k in range(len(words)) if LEVEL_SHARE <= size[k] <= 1 - LEVEL_SHARE]
            for k in sorted(often, key=lambda k: (-size[k], words[k]))[: 1 if len(words) == 2 else LEVELS]:
                sd = float(np.sqrt(size[k] * (1 - size[k])))
                values = np.where(codes < 0, np.nan, ((codes == k) - size[k]) / sd)
                yield (c.name, words[k]), values.astype(np.float32), sd, True


def _codes(array: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Codes of levels (-1 where missing) and the levels as text."""
    codes, _ = columns.codes_of(array)
    first = np.unique(codes, return_index=True)
    words = [str(array[int(i)].as_py()) for c, i in zip(*first, strict=True) if c >= 0]
    return codes, words


def _whole(c: ColumnProfile) -> bool:
    return all(float(q).is_integer() for q in c.quantiles)


def _scale(c: ColumnProfile) -> float:
    """Robust standard deviation from the quartiles; 0 where half of the values are one value (rain, counts of rare events).

    Such columns come in bursts, which are no regimes.
    """
    if not c.quantiles:
        return float(c.sd) if c.distinct == 2 and np.isfinite(c.sd) else 0.0
    q = dict(zip(QUANTILES, c.quantiles, strict=True))
    return (q[0.75] - q[0.25]) / 1.349


@dataclass(frozen=True)
class _Clock:
    """Evenly spaced rows in order of time, their rank in time and, where the axis is time, their places in the calendar."""

    step: int
    rank: np.ndarray
    month: np.ndarray | None
    hour: np.ndarray
    days: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, place: np.ndarray, timed: bool) -> _Clock:
        step = max(1, len(place) // CLOCK_ROWS)
        when = place[::step]
        rank = np.unique(when, return_inverse=True)[1].astype(np.float64)
        hour, day = (when // HOUR).astype(np.int64) % 24, (when // DAY).astype(np.int64)
        of_month = day - day.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        month = (when // (YEAR / 12)).astype(np.int64) % 12 if timed else None
        return cls(step, rank, month, hour, (day % 7, of_month))


def _tells_time(values: np.ndarray, clock: _Clock) -> bool:
    """Running numbers, years, months, seasons, hours: they move because time does."""
    v = values[:: clock.step]
    there = np.isfinite(v)
    v = v[there]
    if len(v) < LEAST_BINS:
        return True
    distinct, code = np.unique(v, return_inverse=True)
    if abs(_correlation(code.astype(np.float64), clock.rank[there])) >= COUNTS_UP:
        return True
    if clock.month is None:
        return False
    if len(distinct) > 60:
        return _explained(v, clock.hour[there]) >= CALENDAR  # a time of the day, in hours and minutes
    return _explained(v, clock.month[there]) >= CALENDAR or any(
        _explained(v, c[there]) >= CLOCK for c in (clock.hour, *clock.days)
    )


def _explained(v: np.ndarray, group: np.ndarray) -> float:
    """Share of the variance between groups."""
    counts = np.bincount(group)
    means = np.bincount(group, weights=v) / np.maximum(counts, 1)
    total = float(v.var())
    return 1.0 if total == 0 else float((counts * (means - v.mean()) ** 2).sum()) / len(v) / total


def _of_the_day(values: np.ndarray, place: np.ndarray) -> bool:
    """Flags of the day (a holiday, a period): one value only on each day that has several rows."""
    there = np.isfinite(values)
    v, day = values[there], (place[there] // DAY).astype(np.int64)
    if len(v) < 2:
        return False
    starts = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
    several = np.diff(np.r_[starts, len(day)]) > 1
    if len(v) < 3 * len(starts):
        return False
    low, high = np.minimum.reduceat(v, starts), np.maximum.reduceat(v, starts)
    return bool((low == high)[several].mean() > 0.99)


def _correlation(one: np.ndarray, two: np.ndarray) -> float:
    return 0.0 if one.std() == 0 or two.std() == 0 else float(np.corrcoef(one, two)[0, 1])


def _binned(
    x: np.ndarray, bin_of: np.ndarray, n: int, slots: np.ndarray | None, series: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and variance by bin of the columns of ``x`` (rows in order of bins), and what a series' deviation was divided by."""
    known = ~np.isnan(x)
    full = bool(known.all())
    x = np.where(known, x, 0.0).astype(np.float64) if not full else x.astype(np.float64)
    scale = np.ones(x.shape[1])
    if series is not None:
        x, scale = _within_series(x, known, series)
    if slots is not None:
        sums, counts = _sums(x, known, slots, full)
        every = sums.sum(0) / np.maximum(counts.sum(0), 1)
        x = x - (sums / np.maximum(counts, 1) - every)[np.unique(slots, return_inverse=True)[1]]
        if not full:
            x[~known] = 0.0
    starts = np.flatnonzero(np.r_[True, bin_of[1:] != bin_of[:-1]])
    here = bin_of[starts]
    counts = np.add.reduceat(known.astype(np.float64), starts, axis=0)
    sums, squares = np.add.reduceat(x, starts, axis=0), np.add.reduceat(x * x, starts, axis=0)
    mean, spread = np.full((n, x.shape[1]), np.nan), np.full((n, x.shape[1]), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        m = np.where(counts >= 3, sums / counts, np.nan)
        mean[here] = m
        spread[here] = np.where(counts >= 8, np.maximum(squares / counts - m * m, 0.0) * counts / (counts - 1), np.nan)
    return mean, spread, scale


def _within_series(x: np.ndarray, known: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviations from each row's own series, in that series' standard deviation; short series count as nothing."""
    sums, counts = _sums(x, known, series, False)
    inverse = np.unique(series, return_inverse=True)[1]
    x = np.where(known, x - (sums / np.maximum(counts, 1))[inverse], 0.0)
    squares, _ = _sums(x * x, known, series, False)
    sd = np.sqrt(squares / np.maximum(counts - 1, 1))
    typical = np.array([np.median(s[s > 0]) if (s > 0).any() else 1.0 for s in sd.T])
    sd = np.where(sd > 0.1 * typical, sd, typical)
    x = np.clip(x / sd[inverse], -CLIP, CLIP)
    x[(counts < SERIES_ROWS)[inverse]] = 0.0
    return x, typical


def _sums(x: np.ndarray, known: np.ndarray, group: np.ndarray, full: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts of the columns by group (in the order of the groups' codes)."""
    order = np.argsort(group, kind="stable")
    g = group[order]
    starts = np.flatnonzero(np.r_[True, g[1:] != g[:-1]])
    sums = np.add.reduceat(x[order], starts, axis=0)
    if full:
        counts = np.diff(np.r_[starts, len(g)])[:, None] * np.ones((1, x.shape[1]))
    else:
        counts = np.add.reduceat(known[order].astype(np.float64), starts, axis=0)
    return sums, counts
