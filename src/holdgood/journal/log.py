"""The journal: an append-only log of records in SQLite, one hash chain a writer.

An entry's hash covers the hash before it and a salted commitment to the record, not the record itself: record and salt
can be deleted, with a tombstone, and the chain still verifies. Whoever keeps a head outside (a number and a hash) can
prove that nothing up to it was changed or removed; without one, a rewritten chain cannot be told from a true one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.core.records.envelope import Record, wrap

GENESIS = "0" * 64
TOMBSTONE = "tombstone"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  writer TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, recorded_utc TEXT NOT NULL,
  salt TEXT, record TEXT, commitment TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY (writer, number)
) STRICT;
CREATE INDEX IF NOT EXISTS entries_by_kind ON entries (kind, recorded_utc);
CREATE TRIGGER IF NOT EXISTS never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS never_rewritten BEFORE UPDATE ON entries
WHEN NEW.record IS NOT NULL OR NEW.salt IS NOT NULL OR NEW.writer <> OLD.writer OR NEW.number <> OLD.number
  OR NEW.kind <> OLD.kind OR NEW.recorded_utc <> OLD.recorded_utc OR NEW.commitment <> OLD.commitment
  OR NEW.previous <> OLD.previous OR NEW.hash <> OLD.hash
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


@dataclass(frozen=True)
class Head:
    """The last entry of a writer: keep it outside to prove later that nothing before it was touched."""

    number: int
    hash: str


@dataclass(frozen=True)
class Entry:
    """One line of the journal. ``record`` is the envelope, or None where it was forgotten on the record."""

    writer: str
    number: int
    kind: str
    recorded_utc: str
    record: dict[str, Any] | None
    hash: str


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: the same value, the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _sha(*parts: str) -> str:
    """SHA-256 of parts, each with its length before it so that no two lists of parts read alike."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()


class Journal:
    """A journal file; made where it does not exist. Safe for several processes; a write is on disk when it returns."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot make the folder of the journal {self.path}: {error.strerror}",
                "a writable folder",
                "choose another",
            ) from error
        with self._open() as db:
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                db.execute("PRAGMA secure_delete=ON")
                yield db
            finally:
                db.close()
        except sqlite3.OperationalError as error:
            raise EnvironmentFault(
                f"the journal {self.path.name} cannot be used: {error}",
                "a writable file with room to grow",
                "free some space",
            ) from error
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{self.path.name} is not a journal: {error}",
                "a SQLite file written by holdgood",
                "restore it from a copy",
            ) from error

    def append(self, record: Record, writer: str) -> Head:
        """Write a record down; it is on disk when this returns. The head is the writer's newest entry."""
        return self._append(record.kind, wrap(record), writer)

    def _append(self, kind: str, body: Mapping[str, Any], writer: str, forget: tuple[str, int] | None = None) -> Head:
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            last = db.execute(
                "SELECT number, hash FROM entries WHERE writer = ? ORDER BY number DESC LIMIT 1", (writer,)
            ).fetchone()
            number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
            now, salt, text = datetime.now(UTC).isoformat(), secrets.token_hex(16), canonical(body)
            commitment = _sha(salt, text)
            digest = _sha(previous, writer, str(number), kind, now, commitment)
            row = (writer, number, kind, now, salt, text, commitment, previous, digest)
            db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if forget is not None:
                db.execute("UPDATE entries SET record = NULL, salt = NULL WHERE writer = ? AND number = ?", forget)
            db.execute("COMMIT")
        return Head(number, digest)

    def forget(self, writer: str, number: int, *, who: str, why: str) -> Head:
        """Delete an entry's record for good; a tombstone says who did it and why. The chain still verifies."""
        with self._open() as db:
            found = db.execute("SELECT kind FROM entries WHERE writer = ? AND number = ?", (writer, number)).fetchone()
        if found is None or found[0] == TOMBSTONE:
            raise DataError(
                f"no record {number} of {writer!r} to forget",
                "an entry of the journal that is not a tombstone",
                "look at entries()",
            )
        body = {"writer": writer, "number": number, "who": who, "why": why}
        head = self._append(TOMBSTONE, body, writer, forget=(writer, number))
        with self._open() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the write-ahead log still held the record
        return head

    def entries(self, kind: str | None = None, writer: str | None = None) -> list[Entry]:
        """Entries in the order of their writing, of one kind or one writer where asked for."""
        with self._open() as db:
            rows = db.execute(
                "SELECT writer, number, kind, recorded_utc, record, hash FROM entries "
                "WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR writer = ?2) ORDER BY recorded_utc, writer, number",
                (kind, writer),
            ).fetchall()
        return [Entry(w, n, k, when, None if r is None else json.loads(r), h) for w, n, k, when, r, h in rows]

    def heads(self) -> dict[str, Head]:
        """The newest entry of every writer."""
        with self._open() as db:
            rows = db.execute(
                "SELECT writer, MAX(number), hash FROM entries GROUP BY writer ORDER BY writer"
            ).fetchall()
        return {w: Head(n, h) for w, n, h in rows}

    def verify(self, heads: Mapping[str, Head] | None = None) -> list[str]:
        """What is wrong, a sentence each; empty where every chain is whole and reaches the ``heads`` kept outside."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM entries ORDER BY writer, number").fetchall()
        faults: list[str] = []
        expected, previous, of = 1, GENESIS, None
        buried = _buried(rows)
        hashes: dict[tuple[str, int], str] = {}
        for writer, number, kind, when, salt, text, commitment, before, digest in rows:
            if writer != of:
                expected, previous, of = 1, GENESIS, writer
            where = f"entry {number} of {writer!r}"
            if number != expected:
                faults.append(f"entries {expected} to {number - 1} of {writer!r} are gone")
            elif before != previous:
                faults.append(f"{where} does not follow the entry before it")
            if text is None:
                if (writer, number) not in buried:
                    faults.append(f"{where} lost its record without a tombstone")
            elif salt is None or _sha(salt, text) != commitment:
                faults.append(f"{where}: its record was changed")
            if _sha(before, writer, str(number), kind, when, commitment) != digest:
                faults.append(f"{where}: its hash does not match")
            expected, previous = number + 1, digest
            hashes[writer, number] = digest
        for writer, head in (heads or {}).items():
            if (writer, head.number) not in hashes:
                faults.append(f"{writer!r} had {head.number} entries; the last ones are gone")
            elif hashes[writer, head.number] != head.hash:
                faults.append(f"the chain of {writer!r} was rewritten at or before entry {head.number}")
        return faults


def _buried(rows: list[tuple[Any, ...]]) -> set[tuple[str, int]]:
    """What the tombstones name."""
    found = set()
    for row in rows:
        if row[2] == TOMBSTONE and row[5] is not None:
            try:
                body = json.loads(row[5])
                found.add((body["writer"], body["number"]))
            except (json.JSONDecodeError, KeyError, TypeError):
                continue  # a tombstone that was tampered with buries nothing; its own hash is told apart
    return found
