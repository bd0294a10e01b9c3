"""How the errors of the steps of one forecast hang together: what makes marginal quantiles into joint paths."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

_FEWEST = 30
_EDGE = 1e-3
_WIDEST = 2.0


@dataclass(frozen=True)
class StepCopula:
    """A Gaussian copula: a shock that all steps share (``shared`` of the variance) and one that fades by ``fade`` a step.

    Positive definite for any number of steps, so that a longer horizon than the one learned from can be asked for.
    ``width`` (from 1): by how much past outcomes lay further out, in normal scores, than their own distributions said.
    """

    shared: float
    fade: float
    width: float = 1.0

    @classmethod
    def learn(cls, ranks: np.ndarray) -> StepCopula:
        """From probability integral transforms of past outcomes, (forecasts, steps), NaN where there was none.

        Least squares of shared + (1 - shared) fade^lag on the correlations of normal scores, weighted by their pairs.
        """
        z = ndtri(np.clip(ranks, _EDGE, 1 - _EDGE))
        seen = ~np.isnan(z)
        filled = np.where(seen, z, 0.0)
        steps = z.shape[1]
        lags: list[int] = []
        found: list[float] = []
        weight: list[float] = []
        variance = float((filled**2).sum() / max(seen.sum(), 1))
        for lag in range(1, steps):
            both = seen[:, lag:] & seen[:, :-lag]
            if both.sum() >= _FEWEST and variance > 0:
                product = float((filled[:, lag:] * filled[:, :-lag])[both].mean())
                lags.append(lag)
                found.append(product / variance)
                weight.append(float(both.sum()))
        width = float(np.clip(np.sqrt(variance), 1.0, _WIDEST)) if seen.sum() >= _FEWEST else 1.0
        if not lags:
            return cls(0.2, 0.5, width)
        apart, target, w = np.array(lags), np.array(found), np.array(weight)
        best, choice = np.inf, (0.0, 0.0)
        for fade in np.linspace(0.0, 0.95, 20):
            for shared in np.linspace(0.0, 0.95, 20):
                loss = float((w * (shared + (1 - shared) * fade**apart - target) ** 2).sum())
                if loss < best:
                    best, choice = loss, (float(shared), float(fade))
        return cls(*choice, width)

    def widened(self, ranks: np.ndarray) -> np.ndarray:
        """Ranks moved outwards by ``width``.

        >>> StepCopula(0.0, 0.0, 2.0).widened(np.array([0.5, 0.84])).round(2).tolist()
        [0.5, 0.98]
        """
        result: np.ndarray = ndtr(self.width * ndtri(ranks))
        return result

    def draw(self, ids: np.ndarray, samples: int, steps: int, seed: int) -> np.ndarray:
        """Ranks in (0, 1), (series, samples, steps). A series gets the same ones whatever stands beside it."""
        out = np.empty((len(ids), samples, steps))
        for i, name in enumerate(ids):
            rng = np.random.default_rng([seed, zlib.crc32(str(name).encode())])
            common = rng.normal(size=(samples, 1))
            fresh = rng.normal(size=(steps, samples))
            fading = np.empty((samples, steps))
            now = fresh[0]
            for k in range(steps):
                now = fresh[0] if k == 0 else self.fade * now + np.sqrt(1 - self.fade**2) * fresh[k]
                fading[:, k] = now
            out[i] = ndtr(self.width * (np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * fading))
        return out
