"""Profile a table: one pass of Arrow kernels over each column.

Arrow and NumPy, not SQL: with one DuckDB query the same numbers took 0.27 s instead of 0.22 s on 100,000 x 20, and
218 s instead of 2 s on 1,000 x 10,000 (planning a query of 70,000 aggregates).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.core.records.profile import ColumnProfile, Profile
from holdgood.core.table import Column, Table

QUANTILES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
LEVEL_ROWS = 10
LEVELS_KEPT = 50

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
    if columns.is_numeric(table, column.name) or columns.is_moment(table, column.name):
        plain = pc.add(data, 0.0) if pa.types.is_floating(data.type) else data  # -0 and 0 are one value
        distinct = pc.count_distinct(plain, mode="only_valid").as_py()
        values = columns.numbers(table, column.name)
        return ColumnProfile(**common, distinct=distinct, **_moments(values[~np.isnan(values)]))
    counted = pc.value_counts(data.drop_null())
    counts = np.asarray(counted.field("counts"))
    kept = np.flatnonzero(counts >= LEVEL_ROWS)
    if len(kept) > LEVELS_KEPT:
        bar = np.partition(counts[kept], -LEVELS_KEPT)[-LEVELS_KEPT]
        kept = kept[counts[kept] >= bar]
    pairs = [(str(counted.field("values")[int(i)].as_py()), int(counts[i])) for i in kept]
    top = sorted(pairs, key=lambda p: (-p[1], p[0]))[:LEVELS_KEPT]
    return ColumnProfile(**common, distinct=len(counts), levels=tuple(top))


def _moments(values: np.ndarray) -> dict[str, object]:
    finite = values[np.isfinite(values)] if len(values) else values
    infinite = len(values) - len(finite)
    if len(finite) == 0:
        return {"infinite": infinite}
    with np.errstate(over="ignore"):
        return {
            "infinite": infinite,
            "low": float(finite.min()),
            "high": float(finite.max()),
            "mean": float(finite.mean()),
            "sd": float(finite.std(ddof=1)) if len(finite) > 1 else float("nan"),
            "quantiles": tuple(float(q) for q in np.quantile(finite, QUANTILES)),
        }
