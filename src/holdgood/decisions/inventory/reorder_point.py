"""(r, Q): when the position falls to r, order Q. Demand in continuous time, backorders.

Normal lead-time demand: expected inventory level approximation (Hadley and Whitin 1963; Snyder and Shen 5.3). Poisson: exact, by Federgruen
and Zheng (1992), "An efficient algorithm for computing an optimal (r, Q) policy in continuous review stochastic inventory systems".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from holdgood.core.errors import DeclarationError
from holdgood.decisions.inventory.eoq import economic_order
from holdgood.decisions.inventory.one_step_cost import StepCost, poisson_chances


@dataclass(frozen=True)
class ReorderPoint:
    """reorder: r. quantity: Q. cost: expected money a unit of time."""

    reorder: float
    quantity: float
    cost: float


def normal_reorder_point(
    mean: float, sd: float, holding: float, shortage: float, fixed: float, lead: float
) -> ReorderPoint:
    """mean, sd: of the demand of a unit of time. shortage: a unit not served at once, however long. lead: units of time.

    Iterates r given Q and Q given r from the economic order quantity until neither moves.
    """
    over, spread = mean * lead, sd * math.sqrt(lead)
    if not spread > 0:
        raise DeclarationError(f"sd {sd:g}, lead {lead:g}", "numbers above zero", "correct them")
    quantity = economic_order(fixed, holding, mean).quantity
    reorder = -math.inf
    for _ in range(10_000):
        before = (reorder, quantity)
        chance = quantity * holding / (shortage * mean)
        if chance >= 1.0:
            raise DeclarationError(
                f"shortage {shortage:g} against holding {holding:g} for an order of {quantity:.4g}",
                "a shortage cost that makes stock worth holding",
                "correct the costs",
            )
        z = float(stats.norm.isf(chance))
        reorder = over + z * spread
        short = spread * (float(stats.norm.pdf(z)) - z * float(stats.norm.sf(z)))
        quantity = math.sqrt(2.0 * mean * (fixed + shortage * short) / holding)
        if max(abs(reorder - before[0]), abs(quantity - before[1])) < 1e-10 * max(1.0, quantity):
            break
    cost = holding * (reorder - over + quantity / 2.0) + fixed * mean / quantity + shortage * mean * short / quantity
    return ReorderPoint(reorder, quantity, cost)


def poisson_reorder_point(rate: float, holding: float, shortage: float, fixed: float, lead: float) -> ReorderPoint:
    """rate: units of time. shortage: a unit that waits, a unit of time. Exact.

    The position is uniform on r + 1 … r + Q; the positions of least cost are taken one by one for as long as one more lowers the mean.
    """
    if not fixed >= 0:
        raise DeclarationError(f"fixed {fixed:g}", "a number of zero or more", "correct it")
    step = StepCost(poisson_chances(rate * lead), holding, shortage)
    low = high = step.best
    total = fixed * rate + step.at(low)
    while True:
        below, above = step.at(low - 1), step.at(high + 1)
        size = high - low + 1
        if min(below, above) >= total / size:
            return ReorderPoint(low - 1, size, total / size)
        total += min(below, above)
        if below <= above:
            low -= 1
        else:
            high += 1
