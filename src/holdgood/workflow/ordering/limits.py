"""What binds the orders of a plan together: budget, capacity, a supplier's minimum. Kept by the cheapest orders that keep all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.inventory import Terms
from holdgood.core.records import HeldLimit
from holdgood.decisions.inventory.constrained import OrdersWithin, best_within
from holdgood.decisions.inventory.constraints import Constraints, JointMinimum, Limit
from holdgood.decisions.inventory.order_curve import OrderCurve
from holdgood.reports.format import money, number
from holdgood.workflow.ordering.terms import Conditions

BUDGET, CAPACITY = "budget", "capacity"
GAP = 0.005
"""Share of the cost to which bound orders are proved to be the cheapest."""
_SLACK = 1e-6


@dataclass(eq=False)
class Binding:
    """The constraints of m items. Once orders were bound by them, ``said``: what they did, in words; ``why``: what changed each order, else ""."""

    constraints: Constraints
    currency: str
    said: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)

    def bound(self, curve: OrderCurve, conditions: Conditions, quantity: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """The orders as they are where they keep every constraint, else the cheapest that do; ``curve`` is what is weighed.

        Items of suppliers whose minimum is reached keep their orders, where no sum over all of them stands in the way.
        """
        limits, joint = self.constraints.limits, self.constraints.joint
        before = {x.name: float(x.weight @ quantity) for x in limits}
        before |= {x.name: float((x.weight * x.items) @ quantity) for x in joint}
        missed = [x for x in joint if _SLACK < before[x.name] < x.least - _SLACK]
        over = any(before[x.name] > x.most + _SLACK for x in limits)
        self.why = [""] * len(quantity)
        if not over and not missed:
            self.said += [
                f"{x.name}: {self._amount(x.name, before[x.name])} of {self._amount(x.name, x.most)}" for x in limits
            ]
            return quantity
        # whole units: what is not sold in halves is not ordered in halves; a service level is kept whatever an order costs
        given, service = conditions.terms, conditions.service
        terms = replace(
            given,
            pack=np.where((given.pack <= 0) & whole, 1.0, given.pack),
            fixed=np.where(service, 0.0, given.fixed),
        )
        every = np.arange(len(quantity))
        some = every if over else np.flatnonzero(np.any([x.items for x in missed], axis=0))
        bound, found = self._within(curve, terms, quantity, some)
        given_up = any(float((x.weight * x.items) @ bound) <= _SLACK for x in missed)
        if len(some) < len(quantity) and limits and (given_up or any(v > 0 for v in found.worth.values())):
            # what the others leave of a budget binds: they are weighed too
            bound, found = self._within(curve, terms, quantity, every)
        used = {x.name: float(x.weight @ bound) for x in limits}
        used |= {x.name: float((x.weight * x.items) @ bound) for x in joint}
        for x in limits:
            taken, wanted = self._amount(x.name, used[x.name]), self._amount(x.name, before[x.name])
            saves = found.worth[x.name] > 0 and not service.any()
            more = f"; one more would save about {money(found.worth[x.name], '')}" if saves else ""
            self.said.append(f"{x.name}: {taken} of {self._amount(x.name, x.most)}; without any limit {wanted}{more}")
        for one in missed:
            now = used[one.name]
            how = "nothing is ordered from it now" if now <= 0 else f"{money(now, self.currency)} are ordered"
            self.said.append(
                f"{one.name}: orders are {money(before[one.name], self.currency)}, below the minimum of {money(one.least, self.currency)}: {how}"
            )
        if found.gap > GAP:
            self.said.append(f"not proved to be the cheapest: at most {found.gap:.1%} above what can be had")
        for i in np.flatnonzero(np.abs(bound - quantity) > _SLACK):
            self.why[i] = self._why(int(i), bound[i] < quantity[i], used, over)
        return bound

    def _within(
        self, curve: OrderCurve, terms: Terms, quantity: np.ndarray, some: np.ndarray
    ) -> tuple[np.ndarray, OrdersWithin]:
        """The cheapest orders of some items in what the others leave."""
        others = np.ones(len(quantity), bool)
        others[some] = False
        limits = tuple(
            Limit(x.name, x.weight[some], max(x.most - float(x.weight[others] @ quantity[others]), 0.0))
            for x in self.constraints.limits
        )
        joint = tuple(
            JointMinimum(x.name, x.items[some], x.weight[some], x.least)
            for x in self.constraints.joint
            if x.items[some].any()
        )
        found = best_within(curve.take(some), terms.take(some), Constraints(limits, joint), gap=GAP)
        bound = quantity.copy()
        bound[some] = found.quantity
        return bound, found

    def _why(self, i: int, less: bool, used: dict[str, float], over: bool) -> str:
        """What an order was made smaller or larger by, as it stands in a sentence."""
        own = [x.name for x in self.constraints.joint if x.items[i]]
        gone = [name for name in own if used[name] <= _SLACK]
        if less and gone:
            return f"the {gone[0]} is not reached"
        sums = [x.name for x in self.constraints.limits if x.weight[i] > 0]
        if less and over and sums:
            return f"the {' and the '.join(sums)} leave{'s' if len(sums) == 1 else ''} no more"
        return f"the {own[0]}" if own else f"the {' and the '.join(sums) or 'limits'}"

    def _amount(self, name: str, value: float) -> str:
        return money(value, self.currency) if name == BUDGET else f"{number(value)} units"


def minima(spec: OrdersSpec, suppliers: Iterable[str]) -> dict[str, float]:
    """The declared minimum of each supplier that has one. DeclarationError for one that the state does not know."""
    known = [s for s in dict.fromkeys(suppliers) if s]
    if not isinstance(spec.supplier_minimum, Mapping):
        return dict.fromkeys(known, spec.supplier_minimum) if spec.supplier_minimum > 0 else {}
    for name in spec.supplier_minimum:
        if name not in known:
            raise DeclarationError(
                f"orders.supplier_minimum names the supplier {name!r}",
                f"one of the state's column {spec.supplier!r}: {', '.join(map(repr, known[:12])) or 'it names none'}",
                did_you_mean(name, known) or "correct it, or take it out",
            )
    return {s: v for s, v in spec.supplier_minimum.items() if v > 0}


def held(spec: OrdersSpec, least: Mapping[str, float]) -> tuple[HeldLimit, ...]:
    """The same constraints for the plan's record, against which a sheet is read back."""
    sums = [(BUDGET, spec.budget, True), (CAPACITY, spec.capacity, False)]
    found = [HeldLimit(name=name, most=most, in_money=money_) for name, most, money_ in sums if most is not None]
    return (*found, *(HeldLimit(name=f"minimum of {s}", supplier=s, least=v, in_money=True) for s, v in least.items()))


def unpriced(spec: OrdersSpec, conditions: Conditions, supplier: np.ndarray, least: Mapping[str, float]) -> np.ndarray:
    """(m,) bool: items under a constraint in money whose unit cost nobody knows. DataError where that is all of them."""
    asked = np.full(len(supplier), spec.budget is not None) | np.isin(supplier.astype(str), list(least))
    gone = asked & np.isnan(conditions.unit_cost)
    if gone.any() and gone.sum() == asked.sum():
        raise DataError(
            f"all {int(gone.sum()):,} items under a budget or a supplier's minimum have no unit cost",
            "what a unit costs, for every item that they hold for",
            "fill in unit_cost in the state, or take the constraint away",
        )
    return gone


def binding(
    spec: OrdersSpec, conditions: Conditions, supplier: np.ndarray, least: Mapping[str, float], currency: str
) -> Binding | None:
    """The declared constraints over these items; None where none is. ``least``: of ``minima``."""
    own = {s: v for s, v in least.items() if s in set(supplier.tolist())}
    if spec.budget is None and spec.capacity is None and not own:
        return None
    # items without a unit cost under no constraint in money weigh nothing in one
    worth = np.nan_to_num(conditions.unit_cost)
    limits = []
    if spec.budget is not None:
        limits.append(Limit(BUDGET, worth, spec.budget))
    if spec.capacity is not None:
        limits.append(Limit(CAPACITY, np.ones(len(worth)), spec.capacity))
    joint = tuple(JointMinimum(f"minimum of {s}", supplier.astype(str) == s, worth, v) for s, v in own.items())
    return Binding(Constraints(tuple(limits), joint), currency)
