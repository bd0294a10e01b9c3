"""A frame of one row as plain Python values, without a table: what ``Table.of`` would make of its cells, many times sooner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

_INT64 = 2**63


class Moment(int):
    """Microseconds since the epoch (UTC)."""


class Unplain(Exception):
    """A cell that is left to the road of tables."""


def one_row(frame: Any) -> tuple[Sequence[Any], Sequence[Any]] | None:
    """Labels and raw cells of a pandas or Polars frame, or of a 2-D array (labels x0, x1 …); None where it isn't one row of these."""
    if isinstance(frame, np.ndarray):
        if frame.ndim != 2 or len(frame) != 1:
            return None
        return [f"x{i}" for i in range(frame.shape[1])], frame[0].tolist()
    if nw.dependencies.is_pandas_dataframe(frame):
        return (frame.columns.tolist(), frame.iloc[0].tolist()) if len(frame) == 1 else None
    if nw.dependencies.is_polars_dataframe(frame):
        return (frame.columns, frame.row(0)) if frame.height == 1 else None
    return None


def plain(cell: Any) -> Any:
    """A raw cell as None (missing), bool, int, float, str or ``Moment``; raises Unplain for all else."""
    kind = type(cell)
    if kind is str or kind is bool or cell is None:
        return cell
    if kind is float:
        return None if math.isnan(cell) else cell
    if kind is int:
        if -_INT64 <= cell < _INT64:
            return cell
        raise Unplain
    if isinstance(cell, np.generic) and kind is not np.longdouble:
        inner = cell.item()
        if type(inner) in (bool, int, float, str):
            return plain(inner)
        raise Unplain
    if kind.__module__.startswith("pandas."):
        return _of_pandas(cell, kind.__name__)
    raise Unplain


def _of_pandas(cell: Any, kind: str) -> Any:
    if kind in ("NAType", "NaTType"):
        return None
    if kind == "Timestamp":
        try:
            moment, finer = divmod(cell.value, 1000)
        except OverflowError:
            raise Unplain from None
        if not finer:
            return Moment(moment)
    raise Unplain
