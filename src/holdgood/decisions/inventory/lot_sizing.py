"""When to order how much of demand that is known step by step: Wagner and Whitin (1958), exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError


@dataclass(frozen=True, eq=False)
class LotPlan:
    """orders (steps,): units ordered for the start of each step. cost: fixed, units and holding of all steps."""

    orders: np.ndarray
    cost: float


def lot_plan(
    demand: np.ndarray, fixed: float | np.ndarray, holding: float | np.ndarray, unit: float | np.ndarray = 0.0
) -> LotPlan:
    """The cheapest orders that meet demand (steps,) in time; costs are one number, or one a step; holding: for what is left at a step's end.

    >>> plan = lot_plan(np.array([90.0, 120, 80, 70]), fixed=500, holding=2)
    >>> plan.orders.tolist(), plan.cost
    ([210.0, 0.0, 150.0, 0.0], 1380.0)
    """
    demand = np.asarray(demand, float)
    steps = len(demand)
    if not steps or not np.isfinite(demand).all() or (demand < 0).any():
        raise DataError(f"demand {demand.tolist()[:5]}", "numbers of zero or more", "correct it")
    setup, hold, price = (np.broadcast_to(np.asarray(x, float), (steps,)) for x in (fixed, holding, unit))
    for name, values in (("fixed", setup), ("holding", hold), ("unit", price)):
        # NaN fails too: with it no order is ever the cheapest
        if not (np.isfinite(values) & (values >= 0)).all():
            raise DataError(f"{name} {values.tolist()[:5]}", "numbers of zero or more", "correct it")
    best, back = np.full(steps + 1, np.inf), np.zeros(steps + 1, int)
    best[steps] = 0.0
    for t in range(steps - 1, -1, -1):
        if demand[t] == 0 and best[t + 1] < np.inf:
            best[t], back[t] = best[t + 1], t + 1  # nothing is asked for: nothing need come
        cost, carried = setup[t], 0.0
        for until in range(t, steps):
            # what step `until` asks for is carried from t to there
            cost += demand[until] * (price[t] + carried)
            carried += hold[until]
            if cost + best[until + 1] < best[t]:
                best[t], back[t] = cost + best[until + 1], until + 1
    orders, t = np.zeros(steps), 0
    while t < steps:
        orders[t] = demand[t : back[t]].sum()
        t = int(back[t])
    return LotPlan(orders, float(best[0]))
