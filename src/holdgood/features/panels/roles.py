"""What each column of a panel's table is for. Nothing is known ahead unless it is declared so."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.declaration import Declaration
from holdgood.core.declared_forecast import ForecastSpec
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.table import Table
from holdgood.features.panels.plan import levels_of

_MOST_LEVELS = 2_000
_USABLE = ("number", "boolean", "category")


def time_column(declaration: Declaration) -> str:
    """The column that times a row: declared for the forecast, or the main table's."""
    spec = declaration.tables.get(declaration.main)
    found = declaration.forecast.time or (spec.time if spec else None)
    if not found:
        raise DeclarationError(
            "no time column is declared",
            "the column with the time of each row",
            'write time = "COLUMN" under [forecast]',
        )
    return found.strip('"')


def check_columns(spec: ForecastSpec, table: Table) -> None:
    """Every column that the declaration names is there; DataError with the nearest name otherwise."""
    named = {"id": spec.id, "known": spec.known, "past": spec.past, "static": spec.static}
    named["in_stock"] = [spec.in_stock] if spec.in_stock else []
    for where, columns in named.items():
        for column in columns:
            if column not in table.names and not (where == "static" and spec.items):
                raise DataError(
                    f"forecast.{where} names {column!r}, which table {table.name!r} does not have",
                    "one of: " + ", ".join(table.names[:12]) + (" …" if len(table.names) > 12 else ""),
                    did_you_mean(column, table.names) or "correct the line, or take it out",
                )


def roles_of(
    declaration: Declaration, table: Table, code: np.ndarray, time: str, target: tuple[str, ...]
) -> dict[str, str]:
    """By column its role: id, time, target, known, past, static, in stock, or why it is not used.

    A word or a flag that never changes within a series is static where nothing is declared; every other column that is not
    declared is past. ``code``: the series of each row, (n,).
    """
    spec, declared = declaration.forecast, declaration.tables.get(declaration.main)
    roles: dict[str, str] = {}
    for column in table.columns:
        name = column.name
        if name in spec.id:
            roles[name] = "id"
        elif name == time:
            roles[name] = "time"
        elif name in target:
            roles[name] = "target"
        elif name == spec.in_stock:
            roles[name] = "in stock"
        elif name in spec.known or name in spec.past or name in spec.static:
            role = "known" if name in spec.known else "past" if name in spec.past else "static"
            if column.type not in _USABLE:
                raise DataError(
                    f"forecast.{role} names {name!r}, which holds {column.type}",
                    "numbers, words or flags",
                    "take it out",
                )
            roles[name] = role
        elif declared and name in declared.ignore:
            roles[name] = "not used: ignored as declared"
        elif declared and name in declared.ids:
            roles[name] = "not used: it only identifies"
        elif declared and declared.known.get(name) == "after":
            roles[name] = "not used: known only afterwards"
        elif column.type not in _USABLE:
            roles[name] = f"not used: it holds {column.type}"
        elif column.type == "category" and len(pc.unique(table.data.column(name))) > _MOST_LEVELS:
            roles[name] = f"not used: more than {_MOST_LEVELS:,} different words"
        elif column.type != "number" and spec.id and constant_within(table.data.column(name), code):
            roles[name] = "static"
        else:
            roles[name] = "past"
    return roles


def constant_within(column: pa.ChunkedArray, code: np.ndarray) -> bool:
    """Whether a column has one value a series."""
    places = pc.dictionary_encode(column.combine_chunks()).indices
    values = pc.fill_null(places, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    there = (code >= 0) & (values >= 0)
    if not there.any():
        return False
    first = np.full(int(code.max()) + 1, -1)
    first[code[there][::-1]] = values[there][::-1]
    return bool(np.all(first[code[there]] == values[there]))


def levels_for(table: Table, columns: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Levels of the categories among some columns."""
    return {c: levels_of(table.data.column(c)) for c in columns if table.type_of(c) == "category"}
