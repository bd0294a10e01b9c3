"""Columns as NumPy arrays: numbers, codes of levels, moments in time. The only file of the audit that converts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.table import Table


def missing(table: Table, column: str) -> np.ndarray:
    """Boolean, one a row: the cell is missing."""
    return _plain(pc.is_null(table.data.column(column))).astype(bool)


def numbers(table: Table, column: str) -> np.ndarray:
    """float64 with NaN for missing: numbers, booleans as 0/1, moments as microseconds since the epoch."""
    array = table.data.column(column)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    return _plain(array.cast(pa.float64(), safe=False)).astype(np.float64)


def moments(table: Table, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since the epoch (int64, 0 where missing) and whether each is there."""
    array = table.data.column(column)
    return _plain(pc.fill_null(array.cast(pa.int64()), 0)), ~missing(table, column)


def codes(table: Table, column: str) -> tuple[np.ndarray, int]:
    """Level codes from 0 (int64, -1 where missing) and how many levels there are."""
    return codes_of(table.data.column(column))


def codes_of(array: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    """The same for an array."""
    encoded = array.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    indices = pc.fill_null(encoded.indices.cast(pa.int64()), -1)
    return _plain(indices), len(encoded.dictionary)


def levels(table: Table, column: str) -> list[tuple[str, int]]:
    """The distinct texts of a column and their rows, most frequent first, ties by content; missing is not a level."""
    counted = pc.value_counts(table.data.column(column).drop_null())
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return sorted(pairs, key=lambda p: (-p[1], p[0]))


def is_text(table: Table, column: str) -> bool:
    """Whether the cells are kept as text."""
    return bool(pa.types.is_string(table.data.schema.field(column).type))


def is_numeric(table: Table, column: str) -> bool:
    """Whether the cells are kept as numbers."""
    kind = table.data.schema.field(column).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_moment(table: Table, column: str) -> bool:
    """Whether the cells are kept as moments in time."""
    return bool(pa.types.is_timestamp(table.data.schema.field(column).type))


def _plain(array: pa.ChunkedArray | pa.Array) -> np.ndarray:
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return np.asarray(flat.to_numpy(zero_copy_only=False))
