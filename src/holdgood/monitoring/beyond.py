"""What a feature's place moved beyond what the other features let expect: the place of its row among all, less its regression on theirs.

Columns of a company hang together. What moves one of them alone is hidden by what they share; taken out, the same shift stands out by
1/sqrt(1 - R²) standard errors more (as the control variates of Deng, Xu, Kohavi & Walker 2013).
The regression is learned from the rows of both sides alike, so that rows stay exchangeable where nothing changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.monitoring.scores import BEYOND, Scores

LEAST_SHARED, MOST_FEATURES, ROWS_A_FEATURE = 0.2, 200, 50
"""R² from which it is worth a test; features and rows a feature at which a regression of each on all others is worth its time."""
_RIDGE = 1e-3


@dataclass(frozen=True)
class Links:
    """How the first scores of features hang together: ``place`` of each among the scores, ``owner`` its feature, ``correlation`` (features, features)."""

    place: np.ndarray
    owner: np.ndarray
    spread: np.ndarray
    correlation: np.ndarray

    def shift(self, feature: int, moved: np.ndarray, without: list[int]) -> float:
        """By how much a feature moved beyond the others but some, in units of its score; ``moved``: the shift (scores,) of all scores."""
        at = int(np.flatnonzero(self.owner == feature)[0])
        others = np.array([k for k, o in enumerate(self.owner) if k != at and int(o) not in without], int)
        standard = moved[self.place] / self.spread
        if len(others) == 0:
            return float(standard[at] * self.spread[at])
        inner = self.correlation[np.ix_(others, others)] + _RIDGE * np.eye(len(others))
        expected = self.correlation[at, others] @ np.linalg.solve(inner, standard[others])
        return float((standard[at] - expected) * self.spread[at])


def beyond_others(scored: Scores) -> tuple[Scores, Links | None]:
    """The scores with one more (kind ``BEYOND``) for each number that the other features explain at least a fifth of."""
    place = np.array(scored.firsts, int)
    if not 2 <= len(place) <= MOST_FEATURES or len(scored.values) < ROWS_A_FEATURE * len(place):
        return scored, None
    values = scored.values[:, place]
    spread = values.std(axis=0)
    standard = (values - values.mean(axis=0)) / spread
    correlation = standard.T @ standard / len(standard)
    precision = np.linalg.inv(correlation + _RIDGE * np.eye(len(place)))
    shared = 1.0 - 1.0 / np.diag(precision)
    worth = np.flatnonzero((shared >= LEAST_SHARED) & (scored.kind[place] == 1))
    if len(worth) == 0:
        return scored, None
    left = standard @ (precision[:, worth] / np.diag(precision)[worth]) * spread[worth]
    more = Scores(
        np.concatenate([scored.values, left], axis=1),
        np.r_[scored.owner, scored.owner[place[worth]]],
        np.r_[scored.kind, np.full(len(worth), BEYOND)],
        scored.n,
    )
    return more, Links(place, scored.owner[place], spread, correlation)
