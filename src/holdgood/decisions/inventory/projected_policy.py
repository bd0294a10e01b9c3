"""The order of joint sample paths as a policy: forecasts from what was seen, then the best orders on projected stock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdgood.core.inventory import Observation
from holdgood.decisions.inventory.given import whole_steps
from holdgood.decisions.inventory.projected import best_orders

Foresee = Callable[[Observation, int], np.ndarray]
"""Sample paths (n, samples, steps) of the next steps from what was seen."""


@dataclass(frozen=True)
class ProjectedOrders:
    """At steps -1, ``review`` - 1 and so on the best order by ``foresee``'s paths."""

    foresee: Foresee
    review: int = 1
    name: str = "sample paths, projected stock"

    def order(self, seen: Observation) -> np.ndarray:
        """The cheapest orders allowed; (n,)."""
        if (seen.step + 1) % self.review:
            return np.zeros(len(seen.terms))
        steps = int(whole_steps(seen.terms.lead, "lead").max(initial=0)) + self.review
        return best_orders(self.foresee(seen, steps), seen.stock, seen.terms, review=self.review).quantity
