"""How two features go together before and in use, held against the same rows with their sides dealt anew: exact where rows are exchangeable."""

from __future__ import annotations

import numpy as np

DRAWS, FEWEST_DRAWS, WORK = 10_000, 2_000, 2e9
"""Deals; fewer, but so many, where rows and pairs are so many that more than ``WORK`` numbers would be added up."""

_AT_ONCE, _FLAT = 200, 1e-9
_SAME = 1.0 - 1e-6
"""Sums are rounded: what is as large up to that is as large."""


def relabelled(values: np.ndarray, n: int, left: np.ndarray, right: np.ndarray, seed: int) -> np.ndarray:
    """Step-down p (pairs,) of the difference of covariance between the first ``n`` rows of ``values`` (rows, features) and the rest.

    Every deal is measured as the true one is, each side about its own means, and the true one is counted in (Westfall & Young 1993):
    p is at most a with probability at most a for every a, whatever the distribution. Where no deal is as large, p is 0 and not
    one of so many: how small it is deals cannot say.
    """
    values = values - values.mean(axis=0)
    features, rows = values.shape[1], len(values)
    both = np.concatenate([values, values[:, left] * values[:, right]], axis=1).astype(np.float32)
    spread = both[:, features:].std(axis=0, dtype=np.float64)
    spread[spread < _FLAT] = 1.0
    few = min(n, rows - n)
    total = both.sum(axis=0, dtype=np.float64)

    def moved(sums: np.ndarray) -> np.ndarray:
        """How far the smaller side's covariances lie from the other's, in spreads, (deals, pairs), from its sums."""
        gap = np.zeros((len(sums), len(left)))
        for of, sign, count in ((sums, 1.0, few), (total - sums, -1.0, rows - few)):
            gap += sign * (of[:, features:] - of[:, left] * of[:, right] / count) / (count - 1.0)
        return np.asarray(np.abs(gap) / spread)

    mine = both[:n] if few == n else both[n:]
    seen = moved(mine.sum(axis=0, dtype=np.float64)[None, :])[0]
    order = np.argsort(-seen, kind="stable")
    rng = np.random.default_rng(seed)
    draws = int(np.clip(WORK / (few * both.shape[1]), FEWEST_DRAWS, DRAWS))
    as_large = np.zeros(len(seen))
    for first in range(0, draws, _AT_ONCE):
        deals = range(min(_AT_ONCE, draws - first))
        sums = np.stack([both[rng.choice(rows, few, replace=False, shuffle=False)].sum(axis=0) for _ in deals])
        dealt = moved(sums.astype(np.float64))[:, order]
        # The largest of this pair and all that moved less, for every deal.
        largest = np.maximum.accumulate(dealt[:, ::-1], axis=1)[:, ::-1]
        as_large += (largest >= _SAME * seen[order]).sum(axis=0)
    p = np.empty(len(seen))
    p[order] = np.maximum.accumulate(np.where(as_large > 0, (1.0 + as_large) / (1.0 + draws), 0.0))
    return p
