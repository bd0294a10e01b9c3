"""A journal in one SQLite file, safe for several processes on one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.journal.chain import Row
from holdgood.journal.sql_session import INSERT, VALUES, SqlSession
from holdgood.journal.sqlite_migrations import NEWEST, migrate

_SECONDS_TO_WAIT = 30.0
_MOST_SAID = 20
# Pages that are written again and again (of indexes) go into the file once a checkpoint: a longer log (16 MB) costs less.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=4000")

# Rows a statement: each statement lets go of Python's lock and waits for it again, which costs more than a row where others want it.
# Where one fails the transaction ends (OR ROLLBACK), so that SQLite keeps no copy of each page to undo a statement alone.
_STATEMENTS = {
    n: INSERT.replace("INSERT", "INSERT OR ROLLBACK", 1).format(", ".join([VALUES] * n))
    for n in (64, 32, 16, 8, 4, 2, 1)
}
_MOST_AT_ONCE = 64


class SqliteSession(SqlSession):
    """One connection to the file. What is committed is on disk (write-ahead log, synchronous FULL)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.duplicate = path, sqlite3.IntegrityError
        with self.guard():
            self._db = sqlite3.connect(
                path, timeout=_SECONDS_TO_WAIT, isolation_level=None, cached_statements=2 * _MOST_AT_ONCE
            )
            try:
                # bytes that are no UTF-8 were damaged: verify must be able to read them to say so
                self._db.text_factory = _text
                for pragma in _PRAGMAS:
                    self._db.execute(f"PRAGMA {pragma}")
                if self._db.execute("PRAGMA user_version").fetchone()[0] != NEWEST:
                    migrate(self._db, path.name)
            except BaseException:
                self._db.close()
                raise

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Faults of the machine are EnvironmentFault, those of the file DataError."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise EnvironmentFault(
                f"the journal {self.path.name} cannot be used: {error}",
                "a writable file with room to grow",
                "free some space",
            ) from error
        except (sqlite3.DatabaseError, sqlite3.ProgrammingError) as error:
            raise DataError(
                f"{self.path.name} is not a journal: {error}",
                "a SQLite file written by holdgood",
                "restore it from a copy",
            ) from error

    @contextmanager
    def writing(self, *writers: str) -> Iterator[None]:
        """A transaction; the file has one writer at a time."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # on a full disk SQLite has rolled back by itself
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction that only reads."""
        with self.guard():
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._db.execute("COMMIT")

    def one(self, statement: str, values: Sequence[Any]) -> Any:
        """The first row."""
        return self._db.execute(statement, values).fetchone()

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """One prepared statement for all."""
        return self._db.executemany(statement, rows).rowcount

    def insert_plain(self, rows: Sequence[Row]) -> None:
        """In as few statements as there are ones to prepare."""
        at = 0
        for size, statement in _STATEMENTS.items():
            while len(rows) - at >= size:
                self._db.execute(statement, list(chain.from_iterable(rows[at : at + size])))
                at += size

    def insert_alone(self, writer: str, rows: Sequence[Row], sheets: Mapping[int, bytes] | None = None) -> None:
        """A few in one statement, which is a transaction by itself: Python's lock is given away and taken back once, sync included."""
        if 0 < len(rows) <= _MOST_AT_ONCE and not sheets:
            self._db.execute(_at_once(len(rows)), list(chain.from_iterable(rows)))
        else:
            super().insert_alone(writer, rows, sheets)

    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """Rows as SQLite finds them."""
        return self._db.execute(statement, values)

    def wipe(self) -> None:
        """Deleted bytes are overwritten in the file at once (secure_delete); the write-ahead log still holds them."""
        if self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise EnvironmentFault(
                f"what was forgotten is out of the journal, but not yet out of the bytes of {self.path.name} and its log: somebody reads in it",
                "a moment without readers",
                "close what reads the journal, then give the same command again",
            )

    def form_faults(self) -> list[str]:
        """As SQLite checks itself: pages, and each index against the table."""
        with self.guard():
            said = [row[0] for row in self._db.execute(f"PRAGMA integrity_check({_MOST_SAID})")]
        return [f"the file {self.path.name} is damaged: {' '.join(line.split())}" for line in said if line != "ok"]

    def close(self) -> None:
        """End the connection."""
        self._db.close()


@lru_cache(maxsize=_MOST_AT_ONCE)
def _at_once(rows: int) -> str:
    return INSERT.format(", ".join([VALUES] * rows))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


class SqliteStore:
    """Where the file is."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot make the folder of the journal {path}: {error.strerror}",
                "a writable folder",
                "choose another",
            ) from error

    def open(self) -> SqliteSession:
        """A connection; the file is made where it does not exist, and brought to this release's form where it is older."""
        return SqliteSession(self.path)
