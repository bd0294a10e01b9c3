"""Rows as 64-bit hashes of their content: equal rows, nearly equal rows, and whether chance explains them.

A row's hash is the sum (mod 2^64) of one mixed hash a column, so that a row without one column is a subtraction. Hashes
depend on values and column positions only: neither on names nor on the order of rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.memory import Memory
from holdgood.core.table import Table

_NULL = np.uint64(0x9E3779B97F4A7C15)
_COLUMNS_LOOKED_AT = 40

_hashes: Memory[np.ndarray] = Memory()


def column_hash(table: Table, column: str, position: int) -> np.ndarray:
    """uint64, one a row, salted by the position given."""
    array = table.data.column(column).combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    if pa.types.is_string(kind):
        coded = array.dictionary_encode()
        words = [
            int.from_bytes(hashlib.blake2b(v.encode(), digest_size=8).digest(), "big")
            for v in coded.dictionary.to_pylist()
        ]
        lookup = np.array([*words, int(_NULL)], dtype=np.uint64)
        at = pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        raw = lookup[at]
    else:
        if pa.types.is_floating(kind):
            bits = (pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False) + 0.0).view(np.uint64)  # + 0.0: -0 is 0
        else:
            bits = (
                pc.fill_null(array.cast(pa.int64()), 0).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
            )
        raw = np.where(pc.is_null(array).to_numpy(zero_copy_only=False), _NULL, bits)
    salt = np.uint64((position + 1) * 0xD1B54A32D192ED03 & 0xFFFFFFFFFFFFFFFF)
    return _mixed(raw.astype(np.uint64) ^ salt)


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
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = x ^ (x >> np.uint64(31))
    return mixed


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
