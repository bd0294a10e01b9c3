"""Performance before outcomes are known. Assumption, said wherever the number is: what facts say of outcomes has not changed.

Only who comes may have changed (covariate shift). If outcomes themselves changed, the estimate is wrong and outcomes will
show it; ``late_mean`` then tells.
"""

from __future__ import annotations

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.protocols import Learner
from holdgood.core.records.common import Interval
from holdgood.metrics.quantile import normal_quantile, t_quantile

ASSUMES = "assumes that the same facts still lead to the same outcomes; only who comes may have changed"
DRAWS = 400
FOLDS = 5
_EDGE = 1e-6


def from_chances(
    stated: np.ndarray, loss_if: np.ndarray, pairs: np.ndarray, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Mean loss that outcomes of rows with ``stated`` chances (n,) will show; ``loss_if`` (n, 2) if 0 and if 1.

    ``pairs`` (r, 2): stated chances and outcomes that the model did not learn from. They fit a logistic calibration
    (slope and intercept); the interval holds its uncertainty (normal draws by its Fisher information) and that of the
    outcomes themselves. In the manner of confidence-based performance estimation.
    """
    weights, covariance = _calibration(pairs)
    at = _design(stated)
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(2))
    drawn = weights + np.random.default_rng(seed).standard_normal((DRAWS, 2)) @ root.T
    gap, base = loss_if[:, 1] - loss_if[:, 0], float(loss_if[:, 0].mean())
    chance = _sigmoid(at @ weights)
    value = base + float(np.mean(chance * gap))
    means = np.array([base + float(np.mean(_sigmoid(at @ w) * gap)) for w in drawn])
    outcomes = float(np.sum(chance * (1.0 - chance) * np.square(gap))) / len(stated) ** 2
    half = normal_quantile((1 + level) / 2) * float(np.sqrt(means.var() + outcomes))
    return Interval(
        value=value, low=value - half, high=value + half, level=level, n=len(stated),
        method=f"from calibrated chances ({len(pairs):,} rows calibrate); {ASSUMES}",
    )  # fmt: skip


def from_losses(
    learner: Learner, reference: Frame, losses: np.ndarray, current: Frame, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Mean loss that outcomes will show, by a model of the reference's ``losses`` (n,) from its features.

    Learned on all folds but one, in turn; the jackknife over folds gives the uncertainty of what was learned, the
    residuals out of fold that of the outcomes.
    """
    fold = np.random.default_rng(seed).permutation(len(reference)) % FOLDS
    means, left = [], []
    for k in range(FOLDS):
        learned, judged = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        scorer = learner(reference.take(learned), losses[learned])
        off = losses[judged] - scorer.predict(reference.take(judged))
        left.append(off)
        means.append(float(scorer.predict(current).mean()))
    residual = np.concatenate(left)
    value = float(np.mean(means)) + float(residual.mean())
    jackknife = (FOLDS - 1.0) / FOLDS * float(np.sum(np.square(np.array(means) - np.mean(means))))
    noise = float(residual.var()) * (1.0 / len(reference) + 1.0 / len(current))
    half = t_quantile((1 + level) / 2, 2.0 * (FOLDS - 1)) * float(np.sqrt(jackknife + noise))
    return Interval(
        value=value, low=value - half, high=value + half, level=level, n=len(current),
        method=f"from a model of losses ({len(reference):,} rows taught it); {ASSUMES}",
    )  # fmt: skip


def _design(stated: np.ndarray) -> np.ndarray:
    s = np.clip(stated, _EDGE, 1.0 - _EDGE)
    return np.stack([np.ones(len(s)), np.log(s / (1.0 - s))], axis=1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    chance: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))
    return chance


def _calibration(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (2,) and covariance (2, 2) of a logistic fit, drawn a little towards 'already calibrated'."""
    at, y = _design(pairs[:, 0]), pairs[:, 1]
    start = np.array([0.0, 1.0])
    ridge = np.diag([0.1, 0.1])
    weights = start.copy()
    for _ in range(50):
        chance = _sigmoid(at @ weights)
        information = at.T @ (at * (chance * (1.0 - chance))[:, None]) + ridge
        step = np.linalg.solve(information, at.T @ (y - chance) - ridge @ (weights - start))
        weights = weights + np.clip(step, -2.0, 2.0)
        if float(np.max(np.abs(step))) < 1e-9:
            break
    chance = _sigmoid(at @ weights)
    return weights, np.linalg.inv(at.T @ (at * (chance * (1.0 - chance))[:, None]) + ridge)
