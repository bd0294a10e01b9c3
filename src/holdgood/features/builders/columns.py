"""Raw Arrow columns as NumPy arrays of their frozen type: never inferred anew, and refused where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError
from holdgood.core.table import ColumnType
from holdgood.features.builders.expressions import as_moments

_FEW_ROWS, _LOOK, _WHOLE = 64, 512, 2**30
_ARROW = {str(t): t for t in (pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.timestamp("us"))}


def raw_values(column: pa.ChunkedArray, kind: ColumnType, where: str) -> np.ndarray:
    """The column by its frozen type, shape (rows,).

    ``number`` and ``boolean``: float64, NaN for missing and infinite; ``category`` and ``text``: object of str or None;
    ``datetime``: int64 microseconds since the epoch, the smallest int64 for missing.
    """
    check_type(column, kind, where)
    if kind in ("number", "boolean"):
        return _numbers(column)
    if kind == "datetime":
        return as_moments(column, where)
    return _strings(column)


def conform(column: pa.ChunkedArray, arrow: str) -> pa.ChunkedArray:
    """The column in the Arrow type that it had when the plan was made, where that loses nothing.

    Expressions see the same types then as now: a column that came empty has no type of its own, whole numbers come as
    floats where a row in between has a gap.
    """
    wanted = _ARROW.get(arrow)
    if wanted is None or column.type == wanted:
        return column
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), wanted)])
    if _is_number(column.type) and _is_number(wanted):
        try:
            return column.cast(wanted)
        except pa.ArrowInvalid:
            return column  # not whole: stays a float
    return column


def check_type(column: pa.ChunkedArray, kind: ColumnType, where: str) -> None:
    """Refuse a column that cannot be read as its frozen type."""
    t = column.type
    if column.null_count == len(column) or kind in ("category", "text"):
        return
    fits = pa.types.is_timestamp(t) if kind == "datetime" else pa.types.is_boolean(t) or _is_number(t)
    if not fits:
        raise DataError(
            f"{where} holds {t} where it was a {kind} when the plan was made",
            f"a {kind}",
            "declare a repair such as to-number for it, or run again with its new type",
        )


def _is_number(t: pa.DataType) -> bool:
    return bool(pa.types.is_integer(t) or pa.types.is_floating(t))


def missing_like(kind: ColumnType, rows: int) -> np.ndarray:
    """A column of the kind with nothing in it."""
    return raw_values(pa.chunked_array([pa.nulls(rows)]), kind, "an empty column")


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    # a whole number beyond 2**53 becomes the nearest number with decimals
    values = np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def _strings(column: pa.ChunkedArray) -> np.ndarray:
    if not pa.types.is_string(column.type) and column.null_count < len(column):
        column = _as_text(column)
    out = np.empty(len(column), dtype=object)
    if len(column) < _FEW_ROWS or not _repeats(column):
        out[:] = column.to_pylist() if len(column) < _FEW_ROWS else column.to_numpy()
        return out
    coded = column.combine_chunks().dictionary_encode()
    levels = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    # one object a word, not one a cell: less to make, and whoever looks words up finds their hashes made
    found: np.ndarray = levels[np.asarray(pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy())]
    return found


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether the first cells say that there are few words in a column, which fits into one piece."""
    if not pa.types.is_string(column.type):
        return False  # nothing at all, or a type that is made text cell by cell
    first = column.slice(0, _LOOK)
    return bool(column.nbytes < _WHOLE and 2 * pc.count_distinct(first).as_py() < len(first))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as text: whole numbers without a point, so that 7 and 7.0 (an integer column with gaps) are one level."""
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    distinct = pc.unique(column).drop_null()
    labels = pa.array([_label(v) for v in distinct.to_pylist()], pa.string())
    return pc.take(labels, pc.index_in(column, value_set=distinct))


def _label(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)
