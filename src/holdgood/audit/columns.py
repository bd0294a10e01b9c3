"""Columns as NumPy arrays: numbers, codes of levels, moments in time. The only file of the audit that converts.

Arrays that come from here are shared between checks and cannot be written to; a check that changes one copies it first.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.memory import Memory
from holdgood.core.table import Table

_LEVEL_BYTES = 150  # a text, its count and the pair, as Python keeps them

_numbers: Memory[np.ndarray] = Memory(size=lambda a: int(a.nbytes))
_coded: Memory[tuple[np.ndarray, pa.Array]] = Memory(size=lambda c: int(c[0].nbytes + c[1].nbytes))
_levels: Memory[list[tuple[str, int]]] = Memory(size=lambda found: _LEVEL_BYTES * len(found))


def missing(table: Table, column: str) -> np.ndarray:
    """Boolean, one a row: the cell is missing."""
    array = table.data.column(column)
    if array.null_count == 0:
        return np.zeros(table.rows, dtype=bool)
    return _plain(pc.is_null(array)).astype(bool)


def numbers(table: Table, column: str) -> np.ndarray:
    """float64 with NaN for missing: numbers, booleans as 0/1, moments as microseconds since the epoch."""
    array = table.data.column(column)
    if array.num_chunks == 1 and array.null_count == 0 and pa.types.is_float64(array.type):
        return numbers_of(array)  # a view: nothing is copied, nothing need be remembered
    return _numbers.get(table.data, column, lambda: numbers_of(array))


def numbers_of(array: pa.ChunkedArray) -> np.ndarray:
    """The same for an array; read-only."""
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    if not pa.types.is_floating(array.type):
        array = array.cast(pa.float64(), safe=False)
    values = np.asarray(_plain(array), dtype=np.float64)
    values.flags.writeable = False
    return values


def moments(table: Table, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since the epoch (int64, 0 where missing) and whether each is there."""
    array = table.data.column(column).cast(pa.int64())
    if array.null_count:
        array = pc.fill_null(array, 0)
    return _plain(array), ~missing(table, column)


def codes(table: Table, column: str) -> tuple[np.ndarray, int]:
    """Level codes from 0 (int64, -1 where missing) and how many levels there are."""
    found, dictionary = coded(table, column)
    return found.astype(np.int64), len(dictionary)


def coded(table: Table, column: str) -> tuple[np.ndarray, pa.Array]:
    """Level codes (int32, -1 where missing, read-only) and the levels in order of first appearance; remembered."""
    return _coded.get(table.data, column, lambda: _encoded(table.data.column(column)))


def codes_of(array: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    """Level codes from 0 (int64, -1 where missing) and how many levels there are, of an array."""
    found, dictionary = _encoded(array)
    return found.astype(np.int64), len(dictionary)


def _encoded(array: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    flat = (array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])).dictionary_encode()
    flat = flat.unify_dictionaries()
    if flat.num_chunks == 0:
        return np.empty(0, dtype=np.int32), pa.array([], array.type)
    parts = [_plain(pc.fill_null(c.indices, -1) if c.indices.null_count else c.indices) for c in flat.chunks]
    found = parts[0] if len(parts) == 1 else np.concatenate(parts)
    found = found.astype(np.int32, copy=False)
    found.flags.writeable = False
    return found, flat.chunk(0).dictionary


def levels(table: Table, column: str) -> list[tuple[str, int]]:
    """The distinct texts of a column and their rows, most frequent first, ties by content; missing is not a level.

    A column of many different texts costs a second a million: look at ``profile(table)``'s ``distinct`` first.
    """
    return _levels.get(table.data, column, lambda: _counted(*coded(table, column)))


def _counted(found: np.ndarray, dictionary: pa.Array) -> list[tuple[str, int]]:
    counts = np.bincount(found[found >= 0] if (found < 0).any() else found, minlength=len(dictionary))
    order = pc.sort_indices(
        pa.table({"n": counts, "v": dictionary}), sort_keys=[("n", "descending"), ("v", "ascending")]
    )
    texts = dictionary.take(order).to_pylist()
    return list(zip(texts, counts[np.asarray(order)].tolist(), strict=True))


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
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) and array.num_chunks != 1 else array
    if isinstance(flat, pa.ChunkedArray) and flat.num_chunks == 1:
        flat = flat.chunk(0)
    return np.asarray(flat.to_numpy(zero_copy_only=False))
