"""Whether a journal in PostgreSQL still has the form that the migrations made: what was added, changed or switched off could hide entries.

The hashes tell which entries were changed; this tells what would keep them from being found, or let a second answer in. Each index is held against
the table, by amcheck where the server has it, else by counting its entries along the index and without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from holdgood.journal.postgresql_migrations import FUNCTION_BODY

_TEXT, _BYTES, _ANY = "text", "C", "default"
_COLUMNS = {
    "writer": (_TEXT, True, _BYTES), "number": ("bigint", True, None), "kind": (_TEXT, True, _BYTES), "recorded_utc": (_TEXT, True, _BYTES),
    "salt": (_TEXT, False, _ANY), "record": (_TEXT, False, _ANY), "commitment": (_TEXT, True, _ANY), "previous": (_TEXT, True, _ANY),
    "hash": (_TEXT, True, _ANY), "model": (_TEXT, False, _BYTES), "ref": (_TEXT, False, _BYTES), "place": (_TEXT, False, _BYTES),
    "subject": (_TEXT, False, _BYTES), "moment": (_TEXT, False, _BYTES), "sheet": ("bytea", False, None),
}  # fmt: skip


class _Index(NamedTuple):
    keys: str
    where: str = ""
    unique: bool = False

    def made(self, name: str) -> str:
        """How the server describes it, without its parentheses."""
        where = f" WHERE {self.where}" if self.where else ""
        return f"CREATE {'UNIQUE ' if self.unique else ''}INDEX {name} ON entries USING btree {self.keys}{where}"


_INDEXES = {
    "entries_pkey": _Index("writer, number", unique=True),
    "entries_as_written": _Index("recorded_utc"),
    "one_prediction": _Index("model, ref, (place = 'shadow')", "kind = 'prediction'", unique=True),
    "one_sheet": _Index("model, ref", "kind = 'predictions'", unique=True),
    "entries_about": _Index("model, ref", "kind <> 'prediction' AND ref IS NOT NULL"),
    "entries_by_moment": _Index("kind, model, moment"),
    "entries_by_subject": _Index("subject", "subject IS NOT NULL"),
}
_TRIGGERS = {
    "append_only": "CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION holdgood_append_only()",
    "never_emptied": "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION holdgood_append_only()",
}
_HERE = "'entries'::regclass"
_SCHEMA = (
    f"SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {_HERE}"
)
_WHAT = f"SELECT relkind::text, relrowsecurity, relhassubclass OR relispartition FROM pg_class WHERE oid = {_HERE}"
_THEIR_COLUMNS = (
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, c.collname FROM pg_attribute a "
    f"LEFT JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attrelid = {_HERE} AND a.attnum > 0 AND NOT a.attisdropped"
)
_THEIR_INDEXES = (
    "SELECT c.relname, c.oid, pg_get_indexdef(c.oid), i.indisunique, i.indisvalid AND i.indisready AND i.indislive "
    f"FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = {_HERE}"
)
_THEIR_TRIGGERS = (
    "SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, p.prosrc, l.lanname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
    f"JOIN pg_language l ON l.oid = p.prolang WHERE t.tgrelid = {_HERE} AND NOT t.tgisinternal"
)
# from PostgreSQL 18 on, "not null" is a constraint with a name too (n); columns say it here
_THEIR_CONSTRAINTS = f"SELECT conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {_HERE} AND contype <> 'n'"
_THEIR_RULES = f"SELECT rulename FROM pg_rewrite WHERE ev_class = {_HERE}"
_ALONG = ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_hashagg", "enable_incremental_sort")
_WITHOUT = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")


def form_faults(db: Any, driver: Any) -> list[str]:
    """What is wrong, a sentence each; ``db`` is a connection in a transaction that reads one moment."""
    found = [*_table(db), *_triggers(db), *_constraints(db)]
    return found + list(_indexes(db, driver))


def _table(db: Any) -> Iterator[str]:
    kind, secured, inherited = db.execute(_WHAT).fetchone()
    if kind != "r" or inherited:
        yield "'entries' is no table of its own: what is read from it can be made up"
    if secured:
        yield "row security is switched on for 'entries': it hides entries from some users"
    for (name,) in db.execute(_THEIR_RULES).fetchall():
        yield f"'entries' has a rule that holdgood did not make: {name!r}"
    there = {name: tuple(rest) for name, *rest in db.execute(_THEIR_COLUMNS).fetchall()}
    for name in sorted(_COLUMNS.keys() | there.keys()):
        if name not in there:
            yield f"the column {name!r} of 'entries' is gone"
        elif name not in _COLUMNS:
            yield f"'entries' has a column that holdgood did not make: {name!r}"
        elif there[name] != _COLUMNS[name]:
            yield f"the column {name!r} of 'entries' is another than holdgood made"


def _triggers(db: Any) -> Iterator[str]:
    (schema,) = db.execute(_SCHEMA).fetchone()
    there = {name: rest for name, *rest in db.execute(_THEIR_TRIGGERS).fetchall()}
    for name in sorted(_TRIGGERS.keys() | there.keys()):
        if name not in there:
            yield f"the trigger {name!r}, which keeps entries from being changed, is gone"
            continue
        if name not in _TRIGGERS:
            yield f"'entries' has a trigger that holdgood did not make: {name!r}"
            continue
        made, enabled, body, language = there[name]
        if enabled not in ("O", "A"):
            yield f"the trigger {name!r}, which keeps entries from being changed, is switched off"
        elif (made.replace(f"{schema}.", ""), body, language) != (_TRIGGERS[name], FUNCTION_BODY, "plpgsql"):
            yield f"the trigger {name!r}, which keeps entries from being changed, does something else than holdgood made it for"


def _constraints(db: Any) -> Iterator[str]:
    there = db.execute(_THEIR_CONSTRAINTS).fetchall()
    if not any(kind == "p" and made == "PRIMARY KEY (writer, number)" for _, kind, made in there):
        yield "the primary key of 'entries' (writer, number) is gone: an entry may be there twice"
    for name, kind, _ in there:
        if kind != "p":
            yield f"'entries' has a constraint that holdgood did not make: {name!r}"


def _indexes(db: Any, driver: Any) -> Iterator[str]:
    (schema,) = db.execute(_SCHEMA).fetchone()
    there = {name: rest for name, *rest in db.execute(_THEIR_INDEXES).fetchall()}
    checks = _amcheck(db)
    for name, wanted in _INDEXES.items():
        if name not in there:
            yield f"the index {name!r} is gone" + (
                ": a prediction may be there twice" if name in ("one_prediction", "one_sheet") else ""
            )
            continue
        oid, made, _, usable = there[name]
        if _bare(made.replace(f"{schema}.", "")) != _bare(wanted.made(name)):
            yield f"the index {name!r} is another than holdgood made"
        elif not usable:
            yield f"the index {name!r} is not valid"
        elif (no := _against_table(db, driver, name, oid, wanted, checks)) is not None:
            yield no
    for name, (_, _, unique, _) in there.items():
        if unique and name not in _INDEXES:
            yield f"'entries' has a unique index that holdgood did not make: {name!r}"


def _bare(made: str) -> str:
    """A definition without what releases of the server write differently."""
    for mark in ("(", ")", "::text", " "):
        made = made.replace(mark, "")
    return made


def _amcheck(db: Any) -> str:
    """The function that holds an index against its table, with its schema; empty where the extension is not there."""
    found = db.execute(
        "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'"
    ).fetchone()
    return f"{found[0]}.bt_index_check" if found else ""


def _against_table(db: Any, driver: Any, name: str, oid: int, index: _Index, checks: str) -> str | None:
    """What an index does not hold, or holds wrongly."""
    if checks:
        try:
            with db.transaction():
                db.execute(f"SELECT {checks}(%s::oid::regclass, true)", (oid,))
            return None
        except (driver.errors.IndexCorrupted, driver.errors.DataCorrupted) as error:
            return f"the index {name!r} does not say what the table holds: {' '.join(str(error).split())}"
        except driver.Error:
            pass  # this user may not, or the server is busy with the index: counting needs neither
    where = f" WHERE {index.where}" if index.where else ""
    marks = "count(*), sum(hashtextextended(concat_ws('|', " + index.keys + "), 0))"
    ordered = f"SELECT {marks} FROM (SELECT * FROM entries{where} ORDER BY {index.keys}) AS along"
    along = _counted(db, driver, ordered, _ALONG, name)
    plain = _counted(db, driver, f"SELECT {marks} FROM entries{where}", _WITHOUT, "")
    if along is None or plain is None or along == plain:
        return None
    return f"the index {name!r} does not say what the table holds: {along[0]:,} entries, and {plain[0]:,} in the table"


def _counted(db: Any, driver: Any, statement: str, off: tuple[str, ...], index: str) -> Any:
    """The answer to a statement that is read a certain way; None where the server reads it otherwise."""
    found = None
    with suppress(driver.errors.UndefinedObject), db.transaction(force_rollback=True):
        for setting in off:
            db.execute(f"SET LOCAL {setting} = off")
        plan = "\n".join(row[0] for row in db.execute(f"EXPLAIN {statement}").fetchall())
        if index in plan and (index or "Seq Scan" in plan):
            found = tuple(db.execute(statement).fetchone())
    return found
