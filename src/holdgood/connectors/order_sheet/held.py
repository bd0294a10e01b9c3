"""Orders that people decided, held against what the plan was held to."""

from __future__ import annotations

import math
from collections.abc import Iterable

from holdgood.core.records import DecidedOrder, OrderLine, OrderPlan

FAR = 10.0
"""Times what the plan orders or expects to be asked for, from which a quantity looks like a slip."""
_SLACK = 1e-6


def broken(plan: OrderPlan, orders: Iterable[DecidedOrder]) -> tuple[str, ...]:
    """A sentence for each limit that the orders of decided lines exceed, or a supplier's minimum that they miss."""
    cost = {line.id: line.terms.unit_cost for line in plan.lines}
    decided, found = list(orders), []
    for limit in plan.held:
        own = [o for o in decided if limit.supplier is None or o.supplier == limit.supplier]
        taken = math.fsum(o.quantity * (cost[o.line] if limit.in_money else 1.0) for o in own if o.quantity > 0)
        unit = f" {plan.currency}".rstrip() if limit.in_money else " units"
        if limit.most is not None and taken > limit.most + _SLACK:
            found.append(f"{limit.name}: the orders take {taken:,.10g}{unit}, more than {limit.most:,.10g}{unit}")
        if limit.least is not None and _SLACK < taken < limit.least - _SLACK:
            found.append(f"{limit.name}: the orders come to {taken:,.10g}{unit}, less than {limit.least:,.10g}{unit}")
    return tuple(found)


def far_above(line: OrderLine, units: float) -> str:
    """A word where a quantity is far above what the plan orders and what is asked for, else "".

    >>> far_above(OrderLine(id="L1", item="bolt", quantity=12.0, demand=20.0), 2000.0)
    'far above the plan, which orders 12 and expects 20 to be asked for'
    """
    demand = line.demand if math.isfinite(line.demand) else 0.0
    usual = max(line.quantity, demand)
    if usual <= 0 or units <= FAR * usual:
        return ""
    return f"far above the plan, which orders {line.quantity:g} and expects {demand:.3g} to be asked for"
