"""What binds the orders of a plan together: budget, capacity, a supplier's minimum. Kept by the cheapest orders that keep all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import DataError
from holdgood.decisions.inventory.constrained import best_within
from holdgood.decisions.inventory.constraints import Constraints, JointMinimum, Limit
from holdgood.decisions.inventory.order_curve import OrderCurve
from holdgood.reports.format import money, number
from holdgood.workflow.ordering.terms import Conditions

BUDGET, CAPACITY = "budget", "capacity"
_SLACK = 1e-6


@dataclass(eq=False)
class Binding:
    """The constraints of m items; ``said``: what they did, in words, once orders were bound by them."""

    constraints: Constraints
    currency: str
    said: list[str] = field(default_factory=list)

    def bound(self, curve: OrderCurve, conditions: Conditions, quantity: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """The orders as they are where they keep every constraint, else the cheapest that do."""
        before = {x.name: float(x.weight @ quantity) for x in self.constraints.limits}
        before |= {x.name: float((x.weight * x.items) @ quantity) for x in self.constraints.joint}
        kept = all(before[x.name] <= x.most + _SLACK for x in self.constraints.limits)
        kept &= all(before[x.name] in (0.0,) or before[x.name] >= x.least - _SLACK for x in self.constraints.joint)
        if kept:
            self.said += [
                f"{x.name}: {self._amount(x.name, before[x.name])} of {self._amount(x.name, x.most)}"
                for x in self.constraints.limits
            ]
            return quantity
        # whole units: what is not sold in halves is not ordered in halves
        terms = replace(
            conditions.terms, pack=np.where((conditions.terms.pack <= 0) & whole, 1.0, conditions.terms.pack)
        )
        found = best_within(curve, terms, self.constraints)
        for x in self.constraints.limits:
            used, wanted = self._amount(x.name, found.used[x.name]), self._amount(x.name, before[x.name])
            more = f"; one more would save about {money(found.worth[x.name], '')}" if found.worth[x.name] > 0 else ""
            self.said.append(f"{x.name}: {used} of {self._amount(x.name, x.most)}; without any limit {wanted}{more}")
        for joint in self.constraints.joint:
            now = found.used[joint.name]
            if abs(now - before[joint.name]) > _SLACK and before[joint.name] < joint.least:
                how = "nothing is ordered from it now" if now <= 0 else f"{money(now, self.currency)} are ordered"
                self.said.append(
                    f"{joint.name}: orders are {money(before[joint.name], self.currency)}, below the minimum of {money(joint.least, self.currency)}: {how}"
                )
        return found.quantity

    def _amount(self, name: str, value: float) -> str:
        return money(value, self.currency) if name == BUDGET else f"{number(value)} units"


def binding(spec: OrdersSpec, conditions: Conditions, supplier: np.ndarray, currency: str) -> Binding | None:
    """The declared constraints over these items; None where none is. DataError for money over items without a unit cost."""
    n = len(conditions.terms)
    by_supplier = spec.supplier_minimum if isinstance(spec.supplier_minimum, Mapping) else {}
    least = 0.0 if isinstance(spec.supplier_minimum, Mapping) else float(spec.supplier_minimum)
    minima = {str(s): by_supplier.get(str(s), least) for s in dict.fromkeys(supplier.tolist()) if s}
    minima = {s: v for s, v in minima.items() if v > 0}
    if spec.budget is None and spec.capacity is None and not minima:
        return None
    unit = conditions.unit_cost
    asked = np.full(n, spec.budget is not None) | np.isin(supplier.astype(str), list(minima))
    if (asked & np.isnan(unit)).any():
        at = int(np.flatnonzero(asked & np.isnan(unit))[0])
        raise DataError(
            f"{int((asked & np.isnan(unit)).sum()):,} items under a budget or a supplier's minimum have no unit cost, the first is number {at + 1}",
            "what a unit costs, for every item that they hold for",
            "fill in unit_cost in the state, or take the constraint away",
        )
    worth = np.nan_to_num(unit)
    limits = []
    if spec.budget is not None:
        limits.append(Limit(BUDGET, worth, spec.budget))
    if spec.capacity is not None:
        limits.append(Limit(CAPACITY, np.ones(n), spec.capacity))
    joint = tuple(JointMinimum(f"minimum of {s}", supplier.astype(str) == s, worth, v) for s, v in minima.items())
    return Binding(Constraints(tuple(limits), joint), currency)
