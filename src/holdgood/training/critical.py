"""How clear a gain must be where several rungs, each the best of several configurations, are looked at together.

Under no gain at all, the paired gains of all configurations are nearly normal with the covariance seen in the rows. The whole way
of looking (pick a rung's winner for each part on the other parts, sum its gains, divide by the standard error, take the largest
over the rungs) is replayed on draws from that distribution, and what it exceeds with the stated probability is the critical
value. That pays for the number of rungs no more than they differ (max-t: Westfall & Young 1993; Romano & Wolf 2005), and pays for
picking a winner, which makes a cross-fitted gain scatter more than its rows tell. Where a search stopped proposals early, the
races that did it are a part of the way of looking, and are replayed too (see ``replay``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from holdgood.metrics.interval import cluster_sums
from holdgood.training.races import Races
from holdgood.training.replay import Look, largest_raced, normal
from holdgood.training.score import Judge

FEWEST_DRAWS, MOST_DRAWS = 2_000, 20_000
NUMBERS = 400_000
"""Draws are as many as this many numbers make, within the bounds above."""
MOST_ROWS = 20_000
"""Correlations are seen on at most this many rows, evenly spread (clusters: on all)."""


def joint_level(judge: Judge, looks: Sequence[Look], alpha: float, races: Races | None = None) -> float:
    """The level of ``Judge.gain`` at which any of ``looks`` is called better with probability ``alpha`` where none is.

    One-sided: a step that is called worse costs nothing, so that the level of the two-sided interval is 1 - 2 p, with p
    between ``alpha`` (one look at one configuration, or looks that say the same) and what the looks together can bear.
    ``races``: those of the search, where it stopped proposals; they are replayed with the rest.
    """
    sizes = [len(tries) for tries, _ in looks]
    if races is not None:
        largest = largest_raced(judge, looks, races, _draws, MOST_ROWS)
    elif sizes == [1]:
        return 1.0 - 2.0 * alpha
    else:
        largest = _largest(_covariance(judge, looks), sizes, _shares(judge.parts, max(sizes)))
    # a standard error of the draws on top: their chance may cost power, never the level
    share = min(1.0, 1.0 - alpha + math.sqrt(alpha * (1.0 - alpha) / len(largest)))
    p = 0.5 * math.erfc(float(np.quantile(largest, share)) / math.sqrt(2.0))
    return 1.0 - 2.0 * round(min(p, alpha), 6)


def _covariance(judge: Judge, looks: Sequence[Look]) -> np.ndarray:
    """Covariance of the gains of all configurations of all looks, (t, t), up to a factor."""
    n, clusters = len(judge.y), judge.clusters
    thin = slice(None) if clusters is not None or n <= MOST_ROWS else np.linspace(0, n - 1, MOST_ROWS).astype(np.int64)
    known: dict[int, np.ndarray] = {}

    def units(prediction: np.ndarray) -> np.ndarray:
        if id(prediction) not in known:
            known[id(prediction)] = cluster_sums(judge.influence(prediction)[thin], clusters)
        return known[id(prediction)]

    gains = np.array([units(one) - units(below) for tries, below in looks for one in tries])
    gains -= gains.mean(axis=1, keepdims=True)
    gains /= np.max(np.abs(gains)) or 1.0
    found: np.ndarray = gains @ gains.T
    return found


def _shares(parts: np.ndarray, most: int) -> np.ndarray:
    """Share of the rows in each part; one part where no rung has anything to pick."""
    if most == 1:
        return np.ones(1)
    counts = np.unique(parts, return_counts=True)[1]
    shares: np.ndarray = counts / counts.sum()
    return shares


def _draws(numbers: int) -> int:
    """How many draws of so many numbers each."""
    return max(FEWEST_DRAWS, min(MOST_DRAWS, NUMBERS // numbers))


def _largest(covariance: np.ndarray, sizes: Sequence[int], shares: np.ndarray) -> np.ndarray:
    """Draws of the largest t over the looks under no gain, (draws,); ``sizes``: configurations of each look."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    variance = np.diag(covariance)
    gains = (normal(_draws(len(shares) * len(variance)), len(shares), len(variance)) @ root.T) * np.sqrt(shares)[
        :, None
    ]
    whole = gains.sum(axis=1)
    best = np.full(len(whole), -np.inf)
    first = 0
    for size in sizes:
        mine = slice(first, first + size)
        first += size
        if not np.all(variance[mine] > 0):  # a configuration that says what the one below says
            continue
        if size == 1 or len(shares) == 1:
            t = (whole[:, mine] / np.sqrt(variance[mine])).max(axis=1)
        else:
            winner = np.argmax(whole[:, None, mine] - gains[:, :, mine], axis=2)
            gain = np.take_along_axis(gains[:, :, mine], winner[:, :, None], axis=2).sum(axis=(1, 2))
            t = gain / np.sqrt(variance[mine][winner] @ shares)
        best = np.maximum(best, t)
    return best if np.isfinite(best).all() else np.zeros(len(best))
