"""Moments that lie far off all others: told by the gap that parts them from the bulk, never by the date of today.

Honest tails thin out step by step, so that the largest gap at an edge is of the size of the next ones. Planted or mistyped moments
lie beyond a gap many times as wide as any within the adjacent half of the bulk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86400e6
LARGEST_SHARE = 0.15
LARGEST_PILE = 0.9
LEAST = 30
_SPAN = 0.25
_TIMES, _TIMES_ALONE = 6.0, 20.0
_THIN = 0.2
_TRIED = 20
STANDING_FOR_MISSING = tuple(
    int((datetime(*day, tzinfo=UTC) - EPOCH) / timedelta(days=1))
    for day in (
        (1, 1, 1), (1111, 11, 11), (1582, 10, 15), (1700, 1, 1), (1753, 1, 1), (1800, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1),
        (1900, 12, 31), (1901, 1, 1), (1904, 1, 1), (1960, 1, 1), (1970, 1, 1), (1980, 1, 1), (1999, 9, 9), (1999, 12, 31), (2000, 1, 1),
        (2038, 1, 19), (2049, 12, 31), (2050, 12, 31), (2079, 6, 6), (2098, 12, 31), (2099, 1, 1), (2099, 12, 31), (2100, 1, 1),
        (2199, 12, 31), (2200, 1, 1), (2262, 4, 11), (2299, 12, 31), (2500, 1, 1), (2999, 12, 31), (3000, 1, 1), (3000, 12, 31),
        (9999, 1, 1), (9999, 12, 30), (9999, 12, 31),
    )
)  # fmt: skip
"""Days since 1970 that programs and people write for "no date"."""


@dataclass(frozen=True)
class Bulk:
    """Where a column of moments lies (``first`` to ``last``, microseconds since the epoch) and what is far off.

    ``low`` and ``high`` lie amid the gaps, so that moments to come are not cut off at the newest one; ``early`` and ``late``:
    cells beyond them.
    """

    first: float
    last: float
    low: float
    high: float
    early: int
    late: int


def bulk(moments: np.ndarray, cells: np.ndarray) -> Bulk:
    """Part the bulk from what is far off. ``moments``: distinct, ascending; ``cells``: how often each comes."""
    x = moments.astype(np.float64)
    known = np.isin(np.floor_divide(moments, int(DAY)), np.array(STANDING_FOR_MISSING))
    first, end = 0, len(x)
    while True:
        ahead = _edge(-x[first:end][::-1], cells[first:end][::-1], known[first:end][::-1])
        first += ahead
        behind = _edge(x[first:end], cells[first:end], known[first:end])
        end -= behind
        if not ahead and not behind:
            break
    return Bulk(
        first=float(x[first]),
        last=float(x[end - 1]),
        low=float(x[first - 1] + x[first]) / 2 if first else -np.inf,
        high=float(x[end - 1] + x[end]) / 2 if end < len(x) else np.inf,
        early=int(cells[:first].sum()),
        late=int(cells[end:].sum()),
    )


def _edge(x: np.ndarray, cells: np.ndarray, known: np.ndarray) -> int:
    """How many of the highest distinct moments are far off; 0 for none."""
    total = int(cells.sum())
    if total < LEAST or len(x) < 3:
        return 0
    above = total - np.cumsum(cells)  # cells above each moment
    gaps = np.diff(x)
    # a pile on days that stand for missing may hold most of the rows; anything else is rare where it is wrong
    only_known = np.minimum.accumulate(known[::-1])[::-1][1:]
    allowed = np.where(only_known, LARGEST_PILE, LARGEST_SHARE) * total
    candidates = np.flatnonzero((above[:-1] > 0) & (above[:-1] <= allowed) & (total - above[:-1] >= LEAST))
    if len(candidates) == 0:
        return 0
    # Innermost first: what is far off may itself be scattered. Only a gap that beats all gaps further in can part anything.
    middle = min(int(np.searchsorted(np.cumsum(cells), 0.5 * (total - above[candidates[0]]))), int(candidates[0]))
    inner = np.concatenate([[0.0], np.maximum.accumulate(gaps[middle:])])
    promising = [int(i) for i in candidates if gaps[i] >= _TIMES * inner[i - middle]]
    for at in promising[:_TRIED]:
        if _parted(x, cells, gaps, at):
            return len(x) - at - 1
    return 0


def _parted(x: np.ndarray, cells: np.ndarray, gaps: np.ndarray, at: int) -> bool:
    """Whether the gap above position ``at`` parts the bulk below from what is far off."""
    gap, k, outside = float(gaps[at]), int(cells[at + 1 :].sum()), len(x) - at - 1
    inside, weights = x[: at + 1], cells[: at + 1]
    reached = np.cumsum(weights) / weights.sum()
    low, middle, high = (float(inside[min(at, int(np.searchsorted(reached, p)))]) for p in (0.1, 0.5, 0.9))
    span = max((high - low) * 1.25, DAY)
    half = gaps[int(np.searchsorted(x, middle)) : at]
    widest = float(half.max()) if len(half) >= 5 else span
    if gap < max(_SPAN * span, (_TIMES if k >= 3 else _TIMES_ALONE) * widest):
        return False
    # What comes after a pause as densely as before it is not far off: the feed stopped for a while.
    extent = float(x[-1] - x[at + 1])
    return bool(outside <= 3 or k / max(extent, DAY) <= _THIN * weights.sum() / span or gap >= span)


def piles(moments: np.ndarray, cells: np.ndarray) -> list[tuple[int, int]]:
    """Days (since 1970) within the bulk that stand for missing and hold far more cells than any other day; with their cells."""
    days, where = np.unique(np.floor_divide(moments, int(DAY)), return_inverse=True)
    rows = np.bincount(where, weights=cells.astype(np.float64))
    known = np.isin(days, np.array(STANDING_FOR_MISSING))
    if len(days) < LEAST or not known.any():
        return []
    usual = float(rows[~known].max())
    bar = max(5.0, 5.0 * usual)
    return [(int(d), int(r)) for d, r in zip(days[known], rows[known], strict=True) if r >= bar]


def iso(micros: float) -> str:
    """ISO text of a moment; what lies outside the calendar is cut to its edges."""
    lowest, highest = (
        (datetime(*d, tzinfo=UTC) - EPOCH) / timedelta(microseconds=1) for d in ((1, 1, 2), (9999, 12, 30))
    )
    moment = EPOCH + timedelta(microseconds=float(min(max(micros, lowest), highest)))
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds" if moment.microsecond else "seconds")


def day(micros: float) -> str:
    """The same, the day only."""
    return iso(micros)[:10]
