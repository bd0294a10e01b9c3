"""Excess stock, defined once: what lies on hand at the end of a step beyond what any sensible service level needs.

Sensible at most is the 99.9th percentile of demand over the lead time and the step until the next order can be placed, and on top what comes in
one order because orders have a least size: the pack, the minimum, or the economic order quantity of Harris (1913) where an order has a fixed cost.
"""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Terms

LEVEL = 0.999
ENOUGH = 20_000
"""Sums of demand an item, at most, that the percentile is taken from: the scenarios that come first."""


def sensible_stock(demand: np.ndarray, terms: Terms) -> np.ndarray:
    """Units (n,) above which stock is excess. ``demand`` (n, scenarios, steps): the futures, or some of them."""
    n, _, steps = demand.shape
    kept = demand[:, : max(1, ENOUGH // max(steps, 1))]
    total = np.concatenate([np.zeros((n, kept.shape[1], 1)), np.cumsum(kept, axis=2, dtype=float)], axis=2)
    cover = np.minimum(np.ceil(terms.lead).astype(int) + 1, steps)
    most = np.zeros(n)
    for span in np.unique(cover):
        rows = np.flatnonzero(cover == span)
        sums = (total[rows, :, span:] - total[rows, :, : steps + 1 - span]).reshape(len(rows), -1)
        most[rows] = np.quantile(sums, LEVEL, axis=1, method="higher") if sums.size else 0.0
    rate = kept.mean(axis=(1, 2)) if kept.size else np.zeros(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        lot = np.where((terms.fixed > 0) & (rate > 0), np.sqrt(2 * terms.fixed * rate / terms.holding), 0.0)
    lot = np.where(np.isfinite(lot), lot, rate * steps)
    return np.asarray(most + np.maximum(lot, np.maximum(terms.pack, terms.minimum)))
