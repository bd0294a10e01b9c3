"""What a capacity a day left undone on the rows that judge."""

from __future__ import annotations

import numpy as np

from holdgood.core.records import Capacity
from holdgood.metrics.capacity import capped
from holdgood.metrics.cost import CostTable


def limited(table: CostTable, prediction: np.ndarray, answer: np.ndarray, day: np.ndarray) -> Capacity:
    """Counts of ``answer`` (0 or 1, before the capacity of the table) by ``day``; arrays (n,)."""
    assert table.capacity is not None
    kept = capped(table, prediction, answer, day)
    codes = np.unique(day, return_inverse=True)[1]
    deserving = np.bincount(codes, weights=answer == 1).astype(np.int64)
    full = int(np.sum(deserving > table.capacity))
    wanted, acted = int(deserving.sum()), int(kept.sum())
    return Capacity(
        a_day=table.capacity,
        days=len(deserving),
        full_days=full,
        deserving=wanted,
        acted=acted,
        sentence=f"At most {table.capacity:,} a day: {acted:,} of {wanted:,} rows that deserve action are acted on, those of most expected "
        f"money first; on {full:,} of {len(deserving):,} days there were more.",
    )
