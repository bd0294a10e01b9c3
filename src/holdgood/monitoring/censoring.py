"""Outcomes of which only a lower bound is known: how often an outcome as large as a row's would have been known in full."""

from __future__ import annotations

import numpy as np


def known_in_full(amount: np.ndarray, bounded: np.ndarray) -> np.ndarray:
    """Chance (n,) that an outcome of this ``amount`` (n,) is known in full; NaN where nothing is known, or only a bound (``bounded``, (n,) bool).

    Large outcomes are bounded more often than small ones, so that those known in full are no random sample. Each stands for 1 / chance of
    its like (inverse probability of censoring: Robins & Rotnitzky 1992), by Kaplan & Meier's product limit of where bounds lie. It holds where how far a
    row was followed has nothing to do with what came out of it. An outcome that is exactly as large as a bound came before it.

    >>> known_in_full(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, False])).round(3).tolist()
    [1.0, nan, 0.667, 0.667]
    """
    chance = np.full(len(amount), np.nan)
    told = np.isfinite(amount)
    if not told.any():
        return chance
    steps, code = np.unique(amount[told], return_inverse=True)
    ends = np.bincount(code, weights=bounded[told], minlength=len(steps))
    leaving = np.bincount(code, minlength=len(steps))
    followed = len(code) - np.r_[0, np.cumsum(leaving)[:-1]] - (leaving - ends)
    beyond = np.cumprod(1.0 - ends / np.maximum(followed, 1.0))
    full = told & ~bounded
    chance[full] = np.r_[1.0, beyond[:-1]][code[~bounded[told]]]
    return chance
