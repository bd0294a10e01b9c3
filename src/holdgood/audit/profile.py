"""Profile a table: one pass over each column.

Numbers are sorted once: least, greatest, quantiles and the count of distinct values can then be read off, all exact. NumPy
sorts 1,000,000 numbers in 13 ms where Arrow's hash table counts their distinct values in 140 ms, and DuckDB, asked for all
columns in one query, took 218 s for 1,000 x 10,000 (planning 70,000 aggregates).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.rows import content
from holdgood.core.records.profile import ColumnProfile, Profile
from holdgood.core.table import Column, Table

QUANTILES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
LEVEL_ROWS = 10
LEVELS_KEPT = 50
_LOOK, _SLICES = 2_000, 20

_profiles: Memory[Profile] = Memory()


def profile(table: Table) -> Profile:
    """Counts and moments of every column; remembered while the table's data lives.

    Moments in time are microseconds since the epoch. Infinite values are counted and left out of everything else.
    ``levels`` are kept only where at least 10 rows share one, the 50 most frequent.
    """
    return _profiles.get(table.data, (table.name, table.columns), lambda: _profile(table))


def _profile(table: Table) -> Profile:
    described = tuple(_describe(table, column) for column in table.columns)
    return Profile(table=table.name, rows=table.rows, columns=described)


def _describe(table: Table, column: Column) -> ColumnProfile:
    data = table.data.column(column.name)
    common = {"name": column.name, "type": column.type, "rows": table.rows, "missing": data.null_count}
    if pa.types.is_integer(data.type) or pa.types.is_floating(data.type) or pa.types.is_timestamp(data.type):
        return ColumnProfile(**common, **_numbers(data))
    distinct, levels = _many_texts(table, column.name) if _varied(data) else _levels(table, column.name)
    return ColumnProfile(**common, distinct=distinct, levels=levels)


def _numbers(data: pa.ChunkedArray) -> dict[str, object]:
    """Whole numbers are counted as such: beyond 2^53 two of them can be one float."""
    present = data.drop_null() if data.null_count else data
    exact = present if pa.types.is_floating(data.type) else present.cast(pa.int64())
    values = np.sort(_flat(exact))
    distinct = int(np.count_nonzero(values[1:] != values[:-1])) + (len(values) > 0)
    sorted_floats = values.astype(np.float64, copy=False)
    first = np.searchsorted(sorted_floats, -np.inf, side="right")
    last = np.searchsorted(sorted_floats, np.inf, side="left")
    finite = sorted_floats[first:last]
    infinite = len(values) - len(finite)
    if len(finite) == 0:
        return {"distinct": distinct, "infinite": infinite}
    with np.errstate(over="ignore"):
        return {
            "distinct": distinct,
            "infinite": infinite,
            "low": float(finite[0]),
            "high": float(finite[-1]),
            "mean": float(finite.mean()),
            "sd": float(finite.std(ddof=1)) if len(finite) > 1 else float("nan"),
            "quantiles": quantiles(finite),
        }


def quantiles(ordered: np.ndarray) -> tuple[float, ...]:
    """``QUANTILES`` of numbers in ascending order, by linear interpolation (as ``numpy.quantile`` does by default)."""
    at = np.asarray(QUANTILES) * (len(ordered) - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    low, high, part = ordered[below], ordered[above], at - below
    with np.errstate(over="ignore", invalid="ignore"):
        between = low + (high - low) * part
        between = np.where(part >= 0.5, high - (high - low) * (1.0 - part), between)
    return tuple(float(q) for q in between)


def _varied(data: pa.ChunkedArray) -> bool:
    """Whether most texts differ, by 20 short stretches of the column: such a one is counted by hashes, not by levels."""
    if not pa.types.is_string(data.type) or len(data) < 10 * _LOOK:
        return False
    width = _LOOK // _SLICES
    starts = [i * (len(data) - width) // (_SLICES - 1) for i in range(_SLICES)]
    some = pa.chunked_array([c for s in starts for c in data.slice(s, width).chunks], data.type).drop_null()
    return len(some.unique()) > 0.5 * _LOOK


def _levels(table: Table, name: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    found, dictionary = columns.coded(table, name)
    counts = np.bincount(found[found >= 0], minlength=len(dictionary))
    kept = _frequent(counts)
    texts = dictionary.take(pa.array(kept)).to_pylist()
    return len(counts), _top([(str(v), int(n)) for v, n in zip(texts, counts[kept], strict=True)])


def _many_texts(table: Table, name: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    """The same by 64-bit hashes: a column of ids is sorted as numbers, and only frequent texts are looked up."""
    data = table.data.column(name)
    hashes = content(table, name)
    if data.null_count:
        hashes = hashes[~columns.missing(table, name)]
        data = data.drop_null()
    ordered = np.sort(hashes)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(np.concatenate([starts, [len(ordered)]]))
    wanted = _frequent(counts)
    if len(wanted) > 2 * LEVELS_KEPT:  # many levels of about the same size: looking each up would cost more
        return _levels(table, name)
    pairs = []
    for i in wanted:
        first = int(np.argmax(hashes == ordered[starts[i]]))
        pairs.append((str(data[first].as_py()), int(counts[i])))
    return len(starts), _top(pairs)


def _frequent(counts: np.ndarray) -> np.ndarray:
    """Positions of levels with enough rows, about the 50 largest; ties at the bar are all kept."""
    kept = np.flatnonzero(counts >= LEVEL_ROWS)
    if len(kept) > LEVELS_KEPT:
        bar = np.partition(counts[kept], -LEVELS_KEPT)[-LEVELS_KEPT]
        kept = kept[counts[kept] >= bar]
    return kept


def _top(pairs: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(pairs, key=lambda p: (-p[1], p[0]))[:LEVELS_KEPT])


def _flat(array: pa.ChunkedArray) -> np.ndarray:
    one = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    return np.asarray(one.to_numpy(zero_copy_only=False))
