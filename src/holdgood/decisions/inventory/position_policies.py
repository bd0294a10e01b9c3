"""Policies that look at the position alone, on the clock of a simulator: (R, S) and (r, Q). (s, S) is ``simulator.MinMax`` without an average."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.inventory import Observation
from holdgood.decisions.inventory.allowed import allowed_at_least


@dataclass(frozen=True, eq=False)
class OrderUpTo:
    """(R, S): at steps -1 (before the first), ``review`` - 1 and so on, up to ``level`` (n,)."""

    level: np.ndarray
    review: int = 1
    name: str = "order up to a level"

    def order(self, seen: Observation) -> np.ndarray:
        """What is missing to the level, in sizes that the terms allow; (n,)."""
        if (seen.step + 1) % self.review:
            return np.zeros(len(self.level))
        return allowed_at_least(self.level - seen.stock.position, seen.terms)

    def take(self, rows: np.ndarray) -> OrderUpTo:
        """The policy of some items."""
        return replace(self, level=self.level[rows])


@dataclass(frozen=True, eq=False)
class ReorderQuantity:
    """(r, Q): at a position of ``reorder`` or below, as many times ``quantity`` as bring it above; (n,) each."""

    reorder: np.ndarray
    quantity: np.ndarray
    name: str = "reorder point and quantity"

    def order(self, seen: Observation) -> np.ndarray:
        """Whole multiples of Q, in sizes that the terms allow; (n,)."""
        below = self.reorder - seen.stock.position
        times = np.where(below >= 0, np.floor(below / self.quantity) + 1.0, 0.0)
        return allowed_at_least(times * self.quantity, seen.terms)

    def take(self, rows: np.ndarray) -> ReorderQuantity:
        """The policy of some items."""
        return replace(self, reorder=self.reorder[rows], quantity=self.quantity[rows])
