"""Whether chance makes values equal: measurements that are rounded to steps fall on one step as often as they fall on two beside.

Under any smooth distribution the pairs of values that lie k steps apart are about twice those that are equal, for small k. Copies
add to the equal ones alone, and running numbers have neighbours and no equals.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.factors import decimals
from holdgood.audit.rows import column_hash, row_hashes
from holdgood.core.table import Table

STEPS = 10
SIGMAS = 4.0
_SHIFTS = 200


def met_by_chance(table: Table, column: str, again: int) -> bool:
    """Whether rows that are equal in all columns (``again`` of them) are what chance makes of a column of numbers, moments or digits.

    Both must be so: the column's values repeat as often as values so close to each other do, and of its rows as many are equal
    as rows are equal but for a few steps of the column.
    """
    steps = _in_steps(table, column)
    if steps is None:
        return False
    rows, places = steps
    none = np.zeros(len(places), dtype=np.uint64)
    equal, beside = _pairs(none, places)
    if not abs(equal - beside) <= SIGMAS * math.sqrt(beside):
        return False
    order = np.argsort(places, kind="stable")
    close = np.diff(places[order]) <= STEPS
    near = order[np.concatenate([[False], close]) | np.concatenate([close, [False]])]
    some = table.take(rows[near])
    rest = row_hashes(some, table.names) - column_hash(some, column, table.names.index(column))
    _, expected = _pairs(rest, places[near])
    return again <= expected + SIGMAS * math.sqrt(expected)


def _in_steps(table: Table, column: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows that have a value, and the values in steps: of their last decimal, of the finest unit of their moments, or of one
    where they are texts of digits. None where they are of no steps.
    """
    if columns.is_moment(table, column):
        at, there = columns.moments(table, column)
        rows = np.flatnonzero(there)
        step = int(np.gcd.reduce(at[rows])) if len(rows) else 0
        return (rows, at[rows] // step) if step else None
    if columns.is_text(table, column):
        texts = table.data.column(column)
        if not pc.all(pc.match_substring_regex(texts, r"^[0-9]{1,15}$")).as_py():
            return None
        rows = np.flatnonzero(~columns.missing(table, column))
        return rows, np.asarray(texts.drop_null().cast(pa.int64()).to_numpy())
    values = columns.numbers(table, column)
    rows = np.flatnonzero(np.isfinite(values))
    places = decimals(values[rows], 1.0) if len(rows) else None
    return None if places is None else (rows, np.round(values[rows] * 10.0**places).astype(np.int64))


def _pairs(group: np.ndarray, places: np.ndarray) -> tuple[float, float]:
    """Within groups: pairs at the same place, and as many as the pairs one to ten steps apart let expect."""
    order = np.lexsort((places, group))
    group, places = group[order], places[order]
    equal = beside = 0
    for shift in range(1, min(_SHIFTS, len(places))):
        apart = places[shift:] - places[:-shift]
        there = (group[shift:] == group[:-shift]) & (apart <= STEPS)
        if not there.any():
            break
        same = int((there & (apart == 0)).sum())
        equal, beside = equal + same, beside + int(there.sum()) - same
    return float(equal), beside / (2.0 * STEPS)
