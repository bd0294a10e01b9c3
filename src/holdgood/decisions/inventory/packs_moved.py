"""Packs taken out of a plan or put in, the best first, as long as what binds the items together is kept."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.constraints import Constraints
from holdgood.decisions.inventory.levels import Levels

_TINY = 1e-9


class Moves:
    """A plan, ``quantity`` (n,), that changes by one pack of one item at a time. asked (suppliers,) bool: who may be ordered from."""

    def __init__(
        self, quantity: np.ndarray, asked: np.ndarray, sizes: Levels, terms: Terms, constraints: Constraints
    ) -> None:
        n = len(terms)
        self.quantity, self._sizes = quantity.copy(), sizes
        # without packs: a hundredth of the range of sizes at a time
        self._step = np.where(terms.pack > 0, terms.pack, np.maximum(sizes.largest / 100.0, 1e-9))
        self._weight = np.array([x.weight for x in constraints.limits]).reshape(-1, n)
        self._most = np.array([x.most for x in constraints.limits])
        self._joint = np.array([x.weight * x.items for x in constraints.joint]).reshape(-1, n)
        self._least = np.array([x.least for x in constraints.joint]) * asked
        self._floor = np.zeros(n) if constraints.at_least is None else constraints.at_least
        self._barred = np.zeros(n, bool)
        for supplier, yes in zip(constraints.joint, asked, strict=True):
            self._barred |= supplier.items & (not yes)
        self.quantity[self._barred] = 0.0
        self._used, self._got = self._weight @ self.quantity, self._joint @ self.quantity
        self._money = np.array([sizes.cost_of(i, q) for i, q in enumerate(self.quantity)])

    def over(self) -> np.ndarray:
        """By how much each limit is broken; (limits,)."""
        return np.asarray(np.maximum(self._used - self._most * (1 + _TINY) - _TINY, 0.0))

    def trim(self) -> bool:
        """Take out what is missed least until every limit is kept; False where nothing more can go, or a minimum or floor is missed."""
        less = np.where(self.quantity - self._step < self._sizes.smallest - _TINY, 0.0, self.quantity - self._step)
        change = self._changes(less)
        while (over := self.over()).any():
            drop = self.quantity - less
            ease = ((over > 0) / np.maximum(self._most, _TINY)) @ self._weight * drop
            may = (drop > 0) & (ease > 0) & (less >= self._floor - _TINY)
            for weight, got, least in zip(self._joint, self._got, self._least, strict=True):
                may &= (weight == 0) | (got - weight * drop >= least * (1 - _TINY))
            if not may.any():
                return False
            i = int(np.argmin(np.where(may, change / np.where(ease > 0, ease, 1.0), np.inf)))
            self._move(i, less[i])
            less[i] = 0.0 if less[i] - self._step[i] < self._sizes.smallest[i] - _TINY else less[i] - self._step[i]
            change[i] = self._sizes.cost_of(i, less[i]) - self._money[i]
        return bool((self._got >= self._least * (1 - _TINY)).all() and (self.quantity >= self._floor - _TINY).all())

    def fill(self) -> None:
        """Put in what saves most for what it takes of the limits, as long as anything saves and has room."""
        more = np.maximum(self.quantity + self._step, self._sizes.smallest)
        change = self._changes(more)
        share = self._weight / np.maximum(self._most, _TINY)[:, None]
        while True:
            add = more - self.quantity
            may = (change < -_TINY) & (more <= self._sizes.largest + _TINY) & ~self._barred
            may &= (self._used[:, None] + self._weight * add <= self._most[:, None] * (1 + _TINY)).all(axis=0)
            if not may.any():
                return
            i = int(np.argmin(np.where(may, change / np.maximum(share.sum(axis=0) * add, _TINY), np.inf)))
            self._move(i, more[i])
            more[i] += self._step[i]
            change[i] = self._sizes.cost_of(i, more[i]) - self._money[i]

    def _changes(self, to: np.ndarray) -> np.ndarray:
        return np.asarray(np.array([self._sizes.cost_of(i, q) for i, q in enumerate(to)]) - self._money)

    def _move(self, i: int, to: float) -> None:
        self._used = self._used + self._weight[:, i] * (to - self.quantity[i])
        self._got = self._got + self._joint[:, i] * (to - self.quantity[i])
        self.quantity[i] = to
        self._money[i] = self._sizes.cost_of(i, to)
