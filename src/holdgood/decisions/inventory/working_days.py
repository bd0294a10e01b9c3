"""Working calendars: on which steps a supplier takes orders and delivers, and the lead time and the wait for the next order that follow."""

from __future__ import annotations

import numpy as np

from holdgood.core.errors import DeclarationError


def lead_and_review(
    orders: np.ndarray, delivers: np.ndarray, working: np.ndarray, lead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For an order at the end of step 0 of a calendar: lead, review, closed; (n,) each, steps.

    orders, delivers, working (n, steps) bool: step j takes orders, delivers, counts for the lead time; step 0 is now. lead (n,): working steps.
    closed: no order is taken now. review: steps until the delivery of the next order, less those until the delivery of this one. Refused: calendars
    that end before the order that follows is delivered.
    """
    n, steps = orders.shape
    at = np.arange(steps)
    lead_steps, gap = np.zeros(n, np.int64), np.ones(n, np.int64)
    for i in range(n):
        ordering = at[orders[i] & (at > 0)]
        first = _delivery(0, delivers[i], working[i], int(lead[i]))
        # an order of a later day that comes with this one's delivery does not end its window
        after = next(
            (d for j in ordering if (d := _delivery(int(j), delivers[i], working[i], int(lead[i]))) > first), steps
        )
        if first >= steps or after >= steps:
            raise DeclarationError(
                f"a calendar of {steps} steps for item {i}, whose next order is not delivered in it",
                "a calendar that goes on until the order after this one is delivered",
                "declare more of it, or correct the days of ordering and delivery",
            )
        lead_steps[i], gap[i] = first - 1, after - first
    return lead_steps, gap, ~orders[:, 0]


def _delivery(ordered: int, delivers: np.ndarray, working: np.ndarray, lead: int) -> int:
    """The step at whose start an order given at the end of ``ordered`` is there: on the first delivery after ``lead`` working steps."""
    later = np.flatnonzero(working & (np.arange(len(working)) > ordered))
    if len(later) <= lead:
        return len(working)
    possible = np.flatnonzero(delivers & (np.arange(len(delivers)) >= later[lead]))
    return int(possible[0]) if len(possible) else len(working)
