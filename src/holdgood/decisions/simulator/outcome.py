"""What came of a policy: units and money, by item and scenario."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from holdgood.core.inventory import Terms


@dataclass(frozen=True, eq=False)
class Units:
    """What was counted over the steps, each (n, scenarios) float64.

    demand, sold (served in the step or later), short: units. ``missed`` is what shortage is paid for: units lost or, with backorders, units that wait
    times steps. held and excess: units on hand at the end of a step, summed over steps. stock_outs: steps in which demand was not met.
    ordered, received, wasted: units; orders: how many. on_hand, on_order, waiting: units at the end.
    """

    demand: np.ndarray
    sold: np.ndarray
    short: np.ndarray
    missed: np.ndarray
    held: np.ndarray
    excess: np.ndarray
    stock_outs: np.ndarray
    ordered: np.ndarray
    orders: np.ndarray
    received: np.ndarray
    wasted: np.ndarray
    on_hand: np.ndarray
    on_order: np.ndarray
    waiting: np.ndarray

    @classmethod
    def nothing(cls, n: int, scenarios: int) -> Units:
        """Zeros, to be filled in."""
        return cls(**{f.name: np.zeros((n, scenarios)) for f in fields(cls)})


@dataclass(frozen=True, eq=False)
class Outcome:
    """Units and what they cost under the terms; ``steps`` are those that were counted."""

    policy: str
    units: Units
    terms: Terms
    steps: int

    @property
    def holding(self) -> np.ndarray:
        """Money (n, scenarios) for stock that lay at the end of steps."""
        return np.asarray(self.units.held * self.terms.holding[:, None])

    @property
    def shortage(self) -> np.ndarray:
        """Money (n, scenarios) for demand that was not met."""
        return np.asarray(self.units.missed * self.terms.shortage[:, None])

    @property
    def ordering(self) -> np.ndarray:
        """Money (n, scenarios) for orders and the units in them."""
        return np.asarray(self.units.orders * self.terms.fixed[:, None] + self.units.ordered * self.terms.unit[:, None])

    @property
    def waste(self) -> np.ndarray:
        """Money (n, scenarios) for units that spoiled."""
        return np.asarray(self.units.wasted * self.terms.waste[:, None])

    @property
    def cost(self) -> np.ndarray:
        """Money (n, scenarios): holding, shortage, ordering and waste."""
        return np.asarray(self.holding + self.shortage + self.ordering + self.waste)

    @property
    def revenue(self) -> np.ndarray:
        """Money (n, scenarios) that what was sold brings; see ``Terms``."""
        return np.asarray(self.units.sold * self.terms.earned[:, None])

    @property
    def loss(self) -> np.ndarray:
        """Cost less revenue, (n, scenarios), of the steps that were counted: stock at the end is worth nothing."""
        return np.asarray(self.cost - self.revenue)

    @property
    def settled(self) -> np.ndarray:
        """``loss`` as if business went on, (n, scenarios): what policies are compared by.

        Units on hand and on order at the end are worth what they cost; demand that waits is still bought for and sold. Without it
        a short run favours who lets the stock run out.
        """
        left = self.units.on_hand + self.units.on_order
        unit, price = self.terms.unit[:, None], self.terms.price[:, None]
        return np.asarray(self.loss - unit * left + (unit - price) * self.units.waiting)

    @property
    def fill_rate(self) -> float:
        """Share of all demand that was met in its step; 1 where nobody asked."""
        demand = float(self.units.demand.sum())
        return 1.0 if demand == 0 else 1.0 - float(self.units.short.sum()) / demand

    @property
    def stock_out_share(self) -> float:
        """Share of items' steps in which demand was not met."""
        return float(self.units.stock_outs.mean()) / self.steps

    @property
    def excess_share(self) -> float:
        """Share of the stock that lay at the end of steps that was excess; see ``excess``."""
        held = float(self.units.held.sum())
        return float(self.units.excess.sum()) / held if held else 0.0
