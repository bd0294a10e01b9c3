"""How long orders take and how many never come, learned from what arrives.

Of an order that is still out at age k, the chance that it arrives at age k is its hazard; each hazard has a Beta belief of its own. With
that, orders that have not come yet, and may never come, are counted exactly (a discrete beta-Stacy process: Walker and
Muliere, 1997). Beside it stands the plain hypothesis that the supplier keeps the promised lead time always: one arrival at
another age, or one that stays out, ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError

Array = np.ndarray
LONGEST = 16
"""Steps that an order may take at most: beyond it the sets of orders that may have come are too many."""


@dataclass(frozen=True)
class SupplierPrior:
    """What is held before the first order. kept: chance that the promise always holds, strictly between 0 and 1. strength: observations that
    each hazard's prior is worth. at_promise, before, after: its mean at the promised age, below it, above it.
    """

    kept: float = 0.5
    strength: float = 2.0
    at_promise: float = 0.4
    before: float = 0.15
    after: float = 0.2


class LeadTimeBelief:
    """Belief about the suppliers of n items that do not know of each other; a fresh order has age 0, and arrives then if it takes no step.

    promised (n,): steps. longest: the greatest age at which anything may arrive.
    """

    def __init__(self, promised: Array, longest: int, prior: SupplierPrior | None = None) -> None:
        prior = prior or SupplierPrior()
        if longest > LONGEST:
            raise DataError(
                f"orders that may take {longest} steps",
                f"{LONGEST} at most: every set of orders that are out is weighed, and their number doubles with each step",
                "make the step longer (weeks instead of days)",
            )
        promised = np.asarray(promised, int)
        if (promised < 0).any() or (promised > longest).any():
            at = int(np.flatnonzero((promised < 0) | (promised > longest))[0])
            raise DataError(
                f"a promised lead time of {promised[at]} steps for item {at}",
                f"0 to {longest}",
                "raise `longest`, or correct it",
            )
        self.promised, self.longest = promised, longest
        ages = np.arange(longest + 1)
        mean = np.where(ages < promised[:, None], prior.before, prior.after)
        mean[ages == promised[:, None]] = prior.at_promise
        self.came = prior.strength * mean
        self.stayed = prior.strength * (1 - mean)
        self.log_kept = np.full(len(promised), np.log(prior.kept) - np.log1p(-prior.kept))
        self.out = np.zeros((len(promised), longest + 1))
        patterns = (np.arange(2 ** (longest + 1))[:, None] >> ages) & 1
        self._patterns = patterns.astype(float)

    @property
    def kept(self) -> Array:
        """Chance that the promise always holds, (n,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.log_kept, -700, 700))))

    @property
    def hazards(self) -> Array:
        """Mean hazard at each age, both hypotheses together, (n, longest + 1)."""
        free = self.came / (self.came + self.stayed)
        fixed = np.arange(self.longest + 1) == self.promised[:, None]
        return np.asarray(self.kept[:, None] * fixed + (1 - self.kept[:, None]) * free)

    def ordered(self, units: Array) -> None:
        """Orders placed now, (n,), before anything arrives in this step."""
        self.out[:, 0] = units

    def arrived(self, units: Array) -> None:
        """All that arrived in this step, (n,): which orders it was is the likeliest set of those out that adds up to it.

        Where no set adds up, the nearest does. Then every order that is still out is a step older; what is older than ``longest`` is given up.
        """
        units = np.asarray(units, float)
        if not (np.isfinite(units) & (units >= 0)).all():
            raise DataError(
                f"units that arrived {units.ravel()[:5].tolist()}", "numbers of zero or more", "correct them"
            )
        sums = self.out @ self._patterns.T
        real = self.out > 0
        hazard = np.clip(self.hazards, 1e-9, 1 - 1e-9)
        gain = np.where(real, np.log(hazard) - np.log1p(-hazard), -1e-3)
        score = gain @ self._patterns.T - 1e6 * np.abs(sums - units[:, None])
        came = (self._patterns[score.argmax(1)] > 0) & real
        stayed = real & ~came
        free = self.came / (self.came + self.stayed)
        self.log_kept = self.log_kept - np.where(came, np.log(free), np.where(stayed, np.log1p(-free), 0.0)).sum(1)
        due = np.arange(self.longest + 1) == self.promised[:, None]
        broken = ((came & ~due) | (stayed & due)).any(1)
        self.log_kept = np.where(broken, -np.inf, self.log_kept)
        self.came = self.came + came
        self.stayed = self.stayed + stayed
        left = np.where(came, 0.0, self.out)
        self.out = np.concatenate([np.zeros((len(left), 1)), left[:, :-1]], 1)

    def draw(self, size: int, steps: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Lead times, longest + 1 where an order never arrives: of those out (n, size, longest + 1; column a is the order that is of age a
        in the coming step) and of orders placed in the coming steps (n, size, steps).

        Hazards are drawn once a path, so that paths differ in how good the supplier is.
        """
        n, k = self.came.shape
        hazards = rng.beta(self.came[:, None], self.stayed[:, None], (n, size, k))
        kept = rng.random((n, size, 1)) < self.kept[:, None, None]
        fixed = (np.arange(k) == self.promised[:, None])[:, None]
        hazards = np.where(kept, fixed, hazards)
        survives = np.cumsum(np.log1p(-np.minimum(hazards, 1 - 1e-12)), 2)
        before = np.concatenate([np.zeros((n, size, 1)), survives[..., :-1]], 2)
        # By inversion: the first age at which the log of survival since the age of now falls below the log of a uniform number.
        out = np.full((n, size, k), k)
        for a in range(1, k):
            some = self.out[:, a] > 0
            u = np.log(rng.random((int(some.sum()), size, 1)))
            out[some, :, a] = a + (survives[some, :, a:] - before[some, :, a : a + 1] > u).sum(-1)
        u = np.log(rng.random((n, size, steps)))
        new = (survives[:, :, None, :] > u[..., None]).sum(-1)
        return out, new
