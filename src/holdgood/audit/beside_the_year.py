"""What the other columns and a yearly wave leave of a trace, where the data are too short to know their season.

Of a year or so the season alone cannot be told from a drift. But weather moves together: what the other columns say, day by day,
takes most of the season away, and one wave of a year takes what is left. The drift is fitted jointly with both, so that none
eats the other, and its standard error is that beside the wave: where a wave would do as well, the t value is small.
"""

from __future__ import annotations

import math

import numpy as np

from holdgood.audit.breaks import RELATED
from holdgood.audit.timeline import YEAR
from holdgood.audit.traces import YEARS, Traces

LEAST_YEARS = 0.85  # of data; of less a piece of a wave looks like a drift
RIDGE = 0.01  # a row, for the other columns


def beside_the_year(t: Traces, filled: np.ndarray, numbers: np.ndarray, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """(bins, traces) values without the other columns' and the wave's part, and (traces,) t values of a bend at the middle.

    ``filled``: the traces without empty bins; ``numbers``: which of them are numbers, the others are left NaN; ``blocks``: means of
    so many stretches are taken as independent for the t value. NaN and 0 where there is no second number, too little time, or so much that
    the season is known without this.
    """
    n = len(filled)
    out, surely = np.full_like(filled, np.nan), np.zeros(filled.shape[1])
    some = np.flatnonzero(numbers & np.isfinite(filled).all(0) & (np.ptp(filled, axis=0) > 0))
    if not LEAST_YEARS <= t.years < YEARS or not 2 <= len(some) <= min(RELATED, n // 5):
        return out, surely
    z = filled[:, some] - filled[:, some].mean(0)
    z = z / z.std(0)
    angle = np.pi * (t.edges[:-1] + t.edges[1:]) / YEAR
    ramp = np.maximum(np.linspace(-1.0, 1.0, n), 0.0)
    free = np.stack([np.ones(n), ramp, np.cos(angle), np.sin(angle)], axis=1)
    edges = np.linspace(0, n, blocks + 1).round().astype(int)
    coarse = _means(free, edges)
    variance = np.linalg.pinv(coarse.T @ coarse)[1, 1]
    for i, j in enumerate(some):
        others = np.delete(z, i, axis=1)
        others = np.hstack([others, others**2 - 1.0])
        design = np.hstack([free, others])
        ridge = np.full(design.shape[1], RIDGE * n)
        ridge[: free.shape[1]] = 1e-6 * n
        weights = np.linalg.solve(design.T @ design + np.diag(ridge), design.T @ z[:, i])
        left = z[:, i] - others @ weights[4:]
        out[:, j] = (left - free[:, 2:] @ weights[2:4]) * filled[:, j].std()
        level = _means(left[:, None], edges)[:, 0]
        fitted = np.linalg.lstsq(coarse, level, rcond=None)[0]
        error = float(((level - coarse @ fitted) ** 2).sum()) / (blocks - 4) * variance
        surely[j] = abs(float(fitted[1])) / math.sqrt(max(error, 1e-18))
    return out, surely


def _means(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.asarray(np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None])
