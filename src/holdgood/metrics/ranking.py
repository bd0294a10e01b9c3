"""How well chances rank: area under the ROC curve, average precision, and the two curves. Binary ``y`` in 0/1, (n,)."""

from __future__ import annotations

import math

import numpy as np


def midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties sharing their mean rank; O(n log n).

    >>> midranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    order = np.argsort(values)  # equals share a rank: the order among them does not matter, and this sort is the faster
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(values) else np.zeros(0, np.int64)
    ends = np.r_[starts[1:], len(values)]
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((starts + ends + 1) / 2.0, ends - starts)
    return ranks


def roc_auc(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Chance that a positive is ranked above a negative, ties counting half (Mann-Whitney); NaN with one class only."""
    if weight is not None:
        return _weighted_auc(y, score, weight)
    positive = y == 1
    m = int(np.count_nonzero(positive))
    n = len(y) - m
    if m == 0 or n == 0:
        return math.nan
    return float((np.sum(midranks(score)[positive]) - m * (m + 1) / 2.0) / (m * n))


def _weighted_auc(y: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """The same with pairs that count as much as the product of their weights."""
    _, true, false = cumulative(y, score, weight)
    if len(true) == 0 or true[-1] <= 0 or false[-1] <= 0:
        return math.nan
    passed = np.diff(
        false, prepend=0.0
    )  # negatives at each cut lie below all positives above it, beside half of its own
    wins = passed * (true - np.diff(true, prepend=0.0) / 2.0)
    return float(np.sum(wins) / (true[-1] * false[-1]))


def cumulative(
    y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct scores from high to low, with true and false positives when acting on that score and above.

    With ``weight`` rows count as much as they weigh; those of no weight make no cut.
    """
    if weight is not None and not weight.all():
        there = weight > 0
        y, score, weight = y[there], score[there], weight[there]
    order = np.argsort(-score)  # only counts after the last of equals are kept: their order does not matter
    ordered, hits = score[order], (y[order] == 1).astype(np.int64)
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True]) if len(y) else np.zeros(0, np.int64)
    if weight is not None:
        counted = weight[order]
        true = np.cumsum(counted * hits)[last]
        return ordered[last], true, np.cumsum(counted * (1 - hits))[last]
    true = np.cumsum(hits)[last]
    return ordered[last], true, last + 1 - true


def average_precision(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Precision averaged over the steps of recall, without interpolation; NaN with no positive."""
    _, true, false = cumulative(y, score, weight)
    if len(true) == 0 or true[-1] == 0:
        return math.nan
    return float(np.sum(np.diff(true, prepend=0) * (true / (true + false))) / true[-1])


def _thin(n: int, points: int, key: np.ndarray) -> np.ndarray:
    """At most ``points`` positions of n, first and last among them, even along ``key`` (which never falls)."""
    if n <= points:
        return np.arange(n)
    wanted = np.linspace(key[0], key[-1], points)
    picked = np.unique(np.r_[0, np.clip(np.searchsorted(key, wanted), 0, n - 1), n - 1])
    return picked if len(picked) <= points else picked[np.linspace(0, len(picked) - 1, points).astype(np.int64)]


def roc_curve(y: np.ndarray, score: np.ndarray, points: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False-positive rate, true-positive rate, thresholds, thinned for plots; begins at (0, 0) with infinity."""
    cuts, true, false = cumulative(y, score)
    cuts, true, false = np.r_[np.inf, cuts], np.r_[0, true], np.r_[0, false]
    keep = _thin(len(cuts), points, (true / max(int(true[-1]), 1) + false / max(int(false[-1]), 1)))
    with np.errstate(invalid="ignore"):
        return (false / np.float64(false[-1]))[keep], (true / np.float64(true[-1]))[keep], cuts[keep]


def pr_curve(y: np.ndarray, score: np.ndarray, points: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Recall, precision and thresholds from the highest score down, thinned for plots."""
    cuts, true, false = cumulative(y, score)
    if len(cuts) == 0:
        return cuts, cuts, cuts
    keep = _thin(len(cuts), points, true / max(int(true[-1]), 1) + (true + false) / len(y))
    with np.errstate(invalid="ignore"):
        return (true / np.float64(true[-1]))[keep], (true / (true + false))[keep], cuts[keep]
