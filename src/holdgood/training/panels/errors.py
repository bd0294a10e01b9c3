"""How large a series' errors will be, and of what shape: learned from backtests, drawn as whole trajectories.

A trajectory of errors over all steps is kept together, so that sums over a lead time spread as they did. Sizes differ between
series: the logarithm of a row's mean absolute error is regressed on what was known at its origin (naive scale, level, length), and
trajectories are kept in units of the fitted size. Draws come from rows of the same segment.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.panel import Panel
from holdgood.training.panels.shocks import Shocks

LEAST = 60
"""Trajectories of a segment, below which all segments are drawn from together."""
MOST = 4_000
"""Trajectories kept in all: what a bundle carries."""
FEW_SEEN = 3
"""Observations below which a series says nothing of its own steps and level."""
FEW_KEPT, SIGNED = 40, 10
"""Trajectories below which draws are stretched, and below which their signs are drawn as well."""
RIDGE = 1e-3


def traits(panel: Panel, point: np.ndarray) -> np.ndarray:
    """What the size of a row's errors is guessed from, (series, 5): one, logs of naive steps, level, forecast, and length.

    NaN for steps, level and length of a series with fewer than FEW_SEEN observations: what it would show of its own is noise,
    or nothing (``Sizes`` puts in what others have).
    """
    out = np.ones((len(panel), 5))
    season = panel.season
    count = np.zeros(len(panel), np.int64)
    for i, y in enumerate(panel.series()):
        seen = y[~np.isnan(y)][-max(4 * season, 60) :]
        count[i] = len(seen)
        steps = np.abs(np.diff(seen)).mean() if len(seen) > 1 else 0.0
        level = np.abs(seen[-max(season, 8) :]).mean() if len(seen) else 0.0
        ahead = float(np.abs(point[i]).mean())
        least = 1e-3 * max(level, ahead, 1e-9) + 1e-9
        out[i, 1:] = np.log([steps + least, level + least, ahead + least, len(seen) + 1.0])
    out[count < FEW_SEEN] = np.where([False, True, True, False, True], np.nan, out[count < FEW_SEEN])
    return out


@dataclass(frozen=True)
class Sizes:
    """Coefficients (5,) of the log of the mean absolute error on the traits.

    ``alike`` (3,): medians of the logs of naive steps and of level over the forecast, and of the length, for series that show
    none of their own.
    """

    coefficients: np.ndarray
    alike: np.ndarray = field(default_factory=lambda: np.zeros(3))

    @classmethod
    def learned(cls, traits: np.ndarray, errors: np.ndarray) -> Sizes:
        """From traits (rows, 5) and errors (rows, horizon) with NaN where there was no outcome."""
        there = ~np.isnan(errors)
        mean = np.where(there, np.abs(errors), 0.0).sum(axis=1) / np.maximum(1, there.sum(axis=1))
        own = ~np.isnan(traits).any(axis=1)
        alike = (
            np.median(traits[own][:, [1, 2, 4]] - traits[own, 3:4] * [1.0, 1.0, 0.0], axis=0)
            if own.any()
            else np.zeros(3)
        )
        use = there.any(axis=1) & (mean > 0) & own
        if use.sum() < 10:  # too few to learn from: proportional to the naive steps
            ratio = np.log(mean[use]) - traits[use, 1] if use.any() else np.zeros(1)
            return cls(np.array([float(ratio.mean()), 1.0, 0.0, 0.0, 0.0]), alike)
        x, y = traits[use], np.log(mean[use])
        centre = x[:, 1:].mean(axis=0)
        z = x[:, 1:] - centre
        slope = np.linalg.solve(z.T @ z + RIDGE * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean()))
        return cls(np.r_[y.mean() - centre @ slope, slope], alike)

    def of(self, traits: np.ndarray) -> np.ndarray:
        """Expected size of the errors, (rows,)."""
        whole = traits.copy()
        thin = np.isnan(traits[:, 1])
        whole[np.ix_(thin, [1, 2, 4])] = traits[thin, 3:4] * [1.0, 1.0, 0.0] + self.alike
        size: np.ndarray = np.exp(whole @ self.coefficients)
        return size


@dataclass(frozen=True)
class Trajectories:
    """Errors in units of their size, (kept, horizon), without gaps; ``segment`` and ``origin`` (kept,): codes of both."""

    units: np.ndarray
    segment: np.ndarray
    origin: np.ndarray

    @classmethod
    def kept(
        cls, errors: np.ndarray, sizes: np.ndarray, segment: np.ndarray, origin: np.ndarray, seed: int
    ) -> Trajectories:
        """Of errors (rows, horizon) at most MOST, drawn evenly; with gaps only where hardly any are without.

        A gap takes the error of another row at the same step; a step without any error, one of the same row.
        """
        units = errors / sizes[:, None]
        there = ~np.isnan(units)
        rows = np.flatnonzero(there.all(axis=1))
        rng = np.random.default_rng(seed)
        if len(rows) < LEAST:
            rows = np.flatnonzero(there.any(axis=1))
        if len(rows) > MOST:
            rows = np.sort(rng.choice(rows, MOST, replace=False))
        if not len(rows):  # nothing was ever judged: as wide as the naive steps
            return cls(np.array([[-1.25], [0.0], [1.25]]) * np.ones(errors.shape[1]), *np.zeros((2, 3), np.int64))
        return cls(_filled(units[rows], rng), segment[rows], origin[rows])

    def draw(self, segment: np.ndarray, ids: np.ndarray, samples: int, horizon: int, seed: int) -> np.ndarray:
        """(rows, samples, horizon) in units of size; stratified, so that few samples spread as many would.

        Each series draws by its own id: in an order of its own, whatever stands beside it. A trajectory is one that a series had
        for its own, and a shock such as all had (see ``shocks``). Below FEW_KEPT trajectories
        there are no tails to draw from: each draw is stretched by a t's share over a normal's, at random.
        """
        out = np.empty((len(segment), samples, horizon))
        for code in np.unique(segment):
            pool = np.flatnonzero(self.segment == code)
            pool = pool if len(pool) >= LEAST else np.arange(len(self.units))
            few = len(pool) < FEW_KEPT
            units = self.units[pool]
            shocks = Shocks.none(units) if few else Shocks.parted(units, self.origin[pool])
            own = shocks.own[np.argsort(shocks.own.sum(axis=1), kind="stable")]
            for i in np.flatnonzero(segment == code):
                rng = np.random.default_rng([seed, zlib.crc32(str(ids[i]).encode())])
                strata = (np.arange(samples) + rng.random(samples)) / samples
                drawn = own[(strata * len(own)).astype(np.int64)]
                drawn = drawn * _stretch(len(own), samples, rng)[:, None] if few else drawn
                out[i] = (rng.permutation(drawn) + shocks.draw(samples, rng))[:, :horizon]
        return out


def _stretch(kept: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Factors (samples,) that make a draw from few errors as wide as what few errors can tell: root of f over chi-square of f."""
    freedom = max(2, kept - 1)
    signs = rng.choice([-1.0, 1.0], samples) if kept < SIGNED else np.ones(samples)
    factors: np.ndarray = (
        signs * np.abs(rng.normal(1.0, 0.5, samples)) * np.sqrt(freedom / rng.chisquare(freedom, samples))
    )
    return factors


def _filled(units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = units.copy()
    for step in range(units.shape[1]):
        gaps = np.flatnonzero(np.isnan(units[:, step]))
        known = units[~np.isnan(units[:, step]), step]
        if len(gaps) and len(known):
            out[gaps, step] = rng.choice(known, len(gaps))
    for row in np.flatnonzero(np.isnan(out).any(axis=1)):
        known = out[row, ~np.isnan(out[row])]
        out[row] = np.where(np.isnan(out[row]), rng.choice(known, out.shape[1]), out[row])
    return out
