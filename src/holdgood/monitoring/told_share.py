"""Is a share higher than it was? Both sides are samples; weeks that differ by nature widen the test."""

from __future__ import annotations

import math

import numpy as np

from holdgood.core.traffic import DAY


def higher(now: int, of: int, before: int, of_before: int) -> float:
    """One-sided exact p (hypergeometric, Fisher 1935) that ``now`` of ``of`` is no more than ``before`` of ``of_before`` leads to expect.

    >>> round(higher(9, 10, 1, 10), 5)
    0.00055
    """
    if of == 0 or of_before == 0:
        return 1.0
    hits, total = now + before, of + of_before
    k = np.arange(now, min(of, hits) + 1)
    log = [_choose(hits, int(i)) + _choose(total - hits, of - int(i)) - _choose(total, of) for i in k]
    return min(1.0, float(np.sum(np.exp(log))))


def spread_of_days(hits: np.ndarray, when: np.ndarray) -> float:
    """How much more the days' counts vary than independent rows would (at least 1); 1 where there are fewer than 14 days."""
    if len(when) == 0:
        return 1.0
    codes = np.unique(when // DAY, return_inverse=True)[1]
    rows = np.bincount(codes)
    share = float(np.mean(hits))
    if len(rows) < 14 or share in (0.0, 1.0):
        return 1.0
    counts = np.bincount(codes, weights=hits)
    expected = rows * share * (1.0 - share)
    return max(1.0, float(np.sum(np.square(counts - rows * share) / expected)) / (len(rows) - 1.0))


def _choose(n: int, k: int) -> float:
    return -math.inf if k < 0 or k > n else math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
