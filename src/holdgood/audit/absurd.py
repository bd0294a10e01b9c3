"""Single values so far off that nothing else in the column comes near: one cell with three digits too many, in any column.

Five or more rows make a group of their own, which other rules see. Here one to four values are held against the column's own
tail: on the log scale the distances from the middle thin out at a pace that the tail itself tells (its index), and a gap must be
many times that. Heavy tails leave wide gaps by nature; their index says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.profile import QUANTILES, profile
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

MOST = 4
TIMES = 20.0
GAP = 9.0  # times the index, for 20 columns: by chance once in eight thousand columns whose tail is a power law
TAIL, LEAST_TAIL = 60, 30
ROWS = 100
DISTINCT = 20
_OUTER = (QUANTILES.index(0.25), QUANTILES.index(0.75))


@dataclass(frozen=True)
class Absurd:
    """Rows (positions, the furthest first), and how many times further off the nearest of them lies than any other value."""

    column: str
    rows: np.ndarray
    times: float


def absurd(table: Table, wrong: dict[str, np.ndarray]) -> list[Absurd]:
    """Single values beyond all others, by column; ``wrong``: cells (boolean, one a row) that another cause explains.

    A row that is far off in several columns is a row of another kind, and left out; so are columns that name rows.
    """
    out = []
    gap = GAP + max(0.0, math.log(len(table.names) / 20))
    for c in profile(table).columns:
        if not columns.is_numeric(table, c.name) or not _may(c):
            continue
        values = columns.numbers(table, c.name)
        one = _beyond(values, c, gap)
        if one is not None and not (c.name in wrong and wrong[c.name][one.rows].any()):
            out.append(one)
    rows, counts = np.unique(np.concatenate([o.rows for o in out] or [np.zeros(0, dtype=np.int64)]), return_counts=True)
    several = rows[counts > 1]
    return [o for o in out if not np.isin(o.rows, several).any()]


def _may(c: ColumnProfile) -> bool:
    """Whether an end lies far beyond the middle half, by the profile alone: most columns need no look at their values."""
    if c.distinct < DISTINCT or c.rows - c.missing < ROWS or not c.quantiles:
        return False
    if c.distinct == c.rows - c.missing and all(float(q).is_integer() for q in c.quantiles):
        return False
    low, high = (c.quantiles[i] for i in _OUTER)
    reach = TIMES * max(high - low, 0.0)
    return bool(c.high - high > reach or low - c.low > reach)


def _beyond(values: np.ndarray, c: ColumnProfile, least: float) -> Absurd | None:
    distance = np.abs(values - c.quantiles[QUANTILES.index(0.5)])
    distance[~np.isfinite(distance)] = 0.0
    n = min(len(distance), MOST + TAIL + 1)
    top = np.argpartition(distance, len(distance) - n)[-n:]
    top = top[np.lexsort((top, -distance[top]))]
    far = distance[top]
    far = far[far > 0]
    if len(far) < MOST + LEAST_TAIL:
        return None
    for k in range(1, MOST + 1):
        rest = far[k:]
        gap = math.log(far[k - 1] / rest[0])
        index = float(np.log(rest[:-1] / rest[-1]).mean())
        if gap >= max(math.log(TIMES), least * index) and not _comes_again(values[top[:k]]):
            return Absurd(c.name, top[:k], far[k - 1] / rest[0])
    return None


def _comes_again(values: np.ndarray) -> bool:
    """One value several times over is a code for something, not a slip."""
    return len(np.unique(values)) < len(values)
