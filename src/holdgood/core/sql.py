"""DuckDB, locked down: no files, no network, no extensions, wherever a user's expression is run."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from holdgood.core.errors import DeclarationError, did_you_mean

_SETTINGS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET TimeZone = 'UTC'",
)


def connect(tables: Mapping[str, pa.Table] | None = None, *, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """An in-memory connection that can read nothing but the Arrow tables registered here.

    Order is preserved; the configuration is locked, so that an expression cannot open what is closed.
    """
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET threads = {int(threads)}")
    for setting in _SETTINGS:
        connection.execute(setting)
    for name, table in (tables or {}).items():
        connection.register(name, table)
    connection.execute("SET lock_configuration = true")
    return connection


def quote(name: str) -> str:
    """An identifier, quoted.

    >>> print(quote("weight kg"))
    "weight kg"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal, quoted."""
    return "'" + text.replace("'", "''") + "'"


_DURATION = re.compile(r"(?<![\w'])(\d+(?:\.\d+)?)\s+(second|minute|hour|day|week|month|year)s?\b(?!')", re.IGNORECASE)


def friendly(expression: str) -> str:
    """Allow ``2 hours`` where SQL wants ``INTERVAL '2 hours'``; leave the rest as it is.

    >>> friendly("due - 2 hours")
    "due - INTERVAL '2 hour'"
    """
    if re.search(r"\binterval\b", expression, re.IGNORECASE):
        return expression
    return _DURATION.sub(lambda m: f"INTERVAL '{m.group(1)} {m.group(2).lower()}'", expression)


def evaluate(expression: str, table: pa.Table, *, purpose: str = "an expression") -> pa.ChunkedArray:
    """Evaluate one SQL expression over a table's rows, in row order.

    ``expression`` may use the columns of the table and DuckDB's scalar functions. Subqueries and aggregates are refused:
    an expression sees one row. Raises DeclarationError in the user's words.
    """
    if expression in table.column_names:
        # a plain column, whatever it is called: "when" and "order" are words of SQL too
        return table.column(expression)
    if ";" in expression or re.search(r"\b(select|over|attach|copy|pragma|install|load)\b", expression, re.IGNORECASE):
        raise DeclarationError(
            f"{purpose}: {expression!r}",
            "one expression over the columns of a row",
            "take out SELECT, OVER and semicolons",
        )
    # One row is looked at twice: an aggregate gives itself away by returning one value for two rows.
    shown = pa.concat_tables([table, table]) if table.num_rows == 1 else table
    connection = connect({"rows_": shown}, threads=1)
    try:
        result = connection.sql(f"SELECT ({friendly(expression)}) AS v FROM rows_").to_arrow_table()
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        missing = re.search(r'column "([^"]+)" not found', first)
        hint = did_you_mean(missing.group(1), table.column_names) if missing else ""
        raise DeclarationError(
            f"{purpose}: {expression!r} cannot be evaluated: {first}",
            "an SQL expression over: " + ", ".join(table.column_names[:12]) + (" …" if table.num_columns > 12 else ""),
            hint or "check names and types; text goes in single quotes",
        ) from error
    finally:
        connection.close()
    if result.num_rows != shown.num_rows:
        raise DeclarationError(
            f"{purpose}: {expression!r} gives one value for the whole table", "one value a row", "take out aggregates"
        )
    return result.column(0).slice(0, table.num_rows)


def columns_in(expression: str, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Which of the given columns an expression mentions (quoted strings are not looked into).

    >>> columns_in("arr > 30 AND kind = 'dep'", ["arr", "dep", "kind"])
    ('arr', 'kind')
    """
    bare = re.sub(r"'(?:[^']|'')*'", " ", expression)
    quoted = {m.replace('""', '"') for m in re.findall(r'"((?:[^"]|"")*)"', bare)}
    words = {w.lower() for w in re.findall(r"[A-Za-z_][A-Za-z_0-9]*", re.sub(r'"(?:[^"]|"")*"', " ", bare))}
    if expression in names:
        return (expression,)
    return tuple(n for n in names if n in quoted or n.lower() in words)
