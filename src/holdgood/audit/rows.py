"""Rows as 64-bit hashes of their content: equal rows, nearly equal rows, and whether chance explains them.

A row's hash is the sum (mod 2^64) of one mixed hash a column, so that a row without one column is a subtraction. Hashes
depend on values and column positions only: neither on names nor on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.memory import Memory
from holdgood.core import sql
from holdgood.core.table import Table

_NULL = np.uint64(0x9E3779B97F4A7C15)
_COLUMNS_LOOKED_AT = 40

_FEW_ROWS = 5_000
_TEXTS_AT_ONCE = 64

_hashes: Memory[np.ndarray] = Memory(size=lambda h: int(h.nbytes))
_texts: Memory[np.ndarray] = Memory(size=lambda h: int(h.nbytes))


def column_hash(table: Table, column: str, position: int) -> np.ndarray:
    """uint64, one a row, salted by the position given."""
    salt = np.uint64((position + 1) * 0xD1B54A32D192ED03 & 0xFFFFFFFFFFFFFFFF)
    return _mixed(content(table, column) ^ salt)


def content(table: Table, column: str) -> np.ndarray:
    """uint64, one a row: the bits of a number, a moment or a boolean, a hash of a text; one value where missing."""
    array = table.data.column(column)
    kind = array.type
    if pa.types.is_string(kind):
        return _text(table, column)
    if pa.types.is_floating(kind):
        bits = (_flat(pc.fill_null(array, 0.0) if array.null_count else array) + 0.0).view(np.uint64)  # + 0.0: -0 is 0
    elif pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_boolean(kind):
        whole = array.cast(pa.int64())
        bits = _flat(pc.fill_null(whole, 0) if whole.null_count else whole).view(np.uint64)
    else:  # a type without values: nothing but missing
        bits = np.zeros(len(array), dtype=np.uint64)
    if array.null_count == 0:
        return bits
    return np.where(_flat(pc.is_null(array)), _NULL, bits)


def _flat(array: pa.ChunkedArray) -> np.ndarray:
    one = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    return np.asarray(one.to_numpy(zero_copy_only=False))


def _text(table: Table, column: str) -> np.ndarray:
    """DuckDB's hash of each text; in tables of few rows for many columns at once, because a query costs more than they do."""
    if not _texts.knows(table.data, column):
        names = [column]
        if table.rows <= _FEW_ROWS:
            every = [n for n in table.names if pa.types.is_string(table.data.schema.field(n).type)]
            at = every.index(column)
            names = every[at : at + _TEXTS_AT_ONCE]
        made = _hashed([table.data.column(n) for n in names])
        for name, hashes in zip(names[1:], made[1:], strict=True):
            _texts.put(table.data, name, hashes)
        return _texts.get(table.data, column, lambda: made[0])
    return _texts.get(table.data, column, lambda: _hashed([table.data.column(column)])[0])


def _hashed(arrays: Sequence[pa.ChunkedArray]) -> list[np.ndarray]:
    labels = [f"c{i}" for i in range(len(arrays))]
    if not len(arrays[0]):
        return [np.empty(0, dtype=np.uint64) for _ in arrays]
    cursor = _hasher().cursor()
    try:
        cursor.register("texts", pa.Table.from_arrays(list(arrays), names=labels))
        wanted = ", ".join(
            f"CASE WHEN {c} IS NULL THEN {int(_NULL)}::UBIGINT ELSE hash({c}) END AS {c}" for c in labels
        )
        found = cursor.sql(f"SELECT {wanted} FROM texts").to_arrow_table()
    finally:
        cursor.close()
    return [_flat(c) for c in found.columns]


@lru_cache(maxsize=1)
def _hasher() -> duckdb.DuckDBPyConnection:
    """A connection that only hashes; one thread, so that rows stay in order and no other work is disturbed."""
    return sql.connect(threads=1)


def row_hashes(table: Table, names: Sequence[str]) -> np.ndarray:
    """uint64, one a row, of the columns given; remembered while the data lives."""
    return _hashes.get(table.data, tuple(names), lambda: _row_hashes(table, names))


def _row_hashes(table: Table, names: Sequence[str]) -> np.ndarray:
    total = np.zeros(table.rows, dtype=np.uint64)
    for position, name in enumerate(names):
        total += column_hash(table, name, position)
    return total


def _mixed(x: np.ndarray) -> np.ndarray:
    """Splitmix64's finalizer (Steele, Lea & Flood 2014)."""
    x = x ^ (x >> np.uint64(30))  # a new array; what follows changes it in place
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


@dataclass(frozen=True)
class Copies:
    """``again``: rows that another row was already equal to; ``pairs`` equal pairs; ``near`` pairs that differ in one column.

    ``by_chance``: nearly equal rows are at least as common, as they are where few values meet by chance; true copies have
    no such company.
    """

    again: int
    pairs: float
    near: float
    by_chance: bool


def copies(table: Table, names: Sequence[str]) -> Copies:
    """Count equal rows over some columns, and judge whether chance explains them."""
    whole = row_hashes(table, names)
    again = len(whole) - len(np.unique(whole))
    if again == 0:
        return Copies(0, 0.0, 0.0, False)
    pairs = _pairs(whole)
    near = 0.0
    looked_at, weight = _some(len(names))
    for position in looked_at:
        near += weight * (_pairs(whole - column_hash(table, names[position], position)) - pairs)
    return Copies(again, pairs, near, near >= pairs)


@dataclass(frozen=True)
class Meetings:
    """Rows of one part that are found again in the other; ``near``: pairs that differ in one column (see ``Copies``)."""

    rows: int
    near: float
    by_chance: bool


def meetings(first: Table, second: Table, names: Sequence[str]) -> Meetings:
    """Count rows of ``second`` that are equal to a row of ``first`` over some columns that both have."""
    one, two = row_hashes(first, names), row_hashes(second, names)
    rows = int(np.isin(two, one).sum())
    if rows == 0:
        return Meetings(0, 0.0, False)
    pairs, near = _pairs_between(one, two), 0.0
    looked_at, weight = _some(len(names))
    for position in looked_at:
        without_one = one - column_hash(first, names[position], position)
        without_two = two - column_hash(second, names[position], position)
        near += weight * (_pairs_between(without_one, without_two) - pairs)
    return Meetings(rows, near, near >= pairs)


def _pairs(hashes: np.ndarray) -> float:
    counts = np.unique(hashes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1.0) / 2.0).sum())


def _pairs_between(first: np.ndarray, second: np.ndarray) -> float:
    """How many pairs, one of each, are equal."""
    values, counts = np.unique(first, return_counts=True)
    if len(values) == 0:
        return 0.0
    at = np.minimum(np.searchsorted(values, second), len(values) - 1)
    return float(counts[at][values[at] == second].sum())


def _some(columns: int) -> tuple[list[int], float]:
    """Positions to leave out one at a time; wide tables are looked at in evenly spaced ones, weighted up."""
    if columns <= _COLUMNS_LOOKED_AT:
        return list(range(columns)), 1.0
    picked = np.unique(np.linspace(0, columns - 1, _COLUMNS_LOOKED_AT).astype(int))
    return [int(p) for p in picked], columns / len(picked)
