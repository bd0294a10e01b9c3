"""A stretch of time in which a column jumps to another scale of temperature and back: known by both of its ends.

Inside a long stretch everything agrees with its neighbours. But where it begins and where it ends, what was read before
is what is read after on the other scale; two ends that both fit, and nothing else that jumps like them, are no weather.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdgood.audit.clock import Clock

JUMP = 12.0
MOST_JUMPS = 40
AROUND = 3
LEAST = 10
NEAR = 6.0


def jumps(values: np.ndarray, ticking: Clock) -> tuple[np.ndarray, float]:
    """Places in the clock's order before which a column jumps far beyond its usual step, and that usual step."""
    steps = np.diff(values)
    steps[~ticking.joined] = np.nan
    there = np.abs(steps[np.isfinite(steps)])
    if len(there) < 100:
        return np.empty(0, dtype=np.int64), 0.0
    usual = float(np.quantile(there, 0.68))
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero(np.abs(steps) > JUMP * usual) + 1
    return (at, usual) if usual > 0 and len(at) <= MOST_JUMPS else (np.empty(0, dtype=np.int64), usual)


def affine_stretch(
    values: np.ndarray, ticking: Clock, slope: float, offset: float
) -> tuple[NDArray[np.bool_], float] | None:
    """The rows (mask in the clock's order) of stretches on the other scale, and how surprising that is; None where there are none.

    ``values`` in the clock's order.
    """
    at, usual = jumps(values, ticking)
    marks = np.zeros(len(values), dtype=bool)
    surprise = 0.0
    span = float(np.nanquantile(values, 0.99) - np.nanquantile(values, 0.01))
    position = 0
    while position < len(at) - 1:
        start = at[position]
        for later in range(position + 1, len(at)):
            end = at[later]
            if end - start >= LEAST and ticking.series[start] == ticking.series[end]:
                far = 3 * NEAR * max(slope, 1.0) * usual
                off = max(_off(values, start, -1, slope, offset, far), _off(values, end, 1, slope, offset, far))
                if off <= NEAR * slope * usual:
                    marks[start:end] = True
                    surprise += 2 * np.log10(span / max(2 * NEAR * slope * usual, 1e-12))
                    position = later
                    break
        position += 1
    return (marks, float(surprise)) if marks.any() and marks.mean() < 0.45 else None


def _off(values: np.ndarray, at: int, out: int, slope: float, offset: float, far: float) -> float:
    """How far the readings just inside a stretch are from those just outside it on the other scale."""
    before, after = values[max(0, at - AROUND) : at], values[at : at + AROUND]
    outside, inside = (before, after) if out < 0 else (after, before)
    if not np.isfinite(outside).any() or not np.isfinite(inside).any():
        return float("inf")
    was, now = float(np.nanmedian(outside)), float(np.nanmedian(inside))
    if abs(now - was) < far:
        return float("inf")  # the two scales meet at -40 degrees
    return abs(now - slope * was - offset)
