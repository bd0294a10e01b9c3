"""Paths for slow movers: windows of a series' own past, whole, so that zeros, sizes and their order stay what they are.

For demand that is mostly zero, errors around a point forecast say little: the outcome is zero or a parcel. Which of both ways is
used for a kind of demand, and how long a past is remembered, is decided by CRPS at past origins. Windows are not moved to the point
forecast: that is a median, which says nothing of the level. Bootstrap of own demand: Willemain, Smart & Schwarz (2004), without their
Markov step, since whole windows keep the order.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from holdgood.core.panel import Panel
from holdgood.metrics.series import crps

SLOW = (2, 3)
"""Segments that are looked at: intermittent and lumpy."""
LEAST_WINDOWS = 8
MEMORIES = (math.inf, 0.5, 0.2)
"""Shares of a history after which a window counts half; the same at all times first."""
ROWS = 400
SAMPLES = 100


def windows(panel: Panel, samples: int, horizon: int, seed: int, memory: float = math.inf) -> np.ndarray:
    """(series, samples, horizon) drawn from each series' own past; NaN where it is too short.

    ``memory``: after this share of a history a window counts half. Windows are drawn around a level that is itself known from so many
    steps alone: each path is stretched at random by what the mean of these steps may be off.
    """
    out = np.full((len(panel), samples, horizon), np.nan)
    for i, y in enumerate(panel.series()):
        seen = y[~np.isnan(y)]
        count = len(seen) - horizon + 1
        if count < LEAST_WINDOWS:
            continue
        rng = np.random.default_rng([seed, 2, zlib.crc32(str(panel.ids[i]).encode())])
        weight = 0.5 ** (np.arange(count)[::-1] / (memory * len(seen)))
        reached = np.cumsum(weight) / weight.sum()
        draws = (np.arange(samples) + rng.random(samples)) / samples
        begins = np.minimum(np.searchsorted(reached, draws, side="right"), count - 1)
        drawn = seen[rng.permutation(begins)[:, None] + np.arange(horizon)]
        out[i] = drawn * _levels(seen, weight, samples, rng)[:, None]
    return out


def _levels(seen: np.ndarray, weight: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Factors (samples,) of mean one: the level of a series given its past, by the standard error of its mean (a gamma's)."""
    mean, steps = float(seen.mean()), weight.sum() ** 2 / np.square(weight).sum()
    if mean <= 0 or not (spread := float(seen.var()) / (steps * mean**2)):
        return np.ones(samples)
    factors: np.ndarray = rng.gamma(1 / spread, spread, samples)
    return factors


def better_by_windows(
    panel: Panel, segment: np.ndarray, y: np.ndarray, others: np.ndarray, seed: int
) -> dict[int, float]:
    """Segments whose outcomes ``y`` (series, horizon) own windows foretold better than ``others`` (series, samples, horizon); their memory.

    By CRPS of steps and of the sum over the horizon, each over that of the others, on series that have windows and all outcomes.
    """
    chosen: dict[int, float] = {}
    for code in SLOW:
        at = np.flatnonzero((segment == code) & ~np.isnan(y).any(axis=1))
        best = 1.0
        for memory in MEMORIES:
            own = windows(panel.take(at), others.shape[1], y.shape[1], seed, memory)
            there = ~np.isnan(own[:, 0, 0])
            if there.sum() < LEAST_WINDOWS:
                break
            scores = [_scores(y[at[there]], paths) for paths in (own[there], others[at[there]])]
            ratios = [one / two for one, two in zip(*scores, strict=True) if two > 0]
            if ratios and float(np.mean(ratios)) < best:
                chosen[code], best = memory, float(np.mean(ratios))
    return chosen


def _scores(y: np.ndarray, paths: np.ndarray) -> tuple[float, float]:
    steps = float(crps(y, np.swapaxes(paths, 1, 2)).mean())
    return steps, float(crps(y.sum(axis=1), paths.sum(axis=2)).mean())
