"""Join keys as integers: the keys of a reference table are coded once, rows of the main table are looked up in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError

NO_KEY = -1
_FEW_ROWS = 64


class KeyIndex:
    """Codes of a (composite) key: equal keys have equal codes 0, 1, 2 …; missing or unknown keys have NO_KEY.

    Whole numbers and floats compare by value; numbers and text do not compare, and are refused.
    """

    def __init__(self, columns: Sequence[pa.ChunkedArray], where: str) -> None:
        self._where = where
        self._kinds = [_kind(c) for c in columns]
        self._levels: list[pa.Array] = []
        self._dictionaries: list[dict[Any, int] | None] = [None] * len(columns)
        self._steps: list[np.ndarray] = []
        codes = np.zeros(len(columns[0]), np.int64)
        for column in map(_one_zero, columns):
            levels = pc.unique(column).drop_null()
            self._levels.append(levels)
            own = _codes(column, levels)
            both = np.where((codes >= 0) & (own >= 0), codes * max(1, len(levels)) + own, NO_KEY)
            # pressed together after each column, so that many columns cannot overflow
            step = np.unique(both[both >= 0])
            self._steps.append(step)
            codes = _position(both, step)
        self.codes = codes

    def lookup(self, columns: Sequence[pa.ChunkedArray]) -> np.ndarray:
        """Codes of other rows' keys, int64, shape (rows,)."""
        codes = np.zeros(len(columns[0]), np.int64)
        for at, column in enumerate(columns):
            own = self._own(at, column)
            both = np.where((codes >= 0) & (own >= 0), codes * max(1, len(self._levels[at])) + own, NO_KEY)
            codes = _position(both, self._steps[at])
        return codes

    def _own(self, at: int, column: pa.ChunkedArray) -> np.ndarray:
        levels, kind = self._levels[at], self._kinds[at]
        if column.null_count == len(column) or len(levels) == 0:
            return np.full(len(column), NO_KEY)
        came = _kind(column)
        if came != kind and {came, kind} != {"whole number", "number"}:
            raise DataError(
                f"{self._where}: the main table's key column holds {came}s, the other table's {kind}s",
                "keys of the same type",
                "declare the same type for both columns, or a repair such as to-number for one of them",
            )
        if len(column) <= _FEW_ROWS:
            # a dictionary made once answers a single row a thousand times faster than hashing all levels again
            known = self._dictionaries[at]
            if known is None:
                known = self._dictionaries[at] = {v: i for i, v in enumerate(levels.to_pylist())}
            return np.array([NO_KEY if v is None else known.get(v, NO_KEY) for v in column.to_pylist()], np.int64)
        column = _one_zero(column)
        if came == "whole number" and kind == "number":
            column = _fractional(column)
        elif came == "number" and kind == "whole number":
            column = _whole(column)
        return _codes(column, levels)


def _codes(column: pa.ChunkedArray, levels: pa.Array) -> np.ndarray:
    found = pc.fill_null(pc.index_in(column, value_set=levels, skip_nulls=True), NO_KEY)
    return np.asarray(found.to_numpy(), np.int64)


def _position(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Positions of values among sorted known ones, NO_KEY where they are not."""
    if len(known) == 0:
        return np.full(len(values), NO_KEY)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[at] == values, at, NO_KEY)


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats as whole numbers; what is not whole can match nothing and becomes missing."""
    values = np.asarray(column.to_numpy(), np.float64)
    whole = np.isfinite(values) & (np.floor(values) == values) & (np.abs(values) < 2.0**63)
    return pa.chunked_array([pa.array(np.where(whole, values, 0.0).astype(np.int64), mask=~whole)])


def _fractional(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers as floats; one that no float is equal to can match nothing and becomes missing."""
    whole = pc.fill_null(column, 0).to_numpy()
    floats = whole.astype(np.float64)
    fits = floats < 2.0**63
    same = fits & (np.where(fits, floats, 0.0).astype(np.int64) == whole)
    there = pc.is_valid(column).to_numpy().astype(bool)
    return pa.chunked_array([pa.array(floats, mask=~(same & there))])


def _one_zero(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Arrow tells 0 and -0 apart where it hashes; as keys they are one."""
    return pc.add(column, 0.0) if pa.types.is_floating(column.type) else column


def _kind(column: pa.ChunkedArray) -> str:
    t = column.type
    if pa.types.is_integer(t):
        return "whole number"
    if pa.types.is_floating(t):
        return "number"
    if pa.types.is_string(t) or pa.types.is_null(t):
        return "text"
    return "truth value" if pa.types.is_boolean(t) else "time"
