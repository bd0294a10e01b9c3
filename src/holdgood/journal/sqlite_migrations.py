"""The form of a SQLite journal, in numbered steps. A step that a release has made is never changed; new ones are added.

1: entries in a chain. 2: columns that entries are found by, and no prediction twice. 3: sheets.
"""

from __future__ import annotations

import sqlite3

from holdgood.core.errors import DataError
from holdgood.journal.chain import keys_of_stored

NEWEST = 3
_STEP_1 = (
    """CREATE TABLE entries (
  writer TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, recorded_utc TEXT NOT NULL,
  salt TEXT, record TEXT, commitment TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY (writer, number)
) STRICT""",
    "CREATE INDEX entries_by_kind ON entries (kind, recorded_utc)",
)
_ADDED = ("model", "ref", "place", "subject", "moment")
_STEP_2 = (
    "DROP TRIGGER IF EXISTS never_removed",
    "DROP TRIGGER IF EXISTS never_rewritten",
    "DROP INDEX entries_by_kind",
    *(f"ALTER TABLE entries ADD COLUMN {c} TEXT" for c in _ADDED),
)
_INDEXES = (
    # an id is answered once, by whoever stood where then; a shadow speaks beside
    "CREATE UNIQUE INDEX one_prediction ON entries (model, ref, (place = 'shadow')) WHERE kind = 'prediction'",
    "CREATE INDEX entries_about ON entries (model, ref) WHERE kind <> 'prediction' AND ref IS NOT NULL",
    "CREATE INDEX entries_by_moment ON entries (kind, model, moment)",
    "CREATE INDEX entries_as_written ON entries (recorded_utc)",
    "CREATE INDEX entries_by_subject ON entries (subject) WHERE subject IS NOT NULL",
)
_TRIGGERS = (
    """CREATE TRIGGER never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    f"""CREATE TRIGGER never_rewritten BEFORE UPDATE ON entries
WHEN NEW.record IS NOT NULL OR NEW.salt IS NOT NULL OR NEW.writer <> OLD.writer OR NEW.number <> OLD.number
  OR NEW.kind <> OLD.kind OR NEW.recorded_utc <> OLD.recorded_utc OR NEW.commitment <> OLD.commitment
  OR NEW.previous <> OLD.previous OR NEW.hash <> OLD.hash OR {" OR ".join(f"NEW.{c} IS NOT NULL" for c in _ADDED)}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
)
_FOUND = {
    "sqlite_autoindex_entries_1": "5000 1", "one_prediction": "4000 1 1", "one_sheet": "4000 1", "entries_about": "4000 2",
    "entries_by_moment": "5000 4000 1", "entries_as_written": "1", "entries_by_subject": "10",
}  # fmt: skip
"""Rows that one value of an index's first column finds, of its first two, and so on, roughly."""
_STEP_3 = (
    "ALTER TABLE entries ADD COLUMN sheet BLOB",
    "CREATE UNIQUE INDEX one_sheet ON entries (model, ref) WHERE kind = 'predictions'",
    "DROP TRIGGER IF EXISTS never_rewritten",
    # an entry is emptied whole, or nothing but its sheet changes: rows of it are emptied, which verify holds against their commitments
    f"""CREATE TRIGGER never_rewritten BEFORE UPDATE ON entries
WHEN NEW.writer <> OLD.writer OR NEW.number <> OLD.number OR NEW.kind <> OLD.kind OR NEW.recorded_utc <> OLD.recorded_utc
  OR NEW.commitment <> OLD.commitment OR NEW.previous <> OLD.previous OR NEW.hash <> OLD.hash
  OR NOT ((NEW.record IS NULL AND NEW.salt IS NULL AND NEW.sheet IS NULL AND {" AND ".join(f"NEW.{c} IS NULL" for c in _ADDED)})
    OR (OLD.sheet IS NOT NULL AND NEW.sheet IS NOT NULL AND {" AND ".join(f"NEW.{c} IS OLD.{c}" for c in ("record", "salt", *_ADDED))}))
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    # What SQLite takes an index to find a statement's first columns in. Without a word it takes all for equally good, and looked for an id among all
    # entries of its kind and model. ANALYZE makes the table that this stands in; the index is empty.
    "ANALYZE one_sheet",
    "DELETE FROM sqlite_stat1 WHERE tbl = 'entries'",
    *(f"INSERT INTO sqlite_stat1 VALUES ('entries', '{name}', '10000000 {found}')" for name, found in _FOUND.items()),
)
_FILL = "UPDATE entries SET model = ?, ref = ?, place = ?, subject = ?, moment = ? WHERE writer = ? AND number = ?"


def migrate(db: sqlite3.Connection, name: str) -> None:
    """Bring a file to the newest form in one transaction; a fault leaves it as it was."""
    db.execute("BEGIN IMMEDIATE")  # of several processes that open a new file, one makes the table
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > NEWEST:
            raise DataError(
                f"the journal {name} has form {version}",
                f"at most {NEWEST}",
                "upgrade holdgood: pip install -U holdgood",
            )
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version == 0 and tables - {"entries"}:
            raise DataError(
                f"{name} is not a journal: it holds other tables",
                "a file of its own for the journal",
                "name another file",
            )
        if "entries" not in tables:
            _run(db, _STEP_1)
        if version < 2:
            _run(db, _STEP_2)
            _fill(db)
            _run(db, (*_INDEXES, *_TRIGGERS))
        if version < 3:
            _run(db, _STEP_3)
        db.execute(f"PRAGMA user_version = {NEWEST}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _run(db: sqlite3.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        db.execute(statement)


def _fill(db: sqlite3.Connection) -> None:
    """What older entries are found by; those that were forgotten are found by nothing."""
    rows = db.execute(
        "SELECT kind, record, recorded_utc, writer, number FROM entries WHERE record IS NOT NULL"
    ).fetchall()
    db.executemany(_FILL, ((*keys_of_stored(k, r, when), writer, number) for k, r, when, writer, number in rows))
