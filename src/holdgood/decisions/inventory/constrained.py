"""The cheapest orders of many items at once that keep budgets, capacities, joint minimums and floors, with a proof of how good they are.

The relaxed program, suppliers whole, bounds the cost from below; its rounding is a plan. Where the two are not near enough, HiGHS searches on
from there.
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
    bound, worth = relaxed.bound, relaxed.worth
    if constraints.joint and relaxed.x is not None:
        relaxed = task.whole_at(asks_of(task, constraints)).solved(gap=gap / 4, seconds=seconds / 2)
        bound = max(bound, relaxed.bound)
    if relaxed.impossible:
        raise conflict(task, sizes, terms, constraints, seconds)
    point = None
    if relaxed.x is not None:
        point = rounded(task, relaxed.x, sizes, terms, constraints)
    if point is None or task.money @ point - bound > gap * abs(task.money @ point):
        left = max(1.0, seconds - (time.monotonic() - begun))
        searched = task.solved(gap=gap, seconds=left, start=point)
        if searched.impossible:
            raise conflict(task, sizes, terms, constraints, seconds)
        bound = max(bound, searched.bound)
        point = searched.x if searched.x is not None else point
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
    saves = {x.name: max(0.0, -float(worth[task.named[x.name][0]])) for x in constraints.limits}
    return OrdersWithin(quantity, cost, bound - float(sizes.error.sum()), used, saves)
