"""Orders that people decided, held against what the plan was held to."""

from __future__ import annotations

import math
from collections.abc import Iterable

from holdgood.core.records import DecidedOrder, OrderLine, OrderPlan

FAR = 10.0
"""Times what the plan orders or expects to be asked for, from which a quantity looks like a slip."""
BEYOND = 1_000.0
"""Times the largest of what the plan knows of an item, above which a quantity is no quantity."""
LEAST = 100.0
"""Units that what the plan knows of an item counts as at least: a new item has no demand to compare with."""
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
    demand = _known(line.demand)
    usual = max(line.quantity, demand)
    if usual <= 0 or units <= FAR * usual:
        return ""
    return f"far above the plan, which orders {line.quantity:g} and expects {demand:.3g} to be asked for"


def implausible(line: OrderLine, units: float) -> str:
    """Why a quantity cannot be meant, else "": more than BEYOND times the largest of the order, the expected demand (the high end of four in
    five cases), what is there and coming, a pack, the smallest order and LEAST units. Up to a stated ``maximum`` anything is plausible.

    >>> implausible(OrderLine(id="L1", item="bolt", quantity=12.0, demand=20.0), 1e12)
    'no quantity that can be meant: above 100,000, a thousand times all that the plan knows of this item; correct it, or order it apart from this sheet'
    """
    terms = line.terms
    if terms.maximum is not None and units <= terms.maximum:
        return ""
    known = (
        line.quantity,
        line.demand,
        line.demand_high,
        line.on_hand,
        math.fsum(line.coming),
        terms.pack,
        terms.minimum,
    )
    most = BEYOND * max(LEAST, *map(_known, known))
    if units <= most:
        return ""
    return (
        f"no quantity that can be meant: above {most:,.0f}, a thousand times all that the plan knows of this item; "
        "correct it, or order it apart from this sheet"
    )


def _known(value: float) -> float:
    return value if math.isfinite(value) else 0.0
