"""A table in pieces: which rows a piece holds, and what its content is, so that a later run knows it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.table import Note, Table

_CELLS = 2_000_000
_MOST, _LEAST = 65_536, 1_024


def rows_of_a_piece(columns: int) -> int:
    """How many rows a piece of a table with so many columns holds: about two million cells, 65,536 rows at most."""
    return max(_LEAST, min(_MOST, _CELLS // max(1, columns)))


@dataclass(frozen=True)
class Pieces:
    """A table cut into pieces of ``size`` rows, the last one shorter; a table without rows is one empty piece."""

    table: Table
    size: int

    @property
    def count(self) -> int:
        """How many pieces."""
        return max(1, -(-self.table.rows // self.size))

    def spans(self) -> list[tuple[int, int]]:
        """First row and row after the last, of each piece."""
        return [(at * self.size, min((at + 1) * self.size, self.table.rows)) for at in range(self.count)]

    def __iter__(self) -> Iterator[Table]:
        """The pieces in order, without a copy; what the reader noted about cells goes with the piece that holds them."""
        lost = [(note, np.asarray(note.rows, np.int64)) for note in self.table.notes if note.rows]
        for start, stop in self.spans():
            notes = [_inside(note, rows, start, stop) for note, rows in lost]
            data = self.table.data.slice(start, stop - start)
            yield replace(self.table, data=data, notes=tuple(n for n in notes if n.rows))


def _inside(note: Note, rows: np.ndarray, start: int, stop: int) -> Note:
    """A note about cells, of those in a span of rows, counted from its first row."""
    first, last = np.searchsorted(rows, [start, stop])
    inside = tuple((rows[first:last] - start).tolist())
    return replace(note, count=len(inside), rows=inside)


def content(table: Table) -> str:
    """SHA-256 over names, types, values and the cells that the reader lost; the same whatever the table was read from."""
    digest = hashlib.sha256()
    for column in table.columns:
        digest.update(f"{column.name}\0{column.type}\0".encode())
    for piece in Pieces(table, _MOST):
        digest.update(piece.fingerprint().encode())
        for note in piece.notes:
            digest.update(f"{note.code}\0{note.columns}\0{note.rows}".encode())
    return digest.hexdigest()
