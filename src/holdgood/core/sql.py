"""DuckDB, locked down: no files, no network, no extensions, wherever a user's expression is run."""

from __future__ import annotations

import atexit
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa

from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.text import counted

_SETTINGS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET GLOBAL TimeZone = 'UTC'",  # of cursors too: a plain SET holds for one session
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


_QUOTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")
_DURATION = re.compile(r"(?<!\w)(\d+(?:\.\d+)?)\s+(second|minute|hour|day|week|month|year)s?\b", re.IGNORECASE)


def friendly(expression: str) -> str:
    """Allow ``2 hours`` where SQL wants ``INTERVAL '2 hours'``; leave the rest, and all that is quoted, as it is.

    >>> friendly("due - 2 hours")
    "due - INTERVAL '2 hour'"
    """
    pieces = _QUOTED.split(expression)  # what is quoted stands at the odd places
    if any(re.search(r"\binterval\b", bare, re.IGNORECASE) for bare in pieces[::2]):
        return expression
    pieces[::2] = [
        _DURATION.sub(lambda m: f"INTERVAL '{m.group(1)} {m.group(2).lower()}'", bare) for bare in pieces[::2]
    ]
    return "".join(pieces)


@lru_cache(maxsize=1)
def _kept(process: int) -> duckdb.DuckDBPyConnection:
    """A connection that stays open: opening one costs 30 ms, a cursor of it a fraction of one. One a process: none survives a fork."""
    return connect({}, threads=1)


atexit.register(_kept.cache_clear)


def evaluate(expression: str, table: pa.Table, *, purpose: str = "an expression") -> pa.ChunkedArray:
    """Evaluate one SQL expression over a table's rows, in row order.

    ``expression`` may use the columns of the table and DuckDB's scalar functions; ``check_expression`` says what is
    refused. Raises DeclarationError in the user's words.
    """
    if expression in table.column_names:
        # a plain column, whatever it is called: "when" and "order" are words of SQL too
        return table.column(expression)
    check_expression(expression, tuple(table.column_names), purpose=purpose)
    connection = _kept(os.getpid()).cursor()
    try:
        connection.register(ROWS, narrowed([expression], told_apart(expression, table, purpose=purpose)))
        result = connection.sql(f"SELECT {inside(expression)} AS v FROM {ROWS}").to_arrow_table()
    except duckdb.Error as error:
        raise _cannot(expression, error, table.column_names, purpose) from error
    finally:
        connection.close()
    if result.num_rows != table.num_rows:
        raise DeclarationError(
            f"{purpose}: {expression!r} gives {counted(result.num_rows, 'value')} for {counted(table.num_rows, 'row')}",
            "one value a row",
            "take out what makes or joins rows",
        )
    return result.column(0)


ROWS = "rows_"
"""What the table under an expression is called in a query."""

# What an expression over one row is made of; any other kind of node looks elsewhere, or is none.
_ALLOWED = frozenset(
    [
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "TYPE",
    ]
)
_ELSEWHERE = {
    "SUBQUERY": ("looks at other rows (a subquery)", "take out SELECT, FROM and EXISTS"),
    "WINDOW": ("looks at other rows (a window)", "take out OVER"),
    "STAR": ("stands for several columns", "name the columns"),
    "PARAMETER": ("has a parameter", "write the value itself"),
}


def inside(expression: str) -> str:
    """The expression as it stands in a query: in parentheses on lines of their own, so that a comment ends."""
    return f"(\n{friendly(expression)}\n)"


@lru_cache(maxsize=4096)
def check_expression(expression: str, names: tuple[str, ...], *, purpose: str = "an expression") -> None:
    """Refuse what is not one expression over one row, before anything is evaluated.

    ``names`` are the columns of the row. DeclarationError for several statements, subqueries, windows, aggregates,
    stars, parameters, the row as a whole, and functions that answer differently each time (the clock, chance). The text
    is parsed by DuckDB, so that a column called "load" or a value 'select' is no more than that.
    """
    tree, bare = _parsed(inside(expression)), _parsed("(NULL)")
    if "statements" not in tree:
        raise _cannot(expression, tree.get("error_message", "it is no expression"), names, purpose)
    columns, _ = _take_columns(tree), _take_columns(bare)
    fault = _fault(columns, {n.lower() for n in names})
    if fault is None and (len(columns) != 1 or _without_places(tree) != _without_places(bare)):
        fault = ("is more than one expression", "write one expression; take out semicolons and clauses")
    if fault:
        raise DeclarationError(f"{purpose}: {expression!r} {fault[0]}", "one expression over one row", fault[1])


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    """A connection that only parses; it stays open, because opening one costs more than a hundred questions."""
    return connect(threads=1)


def _parsed(expression: str) -> dict[str, Any]:
    """DuckDB's syntax tree of the expression in a query; a cursor of its own, so that threads do not meet."""
    cursor = _parser().cursor()
    try:
        found = cursor.execute("SELECT json_serialize_sql(?)", [f"SELECT {expression} AS v FROM {ROWS}"]).fetchone()
    except duckdb.Error as error:
        return {"error_message": str(error)}
    finally:
        cursor.close()
    tree: dict[str, Any] = json.loads(found[0]) if found else {}
    return tree


_UPPER_TO_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def folded(name: str) -> str:
    """A name as SQL compares it: without regard to the case of the letters A to Z."""
    return name.translate(_UPPER_TO_LOWER)


@lru_cache(maxsize=256)
def _alike(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Names that SQL takes for one, by what it takes them for; empty for nearly every table."""
    by: dict[str, list[str]] = {}
    for name in names:
        by.setdefault(folded(name), []).append(name)
    return {key: tuple(same) for key, same in by.items() if len(same) > 1}


def alike(names: Sequence[str]) -> bool:
    """Whether two of the names differ in nothing but upper and lower case."""
    return bool(_alike(tuple(names)))


def told_apart(expression: str, table: pa.Table, *, purpose: str = "an expression") -> pa.Table:
    """The table as a query of this expression may see it: of names that differ in case alone, the one that is written.

    SQL would take the first of them, whichever was written. DeclarationError where the expression names several of them,
    or one in a case that is none of theirs.
    """
    names = tuple(table.column_names)
    same = _alike(names)
    if not same:
        return table
    gone: set[str] = set()
    written = _written(_parsed(inside(expression)))
    for key, group in same.items():
        meant = sorted(w for w in written if folded(w) == key)
        if len(meant) > 1 or (meant and meant[0] not in group):
            raise DeclarationError(
                f"{purpose}: {expression!r} names {' and '.join(map(repr, meant))}, and there are the columns "
                + ", ".join(map(repr, group)),
                "one column of those that SQL cannot tell apart, written as it is",
                "rename columns so that they differ in more than upper and lower case",
            )
        gone |= set(group) - set(meant or group[:1])
    return table.select([n for n in names if n not in gone])


def _written(node: Any) -> set[str]:
    """Every name that a syntax tree refers to a column by, as it was written."""
    found: set[str] = set()
    if isinstance(node, dict) and node.get("class") == "COLUMN_REF":
        found |= {str(part) for part in node.get("column_names", [])}
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return found.union(*(_written(part) for part in below))


def _take_columns(tree: Any) -> list[Any]:
    statements = tree.get("statements") or [{}]
    return list(statements[0].get("node", {}).pop("select_list", []))


def _without_places(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _without_places(v) for k, v in node.items() if not k.startswith("query_location")}
    return [_without_places(v) for v in node] if isinstance(node, list) else node


def _fault(node: Any, names: set[str]) -> tuple[str, str] | None:
    """What is wrong with a node or one below it: what it does, and what to do."""
    if isinstance(node, dict):
        kind = node.get("class")
        if kind is not None and kind not in _ALLOWED:
            return _ELSEWHERE.get(kind, (f"holds a {str(kind).lower()}", "write an expression over the columns"))
        called = ""
        if kind == "FUNCTION" and not node.get("is_operator"):
            called = str(node.get("function_name", "")).lower()
            if called == "age" and len(node.get("arguments") or node.get("children") or ()) == 1:
                called = "now"  # the age of one moment is measured at the clock
        elif kind == "COLUMN_REF":
            path = [str(part).lower() for part in node.get("column_names", [])]
            if path[0] not in names:
                if path == [ROWS]:
                    return "takes the row as a whole", "name the columns"
                called = path[0] if len(path) == 1 else ""
        if called and (reason := _refused().get(called)):
            return reason
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return next((fault for part in below if (fault := _fault(part, names))), None)


_AGGREGATE = ("looks at other rows (an aggregate)", "take out aggregates such as sum, avg and count")
_UNSTABLE = ("gives something else each time it is asked", "use the decision time instead of the clock, and no chance")
_MAKES_ROWS = ("makes rows", "take out unnest")


@lru_cache(maxsize=1)
def _refused() -> dict[str, tuple[str, str]]:
    """Functions that an expression over one row may not call: by DuckDB's own list, macros by what they are made of."""
    cursor = _parser().cursor()
    try:
        listed = cursor.execute(
            "SELECT lower(function_name), function_type, stability, macro_definition FROM duckdb_functions()"
        ).fetchall()
    finally:
        cursor.close()
    refused = {"unnest": _MAKES_ROWS, "unlist": _MAKES_ROWS}
    for name, kind, stability, _ in listed:
        if kind in ("aggregate", "window"):
            refused[name] = _AGGREGATE
        elif stability not in (None, "CONSISTENT") and name not in _ASSERTING:
            refused[name] = _UNSTABLE
    # bare words of SQL that are calls of the clock
    refused |= dict.fromkeys(("current_timestamp", "current_time", "localtime", "localtimestamp"), _UNSTABLE)
    macros = [(name, _QUOTED_TEXT.sub(" ", text.lower())) for name, _, _, text in listed if text]
    for _ in range(3):  # macros that call macros
        for name, text in macros:
            calls = re.findall(r'(\w+)"?\(|\b(current_timestamp)\b', text)
            reasons = [refused[word] for call in calls for word in call if word in refused]
            if re.search(r"\bselect\b", text):
                reasons.append(_ELSEWHERE["SUBQUERY"])
            if reasons and name not in refused and name not in _ASSERTING:
                refused[name] = reasons[0]
    return refused


_QUOTED_TEXT = re.compile(r"'(?:[^']|'')*'")
# volatile only because it may stop the query
_ASSERTING = ("error", "assert_true")


def _cannot(expression: str, error: object, names: Sequence[str], purpose: str) -> DeclarationError:
    first = str(error).splitlines()[0]
    missing = re.search(r'column "([^"]+)" not found', first)
    return DeclarationError(
        f"{purpose}: {expression!r} cannot be evaluated: {first}",
        "an SQL expression over: " + ", ".join(names[:12]) + (" …" if len(names) > 12 else ""),
        (did_you_mean(missing.group(1), names) if missing else "")
        or "check names and types; text goes in single quotes, a name that is a word of SQL in double ones",
    )


def narrowed(expressions: Sequence[str], table: pa.Table) -> pa.Table:
    """The table without the columns that no expression mentions: handing each over costs more than a row's answer."""
    return table.select(_mentioned(tuple(expressions), tuple(table.column_names)))


@lru_cache(maxsize=1024)
def _mentioned(expressions: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    used = {name for e in expressions for name in columns_in(e, names)}
    return [n for n in names if n in used] or list(names[:1])


def columns_in(expression: str, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Which of the given columns an expression mentions (quoted strings are not looked into).

    >>> columns_in("arr > 30 AND kind = 'dep'", ["arr", "dep", "kind"])
    ('arr', 'kind')
    """
    if expression in names:
        return (expression,)
    bare = re.sub(r"'(?:[^']|'')*'", " ", expression)
    words = {m.replace('""', '"') for m in re.findall(r'"((?:[^"]|"")*)"', bare)}
    words |= set(re.findall(r"[^\W\d][\w$]*", re.sub(r'"(?:[^"]|"")*"', " ", bare)))
    # SQL does not look at upper and lower case, not even within double quotes; a name written as it is means itself alone
    exact = words.intersection(names)
    loose = {w.lower() for w in words - exact}
    return tuple(n for n in names if n in exact or n.lower() in loose)
