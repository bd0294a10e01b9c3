"""Raw Arrow columns as NumPy arrays of their frozen type: never inferred anew, and refused where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError
from holdgood.core.table import ColumnType
from holdgood.features.builders.expressions import as_moments


def raw_values(column: pa.ChunkedArray, kind: ColumnType, where: str) -> np.ndarray:
    """The column by its frozen type, shape (rows,).

    ``number`` and ``boolean``: float64, NaN for missing and infinite; ``category`` and ``text``: object of str or None;
    ``datetime``: int64 microseconds since the epoch, the smallest int64 for missing.
    """
    if kind in ("number", "boolean"):
        return _numbers(column, kind, where)
    if kind == "datetime":
        return as_moments(column, where)
    return _strings(column)


def missing_like(kind: ColumnType, rows: int) -> np.ndarray:
    """A column of the kind with nothing in it."""
    return raw_values(pa.chunked_array([pa.nulls(rows)]), kind, "an empty column")


def _numbers(column: pa.ChunkedArray, kind: ColumnType, where: str) -> np.ndarray:
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    t = column.type
    if pa.types.is_boolean(t):
        column = column.cast(pa.uint8())
    elif not (pa.types.is_integer(t) or pa.types.is_floating(t)):
        raise DataError(
            f"{where} holds {t} where it was a {kind} when the plan was made",
            f"a {kind}",
            "declare the repair to-number for it, or run again with its new type",
        )
    values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def _strings(column: pa.ChunkedArray) -> np.ndarray:
    if not pa.types.is_string(column.type) and column.null_count < len(column):
        column = _as_text(column)
    out = np.empty(len(column), dtype=object)
    out[:] = column.to_pylist() if len(column) < 64 else column.to_numpy()
    return out


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as text: whole numbers without a point, so that 7 and 7.0 (an integer column with gaps) are one level."""
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    distinct = pc.unique(column).drop_null()
    labels = pa.array([_label(v) for v in distinct.to_pylist()], pa.string())
    return pc.take(labels, pc.index_in(column, value_set=distinct))


def _label(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)
