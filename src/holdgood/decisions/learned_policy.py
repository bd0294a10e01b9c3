"""``LearningOrders`` as a policy of the simulator: what arrived is inferred from stock and sales, nothing else is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation, Terms
from holdgood.decisions.inventory.gain import gain_of_sale
from holdgood.decisions.learning_orders import LearningOrders, Settings


@dataclass(eq=False)
class LearnedOrders:
    """Learns anew in every future: step -1 begins it, each later observation is learned from once.

    ``steps``: of the whole play, after which stock is worth nothing; None: no end is told. Sales before the first step count as demand. The
    rules that are known are lost sales, holding and what a sale brings; DataError for terms with others.
    """

    settings: Settings | None = None
    steps: int | None = None
    seed: int = 0
    name: str = "learned as it goes"
    _learning: LearningOrders | None = field(default=None, init=False, repr=False)
    _on_hand: np.ndarray = field(default_factory=lambda: np.zeros(0), init=False, repr=False)

    def order(self, seen: Observation) -> np.ndarray:
        """Whole units of each item, (n,)."""
        if seen.step < 0 or self._learning is None:
            _refuse(seen.terms)
            self._learning = LearningOrders(
                seen.sales, gain_of_sale(seen.terms), seen.terms.holding, np.ceil(seen.terms.lead).astype(int), self.settings, self.seed
            )  # fmt: skip
        else:
            sold = seen.sales[:, -1]
            came = np.maximum(seen.stock.on_hand - self._on_hand + sold, 0.0)
            self._learning.observe(came, sold, ~seen.in_stock[:, -1])
        self._on_hand = seen.stock.on_hand.copy()
        left = None if self.steps is None else np.full(len(seen.terms), max(self.steps - seen.step - 1, 1))
        return self._learning.decide(seen.stock.on_hand, left)


def _refuse(terms: Terms) -> None:
    """Terms that the learning policy does not weigh."""
    if not terms.lost_sales:
        raise DataError("demand that waits", "lost sales", "take another policy")
    for name, usual in (("pack", 0.0), ("minimum", 0.0), ("fixed", 0.0), ("maximum", np.inf), ("shelf_life", np.inf)):
        values = getattr(terms, name)
        if (values != usual).any():
            at = int(np.flatnonzero(values != usual)[0])
            raise DataError(
                f"a {name} of {values[at]:g} of item {at}", "orders of any size, of units that keep", "take another policy"
            )  # fmt: skip
