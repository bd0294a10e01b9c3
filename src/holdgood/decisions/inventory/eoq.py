"""The economic order quantity: fixed cost against holding, demand steady and certain.

Harris (1913); with backorders and all-units discounts as in Snyder and Shen, Fundamentals of Supply Chain Theory, 3.2 to 3.5.
Rates (demand, holding, shortage) share one unit of time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from holdgood.core.errors import DeclarationError


@dataclass(frozen=True)
class Lot:
    """quantity: units an order. cost: money a unit of time, purchases included where they have a price. short: share of an order that waits."""

    quantity: float
    cost: float
    short: float = 0.0


def economic_order(fixed: float, holding: float, rate: float, shortage: float = math.inf) -> Lot:
    """Order size and its cost; shortage: a unit that waits costs this a unit of time (inf: none may wait).

    >>> round(economic_order(8, 0.225, 1300).quantity, 4)
    304.0468
    """
    _positive(fixed=fixed, holding=holding, rate=rate, shortage=shortage)
    served = 1.0 if math.isinf(shortage) else shortage / (holding + shortage)
    cost = math.sqrt(2.0 * fixed * rate * holding * served)
    return Lot(math.sqrt(2.0 * fixed * rate / (holding * served)), cost, 1.0 - served)


def discounted_order(
    fixed: float, rate: float, interest: float, breaks: Sequence[float], prices: Sequence[float]
) -> Lot:
    """All units of an order have the price of the largest break that it reaches; holding is ``interest`` of the price.

    breaks: ascending, the first 0. prices: one a break. The best of each price lies at its own order quantity or at its break.
    """
    if len(breaks) != len(prices) or not len(breaks) or breaks[0] != 0 or list(breaks) != sorted(set(breaks)):
        raise DeclarationError(
            f"breaks {list(breaks)} with prices {list(prices)}", "ascending breaks from 0, a price each", "correct them"
        )
    best = Lot(math.inf, math.inf)
    for j, (low, price) in enumerate(zip(breaks, prices, strict=True)):
        alone = economic_order(fixed, interest * price, rate).quantity
        high = breaks[j + 1] if j + 1 < len(breaks) else math.inf
        quantity = max(low, alone)
        if quantity < high:
            cost = price * rate + fixed * rate / quantity + interest * price * quantity / 2.0
            best = min(best, Lot(quantity, cost), key=lambda lot: lot.cost)
    return best


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise DeclarationError(f"{name} is {value:g}", "a number above zero", "correct it")
