"""How far two samples lie apart: KS, and chi-squared on the contingency table. Both sides are samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.metrics.quantile import chi2_tail


@dataclass(frozen=True)
class Distance:
    """A statistic and its p-value under 'the same distribution' (NaN where there is nothing to compare)."""

    statistic: float
    p: float


def ks(first: np.ndarray, second: np.ndarray) -> Distance:
    """Two-sample Kolmogorov-Smirnov; NaN values are left out.

    The p-value is the asymptotic one, which is on the safe side for small samples and for ties.
    """
    a, b = np.sort(first[~np.isnan(first)]), np.sort(second[~np.isnan(second)])
    if len(a) == 0 or len(b) == 0:
        return Distance(math.nan, math.nan)
    both = np.concatenate([a, b])
    gap = np.searchsorted(a, both, side="right") / len(a) - np.searchsorted(b, both, side="right") / len(b)
    statistic = float(np.max(np.abs(gap)))
    from scipy.special import kolmogorov  # here, because scipy.special costs 0.2 s at import

    return Distance(statistic, float(kolmogorov(math.sqrt(len(a) * len(b) / (len(a) + len(b))) * statistic)))


def chi2(first: np.ndarray, second: np.ndarray, least: float = 5.0) -> Distance:
    """Chi-squared test of homogeneity of two vectors of counts over the same levels, (levels,) each.

    Levels where fewer than ``least`` rows are expected on either side are pooled, the rarest first. The reference is
    a sample too: its counts stand in the contingency table, they are not taken as exact.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.sum() == 0 or b.sum() == 0:
        return Distance(math.nan, math.nan)
    a, b = _pool(a, b, least)
    if len(a) < 2:
        return Distance(0.0, 1.0)
    total, share = a + b, a.sum() / (a.sum() + b.sum())
    statistic = float(np.sum(np.square(a - total * share) / (total * share * (1 - share))))
    return Distance(statistic, chi2_tail(statistic, len(a) - 1))


def _pool(a: np.ndarray, b: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    total = a + b
    need = least / min(a.sum(), b.sum()) * total.sum()
    order = np.argsort(total, kind="stable")
    a, b, total = a[order], b[order], total[order]
    thin = int(np.count_nonzero(total < need))
    if thin == 0:
        return a, b
    while thin < len(total) and total[:thin].sum() < need:
        thin += 1
    return np.r_[a[:thin].sum(), a[thin:]], np.r_[b[:thin].sum(), b[thin:]]
