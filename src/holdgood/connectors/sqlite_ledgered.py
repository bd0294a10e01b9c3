"""Pieces into a table of a SQLite file, each once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors.ledgered import BATCHES, PIECES, Batch, fitting, named
from holdgood.connectors.place import checked
from holdgood.connectors.sqlite import path_of
from holdgood.core.errors import EnvironmentFault
from holdgood.core.sql import quote
from holdgood.core.urls import parameters_of

_PATIENCE = 60.0
_LEDGER = (
    f"""CREATE TABLE IF NOT EXISTS {BATCHES} (batch TEXT PRIMARY KEY, target TEXT NOT NULL, row_count INTEGER NOT NULL,
        piece_rows INTEGER NOT NULL, begun_utc TEXT NOT NULL)""",
    f"""CREATE TABLE IF NOT EXISTS {PIECES} (batch TEXT NOT NULL, piece INTEGER NOT NULL, row_count INTEGER NOT NULL,
        written_utc TEXT NOT NULL, PRIMARY KEY (batch, piece))""",
)
_OPEN = f"""SELECT b.batch, b.row_count, coalesce(sum(p.row_count), 0) FROM {BATCHES} b LEFT JOIN {PIECES} p ON p.batch = b.batch
    WHERE b.target = ? AND b.batch <> ? GROUP BY b.batch, b.row_count, b.piece_rows
    HAVING count(p.piece) < max(1, (b.row_count + b.piece_rows - 1) / b.piece_rows) AND count(p.piece) > 0 ORDER BY b.batch"""
# What was written into a table that has been dropped since is written nowhere.
_GONE = (
    f"DELETE FROM {PIECES} WHERE batch IN (SELECT batch FROM {BATCHES} WHERE target = ?)",
    f"DELETE FROM {BATCHES} WHERE target = ?",
)


class SqliteLedgered:
    """One table of one file; the file is made where there is none."""

    def __init__(self, target: str) -> None:
        self.path = Path(path_of(target))
        self.shown = target
        options = checked(parameters_of(target), {"table": (str,)}, "writing to SQLite")
        self._name = named(options.get("table"), target)
        # one name in the ledger, however it is written: SQLite takes A for a (and no other letter for another)
        self.table = self._name.encode().lower().decode()
        with self._told():
            # autocommit: transactions begin and end where this file says so
            self._link = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise EnvironmentFault(
                f"{self.path.name} cannot be written: {error}",
                "a SQLite database that this user may write to",
                "check the path, the disk, and who else is writing; then run the same again",
            ) from None

    @contextmanager
    def _together(self) -> Iterator[sqlite3.Connection]:
        """One transaction that keeps other writers out from its beginning."""
        with self._told():
            self._link.execute("BEGIN IMMEDIATE")
            try:
                yield self._link
                self._link.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # on a full disk SQLite has rolled back by itself
                    self._link.execute("ROLLBACK")
                raise

    def _columns(self, table: str) -> list[str]:
        """Names of a table's columns; none where it is not there."""
        return [r[0] for r in self._link.execute("SELECT name FROM pragma_table_info(?)", (table,))]

    def find(self, key: str) -> Batch | None:
        """See Ledgered."""
        with self._told():
            if not all(self._columns(name) for name in (BATCHES, PIECES, self.table)):
                return None
            found = self._link.execute(
                f"SELECT row_count, piece_rows FROM {BATCHES} WHERE batch = ?", (key,)
            ).fetchone()
            if found is None:
                return None
            done = self._link.execute(f"SELECT piece FROM {PIECES} WHERE batch = ?", (key,)).fetchall()
            others = self._link.execute(_OPEN, (self.table, key)).fetchall()
        return Batch(key, int(found[0]), int(found[1]), frozenset(d[0] for d in done), tuple(others))

    def begin(self, key: str, schema: pa.Schema, rows: int, size: int) -> Batch:
        """See Ledgered."""
        with self._together() as link:
            for statement in _LEDGER:
                link.execute(statement)
            if there := self._columns(self.table):
                fitting(there, schema, self.table)
            else:
                columns = ", ".join(f"{quote(f.name)} {_kind(f.type)}" for f in schema)
                link.execute(f"CREATE TABLE {quote(self._name)} ({columns})")
                for statement in _GONE:
                    link.execute(statement, (self.table,))
            link.execute(
                f"INSERT INTO {BATCHES} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (key, self.table, rows, size, _now()),
            )
        batch = self.find(key)
        assert batch is not None
        return batch

    def write(self, batch: Batch, number: int, data: pa.Table) -> bool:
        """See Ledgered."""
        names = ", ".join(quote(n) for n in data.column_names)
        marks = ", ".join("?" for _ in data.column_names)
        columns = [_plain(c).to_pylist() for c in data.columns]
        with self._together() as link:
            entered = link.execute(
                f"INSERT INTO {PIECES} VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (batch.key, number, data.num_rows, _now()),
            )
            if entered.rowcount == 0:
                return False
            link.executemany(f"INSERT INTO {quote(self._name)} ({names}) VALUES ({marks})", zip(*columns, strict=True))
        return True

    def close(self) -> None:
        """See Ledgered."""
        self._link.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "INTEGER"
    return "REAL" if pa.types.is_floating(kind) else "TEXT"


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values that SQLite takes; moments as ISO texts in UTC."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%d %H:%M:%S")
    return column
