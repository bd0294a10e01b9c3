"""What columns should be, had everything gone on as it began: a fit on the first part of the time, asked about all of it."""

from __future__ import annotations

import numpy as np

from holdgood.audit.bench import CORRELATED, LEAST_ROWS, PREDICTORS, Bench, basis, nearness
from holdgood.core.threads import thread_limit


def by_the_beginning(made: Bench, share: float) -> dict[int, np.ndarray]:
    """What columns should be, plainly, in each row of the bench, as the first ``share`` of the time has it.

    By position in the scales; columns with which little goes along are left out, and all of them without a clock.
    """
    if made.clock is None:
        return {}
    when = np.full(made.table.rows, np.nan)
    when[made.clock.order] = made.clock.moments
    first, last = float(made.clock.moments.min()), float(made.clock.moments.max())
    with np.errstate(invalid="ignore"):
        early = when[made.rows] <= first + share * (last - first)
    if early.sum() < LEAST_ROWS:
        return {}
    near = nearness(made.z[:, early])
    out = {}
    with thread_limit(1, "blas"):
        for i in range(len(made.scales)):
            guess = _as_it_began(made, i, near[i], early)
            if guess is not None:
                out[i] = guess
    return out


def _as_it_began(made: Bench, i: int, near: np.ndarray, early: np.ndarray) -> np.ndarray | None:
    order = np.argsort(-np.abs(near), kind="stable")[:PREDICTORS]
    predictors = [int(j) for j in order if abs(near[j]) >= 2 * CORRELATED]
    if not predictors and not len(made.season):
        return None
    features = np.concatenate([basis(made.z[predictors].astype(np.float64)), made.season.T], axis=1)
    there = early & np.isfinite(made.values[i])
    if there.sum() < LEAST_ROWS:
        return None
    ridge = 1e-3 * there.sum() * np.eye(features.shape[1])
    ridge[4 * len(predictors), 4 * len(predictors)] = 1e-9
    mine, y = features[there], made.values[i][there]
    weights = np.linalg.solve(mine.T @ mine + ridge, mine.T @ y)
    if not float(np.std(y - mine @ weights)) < 0.9 * float(np.std(y)):
        return None
    guess: np.ndarray = features @ weights
    return guess
