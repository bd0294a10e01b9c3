"""What changing an order was worth, once it is known what was asked for: the same steps walked with both quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.inventory import Stock, Terms
from holdgood.core.records import Interval, OverrideOutcome, PersonOutcome
from holdgood.decisions.inventory.projected import project
from holdgood.decisions.leftover import cost_of_leftover
from holdgood.metrics.interval import mean_interval

_LONGEST = 10
"""Times the walked steps after which what is left over is taken to be sold or written off."""


@dataclass(frozen=True, eq=False)
class Worth:
    """``added`` (n,): money saved by the changed quantity, below zero where it lost. ``seen`` (n,) bool: no stock-out hid demand."""

    added: np.ndarray
    seen: np.ndarray


def worth_of_change(
    demand: np.ndarray,
    rate: np.ndarray,
    stock: Stock,
    terms: Terms,
    before: np.ndarray,
    after: np.ndarray,
    *,
    review: int,
) -> Worth:
    """Cost with the quantities ``before`` less that with ``after``, both (n,), under the demand that came.

    demand (n, steps): what was asked for (or sold) in the steps after the plan, as many as lead time and review; rate (n,): usual demand a
    step, at which what is left over is sold. The change alone is judged: everything else is as it was.
    """
    projection = project(demand[:, None, :], stock, terms, review=review)
    need = np.maximum(projection.need[:, 0], 0.0)

    def cost(quantity: np.ndarray) -> np.ndarray:
        left = np.clip(quantity - need, 0.0, quantity)
        in_window = projection.curve.at(quantity) + np.where(quantity > 0, terms.fixed, 0.0)
        return np.asarray(in_window + cost_of_leftover(left, terms.holding, rate, float(_LONGEST * demand.shape[1])))

    return Worth(cost(before) - cost(after), ~_emptied(demand, stock, terms, after, review))


def _emptied(demand: np.ndarray, stock: Stock, terms: Terms, quantity: np.ndarray, review: int) -> np.ndarray:
    """Where stock was down to nothing at the end of a step that the order decides: what was asked for beyond it was not seen."""
    n, lead = len(terms), terms.lead.astype(np.int64)
    hand, empty = stock.on_hand - stock.waiting, np.zeros(n, bool)
    for t in range(int(lead.max(initial=0)) + review):
        inside = (t >= lead) & (t < lead + review)
        came = stock.arriving[:, t] if t < stock.arriving.shape[1] else 0.0
        hand = np.maximum(
            hand + came + np.where(t == lead, quantity, 0.0) - demand[:, min(t, demand.shape[1] - 1)], 0.0
        )
        empty |= inside & (hand <= 1e-9)
    return empty if terms.lost_sales else np.zeros(n, bool)


def by_person(outcomes: list[OverrideOutcome]) -> tuple[PersonOutcome, ...]:
    """Each person's changes together, everybody's last where there are several: money in all, with an interval of 95%.

    Changes count as independent of each other; many items in one week share their week, so that the interval is rather too short.
    """
    people = sorted({o.who for o in outcomes})
    groups = {who: [o.added for o in outcomes if o.who == who] for who in people}
    if len(people) > 1:
        groups["all"] = [o.added for o in outcomes]
    found = []
    for who, added in groups.items():
        mean = mean_interval(np.array(added))
        n = len(added)
        total = Interval(
            value=n * mean.value, low=n * mean.low, high=n * mean.high, n=n, level=mean.level, method=mean.method
        )
        verdict = "added" if total.low > 0 else "lost" if total.high < 0 else "not proven"
        found.append(PersonOutcome(who=who, overrides=n, added=total, verdict=verdict))
    return tuple(found)
