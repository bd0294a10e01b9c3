"""Can a model tell rows in use from the reference? Its area under the ROC curve, held against areas that chance and nature make."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock, Learner
from holdgood.metrics.quantile import t_quantile, t_two_sided
from holdgood.metrics.ranking import midranks
from holdgood.monitoring.calendar import seasons

LEAST_ROWS = 20
"""A window with fewer rows says nothing of a distribution."""

ROWS = 4_000
REFITS = 24
FEWEST_STRETCHES = 12


def told_apart(
    learner: Learner, reference: Frame, current: Frame, alpha: float, seed: int, clock: Clock | None = None
) -> tuple[float, float]:
    """Out-of-fold area under the ROC curve of current against reference, and its p from refits.

    Where the area is not even beyond what rank sums alone allow at ``alpha``, nothing is refitted and p is 1.
    """
    rng = np.random.default_rng(seed)
    stretches = [] if clock is None else _stretches(clock, rng)
    rows = ROWS if not stretches else min(ROWS, int(np.median([len(s) for s in stretches])))
    first, second = at_most(reference, ROWS, rng), at_most(current, rows, rng)
    area = _area(learner, first, second, rng)
    n, m = len(first), len(second)
    rough = np.sqrt((n + m + 1.0) / (12.0 * n * m))
    if area < 0.5 + t_quantile(1.0 - min(alpha, 0.25), REFITS - 1) * 0.7 * rough:
        return area, 1.0
    null = np.array([_area(learner, *pair, rng) for pair in _others(reference, current, first, second, stretches, rng)])
    spread = float(null.std(ddof=1)) * np.sqrt(1.0 + 1.0 / len(null))
    t = (area - float(null.mean())) / spread if spread > 0 else 0.0
    return area, 0.5 * t_two_sided(t, len(null) - 1) if t > 0 else 1.0


def _stretches(clock: Clock, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows of stretches of the reference as long as the window, at most ``REFITS``; none where there are too few to compare with."""
    blocks = seasons(clock).blocks
    found = [rows for b in np.unique(blocks) if len(rows := np.flatnonzero(blocks == b)) >= 2 * LEAST_ROWS]
    return [found[i] for i in rng.permutation(len(found))[:REFITS]] if len(found) >= FEWEST_STRETCHES else []


def _others(
    reference: Frame, current: Frame, first: Frame, second: Frame, stretches: list[np.ndarray], rng: np.random.Generator
) -> Iterator[tuple[Frame, Frame]]:
    """Pairs of frames that differ by chance and by nature only."""
    for rows in stretches:
        rest = np.ones(len(reference), bool)
        rest[rows] = False
        yield (
            at_most(reference.take(np.flatnonzero(rest)), ROWS, rng),
            at_most(reference.take(rows), len(second), rng),
        )
    if not stretches:
        both = both_of(first, second)
        for _ in range(REFITS):
            order = rng.permutation(len(both))
            yield both.take(order[: len(first)]), both.take(order[len(first) :])


def at_most(frame: Frame, rows: int, rng: np.random.Generator) -> Frame:
    """The frame, or so many of its rows drawn by chance, in their order."""
    return frame if len(frame) <= rows else frame.take(np.sort(rng.permutation(len(frame))[:rows]))


def both_of(first: Frame, second: Frame) -> Frame:
    """Rows of two frames of the same features, one after the other."""
    pairs = zip(first.arrays, second.arrays, strict=True)
    return Frame(first.features, tuple(np.concatenate([a, b]) for a, b in pairs))


def _area(learner: Learner, first: Frame, second: Frame, rng: np.random.Generator) -> float:
    """Two halves, each scored by what learned from the other; the mean of the two areas."""
    both = both_of(first, second)
    side = np.r_[np.zeros(len(first)), np.ones(len(second))]
    half = np.zeros(len(side), int)
    for value in (0.0, 1.0):
        rows = np.flatnonzero(side == value)
        half[rng.permutation(rows)[: len(rows) // 2]] = 1
    areas = []
    for h in (0, 1):
        learned, judged = np.flatnonzero(half != h), np.flatnonzero(half == h)
        score = learner(both.take(learned), side[learned]).predict(both.take(judged))
        now = side[judged] == 1
        m, n = int(now.sum()), int((~now).sum())
        areas.append((midranks(score)[now].sum() - m * (m + 1) / 2) / (m * n))
    return float(np.mean(areas))
