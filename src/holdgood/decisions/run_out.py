"""When stock runs out if nothing more is ordered: by step, the share of sample paths that have run short by then."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Stock


def run_out(paths: np.ndarray, stock: Stock, arriving: np.ndarray | None = None) -> np.ndarray:
    """(n, steps): the chance that demand went unmet at this step or an earlier one; paths (n, samples, steps).

    ``arriving`` (n, samples, k): open orders by path, where their arrival is not certain; default those of ``stock``.

    With lost sales or backorders alike: the first shortage is the same.

    >>> one = Stock(np.array([3.0]), np.array([[0.0, 2.0]]), np.zeros(1))
    >>> run_out(np.array([[[2.0, 2.0, 2.0], [4.0, 0.0, 0.0]]]), one)
    array([[0.5, 0.5, 1. ]])
    """
    n, samples, steps = paths.shape
    hand = np.broadcast_to((stock.on_hand - stock.waiting)[:, None], (n, samples)).copy()
    short = np.zeros((n, samples), bool)
    chances = np.empty((n, steps))
    came = stock.arriving[:, None, :] if arriving is None else arriving
    for t in range(steps):
        if t < came.shape[2]:
            hand += came[:, :, t]
        hand -= paths[:, :, t]
        short |= hand < -1e-9
        chances[:, t] = short.mean(axis=1)
    return chances
