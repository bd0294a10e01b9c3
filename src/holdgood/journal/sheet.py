"""A sheet: many answers in one entry, column by column in Arrow's format, with a salted commitment to each row.

An entry of its own for each of thousands of rows costs more than to answer them. Here an entry commits to the root of a sheet, the root to the
commitments of its rows, and each of these to a salt and the row's bytes: one person's row can be emptied, and every other still proves what it was.
Row bytes are made of the cells (``packed``), not of how Arrow lays them out.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.arrow_messages import compressed
from holdgood.core.errors import DataError
from holdgood.core.records.journal import WIDEST, PredictionSheet, SheetColumn

SALT, HASH = 16, 32
_FRONT = struct.Struct("<4sIQ")
_MARK = b"HGS1"
_AT_ONCE = 4_000_000
"""Bytes of rows that are in memory at once while they are hashed."""
_NOTHING = 0xFFFFFFFF
_LOOK = 256


@dataclass(frozen=True)
class Sheet:
    """``columns``: arrays of n cells. ``salts`` (n, 16) and ``commitments`` (n, 32): bytes; a salt of zeros stands where a row was forgotten."""

    columns: tuple[pa.Array, ...]
    salts: np.ndarray
    commitments: np.ndarray

    @property
    def rows(self) -> int:
        """How many, forgotten ones included."""
        return len(self.salts)

    @property
    def there(self) -> np.ndarray:
        """Which rows were not forgotten."""
        return np.asarray(self.salts.any(axis=1))

    @property
    def root(self) -> str:
        """What the entry commits to."""
        return hashlib.sha256(self.commitments.tobytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """As it is stored."""
        table = pa.Table.from_arrays(list(self.columns), [str(i) for i in range(len(self.columns))])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        front = _FRONT.pack(_MARK, self.rows, len(self.columns))
        return b"".join((front, self.commitments.tobytes(), self.salts.tobytes(), sink.getvalue()))

    def without(self, rows: np.ndarray) -> Sheet:
        """The same with some rows (positions) emptied: cells and salts, in fresh memory."""
        gone = ~self.there
        gone[rows] = True
        salts = self.salts.copy()
        salts[gone] = 0
        return Sheet(tuple(_emptied(c, gone) for c in self.columns), salts, self.commitments)

    def fits(self, head: PredictionSheet) -> bool:
        """Whether it has as many rows, and the columns, that its entry's record says."""
        return self.rows == head.rows and [str(c.type) for c in self.columns] == [c.type for c in head.columns]

    def faults(self, head: PredictionSheet) -> Iterator[str]:
        """What is not as its entry's record says."""
        if not self.fits(head) or self.root != head.root:
            yield "its sheet is another than it was written with"
            return
        there = self.there
        if any(pc.any(pc.is_valid(c.filter(pa.array(~there)))).as_py() for c in self.columns):
            yield "a row of it was forgotten, but not whole"
        wrong = np.flatnonzero(there & (commit(self.columns, head.columns, self.salts) != self.commitments).any(axis=1))
        if len(wrong):
            more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
            yield f"row {wrong[0]} of it was changed{more}"


def made(columns: Sequence[tuple[SheetColumn, pa.ChunkedArray]]) -> tuple[tuple[SheetColumn, ...], Sheet]:
    """A sheet of new rows, salted and committed to, and what its columns are. Types and widths are those of what is given; decimals become numbers."""
    said, arrays = [], []
    for column, cells in columns:
        array = _flat(_plain(cells))
        said.append(column.model_copy(update={"type": str(array.type), "width": _width(array)}))
        arrays.append(array)
    n = len(arrays[0])
    salts = np.frombuffer(secrets.token_bytes(SALT * n), np.uint8).reshape(n, SALT)
    return tuple(said), Sheet(tuple(arrays), salts, commit(arrays, said, salts))


def read_sheet(data: bytes, where: str) -> Sheet:
    """A sheet as it was stored; DataError for bytes that are none."""
    try:
        mark, n, width = _FRONT.unpack_from(data)
        begins = _FRONT.size + (HASH + SALT) * n
        if mark != _MARK or begins > len(data):
            raise ValueError
        commitments = np.frombuffer(data, np.uint8, HASH * n, _FRONT.size).reshape(n, HASH)
        salts = np.frombuffer(data, np.uint8, SALT * n, _FRONT.size + HASH * n).reshape(n, SALT)
        stream = pa.py_buffer(data)[begins:]
        if compressed(stream):
            raise ValueError
        with pa.ipc.open_stream(stream) as reader:
            if not all(map(_known, reader.schema.types)):
                raise ValueError
            table = reader.read_all()
        table.validate(full=True)
        if table.num_rows != n or table.num_columns != width:
            raise ValueError
    except (pa.ArrowException, OSError, ValueError, IndexError, struct.error):
        raise DataError(
            f"the sheet of {where} cannot be read", "bytes as they were written", "holdgood journal verify"
        ) from None
    return Sheet(tuple(_flat(c) for c in table.columns), salts, commitments)


def commit(columns: Sequence[pa.Array], said: Sequence[SheetColumn], salts: np.ndarray) -> np.ndarray:
    """The commitments (n, 32) to rows: SHA-256 of a row's salt and bytes."""
    n = len(salts)
    hashed = [_hashed(c) if _is_text(c.type) and s.width is None else None for c, s in zip(columns, said, strict=True)]
    sizes = [_bytes_of(c.type, s.width) for c, s in zip(columns, said, strict=True)]
    wide = SALT + sum(sizes)
    step = max(1, _AT_ONCE // wide)
    digests: list[bytes] = []
    sha256 = hashlib.sha256
    for first in range(0, n, step):
        some = slice(first, min(n, first + step))
        rows = np.empty((some.stop - first, wide), np.uint8)
        rows[:, :SALT] = salts[some]
        at = SALT
        for column, size, texts in zip(columns, sizes, hashed, strict=True):
            if texts is not None:
                rows[:, at : at + size] = texts[some]
            else:
                lay(rows, at, column[first : some.stop], size)
            at += size
        data = rows.tobytes()
        digests += [sha256(data[at : at + wide]).digest() for at in range(0, len(data), wide)]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(n, HASH)


def lay(rows: np.ndarray, at: int, column: pa.Array, size: int) -> None:
    """Lay the bytes of cells into rows (n, wide), ``size`` bytes from ``at`` on.

    A number: one byte that says whether it is there, then its bytes, the lowest first (zeros where it is not). A text: its length in bytes in
    four bytes (all ones where there is none), then its UTF-8, filled up with zeros. Of a column of nothing: nothing.
    """
    if _is_text(column.type):
        rows[:, at : at + size] = _texts(column, size - 4)
    elif not pa.types.is_null(column.type):
        values = _values(column)
        rows[:, at] = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False)) if column.null_count else 1
        little = values.dtype.newbyteorder("<")
        np.ndarray(len(values), little, rows.data, offset=at + 1, strides=rows.strides[:1])[:] = values


def _texts(column: pa.Array, width: int) -> np.ndarray:
    """Lengths and bytes of texts of up to ``width`` bytes, (n, 4 + width)."""
    n = len(column)
    if 2 * len(column.slice(0, _LOOK).unique()) < min(n, _LOOK):  # words that repeat are laid out once
        coded = column.dictionary_encode()
        if len(coded.dictionary) < n // 2:
            levels = _texts(pa.concat_arrays([coded.dictionary, pa.nulls(1, coded.dictionary.type)]), width)
            at = np.asarray(pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy())
            return levels.take(at, axis=0)
    wide = np.int64 if pa.types.is_large_string(column.type) else np.int32
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, wide)[column.offset : column.offset + n + 1].astype(np.int64)
    lengths = np.diff(ends)
    missing = np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False))
    found = np.zeros((n, 4 + width), np.uint8)
    found[:, :4] = np.where(missing, _NOTHING, lengths).astype("<u4").view(np.uint8).reshape(n, 4)
    if width and data is not None and len(data):
        place = np.arange(width)
        text = np.frombuffer(data, np.uint8).take(ends[:-1, None] + place, mode="clip")
        found[:, 4:] = text * (place < np.where(missing, 0, lengths)[:, None]).view(np.uint8)
    return found


def _hashed(column: pa.Array) -> np.ndarray:
    """Long texts: a byte that says whether there is one, and its SHA-256."""
    coded = column.dictionary_encode()
    digests = [b"\1" + hashlib.sha256(text.encode()).digest() for text in coded.dictionary.to_pylist()]
    levels = np.frombuffer(b"".join([*digests, bytes(1 + HASH)]), np.uint8).reshape(-1, 1 + HASH)
    found: np.ndarray = levels[np.asarray(pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy())]
    return found


def _bytes_of(kind: pa.DataType, width: int | None) -> int:
    if pa.types.is_null(kind):
        return 0
    if _is_text(kind):
        return 1 + HASH if width is None else 4 + width
    return 1 + max(1, int(kind.bit_width) // 8)


def _width(column: pa.Array) -> int | None:
    if not _is_text(column.type):
        return None
    longest = int(pc.max(pc.binary_length(column)).as_py() or 0)
    return longest if longest <= WIDEST else None


def _values(column: pa.Array) -> np.ndarray:
    """Cells as numbers, 0 where there is none."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False)).astype(np.uint8)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_float16(kind):
        column = column.view(pa.uint16())
    return np.asarray((pc.fill_null(column, 0) if column.null_count else column).to_numpy())


def _emptied(column: pa.Array, gone: np.ndarray) -> pa.Array:
    """A column in fresh memory with nothing where rows are gone: no byte of theirs stays in a buffer."""
    kind = column.type
    if pa.types.is_null(kind):
        return column
    if _is_text(kind):
        return pa.array([None if g else t for t, g in zip(column.to_pylist(), gone.tolist(), strict=True)], kind)
    missing = gone | np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False))
    values = _values(column).copy()
    values[missing] = 0
    if pa.types.is_boolean(kind):
        return pa.array(values.astype(bool), mask=missing)
    fresh = pa.array(values, mask=missing)
    return fresh.view(kind) if pa.types.is_float16(kind) or pa.types.is_timestamp(kind) else fresh


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _flat(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _known(kind: pa.DataType) -> bool:
    """Whether it is a type that ``made`` gives."""
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind)
    return bool(number or _is_text(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
