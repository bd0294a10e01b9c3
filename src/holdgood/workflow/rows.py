"""Rows in canonical order, their times and their groups: so that no result depends on how a file happened to be sorted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.core.budget import seconds_of
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.sql import connect, evaluate, quote
from holdgood.core.table import Table


def canonical_order(table: Table) -> np.ndarray:
    """Positions that sort the rows by a hash of their content; names do not enter, identical rows tie harmlessly."""
    if table.rows == 0:
        return np.zeros(0, dtype=np.int64)
    columns = ", ".join(quote(n) for n in table.names)
    connection = connect({"t": table.data}, threads=1)
    try:
        hashes = connection.sql(f"SELECT hash({columns}) AS h FROM t").fetchnumpy()["h"]
    finally:
        connection.close()
    return np.argsort(np.asarray(hashes), kind="stable").astype(np.int64)


def moments(expression: str, table: Table, *, purpose: str) -> np.ndarray:
    """A time expression a row as int64 microseconds since the epoch (UTC); rows without a time are refused, counted."""
    found = evaluate(expression, table.data, purpose=purpose)
    if pa.types.is_string(found.type):
        raise DeclarationError(
            f"{purpose}: {expression!r} is a text",
            "a date or time",
            "declare the column's type as datetime, or cast it in the expression",
        )
    if pa.types.is_integer(found.type) or pa.types.is_floating(found.type):
        # A plain number orders rows as well as a date does (a cycle count, a year): read as seconds.
        micros = found.cast(pa.float64()).to_numpy(zero_copy_only=False) * 1e6
        if np.isnan(micros).any():
            raise DataError(
                f"{purpose}: {int(np.isnan(micros).sum()):,} rows have no time",
                "a time in every row",
                "repair or filter these rows",
            )
        return micros.astype(np.int64)
    stamps = found.cast(pa.timestamp("us"))
    if stamps.null_count:
        raise DataError(
            f"{purpose}: {stamps.null_count:,} of {table.rows:,} rows have no time",
            "a time in every row",
            "repair these rows, or declare another time",
        )
    return stamps.cast(pa.int64()).to_numpy().astype(np.int64)


def later(times: np.ndarray, delay: str) -> np.ndarray:
    """Times moved by a declared delay."""
    return times + int(seconds_of(delay) * 1e6)


def group_codes(table: Table, columns: list[str] | tuple[str, ...]) -> np.ndarray:
    """One integer a distinct combination of values, numbered by content (not by order of appearance)."""
    for name in columns:
        table.type_of(name)
    connection = connect({"t": table.data}, threads=1)
    picked = ", ".join(quote(n) for n in columns)
    try:
        codes = connection.sql(
            f"SELECT dense_rank() OVER (ORDER BY {picked}) - 1 AS c, row_number() OVER () AS r FROM t ORDER BY r"
        ).fetchnumpy()
    finally:
        connection.close()
    return np.asarray(codes["c"]).astype(np.int64)


def labels(values: pa.ChunkedArray, development: np.ndarray, most: int = 12) -> np.ndarray:
    """Group labels as text (None where missing). A number with many values is cut at the development rows' quartiles."""
    if pa.types.is_timestamp(values.type):
        raise DeclarationError("a fairness group is a point in time", "a category or a number", "name another column")
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return number_labels(numbers, development, most)
    return np.array([None if v is None else str(v) for v in values.to_pylist()], dtype=object)


def number_labels(numbers: np.ndarray, development: np.ndarray, most: int = 12) -> np.ndarray:
    """Labels for a numeric group: its values where there are few, quarters of the development rows where there are many."""
    seen = numbers[development]
    seen = seen[np.isfinite(seen)]
    if len(np.unique(seen)) <= most:
        return np.array([None if not np.isfinite(v) else f"{v:g}" for v in numbers], dtype=object)
    cuts = np.unique(np.quantile(seen, [0.25, 0.5, 0.75]))
    edges = [-np.inf, *cuts, np.inf]
    names = [_between(edges[i], edges[i + 1]) for i in range(len(edges) - 1)]
    return np.array(
        [None if not np.isfinite(v) else names[int(np.searchsorted(cuts, v, side="left"))] for v in numbers],
        dtype=object,
    )


def _between(low: float, high: float) -> str:
    if not np.isfinite(low):
        return f"up to {high:g}"
    return f"above {low:g}" if not np.isfinite(high) else f"{low:g} to {high:g}"
