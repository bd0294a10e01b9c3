"""Shocks that all series share at an origin: a month that was high for everybody, a strike, a warm winter.

Errors of a thousand series at three origins are three such shocks, not three thousand. Drawn as they come they would say that a fourth
shock is like one of the three. So the mean errors of the origins are taken out, and a new shock is drawn around their mean from the
predictive distribution that so few of them allow: a multivariate t in the span of those seen (the textbook's normal model with
unknown mean and covariance; of a single origin the mean stays, and another of its size may come). Where series share nothing, the means
are next to nothing, and so is what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEW_TOGETHER = 5
"""Errors of an origin below which their mean tells of these series, not of a shock."""
LEAST_FREEDOM = 3
"""With three origins or fewer a t would have no variance, or no mean: three degrees of freedom stand for what few of them cannot tell."""


@dataclass(frozen=True, eq=False)
class Shocks:
    """``own`` (rows, horizon): errors without the shock of their origin; ``mean`` (horizon,); ``around`` (origins, horizon): shocks less it."""

    own: np.ndarray
    mean: np.ndarray
    around: np.ndarray

    @classmethod
    def parted(cls, units: np.ndarray, origin: np.ndarray) -> Shocks:
        """Of errors (rows, horizon) at some origins (rows,). Rows of origins with hardly any are left out; without any other, all stay.

        A single origin's mean error may be a shock or what forecasts lack everywhere: it stays, and another of its size may come.
        """
        _, at, count = np.unique(origin, return_inverse=True, return_counts=True)
        enough = count >= FEW_TOGETHER
        if not enough.any():
            return cls.none(units)
        units, origin = units[enough[at]], origin[enough[at]]
        codes, at, count = np.unique(origin, return_inverse=True, return_counts=True)
        shock = np.zeros((len(codes), units.shape[1]))
        np.add.at(shock, at, units)
        shock /= count[:, None]
        mean = shock.mean(axis=0)
        return cls(units - shock[at], mean, shock - mean if len(codes) > 1 else shock)

    @classmethod
    def none(cls, units: np.ndarray) -> Shocks:
        """Errors as they are: too few to tell anything apart."""
        return cls(units, np.zeros(units.shape[1]), np.empty((0, units.shape[1])))

    def draw(self, samples: int, rng: np.random.Generator) -> np.ndarray:
        """(samples, horizon) of shocks to come."""
        origins = len(self.around)
        if not origins:
            return np.broadcast_to(self.mean, (samples, len(self.mean)))
        freedom = max(LEAST_FREEDOM, origins - 1)
        heavy = np.sqrt(freedom / rng.chisquare(freedom, samples))
        wide = np.sqrt((1 + 1 / origins) / max(1, origins - 1))
        weight = rng.normal(size=(samples, origins)) * wide * heavy[:, None]
        drawn: np.ndarray = self.mean + weight @ self.around
        return drawn
