"""MON002: features hang together otherwise than in development, whether or not one of them moved by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock, Learner
from holdgood.core.records import Alarm
from holdgood.metrics.quantile import t_quantile, t_two_sided
from holdgood.metrics.ranking import midranks
from holdgood.monitoring.calendar import Seasons, seasons
from holdgood.monitoring.compared import compare
from holdgood.monitoring.mon001_feature_drift import LEAST_ROWS
from holdgood.monitoring.scores import Scores, scores

MOST_FEATURES = 30
LEAST_LINK = 0.05
LEAST_AREA = 0.53
ROWS = 4_000
REFITS = 24
FEWEST_STRETCHES = 12


class JointDrift:
    """Every pair of features, and with a learner a cross-fitted domain classifier whose null comes from refits.

    Pairs: products of two features' first scores, each centred on its own side, so that a shift of one feature alone is
    none of a pair's business; the family is held as in MON001. Classifier: area under the ROC curve of telling rows in
    use from the reference, out of fold. It is held against the mean and spread (Student's t) of ``REFITS`` other areas: of sides
    shuffled, or, with a clock, of stretches of the reference told from its rest, so that a season or a week with a life of its own
    is no drift. Half of ``alpha`` each.
    """

    code: ClassVar[str] = "MON002"
    title: ClassVar[str] = "Features hang together otherwise"
    todo: ClassVar[str] = (
        "look at the named columns side by side, before and now; a broken join or a changed unit shows there first"
    )

    def __init__(self, learner: Learner | None = None) -> None:
        self.learner = learner

    def look(
        self, reference: Frame, current: Frame, *, alpha: float = 0.05, seed: int = 0, clock: Clock | None = None
    ) -> list[Alarm]:
        """Pairs first, then everything together. Without a learner pairs have all of ``alpha``."""
        if min(len(reference), len(current)) < LEAST_ROWS:
            return []
        spend = alpha if self.learner is None else 0.5 * alpha
        found = [
            self._of_pair(*pair, reference, current, alpha) for pair in _pairs(reference, current, seed, clock, spend)
        ]
        if self.learner is not None:
            area, p = told_apart(self.learner, reference, current, spend, seed, clock)
            if p < spend and area >= LEAST_AREA:
                message = (
                    f"a model tells rows in use from the reference with an area under the ROC curve of {area:.3f} "
                    f"(p = {p:.2g}; 0.5 would be chance)"
                )
                found.append(self._alarm("all features together", message, area, p, reference, current, alpha))
        return found

    def _of_pair(self, i: int, j: int, shift: float, p: float, reference: Frame, current: Frame, alpha: float) -> Alarm:
        one, two = reference.features[i].name, reference.features[j].name
        message = (
            f"{one} and {two} go together {'more' if shift > 0 else 'less or the other way'} than before: "
            f"their correlation moved by {shift:+.2f} (p = {p:.2g} after correction for all pairs)"
        )
        return self._alarm(f"{one} with {two}", message, abs(shift), p, reference, current, alpha)

    def _alarm(
        self, subject: str, message: str, effect: float, p: float, reference: Frame, current: Frame, alpha: float
    ) -> Alarm:
        return Alarm(
            code=self.code, title=self.title, subject=subject, severity="high" if effect >= 0.3 else "medium",
            message=message, statistic=effect, p=p, alpha=alpha, n_reference=len(reference), n_current=len(current),
            todo=self.todo,
        )  # fmt: skip


DETECTOR = JointDrift()


def _pairs(
    reference: Frame, current: Frame, seed: int, clock: Clock | None, alpha: float
) -> list[tuple[int, int, float, float]]:
    """Pairs of features whose correlation moved: positions, by how much, adjusted p; surest first."""
    scored = scores(reference, current)
    firsts = _firsts(scored)[:MOST_FEATURES]
    if len(firsts) < 2:
        return []
    n = scored.n
    season = None if clock is None else seasons(clock)
    centred, worth = _centred(scored.values[:, firsts], n, season)
    keep = worth > 0
    if min(keep[:n].sum(), keep[n:].sum()) < LEAST_ROWS:
        return []
    centred = centred[keep]
    spread = np.maximum(centred.std(axis=0), 1e-12)
    centred = np.clip(centred / spread, -4.0, 4.0)
    left, right = np.triu_indices(len(firsts), 1)
    products = worth[keep, None] * centred[:, left] * centred[:, right]
    alive = np.ptp(products, axis=0) > 0
    left, right = left[alive], right[alive]
    pair = Scores(products[:, alive], np.arange(len(left)), np.full(len(left), 2), int(keep[:n].sum()))
    found = compare(pair, clock, seed, None if season is None else season.of(keep[:n], keep[n:]))
    owner = scored.owner[firsts]
    sure = [k for k in np.argsort(found.adjusted, kind="stable") if found.adjusted[k] < alpha]
    return [
        (int(owner[left[k]]), int(owner[right[k]]), float(found.shift[k]), float(found.adjusted[k]))
        for k in sure
        if abs(found.shift[k]) >= LEAST_LINK
    ]


def _centred(values: np.ndarray, n: int, season: Seasons | None) -> tuple[np.ndarray, np.ndarray]:
    """Scores (rows, scores) less what their own side and stretch of time let expect, and what a product of two is worth, (rows,).

    Two features with a season each go together over a year and not within a week, and two that a week lifts together do so
    over many weeks: neither is a link. So both sides are centred within stretches of the same length; k rows that are
    centred on their own mean lose 1/k of their covariance, which ``worth`` gives back; a row alone in its stretch says nothing.
    """
    before, now = values[:n], values[n:]
    if season is None:
        stretch = np.r_[np.zeros(n, int), np.ones(len(now), int)]
    else:
        effect = np.linalg.pinv(season.reference.T @ season.reference) @ (season.reference.T @ before)
        before, now = before - season.reference @ effect, now - season.current @ effect
        stretch = np.unique(np.r_[season.blocks, season.blocks_now], return_inverse=True)[1]
    left = np.concatenate([before, now])
    order = np.argsort(stretch, kind="stable")
    count = np.bincount(stretch)
    sums = np.add.reduceat(left[order], np.r_[0, np.cumsum(count)[:-1]], axis=0)
    rows = count[stretch].astype(np.float64)
    return left - (sums / count[:, None])[stretch], np.where(rows > 1, rows / np.maximum(rows - 1.0, 1.0), 0.0)


def _firsts(scored: Scores) -> list[int]:
    """One score a feature: the rank of a number, the most common level of a category."""
    picked = []
    for feature in np.unique(scored.owner):
        mine = np.flatnonzero(scored.owner == feature)
        ranks = mine[scored.kind[mine] == 1]
        levels = mine[scored.kind[mine] == 0]
        if len(ranks) or len(levels):
            picked.append(int((ranks if len(ranks) else levels)[0]))
    return picked


def told_apart(
    learner: Learner, reference: Frame, current: Frame, alpha: float, seed: int, clock: Clock | None = None
) -> tuple[float, float]:
    """Out-of-fold area under the ROC curve of current against reference, and its p from refits.

    Where the area is not even beyond what rank sums alone allow at ``alpha``, nothing is refitted and p is 1.
    """
    rng = np.random.default_rng(seed)
    stretches = [] if clock is None else _stretches(clock, rng)
    rows = ROWS if not stretches else min(ROWS, int(np.median([len(s) for s in stretches])))
    first, second = _at_most(reference, ROWS, rng), _at_most(current, rows, rng)
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
            _at_most(reference.take(np.flatnonzero(rest)), ROWS, rng),
            _at_most(reference.take(rows), len(second), rng),
        )
    if not stretches:
        both = _both(first, second)
        for _ in range(REFITS):
            order = rng.permutation(len(both))
            yield both.take(order[: len(first)]), both.take(order[len(first) :])


def _at_most(frame: Frame, rows: int, rng: np.random.Generator) -> Frame:
    return frame if len(frame) <= rows else frame.take(np.sort(rng.permutation(len(frame))[:rows]))


def _both(first: Frame, second: Frame) -> Frame:
    pairs = zip(first.arrays, second.arrays, strict=True)
    return Frame(first.features, tuple(np.concatenate([a, b]) for a, b in pairs))


def _area(learner: Learner, first: Frame, second: Frame, rng: np.random.Generator) -> float:
    """Two halves, each scored by what learned from the other; the mean of the two areas."""
    both = _both(first, second)
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
