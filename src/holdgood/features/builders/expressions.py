"""Expressions over rows, on one locked connection that stays open: opening one costs 30 ms, asking it costs 2."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core import sql
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.table import normalise

NEVER = np.iinfo(np.int64).min
"""A moment that is missing, in microseconds since the epoch (NaT)."""


_MICROSECONDS = {"second": 10**6, "minute": 6 * 10**7, "hour": 36 * 10**8, "day": 864 * 10**8, "week": 6048 * 10**8}
_SHIFT = re.compile(
    r"""(?:"(?P<quoted>[^"]+)"|(?P<bare>[A-Za-z_]\w*))\s*(?P<sign>[+-])\s*"""
    r"""INTERVAL\s+'(?P<count>\d{1,6})\s+(?P<unit>second|minute|hour|day|week)s?'""",
    re.IGNORECASE,
)


class Expressions:
    """Evaluates expressions row by row. Safe to share between threads: each call has a cursor of its own."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None

    def values(self, expressions: Sequence[str], table: pa.Table, *, purpose: str) -> list[pa.ChunkedArray]:
        """One column in normal form for each expression, in row order.

        A bare column name (whatever characters it has) is that column. DeclarationError where one cannot be evaluated.
        """
        asked = [e for e in expressions if e not in table.column_names]
        answers = self._ask(asked, table, purpose) if asked else []
        by_expression = dict(zip(asked, answers, strict=True))
        return [by_expression[e] if e in by_expression else table.column(e) for e in expressions]

    def moments(self, expression: str, table: pa.Table, *, purpose: str) -> np.ndarray:
        """Moments as int64 microseconds since the epoch (UTC), shape (rows,); NEVER where missing."""
        shift = _SHIFT.fullmatch(sql.friendly(expression).strip())
        if shift and (name := shift["quoted"] or shift["bare"]) in table.column_names:
            # the common case, a column plus or minus a fixed time, needs no query
            start = as_moments(table.column(name), f"{purpose}: {expression!r}")
            step = int(shift["count"]) * _MICROSECONDS[shift["unit"].lower()] * (1 if shift["sign"] == "+" else -1)
            return np.where(start == NEVER, NEVER, start + step)
        column = self.values([expression], table, purpose=purpose)[0]
        return as_moments(column, f"{purpose}: {expression!r}")

    def _ask(self, expressions: Sequence[str], table: pa.Table, purpose: str) -> list[pa.ChunkedArray]:
        if self._connection is None:
            self._connection = sql.connect({}, threads=1)
        told = "; ".join(repr(e) for e in expressions)
        for expression in expressions:
            sql.check_expression(expression, tuple(table.column_names), purpose=purpose)
        if sql.alike(table.column_names):
            if len(expressions) > 1:  # each may mean another of the columns that SQL cannot tell apart
                return [self._ask([e], table, purpose)[0] for e in expressions]
            table = sql.told_apart(expressions[0], table, purpose=purpose)
        wanted = ", ".join(f"{sql.inside(e)} AS c{i}" for i, e in enumerate(expressions))
        cursor = self._connection.cursor()
        try:
            cursor.register(sql.ROWS, sql.narrowed(expressions, table))
            found = cursor.sql(f"SELECT {wanted} FROM {sql.ROWS}").to_arrow_table()
        except duckdb.Error as error:
            raise DeclarationError(
                f"{purpose}: {told} cannot be evaluated: {str(error).splitlines()[0]}",
                "an SQL expression over: " + ", ".join(table.column_names[:12]),
                "check names and types; text goes in single quotes",
            ) from error
        finally:
            cursor.close()
        if found.num_rows != table.num_rows or found.num_columns != len(expressions):
            raise DeclarationError(
                f"{purpose}: {told} gives {found.num_rows} rows for {table.num_rows}",
                "one value a row",
                "take out aggregates and star expressions",
            )
        data, _ = normalise(found)
        return [data.column(i) for i in range(data.num_columns)]


def as_moments(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """A time column as int64 microseconds, NEVER where missing; DataError where it holds no times."""
    if column.null_count == len(column):
        return np.full(len(column), NEVER, np.int64)
    if not pa.types.is_timestamp(column.type):
        raise DataError(
            f"{where} gives {column.type}",
            "dates or times",
            'declare the column\'s type as "datetime", or convert it with strptime()',
        )
    filled = pc.fill_null(column.cast(pa.timestamp("us")).cast(pa.int64()), NEVER)
    return np.asarray(filled.to_numpy(), dtype=np.int64)
