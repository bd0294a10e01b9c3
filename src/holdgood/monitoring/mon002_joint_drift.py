"""MON002: features hang together otherwise than in development, whether or not one of them moved by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock, Learner
from holdgood.core.records import Alarm
from holdgood.monitoring.calendar import Seasons, seasons
from holdgood.monitoring.compared import compare
from holdgood.monitoring.relabelled import relabelled
from holdgood.monitoring.scores import Scores, scores
from holdgood.monitoring.told_apart import LEAST_ROWS, told_apart

MOST_FEATURES = 30
LEAST_LINK = 0.05
LEAST_AREA = 0.53


class JointDrift:
    """Every pair of features, and with a learner a cross-fitted domain classifier whose null comes from refits.

    Pairs: products of two features' first scores, each centred on its own side, so that a shift of one feature alone is
    none of a pair's business; the family is held as in MON001. Without a clock, what that finds must also hold against rows whose
    sides are dealt anew (``relabelled``), which is exact. Classifier: area under the ROC curve of telling rows in
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
    firsts = scored.firsts[:MOST_FEATURES]
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
    adjusted = found.adjusted
    if clock is None and (adjusted < alpha).any():
        values = scored.values[:, firsts]
        values = np.clip((values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-12), -4.0, 4.0)
        adjusted = np.maximum(adjusted, relabelled(values, n, left, right, seed))
    owner = scored.owner[firsts]
    sure = [k for k in np.argsort(adjusted, kind="stable") if adjusted[k] < alpha]
    return [
        (int(owner[left[k]]), int(owner[right[k]]), float(found.shift[k]), float(adjusted[k]))
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
