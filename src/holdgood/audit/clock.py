"""Rows in the order of time, one series after the other: what a check of sensors needs before it can look.

The time is the declared one, or a column of moments found in the data; the series are the declared ones, or the column
within which moments do not repeat. Only a regular clock counts: moments on a grid that is not mostly empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import row_hashes
from holdgood.core import sql
from holdgood.core.errors import DeclarationError
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

ROWS = 100
OCCUPIED = 0.1
UNIQUE = 0.95
_LOOKED_AT = 20_000
_SERIES_ROWS = 20
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

_clocks: Memory[Clock | None] = Memory()


@dataclass(frozen=True)
class Clock:
    """``order``: positions of the rows with a moment, by series and then by time; ``moments`` and ``series`` in that order.

    ``step`` is the usual distance of two neighbours in microseconds; ``time`` the column, empty for an expression.
    """

    order: np.ndarray
    moments: np.ndarray
    series: np.ndarray
    step: float
    time: str
    by: tuple[str, ...]

    @cached_property
    def joined(self) -> np.ndarray:
        """Boolean, one a pair of neighbours in the order: both are of one series and at most 1.5 steps apart."""
        same = self.series[1:] == self.series[:-1]
        near: np.ndarray = np.diff(self.moments) <= 1.5 * self.step
        both: np.ndarray = same & near
        return both


def clock(context: AuditContext, table: Table) -> Clock | None:
    """The clock of a table, or None where it has no regular one; remembered while the data lives."""
    spec = context.spec(table.name)
    key = (spec.time or "", tuple(spec.series))
    return _clocks.get(table.data, key, lambda: _clock(table, spec.time, tuple(spec.series)))


def _clock(table: Table, declared: str | None, series: tuple[str, ...]) -> Clock | None:
    if table.rows < ROWS:
        return None
    for name, (moments, there) in _candidates(table, declared):
        if there.mean() < 0.9:
            continue
        by = series if series and all(s in table.names for s in series) else _series(table, moments, there)
        if by is None:
            continue
        made = _ordered(table, name, moments, there, by)
        if made is not None:
            return made
    return None


def _candidates(table: Table, declared: str | None) -> list[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Moments and whether they are there: of the declared time alone, or of each column of moments."""
    if declared:
        bare = declared.strip('"').replace('""', '"')
        if bare in table.names and columns.is_moment(table, bare):
            return [(bare, columns.moments(table, bare))]
        try:
            found = sql.evaluate(declared, table.data, purpose="time")
        except DeclarationError:
            return []  # whoever reads the declaration says so
        if pa.types.is_integer(found.type) or pa.types.is_temporal(found.type):
            whole = found.cast(pa.timestamp("us")).cast(pa.int64()) if pa.types.is_temporal(found.type) else found
            there = found.is_valid().to_numpy().astype(bool)
            return [(bare if bare in table.names else "", (whole.fill_null(0).to_numpy(), there))]
        return []
    return [(c, columns.moments(table, c)) for c in table.names if columns.is_moment(table, c)]


def _series(table: Table, moments: np.ndarray, there: np.ndarray) -> tuple[str, ...] | None:
    """No column where moments are unique; else the column with the fewest levels within which they are; else None.

    Judged on the rows of some moments, chosen by content.
    """
    some = np.flatnonzero(there)
    if len(some) > _LOOKED_AT:
        hashed = (moments[some].view(np.uint64) * _GOLDEN) >> np.uint64(32)
        some = some[hashed < np.uint64(2**32 * _LOOKED_AT // len(some))]
    if len(some) < ROWS:
        return None
    seen = moments[some]
    if len(np.unique(seen)) >= UNIQUE * len(some):
        return ()
    best: tuple[int, str] | None = None
    for c in profile(table).columns:
        fits = c.type in ("category", "number", "boolean") and 2 <= c.distinct <= table.rows / _SERIES_ROWS
        if not fits or c.missing or pa.types.is_floating(table.data.schema.field(c.name).type):
            continue
        if best is not None and c.distinct >= best[0]:
            continue
        levels = columns.codes_of(table.data.column(c.name).take(pa.array(some)))[0]
        if len(np.unique(seen.view(np.uint64) * _GOLDEN + levels.astype(np.uint64))) >= UNIQUE * len(some):
            best = (c.distinct, c.name)
    return None if best is None else (best[1],)


def _ordered(table: Table, name: str, moments: np.ndarray, there: np.ndarray, by: tuple[str, ...]) -> Clock | None:
    rows = np.flatnonzero(there)
    group = _group(table, rows, by)
    when = moments[rows]
    if by:
        order = np.lexsort((when, group))
    elif np.all(when[1:] >= when[:-1]):
        order = np.arange(len(rows))
    else:
        order = np.argsort(when, kind="stable")
    when, group = when[order], group[order]
    same = group[1:] == group[:-1]
    if np.any(same & (when[1:] == when[:-1])):  # rows of one moment stand in the order of their content
        hashes = row_hashes(table, table.names)[rows]
        order = np.lexsort((hashes, moments[rows], _group(table, rows, by)))
    steps = np.diff(when)[same]
    steps = steps[steps > 0]
    if len(steps) < ROWS / 2:
        return None
    step = float(np.quantile(steps, 0.1))
    ends = np.flatnonzero(np.concatenate([~same, [True]]))
    starts = np.concatenate([[0], ends[:-1] + 1])
    slots = ((when[ends] - when[starts]) / step).sum() + len(ends)
    usual = float(np.median(steps))
    if len(rows) < OCCUPIED * slots or len(starts) > len(rows) / _SERIES_ROWS:
        return None
    return Clock(rows[order], when, group, usual, name, by)


def _group(table: Table, rows: np.ndarray, by: tuple[str, ...]) -> np.ndarray:
    """One number a row for the series that it is of; series are numbered in the order of their content."""
    group = np.zeros(len(rows), dtype=np.int64)
    for column in by:
        data = table.data.column(column)
        # codes follow the order of rows: rank them by content instead
        ranks = pc.rank(data.take(pa.array(rows)), tiebreaker="dense").to_numpy().astype(np.int64)
        group = group * (int(ranks.max(initial=0)) + 1) + ranks
    return group
