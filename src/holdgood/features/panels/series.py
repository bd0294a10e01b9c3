"""Which series each row belongs to: the id columns as one code a row, and a key a series to name it by at the exit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.table import Table, as_text

SEPARATOR = " / "
_LIKE_A_SEPARATOR = r"(^|\s)/|/(\s|$)|\\"


@dataclass(frozen=True)
class Series:
    """``code``: (n,) the series of each row, -1 where an id is missing; ``keys``: the id columns, one row a series, in code order."""

    code: np.ndarray
    keys: pa.Table

    @property
    def ids(self) -> np.ndarray:
        """(series,) str."""
        return names_of(self.keys)


def names_of(keys: pa.Table) -> np.ndarray:
    r"""One text a series of its id columns; a panel without ids has one series called ``series``.

    Where a value could be taken for the separator, its slashes are escaped: different ids have different names.

    >>> names_of(pa.table({"a": ["x / y", "x", "1/2"], "b": ["z", "y / z", "w"]})).tolist()
    ['x \\/ y / z', 'x / y \\/ z', '1/2 / w']
    """
    if not keys.num_columns:
        return np.array(["series"] * max(keys.num_rows, 1))
    columns = [as_text(c).combine_chunks() for c in keys.columns]
    joined = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*map(_escaped, columns), SEPARATOR)
    return np.array(joined.to_pylist(), dtype=str)


def _escaped(column: pa.Array) -> pa.Array:
    odd = pc.match_substring_regex(column, _LIKE_A_SEPARATOR)
    if not pc.any(odd, min_count=0).as_py():
        return column
    return pc.if_else(odd, pc.replace_substring_regex(column, r"([\\/])", r"\\\1"), column)


def series_of(table: Table, columns: Sequence[str]) -> Series:
    """Codes in the order of the ids, whatever the order of the rows."""
    if not columns:
        return Series(np.zeros(table.rows, np.int64), pa.table({}))
    code = np.zeros(table.rows, np.int64)
    missing = np.zeros(table.rows, bool)
    for column in columns:
        table.type_of(column)
        encoded = pc.dictionary_encode(table.data.column(column).combine_chunks())
        missing |= pc.is_null(encoded.indices).to_numpy(zero_copy_only=False)
        places = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False).astype(np.int64)
        code = code * max(len(encoded.dictionary), 1) + places
        if len(columns) > 1:
            code = _dense(code)
    code[missing] = -1
    code = _dense(code)
    if missing.any():
        # the rows without an id have a code of their own: take it out
        gone = int(code[np.flatnonzero(missing)[0]])
        code = np.where(code == gone, -1, code - (code > gone))
    first = _first(code)
    keys = table.data.select(list(columns)).take(pa.array(first))
    order = pc.sort_indices(keys, sort_keys=[(c, "ascending") for c in columns]).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(order)), -1
    return Series(rank[code], keys.take(pa.array(order)))


def _dense(code: np.ndarray) -> np.ndarray:
    """The same partition with codes 0, 1, 2 … in order of appearance."""
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]


def _first(code: np.ndarray) -> np.ndarray:
    levels, first = np.unique(code, return_index=True)
    return first[levels >= 0]


def matched(keys: pa.Table, asked: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """For each row of ``asked`` the row of ``keys`` with the same values in ``columns``, -1 for none. (n,) int64."""
    if not columns:
        return np.zeros(asked.num_rows, np.int64)
    known, wanted = names_of(keys.select(list(columns))), names_of(asked.select(list(columns)))
    if not len(known):
        return np.full(len(wanted), -1)
    order = np.argsort(known, kind="stable")
    found = order[np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)]
    return np.where(known[found] == wanted, found, -1)
