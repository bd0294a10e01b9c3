"""What is drawn together when rows are resampled: declared clusters, else blocks of days, else single rows."""

from __future__ import annotations

import numpy as np

DAY = 86_400_000_000
"""Microseconds a day."""

ENOUGH_DAYS = 20
ENOUGH_MOMENTS = 20
TIME_BLOCKS = 12


def resampling_units(clusters: np.ndarray | None, time: np.ndarray | None) -> tuple[np.ndarray | None, str]:
    """Codes (n,) of what belongs together, in order of content, and how they came about in words.

    ``clusters``: what the user declared as belonging together; they win. ``time``: microseconds since the epoch; rows
    of neighbouring days share weather, prices and habits, so days are joined to blocks of the cube root of their number
    (non-overlapping block bootstrap, Hall, Horowitz & Jing 1995). Fewer than 20 days: a dozen blocks of equal rows in
    time order. Neither: None, rows are taken as independent.
    """
    if clusters is not None:
        codes = np.unique(clusters, return_inverse=True)[1].astype(np.int64)
        return codes, f"rows in {codes.max(initial=-1) + 1:,} declared clusters"
    if time is None:
        return None, "rows taken as independent"
    days = np.unique(time // DAY, return_inverse=True)[1]
    distinct = int(days.max(initial=-1)) + 1
    if distinct >= ENOUGH_DAYS:
        length = max(1, round(distinct ** (1 / 3)))
        return (days // length).astype(np.int64), f"blocks of {length} days" if length > 1 else "days"
    moments, codes, counts = np.unique(time, return_inverse=True, return_counts=True)
    if len(moments) < ENOUGH_MOMENTS:
        return None, "rows taken as independent: they have too few moments to tell"
    before = np.cumsum(counts) - counts
    block = before * TIME_BLOCKS // len(time)
    return np.unique(block, return_inverse=True)[1][codes].astype(np.int64), "blocks of equal rows in time order"
