"""MON002: features hang together otherwise than in development, whether or not one of them moved by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock, Learner
from holdgood.core.records import Alarm
from holdgood.metrics.quantile import t_quantile, t_two_sided
from holdgood.metrics.ranking import midranks
from holdgood.monitoring.compared import compare
from holdgood.monitoring.mon001_feature_drift import LEAST_ROWS
from holdgood.monitoring.scores import Scores, scores

MOST_FEATURES = 30
LEAST_LINK = 0.05
LEAST_AREA = 0.53
ROWS = 4_000
REFITS = 24


class JointDrift:
    """Every pair of features, and with a learner a cross-fitted domain classifier whose null comes from refits.

    Pairs: products of two features' first scores, each centred on its own side, so that a shift of one feature alone is
    none of a pair's business; the family is held as in MON001. Classifier: area under the ROC curve of telling rows in
    use from the reference, out of fold; sides are shuffled and everything is refitted ``REFITS`` times, and the area is held against
    the mean and spread of those (Student's t). Half of ``alpha`` each.
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
            area, p = told_apart(self.learner, reference, current, spend, seed)
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
    one = scored.values[:, firsts]
    centred = np.concatenate([one[:n] - one[:n].mean(axis=0), one[n:] - one[n:].mean(axis=0)])
    spread = np.maximum(centred.std(axis=0), 1e-12)
    centred = np.clip(centred / spread, -4.0, 4.0)
    left, right = np.triu_indices(len(firsts), 1)
    products = centred[:, left] * centred[:, right]
    alive = np.ptp(products, axis=0) > 0
    left, right = left[alive], right[alive]
    pair = Scores(products[:, alive], np.arange(len(left)), np.ones(len(left), int), n)
    found = compare(pair, clock, seed)
    owner = scored.owner[firsts]
    sure = [k for k in np.argsort(found.adjusted, kind="stable") if found.adjusted[k] < alpha]
    return [
        (int(owner[left[k]]), int(owner[right[k]]), float(found.shift[k]), float(found.adjusted[k]))
        for k in sure
        if abs(found.shift[k]) >= LEAST_LINK
    ]


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


def told_apart(learner: Learner, reference: Frame, current: Frame, alpha: float, seed: int) -> tuple[float, float]:
    """Out-of-fold area under the ROC curve of current against reference, and its p from refits on shuffled sides.

    Where the area is not even beyond what rank sums alone allow at ``alpha``, nothing is refitted and p is 1.
    """
    rng = np.random.default_rng(seed)
    first, second = (_at_most(side, ROWS, rng) for side in (reference, current))
    both = Frame(
        first.features, tuple(np.concatenate([a, b]) for a, b in zip(first.arrays, second.arrays, strict=True))
    )
    side = np.r_[np.zeros(len(first)), np.ones(len(second))]
    area = _area(learner, both, side, rng)
    n, m = len(first), len(second)
    rough = np.sqrt((n + m + 1.0) / (12.0 * n * m))
    if area < 0.5 + t_quantile(1.0 - min(alpha, 0.25), REFITS - 1) * 0.7 * rough:
        return area, 1.0
    null = np.array([_area(learner, both, rng.permutation(side), rng) for _ in range(REFITS)])
    spread = float(null.std(ddof=1)) * np.sqrt(1.0 + 1.0 / REFITS)
    t = (area - float(null.mean())) / spread if spread > 0 else 0.0
    return area, 0.5 * t_two_sided(t, REFITS - 1) if t > 0 else 1.0


def _at_most(frame: Frame, rows: int, rng: np.random.Generator) -> Frame:
    return frame if len(frame) <= rows else frame.take(np.sort(rng.permutation(len(frame))[:rows]))


def _area(learner: Learner, both: Frame, side: np.ndarray, rng: np.random.Generator) -> float:
    """Two halves, each scored by what learned from the other; the mean of the two areas."""
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
