"""Stretches of time without a value: a run of neighbouring moments that is far longer than chance, and than the column's other gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.core import sql
from holdgood.core.declaration import TableSpec
from holdgood.core.table import Table

LONG = 20
CHANCE = 1e-6
LONGER = 4.0
INSTANTS = 200
TIMES = 3
SERIES = 2_000
UNIQUE = 0.95
LARGE = 200_000
PARTS = 2_000


@dataclass(frozen=True)
class Stretch:
    """``column`` has no value in ``rows`` rows, ``moments`` moments in a row, from ``start`` to ``end`` (microseconds).

    ``inside``: there are values of the series before and after it. ``series``: position of the column that names the series, -1
    for none. ``others``: cells missing elsewhere. ``time``: the column of moments, empty for an expression.
    """

    column: str
    time: str
    start: float
    end: float
    moments: int
    rows: int
    others: int
    inside: bool
    per_series: bool
    positions: np.ndarray


def stretches(table: Table, spec: TableSpec) -> list[Stretch]:
    """At most one stretch a column, its longest, over the declared time or those found in the data."""
    some = [c.name for c in profile(table).columns if LONG <= c.missing < c.rows]
    if not some:
        return []
    best: dict[str, Stretch] = {}
    for name, at in _times(table, spec):
        for series in _series(table, spec, name, at):
            worth = [c for c in some if c != name and (series is not None or _emptied(table, c, at))]
            if not worth:
                continue
            line = _line(at, series)
            for column in worth:
                found = _longest(table, column, name, at, line, series is not None, len(some))
                if found is not None and (column not in best or found.rows > best[column].rows):
                    best[column] = found
    return [best[c] for c in some if c in best]


def _emptied(table: Table, column: str, at: np.ndarray) -> bool:
    """A cheap first look at a long table: is one of 2,000 parts of the time without a value?"""
    if len(at) <= LARGE:
        return True
    there = ~np.isnan(at)
    low, high = float(at[there].min(initial=np.inf)), float(at[there].max(initial=-np.inf))
    if not low < high:
        return False
    part = ((at[there] - low) * (PARTS / (high - low))).astype(np.int64)
    gone = np.bincount(part[columns.missing(table, column)[there]], minlength=PARTS + 1)
    rows = np.bincount(part, minlength=PARTS + 1)
    return bool((gone >= 0.9 * np.maximum(rows, 1)).any())


def _times(table: Table, spec: TableSpec) -> list[tuple[str, np.ndarray]]:
    """Moments a row (microseconds, NaN where missing): the declared time, else columns of many distinct moments."""
    if spec.time is not None:
        at = sql.evaluate(spec.time, table.data, purpose=f"the time of {table.name}")
        moments = np.asarray(at.to_numpy()).astype("datetime64[us]")
        name = spec.time.strip('"')
        return [(name if name in table.names else "", np.where(np.isnat(moments), np.nan, moments.astype(np.float64)))]
    found = [
        c
        for c in profile(table).columns
        if columns.is_moment(table, c.name) and c.distinct >= INSTANTS and c.missing <= 0.05 * c.rows
    ]
    found.sort(key=lambda c: -c.distinct)
    return [(c.name, columns.numbers(table, c.name)) for c in found[:TIMES]]


def _series(table: Table, spec: TableSpec, name: str, at: np.ndarray) -> list[np.ndarray | None]:
    """All rows as one line, and one line a series where there are any: declared, or a column that tells equal moments apart."""
    if spec.series:
        code = np.zeros(table.rows, dtype=np.int64)
        for name in spec.series:
            codes, n = columns.codes(table, name)
            code = code * (n + 1) + codes + 1
        return [None, np.unique(code, return_inverse=True)[1]]
    rows = len(at)
    known = {c.name: c.distinct for c in profile(table).columns}
    instants = known[name] if name in known else len(np.unique(at))
    if instants >= 0.6 * rows:
        return [None]
    for c in sorted(profile(table).columns, key=lambda c: c.distinct):
        if not 2 <= c.distinct <= SERIES or c.type not in ("category", "number"):
            continue
        if c.distinct * instants < UNIQUE * rows:
            continue
        codes, _ = columns.codes(table, c.name)
        order = np.lexsort((at, codes))
        new = (np.diff(codes[order]) != 0) | (np.diff(at[order]) != 0)
        if 1 + int(new.sum()) >= UNIQUE * rows:
            return [None, codes]
    return [None]


@dataclass(frozen=True)
class _Line:
    """``cell``: the place on the line of each row, by series and moment; ``size``: rows of each place; ``breaks``: a series begins."""

    cell: np.ndarray
    size: np.ndarray
    breaks: np.ndarray


def _line(at: np.ndarray, series: np.ndarray | None) -> _Line:
    group = np.zeros(len(at), dtype=np.int64) if series is None else series
    order = np.lexsort((at, group))
    new_series = np.concatenate([[True], np.diff(group[order]) != 0])
    new = new_series | np.concatenate([[True], np.diff(at[order]) != 0])
    place = np.cumsum(new) - 1
    cell = np.empty(len(at), dtype=np.int64)
    cell[order] = place
    return _Line(cell, np.bincount(place), new_series[new])


def _longest(
    table: Table, column: str, time: str, at: np.ndarray, line: _Line, per_series: bool, looked_at: int
) -> Stretch | None:
    missing = columns.missing(table, column) & ~np.isnan(at)
    gone = np.bincount(line.cell, weights=missing, minlength=len(line.size)) == line.size
    runs = _runs(gone, line.breaks)
    if len(runs) == 0:
        return None
    lengths = runs[:, 1] - runs[:, 0]
    k = int(np.argmax(lengths))
    start, end = int(runs[k, 0]), int(runs[k, 1])
    length = end - start
    rest = float((gone.sum() - length) / max(1, len(gone) - length))  # share elsewhere: what chance would do
    expected = len(gone) * max(rest, 1.0 / len(gone)) ** length * looked_at
    others = np.delete(lengths, k)
    usual = float(np.quantile(others, 0.9)) if len(others) else 0.0
    if length < LONG or expected > CHANCE or length < LONGER * usual or rest > 0.5:
        return None
    rows = np.flatnonzero((line.cell >= start) & (line.cell < end))
    before = start > 0 and not line.breaks[start]
    after = end < len(gone) and not line.breaks[end]
    times = at[rows]
    return Stretch(
        column=column,
        time=time,
        start=float(times.min()),
        end=float(times.max()),
        moments=length,
        rows=len(rows),
        others=int(missing.sum()) - len(rows),
        inside=bool(before and after),
        per_series=per_series,
        positions=rows[np.argsort(times, kind="stable")],
    )


def _runs(marks: np.ndarray, breaks: np.ndarray) -> np.ndarray:
    """Start and end (exclusive) of each run of marks, ended by breaks; shape (runs, 2)."""
    previous = np.concatenate([[False], marks[:-1]])
    following = np.concatenate([marks[1:], [False]])
    ends_before = np.concatenate([breaks[1:], [True]])
    starts = np.flatnonzero(marks & (~previous | breaks))
    ends = np.flatnonzero(marks & (~following | ends_before)) + 1
    return np.stack([starts, ends], axis=1) if len(starts) else np.empty((0, 2), dtype=np.int64)
