"""Calibration: is what it states what happens? Stated against observed in bins of equal rows, with a debiased error."""

from __future__ import annotations

import math

import numpy as np

from holdgood.core.records import Calibration, Interval
from holdgood.core.task import Task
from holdgood.metrics.interval import cluster_codes, mean_interval, share_interval
from holdgood.metrics.quantile import t_quantile

BINS = 10
ROWS_A_BIN = 30
CLUSTERS_A_BIN = 8
SIMULATIONS = 499
NEARLY_NORMAL = 100.0
"""Variance of a bin's count from which its outcomes are drawn as one normal number instead of row by row."""


def calibration(
    task: Task, y: np.ndarray, prediction: np.ndarray, clusters: np.ndarray | None, seed: int
) -> Calibration | None:
    """Calibration on the holdout; None below two rows.

    Binary: the chance of the positive class. Multiclass: the chance of the likeliest class against how often it was
    right. Regression: the predicted against the observed mean, and the error in standard deviations of the target.

    ``error`` is the root mean square distance over bins, weighted by rows. The plain estimate is biased upward, because
    the bins' own noise counts as error; the noise is subtracted (Kumar, Liang & Ma 2019), with the covariance of the
    bins taken over clusters where there are any. Its interval is the delta method's on the squared scale, with the
    term that keeps it honest near zero.
    """
    stated, observed = _stated_and_observed(task, y, prediction)
    n = len(stated)
    if n < 2:
        return None
    codes = _bins(stated, clusters)
    counts = np.bincount(codes)
    weight = counts / n
    scale = float(np.std(y)) or 1.0 if task.kind == "regression" else 1.0
    residual = (observed - stated) / scale
    distance = np.bincount(codes, weights=residual) / counts
    covariance, units = _covariance(residual, codes, counts, distance, clusters)
    error = _error(distance, weight, covariance, units, n)
    p = _p(distance, weight, codes, stated, covariance, np.random.default_rng(seed), task, clusters)
    by_bin = [
        _bin_interval(task, observed[codes == b], None if clusters is None else clusters[codes == b])
        for b in range(len(counts))
    ]
    return Calibration(
        stated=tuple(float(v) for v in np.bincount(codes, weights=stated) / counts),
        observed=tuple(i.value for i in by_bin),
        low=tuple(i.low for i in by_bin),
        high=tuple(i.high for i in by_bin),
        counts=tuple(int(c) for c in counts),
        error=error,
        p=p,
        sentence=_sentence(task, error, p),
    )


def _stated_and_observed(task: Task, y: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if task.kind == "binary":
        return prediction.astype(np.float64), (y == 1).astype(np.float64)
    if task.kind == "multiclass":
        return prediction.max(axis=1), (np.argmax(prediction, axis=1) == y).astype(np.float64)
    return prediction.astype(np.float64), y.astype(np.float64)


def _bins(stated: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """Codes of bins of equal rows, (n,), no gaps; equal values share a bin, so the order of rows does not matter.

    Bins are halved in number until each holds rows of several clusters: the spread of one cluster cannot be known.
    """
    bins = max(1, min(BINS, len(stated) // ROWS_A_BIN))
    while True:
        edges = np.unique(np.quantile(stated, np.arange(1, bins) / bins, method="higher"))
        codes = np.unique(np.searchsorted(edges, stated, side="right"), return_inverse=True)[1]
        if clusters is None or bins == 1:
            return codes
        units = cluster_codes(clusters)
        g = int(units.max()) + 1
        if np.bincount(np.unique(codes * g + units) // g).min() >= CLUSTERS_A_BIN:
            return codes
        bins //= 2


def _covariance(
    residual: np.ndarray, codes: np.ndarray, counts: np.ndarray, distance: np.ndarray, clusters: np.ndarray | None
) -> tuple[np.ndarray, int]:
    """Covariance of the bins' distances, (bins, bins), and the number of independent units behind it."""
    within = residual - distance[codes]
    if clusters is None:
        square = np.bincount(codes, weights=np.square(within))
        return np.diag(square / (counts * np.maximum(counts - 1, 1))), len(residual)
    units = cluster_codes(clusters)
    g, b = int(units.max()) + 1, len(counts)
    sums = np.bincount(units * b + codes, weights=within / counts[codes], minlength=g * b).reshape(g, b)
    return np.einsum("ui,uj->ij", sums, sums) * g / max(g - 1, 1), g


def _error(distance: np.ndarray, weight: np.ndarray, covariance: np.ndarray, units: int, n: int) -> Interval:
    noise = float(np.sum(weight * np.diag(covariance)))
    square = float(np.sum(weight * np.square(distance)))
    value = max(0.0, square - noise)
    weighted = weight[:, None] * covariance
    shift = weight * distance
    # variance of a quadratic form of normal distances; the plain estimate of its first term carries noise of its own
    spread = max(0.0, 4.0 * float(shift @ covariance @ shift) - 4.0 * float(np.trace(weighted @ weighted)))
    variance = spread + 2.0 * float(np.trace(weighted @ weighted))
    half = t_quantile(0.975, max(units - 1, 1)) * math.sqrt(variance)
    low, high = math.sqrt(max(0.0, square - noise - half)), math.sqrt(max(0.0, square - noise + half))
    method = f"debiased root mean square over {len(weight)} bins, delta method"
    return Interval(value=math.sqrt(value), low=low, high=high, n=n, method=method)


def _p(
    distance: np.ndarray, weight: np.ndarray, codes: np.ndarray, stated: np.ndarray,
    covariance: np.ndarray, rng: np.random.Generator, task: Task, clusters: np.ndarray | None,
) -> float:  # fmt: skip
    """How often chance alone gives at least this distance.

    Independent rows of a class task: outcomes drawn from the stated chances (or, where every bin varies enough, the
    bins' sums drawn as the normal numbers that they are then). Clusters, or numbers: the bins' distances drawn around
    zero with their own covariance, because no stated chance says how rows hang together.
    """
    found = float(np.sum(weight * np.square(distance)))
    if task.kind == "regression" or clusters is not None:
        values, vectors = np.linalg.eigh(covariance)
        normal = rng.standard_normal((SIMULATIONS, len(weight)))
        drawn = np.einsum("si,ji->sj", normal * np.sqrt(np.clip(values, 0.0, None)), vectors)
        totals = np.square(drawn) @ weight
    else:
        counts = np.bincount(codes)
        chance = np.clip(stated, 0.0, 1.0)
        variance = np.bincount(codes, weights=chance * (1.0 - chance))
        if variance.min() >= NEARLY_NORMAL:
            sums = rng.standard_normal((SIMULATIONS, len(counts))) * np.sqrt(variance)
            return _at_least(found, np.square(sums / counts) @ weight)
        totals = np.empty(SIMULATIONS)
        for s in range(SIMULATIONS):
            outcome = rng.random(len(chance)) < chance
            totals[s] = np.sum(weight * np.square(np.bincount(codes, weights=outcome - chance) / counts))
    return _at_least(found, totals)


def _at_least(found: float, drawn: np.ndarray) -> float:
    return float((1 + np.sum(drawn >= found)) / (1 + len(drawn)))


def _bin_interval(task: Task, observed: np.ndarray, clusters: np.ndarray | None) -> Interval:
    return mean_interval(observed, clusters) if task.kind == "regression" else share_interval(observed, clusters)


def _sentence(task: Task, error: Interval, p: float) -> str:
    verdict = "more than chance explains" if p < 0.05 else "no more than chance explains"
    if task.kind == "regression":
        size = f"{error.value:.2f} standard deviations of the target (95%: {error.low:.2f} to {error.high:.2f})"
        return f"Over bins of equal rows, predicted and observed means differ by {size}: {verdict} (p={p:.2g})."
    size = f"{100 * error.value:.1f} points (95%: {100 * error.low:.1f} to {100 * error.high:.1f})"
    return f"Stated chances differ from what happened by {size}: {verdict} (p={p:.2g})."
