"""One value a row, however it comes: lists, NumPy arrays, Arrow arrays, pandas and Polars series, frames of one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError
from holdgood.core.table import Table


def one_column(given: Any, what: str) -> pa.ChunkedArray:
    """The values in normal form (see ``Table``), missing ones as null; ``what`` names them in messages.

    Raises DataError for more than one column, or values that do not belong together.
    """
    given = array_like(given)
    if isinstance(given, (pa.Array, pa.ChunkedArray)):
        frame: Any = pa.table({what: given})
    elif isinstance(given, (np.ndarray, list, tuple)):
        frame = pa.table({what: _flat(given, what)})
    elif hasattr(given, "to_frame"):  # a series of pandas or Polars
        frame = given.to_frame()
    elif hasattr(given, "__dataframe__") or hasattr(given, "columns"):
        frame = given
    elif hasattr(given, "__iter__") and not isinstance(given, (str, bytes)):
        frame = pa.table({what: _flat(list(given), what)})
    else:
        raise DataError(f"{what} is a {type(given).__name__}", "one value a row", "give a list, an array or a series")
    table = Table.of(frame, what)
    if len(table.names) != 1:
        raise DataError(f"{what} has {len(table.names)} columns", "one value a row", "give one column")
    return table.data.column(0)


def array_like(given: Any) -> Any:
    """NumPy arrays for what is neither frame nor series but can be an array; DataError for sparse and complex ones."""
    if hasattr(given, "tocsr"):
        raise DataError(
            f"sparse data ({type(given).__name__})",
            "a dense array or a frame; sparse data is not supported",
            "toarray()",
        )
    if hasattr(given, "__array__") and not any(hasattr(given, n) for n in ("to_frame", "columns", "schema", "type")):
        given = np.asarray(given)
    if isinstance(given, np.ndarray) and given.dtype.kind == "c":
        raise DataError("Complex data not supported", "real numbers", "give real and imaginary parts as two columns")
    return given


def _flat(given: Any, what: str) -> pa.Array:
    if isinstance(given, np.ndarray):
        flat = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
        if flat.ndim != 1:
            raise DataError(f"{what} has {flat.ndim} dimensions", "one value a row", "give one column")
        return array_of(flat, what)
    return array_of(list(given), what)


def array_of(values: Any, what: str) -> pa.Array:
    """A NumPy column or a list as an Arrow array; None, NaN and NaT are missing."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM" and np.datetime_data(values.dtype)[0] in "YMWDhm":
        values = values.astype(f"{values.dtype.kind}8[s]")  # Arrow counts in seconds or finer
    try:
        if isinstance(values, np.ndarray) and values.dtype != object:
            return pa.array(np.ascontiguousarray(values), from_pandas=True)
        return pa.array([v.item() if isinstance(v, np.generic) else v for v in values], from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{what} mixes kinds of values: {str(error).splitlines()[0]}",
            "numbers, texts, truth values or dates, one kind only",
            "convert them first",
        ) from error
