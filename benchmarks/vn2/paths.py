"""Joint sample paths of demand: a level that is uncertain for all weeks alike, a disturbance a week, and whole units (gamma, gamma, Poisson)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from panel import Sales

EDGES = (0.0, 0.5, 0.8, 1.2, 2.0, 4.0, 10.0, 30.0, np.inf)
YEAR, HALF, SAMPLES = 52, 6, 300
LEAN = 13.0
"""Weeks by which a pair's own spread leans on that of pairs of its size."""


@dataclass(frozen=True)
class Spread:
    """Variance beyond Poisson, as a share of the squared mean, by the log of the mean (k,): in all, and what weeks have in common."""

    log_mean: tuple[float, ...]
    total: tuple[float, ...]
    shared: tuple[float, ...]


def spread_of(means: np.ndarray, outcomes: np.ndarray) -> Spread:
    """From forecasts (m, weeks) and what came; rows with an outcome that nobody saw are left out. By moments."""
    seen = ~np.isnan(outcomes).any(axis=1)
    mean, error = means[seen], outcomes[seen] - means[seen]
    size = mean.mean(axis=1)
    rows: list[tuple[float, float, float]] = []
    pairs = [(i, j) for i in range(mean.shape[1]) for j in range(i)]
    for low, high in itertools.pairwise(EDGES):
        here = (size >= low) & (size < high)
        if here.sum() < 50:
            continue
        e, m = error[here], mean[here]
        total = max(float((e**2 - m).sum() / (m**2).sum()), 0.02)
        common = sum(float((e[:, i] * e[:, j]).sum()) for i, j in pairs)
        shared = common / sum(float((m[:, i] * m[:, j]).sum()) for i, j in pairs)
        rows.append((float(np.log(np.median(size[here]))), total, min(max(shared, 0.005), 0.95 * total)))
    return Spread(*(tuple(column) for column in zip(*rows, strict=True)))


def sample_paths(sales: Sales, means: np.ndarray, spread: Spread, samples: int = SAMPLES) -> np.ndarray:
    """Demand (n, samples, weeks) of the weeks after the last one in ``sales``; the same for the same past."""
    n, weeks = means.shape
    log_mean = np.log(means.mean(axis=1))
    usual, shared = (
        np.exp(np.interp(log_mean, spread.log_mean, np.log(values))) for values in (spread.total, spread.shared)
    )
    excess, squares = own_excess(sales.units[:, -YEAR:])
    of_mean = LEAN * (means**2).mean(axis=1)
    total = np.maximum(excess + of_mean * usual, 0.01 * of_mean) / (squares + of_mean)
    shared = np.minimum(shared * np.clip(total / usual, 0.3, 3.0), 0.95 * total)
    apart = np.maximum((total - shared) / (1 + shared), 1e-3)
    rng = np.random.default_rng(sales.units.shape[1])
    level = rng.standard_gamma(1 / shared[:, None], (n, samples)) * shared[:, None]
    week = rng.standard_gamma(1 / apart[:, None, None], (n, samples, weeks)) * apart[:, None, None]
    return rng.poisson(means[:, None, :] * level[:, :, None] * week).astype(float)


def own_excess(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the weeks of each pair, (n,) both: squared deviations from a centred mean beyond Poisson, and that mean squared."""
    seen = ~np.isnan(units)
    known = np.where(seen, units, 0.0)
    weeks = units.shape[1]
    span = [slice(max(0, k - HALF), min(weeks, k + HALF + 1)) for k in range(weeks)]
    count = np.stack([seen[:, s].sum(1) for s in span], axis=1)
    mean = np.stack([known[:, s].sum(1) for s in span], axis=1) / np.maximum(count, 1)
    # the centred mean has bent to the week itself by one part in its width
    freed = count / np.maximum(count - 1, 1)
    excess = np.where(seen, (known - mean) ** 2 * freed - mean, 0.0).sum(axis=1)
    return excess, np.where(seen, mean**2, 0.0).sum(axis=1)
