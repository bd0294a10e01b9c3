"""(s, S): when stock and what is on the way are at s or below, order up to S. Exact for whole demand in independent steps.

Zheng and Federgruen (1991), "Finding optimal (s, S) policies is about as simple as evaluating a single policy". Backorders, no end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.decisions.inventory.one_step_cost import StepCost, demand_chances, several_steps


@dataclass(frozen=True)
class BestMinMax:
    """reorder: s, order at this position or below. up_to: S. cost: expected money of a step."""

    reorder: int
    up_to: int
    cost: float


def best_min_max(chances: np.ndarray, holding: float, shortage: float, fixed: float, lead: int = 0) -> BestMinMax:
    """The cheapest (s, S) for demand with these chances of 0, 1, 2 … a step.

    The position is what is there before demand of a step, after the order; with a lead time its cost falls due ``lead`` steps later.
    """
    chances = demand_chances(chances)
    if not 0 <= fixed < np.inf or not 0 <= lead < np.inf:
        raise DeclarationError(f"fixed {fixed:g}, lead {lead}", "numbers of zero or more", "correct them")
    step = StepCost(several_steps(chances, lead + 1), holding, shortage)
    often = _Visits(chances)
    up_to, reorder = step.best, step.best - 1
    while often.cost(step, reorder, up_to, fixed) > step.at(reorder):
        reorder -= 1
    best = often.cost(step, reorder, up_to, fixed)
    best_up_to, higher = up_to, up_to + 1
    while step.at(higher) <= best:
        if often.cost(step, reorder, higher, fixed) < best:
            best_up_to = higher
            while often.cost(step, reorder, best_up_to, fixed) <= step.at(reorder + 1):
                reorder += 1
            best = often.cost(step, reorder, best_up_to, fixed)
        higher += 1
    return BestMinMax(reorder, best_up_to, best)


def min_max_cost(
    chances: np.ndarray, holding: float, shortage: float, fixed: float, reorder: int, up_to: int, lead: int = 0
) -> float:
    """Expected money of a step of one (s, S)."""
    if up_to <= reorder:
        raise DeclarationError(f"s {reorder} and S {up_to}", "s below S", "correct them")
    if not 0 <= fixed < np.inf:
        raise DeclarationError(f"fixed {fixed:g}", "a number of zero or more", "correct it")
    chances = demand_chances(chances)
    step = StepCost(several_steps(chances, lead + 1), holding, shortage)
    return _Visits(chances).cost(step, reorder, up_to, fixed)


class _Visits:
    """m(j): how often the position is j units below S between two orders, on average (a renewal equation)."""

    def __init__(self, chances: np.ndarray) -> None:
        self._chances = chances
        self._visits = [1.0 / (1.0 - chances[0])]

    def cost(self, step: StepCost, reorder: int, up_to: int, fixed: float) -> float:
        while len(self._visits) < up_to - reorder:
            j = len(self._visits)
            reach = min(j, len(self._chances) - 1)
            before = np.array(self._visits[j - reach : j][::-1])
            self._visits.append(float(self._chances[1 : reach + 1] @ before) / (1.0 - self._chances[0]))
        visits = np.array(self._visits[: up_to - reorder])
        money = np.array([step.at(up_to - j) for j in range(len(visits))])
        return float((fixed + visits @ money) / visits.sum())
