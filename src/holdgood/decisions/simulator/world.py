"""What a policy is tried on: items as they stand, their past, the rules, and futures that only the simulator sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Stock, Terms


@dataclass(frozen=True)
class Drawn:
    """Futures that are made when they are needed, so that they never stand in memory together.

    ``draw(first, last)`` returns demand (n, last - first, steps) of those scenarios; the same at every call.
    """

    scenarios: int
    steps: int
    draw: Callable[[int, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class World:
    """n items at the end of the step before the first, and their futures.

    demand: (n, scenarios, steps) units, or ``Drawn``. A history that is replayed is one scenario. sales, in_stock (n, past): what is known
    before the first step, NaN where an item was not there yet. leads: how long the order that arrives with step 0 at the earliest, 1, … takes,
    (n or 1, scenarios or 1, steps), inf: it never arrives; None: always ``terms.lead``. What stands in ``stock.arriving`` arrives as it says.
    since: the first step whose units and costs are counted, for steps that no order can change.
    """

    terms: Terms
    stock: Stock
    demand: np.ndarray | Drawn
    sales: np.ndarray
    in_stock: np.ndarray
    leads: np.ndarray | None = None
    since: int = 0
    scenarios: int = field(init=False)
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.terms)
        if len(self.stock) != n:
            raise DataError(f"stock of {len(self.stock)} items and terms of {n}", "as many", "give both for every item")
        for name, values in (("on hand", self.stock.on_hand), ("arriving", self.stock.arriving), ("waiting", self.stock.waiting)):  # fmt: skip
            _none_below_zero(values, f"stock {name}")
        if self.sales.shape != self.in_stock.shape or len(self.sales) != n:
            raise DataError(
                f"sales {self.sales.shape} and in_stock {self.in_stock.shape}",
                f"({n}, past steps) both",
                "cut both at the same step",
            )
        if isinstance(self.demand, np.ndarray):
            if self.demand.ndim != 3 or len(self.demand) != n:
                raise DataError(f"demand of shape {self.demand.shape}", f"({n}, scenarios, steps)", "add the axis of scenarios")  # fmt: skip
            _none_below_zero(self.demand, "demand")
            scenarios, steps = self.demand.shape[1:]
        else:
            scenarios, steps = self.demand.scenarios, self.demand.steps
        object.__setattr__(self, "scenarios", int(scenarios))
        object.__setattr__(self, "steps", int(steps))
        if not 0 <= self.since < max(steps, 1):
            raise DataError(f"counted from step {self.since} of {steps}", "a step of the future", "correct since")
        if self.leads is None and not (self.terms.lead == np.round(self.terms.lead)).all():
            at = int(np.flatnonzero(self.terms.lead != np.round(self.terms.lead))[0])
            raise DataError(
                f"item {at}: a lead time of {self.terms.lead[at]:g} steps",
                "whole steps, or leads for every order",
                "round it, or pass leads",
            )
        if self.leads is not None:
            self._check_leads(n)

    def _check_leads(self, n: int) -> None:
        leads, wanted = np.asarray(self.leads), (n, self.scenarios, self.steps)
        fits = leads.ndim == 3 and leads.shape[2] == self.steps
        if not fits or leads.shape[0] not in (1, n) or leads.shape[1] not in (1, self.scenarios):
            raise DataError(f"leads of shape {leads.shape}", f"{wanted}, the first two may be 1", "one for every order")
        finite = leads[np.isfinite(leads)]
        if np.isnan(leads).any() or (leads < 0).any() or (finite != np.round(finite)).any():
            raise DataError(
                "a lead time that is not a whole number of steps", "0, 1, … or inf (it never arrives)", "correct it"
            )

    def drawn(self, first: int, last: int) -> np.ndarray:
        """Demand of some scenarios, (n, last - first, steps)."""
        if isinstance(self.demand, np.ndarray):
            return self.demand[:, first:last]
        found = self.demand.draw(first, last)
        if found.shape != (len(self.terms), last - first, self.steps):
            raise DataError(f"futures of shape {found.shape}", f"{(len(self.terms), last - first, self.steps)}", "correct draw")  # fmt: skip
        _none_below_zero(found, "demand")
        return found


def _none_below_zero(values: np.ndarray, name: str) -> None:
    if values.size and not float(values.min()) >= 0:  # also true of NaN
        at = np.argwhere(~(values >= 0))[0]
        raise DataError(
            f"{name} of item {at[0]} is {values[tuple(at)]}",
            "a number of zero or more",
            "correct it, or leave the item out",
        )
