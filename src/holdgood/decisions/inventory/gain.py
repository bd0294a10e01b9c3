"""What a unit sold brings, and what a unit that spoils takes: the two sides that every order weighs."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Terms


def gain_of_sale(terms: Terms) -> np.ndarray:
    """Money of meeting one unit of demand in its step; (n,).

    Lost sales: what the sale brings less what a unit costs, and the shortage saved (see ``Terms``); 0 where it is not worth serving.
    Backorders: the sale comes anyway, only the wait is saved.
    """
    if not terms.lost_sales:
        return terms.shortage
    return np.asarray(np.maximum(terms.shortage + terms.earned - terms.unit, 0.0))


def loss_of_spoiling(terms: Terms) -> np.ndarray:
    """Money lost with a unit that spoils: what it cost, and the waste; (n,)."""
    return np.asarray(terms.waste + terms.unit)
