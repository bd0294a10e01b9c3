"""Performance before outcomes are known. Assumption, said wherever the number is: the same facts lead to the same outcomes.

Who comes may have changed, as far as the reference knows such rows: what is ``unlike`` it widens the interval by the best
and the worst that could come of it, and much of it leaves no number at all. If outcomes themselves changed, the estimate is wrong
and outcomes will show it; ``late_mean`` then tells.
"""

from __future__ import annotations

import numpy as np

from holdgood.core.records.common import Interval
from holdgood.metrics.quantile import normal_quantile, t_quantile

ASSUMES = "assumes that the same facts still lead to the same outcomes; only who comes may have changed"
MOST_UNLIKE = 0.1
"""With a larger share of rows that the reference hardly knows there is no estimate."""

DRAWS = 400
NEAR, POINTS, EDGE = 0.05, 200, 5
FURTHER = 0.5
"""A model of losses draws what it expects towards their mean: where others come, losses move further than it says. So much of the
estimated move may be missing (found by simulation, ``benchmarks/live/estimate.py``); where nothing moved, nothing is added."""

_TINY = 1e-6


def from_chances(
    stated: np.ndarray, loss_if: np.ndarray, pairs: np.ndarray, unlike: np.ndarray, *, level: float = 0.95, seed: int = 0
) -> Interval:  # fmt: skip
    """Mean loss that outcomes of rows with ``stated`` chances (m,) will show; ``loss_if`` (m, 2) if 0 and if 1.

    ``pairs`` (r, 2): stated chances and outcomes that the model did not learn from. They fit a logistic calibration
    (slope and intercept); the interval holds its uncertainty (normal draws by its Fisher information) and that of the
    outcomes themselves, in the manner of confidence-based performance estimation. ``unlike`` (m,) bool: their outcome may be
    either (bounds in the manner of Manski).
    """
    weights, covariance = _calibration(pairs)
    at = _design(stated)
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(2))
    drawn = weights + np.random.default_rng(seed).standard_normal((DRAWS, 2)) @ root.T
    gap, base = loss_if[:, 1] - loss_if[:, 0], float(loss_if[:, 0].mean())
    chance = _sigmoid(at @ weights)
    each = loss_if[:, 0] + chance * gap
    means = np.array([base + float(np.mean(_sigmoid(at @ w) * gap)) for w in drawn])
    outcomes = float(np.sum(chance * (1.0 - chance) * np.square(gap))) / len(stated) ** 2
    half = normal_quantile((1 + level) / 2) * float(np.sqrt(means.var() + outcomes))
    bounds = loss_if.min(axis=1), loss_if.max(axis=1)
    return _told(each, *bounds, half, unlike, level, f"from calibrated chances ({len(pairs):,} rows calibrate)")


def from_expected(expected: np.ndarray, pairs: np.ndarray, unlike: np.ndarray, *, level: float = 0.95) -> Interval:
    """Mean loss that outcomes of rows will show of which a model of losses ``expected`` so much (m,).

    ``pairs`` (r, 2): what it expected of rows that it had not learned from, and the losses that came. A local line through the losses of the
    nearest twentieth of the pairs (Cleveland 1979) makes the estimate a weighted mean of their losses: these weights carry what is
    uncertain about them, losses near each row what is about its own. Beyond the pairs' range a row is taken at its word, as far
    as losses were seen. Such rows, and ``unlike`` ones (m,) bool, may lose as little and as much as any pair did: a bound that the world is
    free to break. The interval reaches ``FURTHER`` where losses moved.
    """
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    known, losses = pairs[:, 0], pairs[:, 1]
    edge = min(EDGE, (len(known) - 1) // 2)
    low, high = known[edge], known[-1 - edge]
    points = np.unique(np.quantile(known, np.linspace(0.0, 1.0, POINTS)))
    line = np.stack([_line(known, x) for x in points])
    left = np.square(losses - np.interp(known, points, line @ losses))
    place = np.clip(expected, low, high)
    right, share = _between(points, place)
    of_row = np.bincount(right, share, len(points)) + np.bincount(np.maximum(right - 1, 0), 1.0 - share, len(points))
    weight = of_row @ line / len(place)
    own = float(np.maximum(line @ left, 0.0) @ of_row) / len(place) ** 2
    each = np.interp(place, points, line @ losses)
    beyond = (expected < low) | (expected > high)
    each = np.where(beyond, np.clip(each + expected - place, losses.min(), losses.max()), each)
    rows = 1.0 / float(np.sum(np.square(weight)))
    half = t_quantile((1 + level) / 2, max(1.0, rows - 2.0)) * float(np.sqrt(np.sum(np.square(weight) * left) + own))
    bounds = np.full(len(place), losses.min()), np.full(len(place), losses.max())
    how = f"from a model of losses ({len(pairs):,} rows calibrate)"
    told = _told(each, *bounds, half, unlike | beyond, level, how)
    more = FURTHER * (told.value - float(losses.mean()))
    return told.model_copy(update={"low": told.low + min(more, 0.0), "high": told.high + max(more, 0.0)})


def _between(points: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The point at or right of each place (m,), and the place's part of the way to it from the point before."""
    right = np.searchsorted(points, place).clip(min(1, len(points) - 1), len(points) - 1)
    gap = points[right] - points[np.maximum(right - 1, 0)]
    return right, np.where(gap > 0, (place - points[np.maximum(right - 1, 0)]) / np.where(gap > 0, gap, 1.0), 1.0)


def _told(
    each: np.ndarray, least: np.ndarray, most: np.ndarray, half: float, unlike: np.ndarray, level: float, how: str
) -> Interval:
    value = float(each.mean())
    low = float(np.minimum(least - each, 0.0)[unlike].sum()) / len(each)
    high = float(np.maximum(most - each, 0.0)[unlike].sum()) / len(each)
    seen = (
        f"; {unlike.mean():.1%} of rows are unlike the reference: the best and the worst was thought of them"
        if unlike.any()
        else ""
    )
    return Interval(
        value=value, low=value - half + low, high=value + half + high, level=level, n=len(each), method=f"{how}{seen}; {ASSUMES}"
    )  # fmt: skip


def _line(known: np.ndarray, x: float) -> np.ndarray:
    """Weights (r,) of sorted ``known`` in a local line's value at x: tricube over the nearest ones, straight weights where all are one."""
    take = min(len(known), max(50, int(NEAR * len(known))))
    first = int(np.clip(np.searchsorted(known, x) - take // 2, 0, len(known) - take))
    near = slice(first, first + take)
    away = known[near] - x
    reach = float(np.abs(away).max()) * 1.0001
    w = np.ones(take) if reach == 0 else np.power(1.0 - np.power(np.abs(away) / reach, 3), 3)
    total, mean = w.sum(), float(w @ away) / float(w.sum())
    spread = float(w @ np.square(away - mean))
    out = np.zeros(len(known))
    slope = -mean * (away - mean) / spread if spread > 1e-12 * max(1.0, reach) ** 2 else 0.0
    out[near] = w * (1.0 / total + slope)
    return out


def _design(stated: np.ndarray) -> np.ndarray:
    s = np.clip(stated, _TINY, 1.0 - _TINY)
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
