"""Working calendars: on which steps a supplier takes orders and delivers, and the lead time and the wait for the next order that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DeclarationError


@dataclass(frozen=True, eq=False)
class Windows:
    """What orders of a calendar decide, by the step at whose end they are placed: ``placed`` (k,), step 0 first, whether it takes orders or not.

    ``first``: the step at whose start the order is there; ``after``: the one at whose start the next order that comes later is there.
    """

    placed: np.ndarray
    first: np.ndarray
    after: np.ndarray


def order_windows(orders: np.ndarray, delivers: np.ndarray, working: np.ndarray, lead: int) -> Windows:
    """The windows of a calendar, as many as it tells of to their end. orders, delivers, working (steps,) bool: step j takes orders, delivers,
    counts for the lead time; step 0 is now. lead: working steps.
    """
    steps = len(orders)
    chances = [j for j in range(steps) if j == 0 or orders[j]]
    there = [_delivery(j, delivers, working, lead) for j in chances]
    found = []
    for k, (j, first) in enumerate(zip(chances, there, strict=True)):
        # an order of a later day that comes with this one's delivery does not end its window
        after = next((d for d in there[k + 1 :] if d > first), steps)
        if first >= steps or after >= steps:
            break
        found.append((j, first, after))
    table = np.array(found, np.int64).reshape(-1, 3)
    return Windows(table[:, 0], table[:, 1], table[:, 2])


def lead_and_review(
    orders: np.ndarray, delivers: np.ndarray, working: np.ndarray, lead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For an order at the end of step 0 of a calendar: lead, review, closed; (n,) each, steps.

    orders, delivers, working (n, steps), lead (n,): as in ``order_windows``. closed: no order is taken now. review: steps until the delivery of
    the next order, less those until the delivery of this one. Refused: calendars that end before the order that follows is delivered.
    """
    n, steps = orders.shape
    lead_steps, gap = np.zeros(n, np.int64), np.ones(n, np.int64)
    for i in range(n):
        found = order_windows(orders[i], delivers[i], working[i], int(lead[i]))
        if not len(found.placed):
            raise DeclarationError(
                f"a calendar of {steps} steps for item {i}, whose next order is not delivered in it",
                "a calendar that goes on until the order after this one is delivered",
                "declare more of it, or correct the days of ordering and delivery",
            )
        lead_steps[i], gap[i] = found.first[0] - 1, found.after[0] - found.first[0]
    return lead_steps, gap, ~orders[:, 0]


def _delivery(ordered: int, delivers: np.ndarray, working: np.ndarray, lead: int) -> int:
    """The step at whose start an order given at the end of ``ordered`` is there: on the first delivery after ``lead`` working steps."""
    later = np.flatnonzero(working & (np.arange(len(working)) > ordered))
    if len(later) <= lead:
        return len(working)
    possible = np.flatnonzero(delivers & (np.arange(len(delivers)) >= later[lead]))
    return int(possible[0]) if len(possible) else len(working)
