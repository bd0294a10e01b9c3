"""The distribution of one step: from quantiles at fixed levels, or a negative binomial for counts."""

from __future__ import annotations

import numpy as np
from scipy.special import nbdtrik, ndtri
from scipy.stats import nbinom

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
MEDIAN = LEVELS.index(0.5)


def quantile_at(quantiles: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Values at ``ranks`` (n, samples) of distributions given by rising ``quantiles`` (n, levels).

    Linear between levels in normal scores; beyond the last level it goes on with the slope of the last piece.

    >>> quantile_at(np.array([[-2.0, -1.6, -1.3, -0.7, 0.0, 0.7, 1.3, 1.6, 2.0]]), np.array([[0.5, 0.75]])).tolist()
    [[0.0, 0.7]]
    """
    at = ndtri(np.array(LEVELS))
    z = ndtri(np.clip(ranks, 1e-6, 1 - 1e-6))
    piece = np.clip(np.searchsorted(at, z, side="right") - 1, 0, len(at) - 2)
    low = np.take_along_axis(quantiles, piece, axis=1)
    high = np.take_along_axis(quantiles, piece + 1, axis=1)
    result: np.ndarray = low + (high - low) * (z - at[piece]) / (at[piece + 1] - at[piece])
    return result


def rank_of(quantiles: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Probability integral transform of ``values`` (n,), by linear interpolation between ``quantiles`` (n, levels)."""
    out = np.empty(len(values))
    for i, (q, v) in enumerate(zip(quantiles, values, strict=True)):
        out[i] = np.interp(v, q, LEVELS, left=LEVELS[0] / 2, right=1 - LEVELS[0] / 2)
    return out


def counts_at(mean: np.ndarray, dispersion: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Counts at ``ranks`` (n, samples) of negative binomials with ``mean`` and variance mean + dispersion mean² (n,)."""
    size = 1.0 / np.maximum(dispersion, 1e-6)[:, None]
    share = size / (size + np.maximum(mean, 1e-9)[:, None])
    found = np.ceil(nbdtrik(ranks, size, share) - 1e-9)
    result: np.ndarray = np.maximum(np.nan_to_num(found), 0.0)
    return result


def count_rank(mean: np.ndarray, dispersion: np.ndarray, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Randomised probability integral transform of counts ``values`` (n,) (Czado 2009)."""
    size = 1.0 / np.maximum(dispersion, 1e-6)
    share = size / (size + np.maximum(mean, 1e-9))
    below, at = nbinom.cdf(values - 1, size, share), nbinom.pmf(values, size, share)
    result: np.ndarray = below + rng.random(len(values)) * at
    return result
