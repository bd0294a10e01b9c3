"""Rows into a table of a database, a piece at a time, each piece once: its rows and its line in a ledger are one transaction.

The ledger is two tables beside the target. ``holdgood_batches`` has one row a batch (whose content its key says), with its rows and the
size of its pieces; ``holdgood_pieces`` one row a piece that is written. Who comes again, or at the same time, finds the line and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from holdgood.core.errors import DataError, ReadError, did_you_mean

BATCHES, PIECES = "holdgood_batches", "holdgood_pieces"


@dataclass(frozen=True)
class Batch:
    """A batch as the ledger has it. ``done``: pieces that are written. ``unfinished``: other batches of this table that never ended, and their rows."""

    key: str
    rows: int
    size: int
    done: frozenset[int]
    unfinished: tuple[tuple[str, int, int], ...] = ()

    @property
    def count(self) -> int:
        """How many pieces."""
        return max(1, -(-self.rows // self.size))

    @property
    def whole(self) -> bool:
        """Whether every piece is written."""
        return len(self.done) == self.count


class Ledgered(Protocol):
    """A table that takes pieces, each once. Errors: DataError where the table does not fit, EnvironmentFault where the database does not answer.

    ``table``: what the ledger calls it, the same however the address writes it.
    """

    shown: str
    table: str

    def begin(self, key: str, schema: pa.Schema, rows: int, size: int) -> Batch:
        """Make the table and the ledger where they are not there, and enter the batch, or find it with its own size of pieces.

        What the ledger says of a table that is not there any more is taken out: those rows are nowhere.
        """

    def find(self, key: str) -> Batch | None:
        """The batch, where the ledger has it and the table is there; nothing is made."""

    def write(self, batch: Batch, number: int, data: pa.Table) -> bool:
        """Write a piece and its line together; False where it is written already."""

    def close(self) -> None:
        """End the connection."""


def named(table: str | None, shown: str) -> str:
    """The table that is asked for; ReadError where none is, or where it is the ledger's own."""
    if not table:
        raise ReadError(f"{shown} names no table", "a table to write to", "add ?table=NAME to the URL")
    if table.rpartition(".")[2].lower() in (BATCHES, PIECES):
        raise ReadError(f"{table} is the ledger of what is written", "a table of your own", "choose another name")
    return table


def fitting(there: Sequence[str], schema: pa.Schema, table: str) -> None:
    """DataError where a table that is there lacks a column of the rows."""
    absent = [n for n in schema.names if n not in there]
    if absent:
        raise DataError(
            f"table {table} lacks {len(absent)} column{'s' if len(absent) > 1 else ''}: " + ", ".join(absent[:8]),
            "the columns that are written: " + ", ".join(schema.names),
            did_you_mean(absent[0], there) or "write to a table that is not there yet; it is made",
        )
