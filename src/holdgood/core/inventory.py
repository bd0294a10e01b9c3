"""Stock and the rules under which it is ordered: the seam between forecasts, policies, the simulator and the order plan.

One clock everywhere. Step t begins with what arrives, then demand, then the costs of step t are paid on what is left. An
order is decided at the end of step t, when sales of t are known, and with a lead time of ``lead`` it arrives at the start of step
t + 1 + lead: with 0 it is there for the very next step.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

import numpy as np

from holdgood.core.errors import DataError


@dataclass(frozen=True, eq=False)
class Terms:
    """What is true of each of n items, in money and units; every array is (n,) float64.

    price: earned for a unit sold (0 where only costs are compared). holding: for a unit on hand at the end of a step. shortage: for
    a unit of demand not met in a step (the margin lost, or the penalty of waiting). fixed: for an order of any size. unit: for a
    unit ordered. waste: for a unit that spoils. lead: steps, see above. pack: orders are multiples of it (0: any amount).
    minimum, maximum: of one order, unless nothing is ordered. shelf_life: steps after arrival (inf: keeps). lost_sales: True where demand
    that is not met is lost, False where it waits.

    Money of a sale, one convention for policies, simulator and foresight: every unit ordered costs ``unit``, every unit sold brings ``earned``.
    Where demand is lost and a price is given, shortage comes on top of price less unit. Where none is given, a unit sold brings back
    what it cost, so that shortage is the whole margin, net of unit, and only units that are never sold cost ``unit``.
    """

    holding: np.ndarray
    shortage: np.ndarray
    lead: np.ndarray
    price: np.ndarray
    fixed: np.ndarray
    unit: np.ndarray
    waste: np.ndarray
    pack: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    shelf_life: np.ndarray
    lost_sales: bool = True

    @classmethod
    def of(
        cls,
        n: int,
        *,
        holding: np.ndarray | float,
        shortage: np.ndarray | float,
        lead: np.ndarray | float = 0.0,
        price: np.ndarray | float = 0.0,
        fixed: np.ndarray | float = 0.0,
        unit: np.ndarray | float = 0.0,
        waste: np.ndarray | float = 0.0,
        pack: np.ndarray | float = 0.0,
        minimum: np.ndarray | float = 0.0,
        maximum: np.ndarray | float = np.inf,
        shelf_life: np.ndarray | float = np.inf,
        lost_sales: bool = True,
    ) -> Terms:
        """Terms of n items from single numbers or arrays (n,)."""
        given = {k: v for k, v in locals().items() if k not in ("cls", "n", "lost_sales")}
        return cls(
            **{k: np.broadcast_to(np.asarray(v, float), (n,)).copy() for k, v in given.items()}, lost_sales=lost_sales
        )

    def __post_init__(self) -> None:
        n = len(self.holding)
        for name in _ARRAYS:
            value = getattr(self, name)
            if value.shape != (n,):
                raise DataError(f"{name} of shape {value.shape}", f"one number for each of {n} items", "pass as many")
            if np.isnan(value).any() or (value < 0).any():
                at = int(np.flatnonzero(np.isnan(value) | (value < 0))[0])
                raise DataError(
                    f"{name} of item {at} is {value[at]}",
                    "a number of zero or more",
                    "correct it, or leave the item out",
                )
        if (self.minimum > self.maximum).any():
            at = int(np.flatnonzero(self.minimum > self.maximum)[0])
            raise DataError(
                f"item {at}: an order of at least {self.minimum[at]:g} and at most {self.maximum[at]:g}",
                "a minimum not above the maximum",
                "correct one of them",
            )

    def __len__(self) -> int:
        return len(self.holding)

    @property
    def earned(self) -> np.ndarray:
        """Money that a unit sold brings: its price; without one, and where demand is lost, what it cost; (n,)."""
        return np.where((self.price > 0) | (not self.lost_sales), self.price, self.unit)

    def take(self, rows: np.ndarray) -> Terms:
        """The terms of some items, in that order."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})


_ARRAYS = tuple(f.name for f in fields(Terms) if f.name != "lost_sales")


@dataclass(frozen=True, eq=False)
class Stock:
    """Where n items stand at the end of a step. on_hand (n,). arriving (n, k): column j arrives at the start of the (j + 1)th step
    from now. waiting (n,): demand that waits to be served (0 with lost sales).
    """

    on_hand: np.ndarray
    arriving: np.ndarray
    waiting: np.ndarray

    def __len__(self) -> int:
        return len(self.on_hand)

    @property
    def position(self) -> np.ndarray:
        """On hand and on the way, less what waits; (n,)."""
        return np.asarray(self.on_hand + self.arriving.sum(1) - self.waiting)

    def take(self, rows: np.ndarray) -> Stock:
        """The stock of some items, in that order."""
        return Stock(self.on_hand[rows], self.arriving[rows], self.waiting[rows])


@dataclass(frozen=True, eq=False)
class Observation:
    """All that a policy sees at the end of ``step``: never the future.

    sales (n, t) and in_stock (n, t) bool: the past up to now, oldest first, NaN before an item existed; where in_stock is False demand was
    at least sales. stock: now. terms: the rules.
    """

    step: int
    sales: np.ndarray
    in_stock: np.ndarray
    stock: Stock
    terms: Terms


@runtime_checkable
class OrderPolicy(Protocol):
    """Decides orders from observations only."""

    @property
    def name(self) -> str:
        """What it is called in results."""
        ...

    def order(self, seen: Observation) -> np.ndarray:
        """Units to order of each item now; (n,), zero or more."""
        ...
