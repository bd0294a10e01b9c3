"""Cells of a row as JSON gives them, read as the frozen type of their column: what a reader of tables makes of them, without a table.

What is written as programs write it is read here. Everything else (numbers in exponents, dates with dots, nested values …) goes
the way of a table of one column, so that there is one truth about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, cast

import pyarrow as pa

from holdgood.connectors import read_table
from holdgood.connectors.python_values import to_column
from holdgood.core.table import ColumnType

Cell: TypeAlias = int | float | bool | str | None
"""``number``: int or float; ``boolean``: bool; ``datetime``: int microseconds since the epoch (UTC); other types: str. None: missing."""

EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,12}\.[0-9]{1,12}")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_INT64 = 2**63
_EXACT = 2**53


class Unusual(Exception):
    """A cell that is left to the road of tables."""


LOST = object()
"""A cell that was there but is not of its column's type."""


def _number(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return value if value == value else None
    if kind is int:
        if -_INT64 <= value < _INT64:
            return value
        raise Unusual
    if kind is bool:
        return int(value)
    if kind is str:
        if _WHOLE.fullmatch(value):
            return int(value)
        if _DECIMAL.fullmatch(value):
            return float(value)
    raise Unusual


def _boolean(value: Any) -> Any:
    kind = type(value)
    if kind is bool:
        return value
    if (kind is int and -_INT64 <= value < _INT64) or (kind is float and value == value):
        return bool(value) if value in (0, 1) else LOST
    if value == "true":
        return True
    if value == "false":
        return False
    raise Unusual


def _text(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return "true" if value else "false"
    if kind is int and -_INT64 <= value < _INT64:
        return str(value)
    if kind is float and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    raise Unusual


def _moment(value: Any) -> Any:
    kind = type(value)
    if kind is str and _ISO.fullmatch(value):
        try:
            return microseconds(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            raise Unusual from None
    if kind is bool or (kind is float and value == value) or (kind is int and -_INT64 <= value < _INT64):
        return LOST
    raise Unusual


def microseconds(moment: datetime) -> int:
    """Since the epoch; without a zone UTC is meant."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return (moment - EPOCH) // _MICROSECOND


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number, "boolean": _boolean, "datetime": _moment, "category": _text, "text": _text,
}  # fmt: skip


def quick_reader(kind: str) -> Callable[[Any], Any] | None:
    """Reads one plain cell that is not None, as ``reader_of``, but raises Unusual where a table would have to be asked."""
    return _READERS.get(kind)


def reader_of(kind: str, blank: bool = False) -> Callable[[Any], Any]:
    """Reads one cell that is not None: its value, None where it means missing, or ``LOST``. Never raises.

    ``blank``: an empty text means missing, whatever the kind.
    """
    if blank:
        read = reader_of(kind)
        return lambda value: None if value == "" else read(value)
    quick = _READERS.get(kind)
    return partial(_read, quick, kind) if quick else partial(_by_table, kind)


def _read(quick: Callable[[Any], Any], kind: str, value: Any) -> Any:
    try:
        return quick(value)
    except Unusual:
        return _by_table(kind, value)


def _by_table(kind: str, value: Any) -> Any:
    return _column_by_table(kind, [value])[0]


def read_cells(kind: str, values: Sequence[Any], blank: bool = False) -> list[Any]:
    """A column of cells, each read as if it were alone: value, None, or ``LOST``; ``blank``: as for ``reader_of``."""
    if blank:
        values = [None if v == "" else v for v in values]
    quick = _READERS.get(kind)
    found: list[Any] = [None] * len(values)
    rest: dict[type, list[int]] = {}
    for at, value in enumerate(values):
        if value is None:
            continue
        try:
            if quick is None:
                raise Unusual
            found[at] = quick(value)
        except Unusual:
            rest.setdefault(type(value), []).append(at)
    for places in rest.values():  # of one type each: a column of mixed kinds would be read otherwise
        for at, cell in zip(places, _column_by_table(kind, [values[i] for i in places]), strict=True):
            found[at] = cell
    return found


def _column_by_table(kind: str, values: list[Any]) -> list[Any]:
    if kind in ("category", "text", "other") and len(values) > 1:
        # how a number is written depends on its neighbours there
        return [_by_table(kind, v) for v in values]
    array, _, _ = to_column("cell", values)
    table = read_table(pa.table({"cell": array}), name="cell", types={"cell": cast(ColumnType, kind)})
    column = table.data.column(0)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    lost = {r for n in table.notes if n.code == "changed-type" for r in n.rows}
    return [LOST if i in lost else v for i, v in enumerate(column.to_pylist())]


_ARROW = {"boolean": pa.bool_(), "datetime": pa.timestamp("us"), "category": pa.string(), "text": pa.string()}


def arrow_of(kind: str, cells: Sequence[Any]) -> tuple[pa.Array, list[int]]:
    """Cells as the Arrow column that a reader gives, and the places of those that were lost."""
    lost = [at for at, c in enumerate(cells) if c is LOST]
    if lost:
        cells = [None if c is LOST else c for c in cells]
    if kind == "number":
        if float in set(map(type, cells)):
            return pa.array([None if c is None else float(c) for c in cells], pa.float64()), lost
        return pa.array(cells, pa.int64()), lost
    if kind == "datetime":
        return pa.array(cells, pa.int64()).cast(pa.timestamp("us")), lost
    return pa.array(cells, _ARROW.get(kind, pa.string())), lost
