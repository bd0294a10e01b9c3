"""Orders of items about which next to nothing is known: demand and supplier are learned from what each step shows.

One step: ``decide`` the orders, then ``observe`` what arrived and what was asked for. Items do not know of each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from holdgood.core.errors import DataError
from holdgood.decisions.lead_time_belief import LeadTimeBelief, SupplierPrior
from holdgood.decisions.online_demand import DemandBelief, Habits
from holdgood.decisions.rollout_orders import Futures, Search, rollout_orders

Array = np.ndarray
# A lead time less likely than this is left out of the play of futures.
_RARE = 0.01
_CHUNK = 60


@dataclass(frozen=True)
class Settings:
    """paths: futures drawn a decision. tail: steps played after the latest arrival of the order of now. beyond: steps past the longest
    promise that an order may take before it is given up. demand, supplier, search: see there.
    """

    paths: int = 128
    tail: int = 6
    beyond: int = 2
    demand: Habits = field(default_factory=Habits)
    supplier: SupplierPrior = field(default_factory=SupplierPrior)
    search: Search = field(default_factory=Search)


class LearningOrders:
    """Policy of n items with lost sales. history (n, k): earlier demand. price, holding (n,): of a unit sold, of a unit left at the end
    of a step. promised (n,): the lead time the supplier names, 0 where an order arrives at once.
    """

    def __init__(
        self,
        history: Array,
        price: Array,
        holding: Array,
        promised: Array,
        settings: Settings | None = None,
        seed: int = 0,
    ) -> None:
        self.settings = settings or Settings()
        self.price, self.holding = np.asarray(price, float), np.asarray(holding, float)
        for name, value in (("price", self.price), ("holding", self.holding)):
            if len(value) != len(history) or not (value >= 0).all():
                raise DataError(
                    f"{name} {value[:3]}...", f"a number of zero or more for each of {len(history)} items", "correct it"
                )
        self.rng = np.random.default_rng(seed)
        self.demand = DemandBelief(history, self.settings.demand)
        promised = np.asarray(promised, float)
        if promised.shape != (len(history),) or not (np.isfinite(promised) & (promised == np.round(promised))).all():
            raise DataError(
                f"promised lead times {promised.ravel()[:5].tolist()}",
                f"whole steps for each of {len(history)} items",
                "correct them",
            )
        longest = int(promised.max()) + self.settings.beyond
        self.lead = LeadTimeBelief(promised, longest, self.settings.supplier)

    def decide(self, on_hand: Array, left: Array | None = None) -> Array:
        """Whole units to order now, (n,). left (n,): steps to go with this one, after which stock is worth nothing; None: no end."""
        on_hand = np.asarray(on_hand, float)
        if not (np.isfinite(on_hand) & (on_hand >= 0)).all():
            raise DataError(f"stock on hand of {on_hand.min()}", "zero or more", "correct the count")
        hazards = self.lead.hazards
        n, ages = hazards.shape
        alive = np.cumprod(np.concatenate([np.ones((n, 1)), 1 - hazards], 1), 1)
        likely = hazards * alive[:, :-1] > _RARE
        latest = np.maximum(ages - 1 - likely[:, ::-1].argmax(1), 1)
        arrives = 1 - np.cumprod((1 - hazards)[:, ::-1], 1)[:, ::-1]
        tail = self.settings.tail
        horizon = latest + 1 + tail
        if left is not None:
            horizon = np.clip(horizon, 1, np.maximum(left, 1))
        paths = self.demand.paths(int(latest.max()) + 1 + tail + ages - 1, self.settings.paths, self.rng)
        out_lead, new_lead = self.lead.draw(self.settings.paths, int(horizon.max()), self.rng)
        order = np.zeros(n)
        groups = latest * 1000 + horizon
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            k, steps = int(group // 1000) + 1, int(group % 1000)
            for some in np.array_split(members, -(-len(members) // _CHUNK)):
                futures = Futures(
                    paths[some],
                    self.lead.out[some, :k],
                    np.minimum(out_lead[some, :, :k], k),
                    np.minimum(new_lead[some], k),
                    arrives[some, :k],
                )
                order[some] = rollout_orders(
                    on_hand[some], self.price[some], self.holding[some], futures, steps, self.settings.search
                )
        self.lead.ordered(order)
        return order

    def observe(self, arrived: Array, demand: Array, at_least: Array | None = None) -> None:
        """What the step showed, each (n,); where ``at_least``, demand was that or more."""
        arrived, demand = np.asarray(arrived, float), np.asarray(demand, float)
        for name, values in (("units that arrived", arrived), ("demand", demand)):
            # before anything is learned: what is half learned cannot be taken back
            if values.shape != (len(self.price),) or not (np.isfinite(values) & (values >= 0)).all():
                raise DataError(
                    f"{name} {values.ravel()[:5].tolist()}",
                    f"a number of zero or more for each of {len(self.price)} items",
                    "correct it",
                )
        self.lead.arrived(arrived)
        if at_least is not None and at_least.any():
            demand = np.where(at_least, self.demand.expected_above(demand, self.settings.paths, self.rng), demand)
        self.demand.update(demand)
