"""Many small regressions at once, each since its own start: what has held since when, for every item.

Of each kind of regression one is started at every step, since any step may be the first of something new. The weight of a
start is its posterior under a constant hazard of change (Adams and MacKay, 2007, "Bayesian online changepoint detection");
coefficients and noise of each are conjugate (normal-inverse-gamma), so that every update is exact and of closed form.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

Array = np.ndarray


class SegmentRegressions:
    """Posterior of z_t = middle + x_t'b + e_t, e_t ~ N(0, s2), for n items x C kinds x R starts (R grows by one a step).

    spread (C, K): prior variance of each coefficient over s2; 0 leaves a coefficient out. start (C, K): its prior mean. hazard: chance
    a step that the past stops to count, (C,); where 0 the kind has its first start only in effect. shape: prior observations
    of the noise, halved. noise (n, C): prior guess of s2.
    """

    def __init__(self, start: Array, spread: Array, hazard: Array, shape: float, noise: Array) -> None:
        self.start, self.spread, self.shape, self.noise = start, spread, shape, noise
        self.hazard = np.clip(hazard, 1e-300, 1.0)
        n, (c, k) = len(noise), start.shape
        self.mean = np.zeros((n, c, 0, k))
        self.cov = np.zeros((n, c, 0, k, k))
        self.a = np.zeros((n, c, 0))
        self.b = np.zeros((n, c, 0))
        self.middle = np.zeros((n, c, 0))
        self.log_weight = np.zeros((n, c, 0))

    def begin(self, middle: Array) -> None:
        """A new start for every kind, before the step that it may be the first of. middle (n, C)."""
        n, c, r, k = self.mean.shape
        if r:
            self.log_weight = self.log_weight + np.log1p(-np.minimum(self.hazard, 1 - 1e-12))[:, None]
        fresh = np.broadcast_to(np.log(self.hazard)[:, None] if r else np.zeros((c, 1)), (n, c, 1))
        self.log_weight = np.concatenate([self.log_weight, fresh], 2)
        self.mean = np.concatenate([self.mean, np.broadcast_to(self.start[:, None], (n, c, 1, k))], 2)
        prior = self.spread[:, None, :, None] * np.eye(k)
        self.cov = np.concatenate([self.cov, np.broadcast_to(prior, (n, c, 1, k, k))], 2)
        self.a = np.concatenate([self.a, np.full((n, c, 1), self.shape)], 2)
        self.b = np.concatenate([self.b, self.shape * self.noise[:, :, None]], 2)
        self.middle = np.concatenate([self.middle, middle[:, :, None]], 2)

    def update(self, z: Array, x: Array, offset: Array) -> Array:
        """Learn z (n,) with features x (n or 1, C, R, K) over ``offset`` (n, C, 1), NaN: over the middle of the start.

        Returns the log density of z before it was seen, (n, C).
        """
        base = np.where(np.isnan(offset), self.middle, offset)
        error = z[:, None, None] - base - (x * self.mean).sum(-1)
        carried = np.einsum("ncrkl,ncrl->ncrk", self.cov, np.broadcast_to(x, self.mean.shape))
        width = 1.0 + (carried * x).sum(-1)
        scale2 = self.b / self.a * width
        density = _log_student(error, 2 * self.a, scale2)
        joint = self.log_weight + density
        total = _log_sum(joint)
        gain = carried / width[..., None]
        self.mean = self.mean + gain * error[..., None]
        self.cov = self.cov - gain[..., None] * carried[..., None, :]
        self.b = self.b + 0.5 * error**2 / width
        self.a = self.a + 0.5
        self.log_weight = joint - total[..., None]
        return total

    def draw(self, item: Array, kind: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
        """One regression of each (item, kind), both (m,), drawn from the posterior: start index, middle, coefficients (m, K), s."""
        m = len(item)
        cumulative = np.cumsum(np.exp(self.log_weight), 2)[item, kind]
        r = (cumulative < rng.random((m, 1)) * cumulative[:, -1:]).sum(-1)
        a, b = self.a[item, kind, r], self.b[item, kind, r]
        s = np.sqrt(b / rng.standard_gamma(a))
        factor = _cholesky(self.cov[item, kind, r])
        noise = np.einsum("mkl,ml->mk", factor, rng.standard_normal((m, factor.shape[-1])))
        return r, self.middle[item, kind, r], self.mean[item, kind, r] + s[:, None] * noise, s


def _log_student(error: Array, df: Array, scale2: Array) -> Array:
    half = 0.5 * (df + 1)
    log_kernel = half * np.log1p(error**2 / (df * scale2))
    return np.asarray(gammaln(half) - gammaln(0.5 * df) - 0.5 * np.log(np.pi * df * scale2) - log_kernel)


def _log_sum(x: Array) -> Array:
    top = x.max(-1, keepdims=True)
    return np.asarray(np.log(np.exp(x - top).sum(-1)) + top[..., 0])


def _cholesky(cov: Array) -> Array:
    """Lower factors of (..., K, K), zero rows where a variance is zero (numpy's own refuses those)."""
    k = cov.shape[-1]
    factor = np.zeros_like(cov)
    for j in range(k):
        rest = cov[..., j, j] - (factor[..., j, :j] ** 2).sum(-1)
        pivot = np.sqrt(np.maximum(rest, 0.0))
        factor[..., j, j] = pivot
        for i in range(j + 1, k):
            below = cov[..., i, j] - (factor[..., i, :j] * factor[..., j, :j]).sum(-1)
            factor[..., i, j] = np.divide(below, pivot, out=np.zeros_like(below), where=pivot > 1e-12)
    return factor
