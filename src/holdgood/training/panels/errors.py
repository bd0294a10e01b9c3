"""How large a series' errors will be, and of what shape: learned from backtests, drawn as whole trajectories.

A trajectory of errors over all steps is kept together, so that sums over a lead time spread as they did. Sizes differ between
series: the logarithm of a row's mean absolute error is regressed on what was known at its origin (naive scale, level, length), and
trajectories are kept in units of the fitted size. Draws come from rows of the same segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel

LEAST = 60
"""Trajectories of a segment, below which all segments are drawn from together."""
MOST = 4_000
"""Trajectories kept in all: what a bundle carries."""
RIDGE = 1e-3
SHARED = 0.25
"""Allowance for shocks that all series share at an origin: sizes are widened by this over the number of origins a series has seen.

Errors at few origins tell little of the spread between origins. The number was set on held-out ends of the training rows of three
public panels (1.2, 2 and 8 origins a series), where intervals without it covered too little.
"""


def traits(panel: Panel, point: np.ndarray) -> np.ndarray:
    """What the size of a row's errors is guessed from, (series, 5): one, logs of naive steps, level, forecast, and length."""
    out = np.ones((len(panel), 5))
    season = panel.season
    for i, y in enumerate(panel.series()):
        seen = y[~np.isnan(y)][-max(4 * season, 60) :]
        steps = np.abs(np.diff(seen)).mean() if len(seen) > 1 else 0.0
        level = np.abs(seen[-max(season, 8) :]).mean() if len(seen) else 0.0
        ahead = float(np.abs(point[i]).mean())
        least = 1e-3 * max(level, ahead, 1e-9) + 1e-9
        out[i, 1:] = np.log([steps + least, level + least, ahead + least, len(seen) + 1.0])
    return out


@dataclass(frozen=True)
class Sizes:
    """Coefficients (5,) of the log of the mean absolute error on the traits."""

    coefficients: np.ndarray

    @classmethod
    def learned(cls, traits: np.ndarray, errors: np.ndarray) -> Sizes:
        """From traits (rows, 5) and errors (rows, horizon) with NaN where there was no outcome."""
        there = ~np.isnan(errors)
        mean = np.where(there, np.abs(errors), 0.0).sum(axis=1) / np.maximum(1, there.sum(axis=1))
        use = there.any(axis=1) & (mean > 0)
        if use.sum() < 10:  # too few to learn from: proportional to the naive steps
            ratio = np.log(mean[use]) - traits[use, 1] if use.any() else np.zeros(1)
            return cls(np.array([float(ratio.mean()), 1.0, 0.0, 0.0, 0.0]))
        x, y = traits[use], np.log(mean[use])
        centre = x[:, 1:].mean(axis=0)
        z = x[:, 1:] - centre
        slope = np.linalg.solve(z.T @ z + RIDGE * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean()))
        return cls(np.r_[y.mean() - centre @ slope, slope])

    def widened(self, origins: float) -> Sizes:
        """With the allowance for shared shocks, for a mean number of origins a series."""
        return Sizes(self.coefficients + np.r_[np.log1p(SHARED / origins), np.zeros(len(self.coefficients) - 1)])

    def of(self, traits: np.ndarray) -> np.ndarray:
        """Expected size of the errors, (rows,)."""
        size: np.ndarray = np.exp(traits @ self.coefficients)
        return size


@dataclass(frozen=True)
class Trajectories:
    """Errors in units of their size, (kept, horizon), without gaps; ``segment`` (kept,)."""

    units: np.ndarray
    segment: np.ndarray

    @classmethod
    def kept(cls, errors: np.ndarray, sizes: np.ndarray, segment: np.ndarray, seed: int) -> Trajectories:
        """Of errors (rows, horizon) those without gaps, at most MOST of them, drawn evenly over segments."""
        whole = np.flatnonzero(~np.isnan(errors).any(axis=1))
        rng = np.random.default_rng(seed)
        if len(whole) > MOST:
            whole = np.sort(rng.choice(whole, MOST, replace=False))
        return cls(errors[whole] / sizes[whole, None], segment[whole])

    def draw(self, segment: np.ndarray, samples: int, horizon: int, seed: int) -> np.ndarray:
        """(rows, samples, horizon) in units of size; stratified, so that few samples spread as many would."""
        out = np.empty((len(segment), samples, horizon))
        for code in np.unique(segment):
            pool = np.flatnonzero(self.segment == code)
            pool = pool if len(pool) >= LEAST else np.arange(len(self.units))
            place = np.flatnonzero(segment == code)
            rng = np.random.default_rng([seed, int(code)])
            order = pool[np.argsort(self.units[pool].sum(axis=1), kind="stable")]
            strata = (np.arange(samples) + rng.random((len(place), samples))) / samples
            out[place] = self.units[order[(strata * len(order)).astype(np.int64)]][:, :, :horizon]
        return out
