"""A sample of rows that depends on their content alone: the same rows whatever their order and their columns' names.

What is costly looks at the sample first and counts on all rows only what it suspects there.
"""

from __future__ import annotations

import numpy as np

from holdgood.audit.memory import Memory
from holdgood.audit.rows import row_hashes
from holdgood.core.table import Table

ROWS = 50_000
CELLS = 20_000_000
_LEAST_ROWS = 5_000
_COLUMNS = 8

_positions: Memory[np.ndarray] = Memory()


def sample(table: Table, rows: int = ROWS) -> np.ndarray:
    """Positions (int64, ascending) of at most ``rows`` rows; fewer in a wide table, so that 20 million cells do.

    A table that is smaller is taken whole. Remembered while the table's data lives.
    """
    wanted = min(rows, max(_LEAST_ROWS, CELLS // max(1, len(table.names))))
    if table.rows <= wanted:
        return np.arange(table.rows)
    return _positions.get(table.data, wanted, lambda: _lowest(table, wanted))


def _lowest(table: Table, wanted: int) -> np.ndarray:
    """Rows with the lowest hashes over some columns, evenly spaced; ties are cut by the hash of whole rows."""
    names = table.names
    some = tuple(dict.fromkeys(names[i * (len(names) - 1) // max(1, _COLUMNS - 1)] for i in range(_COLUMNS)))
    hashes = row_hashes(table, some)
    bar = np.partition(hashes, wanted - 1)[wanted - 1]
    sure, tied = np.flatnonzero(hashes < bar), np.flatnonzero(hashes == bar)
    if len(sure) + len(tied) > wanted:
        whole = row_hashes(table.take(tied), names)
        tied = tied[np.argsort(whole, kind="stable")[: wanted - len(sure)]]
    return np.sort(np.concatenate([sure, tied]))
