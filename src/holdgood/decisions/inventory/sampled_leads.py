"""Lead times as samples: drawn from those seen, orders that never came included; and open orders of uncertain arrival, path by path."""

from __future__ import annotations

import numpy as np

from holdgood.core.errors import DataError


def sampled_leads(seen: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Lead times of (n, samples) drawn from those seen, (k,) or (n, k); inf: an order that never came, NaN: no more were seen of an item."""
    rows = np.broadcast_to(np.atleast_2d(np.asarray(seen, float)), (shape[0], np.shape(seen)[-1]))
    known = ~np.isnan(rows)
    if not known.any(axis=1).all():
        at = int(np.flatnonzero(~known.any(axis=1))[0])
        raise DataError(f"no lead time was seen of item {at}", "one or more", "declare its lead time")
    order = np.argsort(~known, axis=1, kind="stable")
    packed = np.take_along_axis(rows, order, axis=1)
    pick = (rng.random(shape) * known.sum(axis=1)[:, None]).astype(int)
    return np.take_along_axis(packed, pick, axis=1)


def sampled_arrivals(
    units: np.ndarray, waited: np.ndarray, seen: np.ndarray, steps: int, samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Open orders by path, (n, samples, steps): column j arrives at the start of the (j + 1)th step from now.

    units, waited (n, m): of each open order its units and the steps since it was placed (0: now). seen: as above. A lead time is drawn among
    those that are still possible after the wait; where none is, the order is taken as lost.
    """
    n, many = units.shape
    out = np.zeros((n, samples, steps))
    rows = np.broadcast_to(np.atleast_2d(np.asarray(seen, float)), (n, np.shape(seen)[-1]))
    item, path = np.meshgrid(np.arange(n), np.arange(samples), indexing="ij")
    for m in range(many):
        open_still = np.where(rows >= waited[:, m : m + 1], rows, np.nan)
        none = np.asarray(np.isnan(open_still).all(axis=1))
        drawn = sampled_leads(np.where(none[:, None], np.inf, open_still), (n, samples), rng)
        column = drawn - waited[:, m : m + 1]
        there = column < steps
        np.add.at(
            out,
            (item[there], path[there], column[there].astype(int)),
            np.broadcast_to(units[:, m : m + 1], (n, samples))[there],
        )
    return out
