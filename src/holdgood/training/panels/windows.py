"""Paths for slow movers: windows of a series' own past, whole, so that zeros, sizes and their order stay what they are.

For demand that is mostly zero, errors around a point forecast say little: the outcome is zero or a parcel. Which of both ways is
used for a kind of demand is decided by CRPS at past origins. Bootstrap of own demand: Willemain, Smart & Schwarz (2004), without
their Markov step, since whole windows keep the order.
"""

from __future__ import annotations

import zlib

import numpy as np

from holdgood.core.panel import Panel
from holdgood.metrics.series import crps

SLOW = (2, 3)
"""Segments that are looked at: intermittent and lumpy."""
LEAST_WINDOWS = 8
ROWS = 400
SAMPLES = 100


def windows(panel: Panel, point: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """(series, samples, horizon) drawn from each series' own past, scaled towards its forecast; NaN where it is too short."""
    horizon = point.shape[1]
    out = np.full((len(panel), samples, horizon), np.nan)
    for i, y in enumerate(panel.series()):
        seen = y[~np.isnan(y)]
        count = len(seen) - horizon + 1
        if count < LEAST_WINDOWS:
            continue
        rng = np.random.default_rng([seed, 2, zlib.crc32(str(panel.ids[i]).encode())])
        begins = ((np.arange(samples) + rng.random(samples)) / samples * count).astype(np.int64)
        drawn = seen[rng.permutation(begins)[:, None] + np.arange(horizon)]
        usual, ahead = float(seen.mean()), float(point[i].mean())
        # a median forecast of zero says nothing of the level
        factor = np.clip(ahead / usual, 0.5, 2.0) if usual > 0 and ahead > 0.1 * usual else 1.0
        out[i] = drawn * factor
    return out


def better_by_windows(
    panel: Panel, segment: np.ndarray, point: np.ndarray, y: np.ndarray, others: np.ndarray, seed: int
) -> frozenset[int]:
    """Segments whose outcomes ``y`` (series, horizon) own windows foretold better than ``others`` (series, samples, horizon).

    By CRPS of steps and of the sum over the horizon, each over its mean, on series that have windows and all outcomes.
    """
    own = windows(panel, point, others.shape[1], seed)
    chosen = set()
    for code in SLOW:
        rows = np.flatnonzero((segment == code) & ~np.isnan(own[:, 0, 0]) & ~np.isnan(y).any(axis=1))
        if len(rows) < LEAST_WINDOWS:
            continue
        scores = [_scores(y[rows], paths[rows]) for paths in (own, others)]
        ratios = [one / two for one, two in zip(*scores, strict=True) if two > 0]
        if ratios and float(np.mean(ratios)) < 1.0:
            chosen.add(code)
    return frozenset(chosen)


def _scores(y: np.ndarray, paths: np.ndarray) -> tuple[float, float]:
    steps = float(crps(y, np.swapaxes(paths, 1, 2)).mean())
    return steps, float(crps(y.sum(axis=1), paths.sum(axis=2)).mean())
