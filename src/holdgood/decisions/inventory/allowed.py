"""Orders that a supplier takes: packs, a minimum and a maximum."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.order_curve import OrderCurve


def bounds(terms: Terms) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest order of each item in whole packs, (n,) each; the smallest above the largest: nothing can be ordered."""
    pack = terms.pack
    step = np.where(pack > 0, pack, 1.0)
    least = np.where(pack > 0, np.maximum(np.ceil(terms.minimum / step - 1e-9), 1.0) * step, terms.minimum)
    return least, np.where(pack > 0, np.floor(terms.maximum / step + 1e-9) * step, terms.maximum)


def best_allowed(curve: OrderCurve, terms: Terms) -> np.ndarray:
    """The cheapest order that the terms allow, the fixed cost of ordering included; the smaller one of equals; (n,).

    Exact: the curve is convex, so the best order of those allowed lies beside its lowest point, or is nothing at all.
    """
    least, most = bounds(terms)
    free = np.clip(curve.lowest(), least, np.maximum(most, least))
    step = np.where(terms.pack > 0, terms.pack, 1.0)
    packs = free / step
    down = np.where(terms.pack > 0, np.floor(packs + 1e-9) * step, free)
    up = np.where(terms.pack > 0, np.ceil(packs - 1e-9) * step, free)
    choices = np.stack([np.zeros(len(terms)), down, up], axis=1)
    money = curve.at(choices) + np.where(choices > 0, terms.fixed[:, None], 0.0)
    outside = (choices > 0) & ((choices < least[:, None] - 1e-9) | (choices > most[:, None] + 1e-9))
    money = np.where(outside, np.inf, money)
    best = money.min(axis=1, keepdims=True)
    good = money <= best + 1e-12 * np.maximum(1.0, np.abs(best))
    return np.asarray(np.where(good, choices, np.inf).min(axis=1))


def allowed_at_least(wanted: np.ndarray, terms: Terms) -> np.ndarray:
    """The smallest order allowed that is not below what is wanted, or the largest allowed; nothing where nothing is wanted; (n,).

    >>> allowed_at_least(np.array([0.0, 3.0, 13.0, 99.0]), Terms.of(4, holding=1, shortage=1, pack=6, minimum=10, maximum=30))
    array([ 0., 12., 18., 30.])
    """
    least, most = bounds(terms)
    step = np.where(terms.pack > 0, terms.pack, 1.0)
    up = np.where(terms.pack > 0, np.ceil(wanted / step - 1e-9) * step, wanted)
    return np.where((wanted <= 0) | (least > most), 0.0, np.minimum(np.maximum(up, least), most))
