"""The cheapest orders of many items at once that keep budgets, capacities, joint minimums and floors, with a proof of how good they are.

The relaxed program bounds the cost from below; its rounding is a plan. Where the two are not near enough, HiGHS first settles which suppliers
are asked, and then, from the plan at hand, everything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import EnvironmentFault
from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.conflict import conflict
from holdgood.decisions.inventory.constraints import Constraints
from holdgood.decisions.inventory.levels import levels
from holdgood.decisions.inventory.many_items import asks_of, chosen, reach_of, written
from holdgood.decisions.inventory.order_curve import OrderCurve
from holdgood.decisions.inventory.rounding import rounded


@dataclass(frozen=True, eq=False)
class OrdersWithin:
    """Orders that keep every constraint. quantity (n,). cost: expected money of all items, fixed costs included. bound: no orders cost less, as
    far as was proved. used: by limit or supplier, what the orders take of it. worth: by limit, what one more unit of it saves, about.
    """

    quantity: np.ndarray
    cost: float
    bound: float
    used: dict[str, float]
    worth: dict[str, float]

    @property
    def gap(self) -> float:
        """Cost above what was proved, as a share of the cost."""
        return max(0.0, self.cost - self.bound) / max(abs(self.cost), 1e-12)


def best_within(
    curve: OrderCurve, terms: Terms, constraints: Constraints, *, gap: float = 0.005, seconds: float = 60.0
) -> OrdersWithin:
    """The cheapest orders that keep every constraint, proved to a share ``gap`` of the best, or as good as ``seconds`` allow.

    curve: expected cost of each item by quantity (``projected.project``). Raises ``ConflictError`` where constraints exclude each
    other: which ones, and the nearest that can be kept.
    """
    n, begun = len(terms), time.monotonic()
    constraints.checked(n)
    sizes = levels(curve, terms, reach_of(constraints, n), constraints.closed)
    task = written(sizes, terms, constraints)
    relaxed = task.relaxed().solved(seconds=seconds)
    bound, point = relaxed.bound, None

    def left() -> float:
        return max(1.0, seconds - (time.monotonic() - begun))

    def near() -> bool:
        return point is not None and task.money @ point - bound <= gap * abs(task.money @ point)

    def better(other: np.ndarray | None) -> np.ndarray | None:
        return other if point is None or (other is not None and task.money @ other < task.money @ point) else point

    found = relaxed
    if found.x is not None:
        point = rounded(task, found.x, sizes, terms, constraints)
    if constraints.joint and not found.impossible and not near():
        found = task.whole_at(asks_of(task, constraints)).solved(gap=gap / 4, seconds=left() / 2)
        bound = max(bound, found.bound)
        if found.x is not None:
            point = better(rounded(task, found.x, sizes, terms, constraints))
    if not found.impossible and not near():
        found = task.solved(gap=gap, seconds=left(), start=point)
        bound, point = max(bound, found.bound), better(found.x)
    if found.impossible:
        raise conflict(task, sizes, terms, constraints, seconds)
    if point is None:
        raise EnvironmentFault(
            f"no orders of {n} items were found in {seconds:g} s that keep every constraint, nor a proof that there are none",
            "constraints with some room, or more time",
            "give more seconds, or loosen the joint minimums",
        )
    quantity = chosen(sizes, terms, point)
    suppliers = point[asks_of(task, constraints)] > 0.5
    cost = float(curve.at(quantity).sum() + terms.fixed[quantity > 0].sum())
    cost += sum(s.fixed for s, yes in zip(constraints.joint, suppliers, strict=True) if yes)
    used = {x.name: float(x.weight @ quantity) for x in constraints.limits}
    used |= {x.name: float((x.weight * x.items) @ quantity) for x in constraints.joint}
    saves = {x.name: max(0.0, -float(relaxed.worth[task.named[x.name][0]])) for x in constraints.limits}
    return OrdersWithin(quantity, cost, bound - float(sizes.error.sum()), used, saves)
