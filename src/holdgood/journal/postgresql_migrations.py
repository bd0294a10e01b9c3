"""The form of a journal in PostgreSQL, in numbered steps; the numbers are those of the SQLite file."""

from __future__ import annotations

from typing import Any

from holdgood.core.errors import DataError

NEWEST = 3
_FORM = "SELECT to_regclass('holdgood_journal_form') IS NOT NULL"
# text sorts by its bytes in both databases, whatever the server's language
_STEP_2 = """
CREATE TABLE entries (
  writer TEXT COLLATE "C" NOT NULL, number BIGINT NOT NULL, kind TEXT COLLATE "C" NOT NULL,
  recorded_utc TEXT COLLATE "C" NOT NULL, salt TEXT, record TEXT, commitment TEXT NOT NULL, previous TEXT NOT NULL,
  hash TEXT NOT NULL, model TEXT COLLATE "C", ref TEXT COLLATE "C", place TEXT COLLATE "C", subject TEXT COLLATE "C",
  moment TEXT COLLATE "C", PRIMARY KEY (writer, number)
);
CREATE INDEX entries_as_written ON entries (recorded_utc);
CREATE UNIQUE INDEX one_prediction ON entries (model, ref, (place = 'shadow')) WHERE kind = 'prediction';
CREATE INDEX entries_about ON entries (model, ref) WHERE kind <> 'prediction' AND ref IS NOT NULL;
CREATE INDEX entries_by_moment ON entries (kind, model, moment);
CREATE INDEX entries_by_subject ON entries (subject) WHERE subject IS NOT NULL;
CREATE FUNCTION holdgood_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.record IS NULL AND NEW.salt IS NULL AND NEW.model IS NULL AND NEW.ref IS NULL AND NEW.place IS NULL
      AND NEW.subject IS NULL AND NEW.moment IS NULL AND NEW.writer = OLD.writer AND NEW.number = OLD.number
      AND NEW.kind = OLD.kind AND NEW.recorded_utc = OLD.recorded_utc AND NEW.commitment = OLD.commitment
      AND NEW.previous = OLD.previous AND NEW.hash = OLD.hash THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the journal is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION holdgood_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION holdgood_append_only();
CREATE TABLE holdgood_journal_form (form INTEGER NOT NULL);
INSERT INTO holdgood_journal_form VALUES (2);
"""
# an entry is emptied whole, or nothing but its sheet changes: rows of it are emptied, which verify holds against their commitments
_STEP_3 = """
ALTER TABLE entries ADD COLUMN sheet BYTEA;
CREATE UNIQUE INDEX one_sheet ON entries (model, ref) WHERE kind = 'predictions';
CREATE OR REPLACE FUNCTION holdgood_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.writer = OLD.writer AND NEW.number = OLD.number AND NEW.kind = OLD.kind AND NEW.recorded_utc = OLD.recorded_utc
      AND NEW.commitment = OLD.commitment AND NEW.previous = OLD.previous AND NEW.hash = OLD.hash
      AND ((NEW.record IS NULL AND NEW.salt IS NULL AND NEW.sheet IS NULL AND NEW.model IS NULL AND NEW.ref IS NULL
        AND NEW.place IS NULL AND NEW.subject IS NULL AND NEW.moment IS NULL)
      OR (OLD.sheet IS NOT NULL AND NEW.sheet IS NOT NULL
        AND ROW(NEW.record, NEW.salt, NEW.model, NEW.ref, NEW.place, NEW.subject, NEW.moment)
          IS NOT DISTINCT FROM ROW(OLD.record, OLD.salt, OLD.model, OLD.ref, OLD.place, OLD.subject, OLD.moment))) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the journal is append-only';
END $$;
UPDATE holdgood_journal_form SET form = 3;
"""
FUNCTION_BODY = _STEP_3.split("$$")[1]
"""What the triggers do, as the server keeps it."""


def migrate(db: Any, name: str) -> None:
    """Bring a database to the newest form in one transaction; one that a newer release has changed is refused."""
    form = _form(db)
    if form < NEWEST:
        with db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(hashtextextended('holdgood journal form', 0))")
            form = _form(db)  # another process may have been first
            for number, step in ((2, _STEP_2), (3, _STEP_3)):
                if form < number:
                    db.execute(step)
        form = _form(db)
    if form > NEWEST:
        raise DataError(
            f"the journal {name} has form {form}", f"at most {NEWEST}", "upgrade holdgood: pip install -U holdgood"
        )


def _form(db: Any) -> int:
    """The form that a database has; 0 where there is no journal in it."""
    if not db.execute(_FORM).fetchone()[0]:
        return 0
    return int(db.execute("SELECT form FROM holdgood_journal_form").fetchone()[0])
