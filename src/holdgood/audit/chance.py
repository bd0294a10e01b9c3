"""Tail probabilities in NumPy and ``math`` only, so that an audit imports no SciPy; the tests compare them with SciPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def chi2_tail(x: float, df: int) -> float:
    """P(X >= x) for chi-squared with ``df`` degrees of freedom: regularised incomplete gamma by series or continued fraction."""
    if df <= 0 or x <= 0 or not math.isfinite(x):
        return 0.0 if x == math.inf and df > 0 else 1.0
    a, z = df / 2.0, x / 2.0
    log_front = a * math.log(z) - z - math.lgamma(a)
    if z < a + 1.0:
        term = total = 1.0 / a
        n = a
        while abs(term) > 1e-16 * abs(total):
            n += 1.0
            term *= z / n
            total += term
        return min(1.0, max(0.0, 1.0 - math.exp(log_front) * total))
    tiny = 1e-300
    b = z + 1.0 - a
    c, d = 1.0 / tiny, 1.0 / b
    h = d
    for i in range(1, 100_000):
        step = -i * (i - a)
        b += 2.0
        d = 1.0 / (step * d + b or tiny)
        c = b + step / c or tiny
        h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return min(1.0, math.exp(log_front) * h)


def normal_tail(z: float) -> float:
    """Two-sided tail of a standard normal: the chance of lying at least as far from zero as ``z``."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def chi2_of_table(table: np.ndarray) -> tuple[float, float]:
    """Pearson's chi-squared test of a contingency table: p-value and Cramér's V. Empty rows and columns are left out."""
    table = np.asarray(table, dtype=np.float64)
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    if min(table.shape) < 2:
        return 1.0, 0.0
    n = table.sum()
    expected = np.outer(table.sum(1), table.sum(0)) / n
    statistic = float(((table - expected) ** 2 / expected).sum())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return chi2_tail(statistic, df), math.sqrt(statistic / (n * (min(table.shape) - 1)))


def ks(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Two-sample Kolmogorov–Smirnov: p-value (asymptotic, with Stephens' correction) and the largest distance."""
    one, two = np.sort(first), np.sort(second)
    if len(one) == 0 or len(two) == 0:
        return 1.0, 0.0
    both = np.concatenate([one, two])
    distance = float(
        np.abs(
            np.searchsorted(one, both, side="right") / len(one) - np.searchsorted(two, both, side="right") / len(two)
        ).max()
    )
    root = math.sqrt(len(one) * len(two) / (len(one) + len(two)))
    return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance), distance


def kolmogorov_tail(x: float) -> float:
    """P(K >= x) of Kolmogorov's distribution."""
    if x < 0.2:
        return 1.0
    terms = (2.0 * (-1.0) ** (k - 1) * math.exp(-2.0 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, math.fsum(terms)))


def log_hypergeometric_tail(hits: int, drawn: int, marked: int, total: int) -> float:
    """Natural logarithm of P(X >= hits): ``drawn`` of ``total`` things are drawn, ``marked`` of them are marked (Fisher, one-sided)."""
    most = min(drawn, marked)
    if hits <= max(0, drawn + marked - total):
        return 0.0
    if hits > most:
        return -math.inf

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    first = log_choose(marked, hits) + log_choose(total - marked, drawn - hits) - log_choose(total, drawn)
    ratio, total_ratio = 1.0, 1.0
    for x in range(hits, most):
        ratio *= (marked - x) * (drawn - x) / ((x + 1) * (total - marked - drawn + x + 1))
        total_ratio += ratio
        if ratio < 1e-17 * total_ratio:
            break
    return min(0.0, first + math.log(total_ratio))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979)."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted
