"""Rows in canonical order, their times and their groups: so that no result depends on how a file happened to be sorted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.core.budget import seconds_of
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.sql import connect, evaluate
from holdgood.core.table import Table, normalise


def canonical_order(table: Table) -> np.ndarray:
    """Positions that sort the rows by a hash of their content; names do not enter, identical rows tie harmlessly."""
    if table.rows == 0:
        return np.zeros(0, dtype=np.int64)
    data = numbered(table.data)
    connection = connect({"t": data}, threads=1)
    try:
        hashes = connection.sql(f"SELECT hash({', '.join(data.column_names)}) AS h FROM t").fetchnumpy()["h"]
    finally:
        connection.close()
    return np.argsort(np.asarray(hashes), kind="stable").astype(np.int64)


def numbered(data: pa.Table) -> pa.Table:
    """The same columns called c0, c1 …: SQL takes names for one that differ in upper and lower case alone."""
    return data.rename_columns([f"c{i}" for i in range(data.num_columns)])


def moments(expression: str, table: Table, *, purpose: str) -> np.ndarray:
    """A time expression a row as int64 microseconds since the epoch (UTC); rows without a time are refused, counted."""
    return as_moments(evaluate(expression, table.data, purpose=purpose), f"{purpose}: {expression!r}")


# Plain numbers below this size count seconds since the epoch (or cycles, or years: they only have to be in order), the
# next thousandfold milliseconds, then microseconds, then nanoseconds. Each reading reaches beyond the year 5000.
_SECONDS, _MILLISECONDS, _MICROSECONDS = 10**11, 10**14, 10**17


def as_moments(values: pa.ChunkedArray, where: str) -> np.ndarray:
    """Dates, times or plain numbers as int64 microseconds since the epoch, in the order of the values.

    The unit of plain numbers is taken from the largest of them. Raises DeclarationError for what is neither, DataError
    where a row has no time, or none that can be counted.
    """
    data, _ = normalise(pa.table({"t": values}))
    times = data.column(0)
    if times.null_count:
        raise DataError(
            f"{where}: {times.null_count:,} of {len(times):,} rows have no time",
            "a time in every row",
            "repair these rows, or declare another time",
        )
    if pa.types.is_timestamp(times.type):
        return np.asarray(times.cast(pa.int64()).to_numpy(), dtype=np.int64)
    if pa.types.is_string(times.type):
        raise DeclarationError(
            f"{where} is a text",
            "a date or time",
            "declare the column's type as datetime, or cast it in the expression",
        )
    if pa.types.is_boolean(times.type):
        raise DeclarationError(f"{where} is true or false", "a date, a time or a number", "name another column")
    return _counted(times.to_numpy(), where)


def _counted(numbers: np.ndarray, where: str) -> np.ndarray:
    """Plain numbers as microseconds. Whole ones never pass through floating point, which would lose their order."""
    size = max(abs(float(np.min(numbers))), abs(float(np.max(numbers)))) if len(numbers) else 0.0
    if not size < 2**63:
        raise DataError(
            f"{where} holds numbers up to {size:g}",
            "dates, or a count of seconds, milliseconds, microseconds or nanoseconds",
            "repair these rows, or write an expression such as to_timestamp(seconds)",
        )
    if size >= _MICROSECONDS:
        return (numbers // 1000).astype(np.int64)
    factor = 1_000_000 if size < _SECONDS else 1_000 if size < _MILLISECONDS else 1
    scaled = numbers * factor
    return scaled if scaled.dtype == np.int64 else np.rint(scaled).astype(np.int64)


def later(times: np.ndarray, delay: str) -> np.ndarray:
    """Times moved by a declared delay."""
    return times + int(seconds_of(delay) * 1e6)


def group_codes(table: Table, columns: list[str] | tuple[str, ...]) -> np.ndarray:
    """One integer a distinct combination of values, numbered by content (not by order of appearance)."""
    for name in columns:
        table.type_of(name)
    data = numbered(table.data.select(columns))
    connection = connect({"t": data}, threads=1)
    picked = ", ".join(data.column_names)
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
        numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
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
