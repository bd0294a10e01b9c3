"""Rows in use unlike those of the reference: of what comes there now, the reference has next to nothing to say."""

from __future__ import annotations

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Learner
from holdgood.monitoring.told_apart import at_most, both_of

TIMES = 20.0
"""So many times as dense in use as in the reference: one row of it would have to stand for more than twenty (as in ``late_mean``)."""

UNLUCKY = 3.0
"""Where no row of the reference is like them, up to three may have been expected (95%, Poisson)."""

ROWS = 4_000
FEWEST = 100


def unlike(learner: Learner, reference: Frame, current: Frame, *, seed: int = 0) -> np.ndarray:
    """Which rows in use (m,) bool lie where the reference hardly has any; none where a side is too small to tell.

    A model learns on one half of both sides to tell them apart and judges the other. From the top of its ranking the
    longest stretch is taken in which rows in use are ``TIMES`` as dense as the reference, cautiously counted.
    """
    if min(len(reference), len(current)) < FEWEST:
        return np.zeros(len(current), bool)
    rng = np.random.default_rng(seed)
    before = at_most(reference, ROWS, rng)
    n, m = len(before), len(current)
    half = np.r_[rng.permutation(n) % 2, rng.permutation(m) % 2]
    frame, side = both_of(before, current), np.r_[np.zeros(n), np.ones(m)]
    found = np.zeros(m, bool)
    for h in (0, 1):
        learned, judged = _bounded(np.flatnonzero(half != h), side, rng), np.flatnonzero(half == h)
        score = learner(frame.take(learned), side[learned]).predict(frame.take(judged))
        now = side[judged]
        order = np.argsort(-score, kind="stable")
        here, there = np.cumsum(now[order]), np.cumsum(1.0 - now[order])
        dense = here / here[-1] > TIMES * (there + UNLUCKY) / there[-1]
        # Only between different scores can a line be drawn.
        dense &= np.r_[np.diff(score[order]) != 0, True]
        if dense.any():
            top = order[: np.flatnonzero(dense)[-1] + 1]
            rows = judged[top]
            found[rows[rows >= n] - n] = True
    return found


def _bounded(rows: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At most ``ROWS`` rows in use to learn from."""
    now = rows[side[rows] == 1]
    return rows if len(now) <= ROWS else np.r_[rows[side[rows] == 0], np.sort(rng.permutation(now)[:ROWS])]
