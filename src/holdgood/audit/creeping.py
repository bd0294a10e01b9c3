"""A sensor that creeps away: held against its sisters at the same moments, or against the other columns and the season.
The latter are fitted on the first part of the time, in which it had not begun to creep.

What is left after the comparison is reduced to forty medians along time. A creep is a line that is flat and then leaves for
good; it must end further off than the column varies otherwise, by several times what the medians scatter, and be told
better by a bend than by one straight trend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit.clock import Clock

BLOCKS = 40
LEAST_ROWS = 400
AWAY = 0.75
CLEAR = 5.0
BENT = 0.5
LEFT = 0.27


@dataclass(frozen=True)
class Creep:
    """One series (its places in the clock's order), where it begins to creep, by how much it is off in the end, how clearly."""

    at: np.ndarray
    begins: int
    off: float
    clear: float
    medians: np.ndarray


def thinned(ticking: Clock, rows: int) -> np.ndarray:
    """Places of all series at every so many-th moment, so that about ``rows`` remain."""
    every = max(1, -(-len(ticking.order) // rows))
    if every == 1:
        return np.arange(len(ticking.order))
    steps = (ticking.moments - ticking.moments.min()) // max(1, int(ticking.step))
    return np.flatnonzero(steps % every == 0)


def sisters(values: np.ndarray, ticking: Clock, some: np.ndarray) -> np.ndarray | None:
    """Each reading less the median of all series at the same moment, at some places, NaN elsewhere; None for less than three series."""
    if ticking.series[0] == ticking.series[-1] or len(np.unique(ticking.series[some])) < 3:
        return None
    when, what = ticking.moments[some], values[some]
    order = np.lexsort((what, when))  # NaN last within a moment
    moments, ranked = when[order], what[order]
    new = np.concatenate([[True], moments[1:] != moments[:-1]])
    first, group = np.flatnonzero(new), np.cumsum(new) - 1
    seen = np.bincount(group, np.isfinite(ranked), len(first)).astype(int)
    at = np.maximum(seen - 1, 0)
    middle = (ranked[first + at // 2] + ranked[np.minimum(first + (at + 1) // 2, len(ranked) - 1)]) / 2
    middle[seen < 3] = np.nan
    out = np.full(len(values), np.nan)
    out[some[order]] = ranked - middle[group]
    return out


def creeps(left: np.ndarray, ticking: Clock, wide: float) -> list[Creep]:
    """Series whose remainder creeps away; ``left`` in the clock's order, ``wide`` how much the column varies."""
    ends = np.flatnonzero(np.concatenate([ticking.series[1:] != ticking.series[:-1], [True]])) + 1
    starts = np.concatenate([[0], ends[:-1]])
    out = []
    for start, end in zip(starts, ends, strict=True):
        at = np.arange(start, end)
        at = at[np.isfinite(left[start:end])]
        if len(at) >= LEAST_ROWS:
            creep = _creep(left, at, wide)
            if creep is not None:
                out.append(creep)
    return out


def _creep(left: np.ndarray, at: np.ndarray, wide: float) -> Creep | None:
    y = np.array([np.median(left[part]) for part in np.array_split(at, BLOCKS)])
    x = np.arange(BLOCKS, dtype=float)
    best: tuple[float, int, np.ndarray] | None = None
    for bend in range(BLOCKS // 5, BLOCKS * 6 // 7):
        design = np.stack([np.ones(BLOCKS), np.maximum(0.0, x - bend)], axis=1)
        weights, *_ = np.linalg.lstsq(design, y, rcond=None)
        error = float(np.square(y - design @ weights).sum())
        if best is None or error < best[0]:
            best = (error, bend, weights)
    assert best is not None
    error, bend, weights = best
    straight = np.polynomial.polynomial.polyfit(x, y, 1)
    straight_error = float(np.square(y - straight[0] - straight[1] * x).sum())
    off = float(weights[1]) * (BLOCKS - 1 - bend)
    scatter = max(float(np.sqrt(error / (BLOCKS - 2))), 1e-12)
    whole = float(np.square(y - y.mean()).sum())
    if abs(off) < AWAY * wide or abs(off) < CLEAR * scatter or error > LEFT * whole or error > BENT * straight_error:
        return None
    return Creep(at, int(at[bend * len(at) // BLOCKS]), off, abs(off) / scatter, y)
