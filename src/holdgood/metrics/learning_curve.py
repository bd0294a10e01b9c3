"""What more rows would buy: a power law through losses at growing sizes, with an interval (Hestness 2017; Viering & Loog 2023)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdgood.core.records import Interval
from holdgood.metrics.interval import resample_counts

EXPONENTS = np.linspace(0.1, 1.0, 19)
DRAWS = 400


def power_law(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float, float]:
    """(a, b, c) of a + b * size ** -c with b of zero or more, by least squares; a straight level where losses do not fall."""
    best = (np.inf, float(np.mean(losses)), 0.0, 1.0)
    for c in EXPONENTS:
        x = sizes**-c
        away = x - x.mean()
        b = max(0.0, float(away @ losses) / float(away @ away))
        a = float(np.mean(losses) - b * x.mean())
        error = float(np.sum(np.square(losses - a - b * x)))
        if error < best[0] * (1 - 1e-9):
            best = (error, a, b, float(c))
    return best[1:]


def bought(
    sizes: np.ndarray, losses: np.ndarray, times: Sequence[float], clusters: np.ndarray | None = None, seed: int = 0
) -> list[Interval]:
    """Expected gain in loss from the largest size to each of ``times`` it.

    ``sizes`` (s,) ascending; ``losses`` (s, n): of each row at each size. The interval redraws the rows that are judged (or
    their clusters), not the rows that were learned from: it is narrow for a curve of a few draws.
    """
    largest = float(sizes[-1])

    def gains(mean: np.ndarray) -> np.ndarray:
        _, b, c = power_law(sizes / largest, mean)
        return np.array([b * (1.0 - t**-c) for t in times])

    drawn = np.array(
        [
            gains(losses @ counts / max(counts.sum(), 1.0))
            for counts in resample_counts(losses.shape[1], clusters, seed, DRAWS)
        ]
    )
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return [
        Interval(
            value=float(v),
            low=min(float(lo), float(v)),
            high=max(float(hi), float(v)),
            n=losses.shape[1],
            method=f"power law over {len(sizes)} sizes, {DRAWS} redraws of the rows judged",
        )
        for v, lo, hi in zip(gains(losses.mean(axis=1)), low, high, strict=True)
    ]
