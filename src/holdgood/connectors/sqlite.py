"""SQLite databases, opened read-only: one table or view, or the rows of a query."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import finish
from holdgood.connectors.place import checked, local_file, opening
from holdgood.connectors.python_values import Growing
from holdgood.connectors.steady import steady
from holdgood.connectors.store import Store
from holdgood.core.errors import ReadError, did_you_mean
from holdgood.core.sql import quote
from holdgood.core.table import Note, Table
from holdgood.core.urls import is_url, parameters_of

_BATCH = 50_000


class Sqlite:
    """Reads ``file.db`` or ``sqlite:///file.db?table=t``.

    Options, also as URL parameters: ``table``, or ``query`` (with ``parameters``, a list for its question marks). Without
    either the only table of the file is read.
    """

    name: ClassVar[str] = "sqlite"
    suffixes: ClassVar[tuple[str, ...]] = (".db", ".sqlite", ".sqlite3")
    schemes: ClassVar[tuple[str, ...]] = ("sqlite",)

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one table. Columns whose rows mix kinds of values become text, with a note."""
        given = {**(parameters_of(source) if is_url(source) else {}), **options}
        chosen = checked(given, {"table": (str,), "query": (str,), "parameters": (list,)}, "a SQLite database")
        path = local_file(path_of(source) if is_url(source) else source)
        with steady(path, isolated=True), opening(path), _told(path):
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            try:
                data, notes, other = _fetch(connection, chosen, path.name)
            finally:
                connection.close()
        return finish(
            data, name=name, source=source, types=types, reading=Reading(typed=True), notes=notes, other=other
        )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        locked = "locked" in str(error)
        raise ReadError(
            f"{path.name} cannot be read: {error}",
            "a SQLite database" + (" that no other program is writing to" if locked else ""),
            "wait until the other program is done" if locked else "check the file, the table's name or the query",
        ) from None


def path_of(url: str) -> str:
    """The path in ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.

    >>> path_of("sqlite:///a%20b.db?table=t"), path_of("sqlite:////srv/x.db")
    ('a b.db', '/srv/x.db')
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or path == "/":
        raise ReadError(
            f"the URL {url!r} names no file", "sqlite:///file.db?table=name", "write three slashes before the path"
        )
    return path[1:]


def _fetch(
    connection: sqlite3.Connection, chosen: Mapping[str, Any], file: str
) -> tuple[pa.Table, list[Note], list[int]]:
    damaged = 0

    def decode(raw: bytes) -> str:
        nonlocal damaged
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            damaged += 1
            return raw.decode("utf-8", "replace")

    connection.text_factory = decode
    if "query" in chosen:
        if "table" in chosen:
            raise ReadError(f"both a table and a query for {file}", "one of them", "take one out")
        cursor, declared = connection.execute(chosen["query"], chosen.get("parameters", [])), {}
        if cursor.description is None:
            raise ReadError(f"the query for {file} gives no rows", "a SELECT", "write for example SELECT * FROM name")
    else:
        table = _table(connection, chosen.get("table"), file)
        declared = {
            row[1]: str(row[2]).upper() for row in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))
        }
        cursor = connection.execute(f"SELECT * FROM {quote(table)}")
    names = [d[0] for d in cursor.description]
    growing = [Growing(name) for name in names]
    store = Store(share=0.5)
    while batch := cursor.fetchmany(_BATCH):
        arrays = [g.add(values) for g, values in zip(growing, zip(*batch, strict=True), strict=True)]
        store.add(pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(names))]))
    settled = [
        g.settle([t.column(i).chunk(0) for t in parts]) for parts in [store.tables()] for i, g in enumerate(growing)
    ]
    notes = [note for _, said, _ in settled for note in said]
    if damaged:
        notes.append(
            Note(
                "encoding",
                f"{damaged:,} texts of {file} are not UTF-8; damaged characters are shown as \ufffd",
                damaged,
            )
        )
    columns = [
        _as_boolean(column) if declared.get(name) in ("BOOLEAN", "BOOL") else column
        for name, (column, _, _) in zip(names, settled, strict=True)
    ]
    other = [i for i, (_, _, unusable) in enumerate(settled) if unusable]
    return pa.Table.from_arrays(columns, names=names), notes, other


def _table(connection: sqlite3.Connection, asked: str | None, file: str) -> str:
    """The table to read, checked against those that the file has."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    names = sorted(row[0] for row in found)
    if asked is None:
        if len(names) == 1:
            return str(names[0])
        raise ReadError(
            f"{file} has {len(names)} tables and none was asked for",
            "one of: " + ", ".join(names) if names else "a database with a table",
            f"write sqlite:///{Path(file).name}?table=NAME, or the option table",
        )
    if asked not in names:
        hint = did_you_mean(asked, names) or "check the option table"
        raise ReadError(f"{file} has no table {asked!r}", "one of: " + ", ".join(names), hint)
    return asked


def _as_boolean(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column declared BOOLEAN that holds nothing but 0 and 1 (SQLite has no booleans of its own)."""
    if (
        not pa.types.is_integer(array.type)
        or not pc.all(pc.or_(pc.equal(array, 0), pc.equal(array, 1)), min_count=0).as_py()
    ):
        return array
    return pc.equal(array, 1)


CONNECTOR = Sqlite()
