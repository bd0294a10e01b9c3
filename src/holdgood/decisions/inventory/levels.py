"""Order sizes of each item to choose between, and what each costs: the pieces of a piecewise linear cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.allowed import bounds
from holdgood.decisions.inventory.order_curve import OrderCurve

_MOST = 24
"""Sizes an item between its smallest order and its best one; between two of them cost is taken as linear."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Flat, item after item, ascending; the first of each item is nothing. item (m,): index. quantity, cost (m,). first (n,): where each begins.
    error (n,): by how much a cost between two sizes may be overstated, taken as linear.
    """

    item: np.ndarray
    quantity: np.ndarray
    cost: np.ndarray
    first: np.ndarray
    error: np.ndarray

    @property
    def last(self) -> np.ndarray:
        """Where each item ends; (n,)."""
        return np.append(self.first[1:], len(self.item)) - 1

    @property
    def smallest(self) -> np.ndarray:
        """The smallest order of each item, 0 where there is none; (n,)."""
        return np.asarray(self.quantity[np.minimum(self.first + 1, self.last)])

    @property
    def largest(self) -> np.ndarray:
        """The largest order of each item; (n,)."""
        return np.asarray(self.quantity[self.last])

    def cost_of(self, i: int, quantity: np.ndarray | float) -> np.ndarray:
        """Cost of quantities of item i, between sizes as if linear."""
        begin, end = self.first[i], self.first[i + 1] if i + 1 < len(self.first) else len(self.item)
        return np.asarray(np.interp(quantity, self.quantity[begin:end], self.cost[begin:end]))


def levels(curve: OrderCurve, terms: Terms, reach: np.ndarray, closed: np.ndarray | None) -> Levels:
    """Sizes up to the best one alone, and beyond it to ``reach`` (n,) where a joint minimum or a floor may ask for more.

    Packs: every size is in whole packs, and all of them are there unless more than ``_MOST``. Else: at knots of the curve.
    The fixed cost of an order is in the cost.
    """
    least, most = bounds(terms)
    best = curve.lowest()
    found, skipped = [], []
    for i in range(len(terms)):
        sizes, others = np.zeros(0), np.zeros(0)
        if least[i] <= most[i] and not (closed is not None and closed[i]):
            top = min(most[i], max(best[i], least[i]))
            far = min(most[i], max(reach[i], top))
            sizes, others = _sizes(least[i], top, far, terms.pack[i], most[i], curve.knots[i])
        found.append(np.concatenate([[0.0], sizes]))
        skipped.append(others)
    item, quantity, first = _flat(found)
    cost = _costs(curve, item, quantity, first) + np.where(quantity > 0, terms.fixed[item], 0.0)
    kept = Levels(item, quantity, cost, first, np.zeros(len(terms)))
    error = kept.error
    other, between, begin = _flat(skipped)
    true = _costs(curve, other, between, begin) + terms.fixed[other]
    for i in np.unique(other):
        own = slice(begin[i], begin[i] + len(skipped[i]))
        error[i] = max(0.0, float((kept.cost_of(i, between[own]) - true[own]).max()))
    return kept


def _flat(each: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = np.array([len(x) for x in each], int)
    return np.repeat(np.arange(len(each)), count), np.concatenate(each), np.concatenate([[0], np.cumsum(count)[:-1]])


def _costs(curve: OrderCurve, item: np.ndarray, quantity: np.ndarray, first: np.ndarray) -> np.ndarray:
    place = np.arange(len(item)) - first[item]
    wide = np.zeros((len(curve), int(place.max(initial=0)) + 1))
    wide[item, place] = quantity
    return np.asarray(curve.at(wide)[item, place])


def _sizes(
    least: float, top: float, far: float, pack: float, most: float, knots: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sizes to choose from, and those passed over; beyond the last knot all is linear."""
    if pack > 0:
        low, high = round(least / pack), int(np.ceil(top / pack - 1e-9))
        bend = min(int(np.ceil(far / pack - 1e-9)), max(high, int(np.ceil(knots[-1] / pack))))
        inner, beyond = np.arange(low, high + 1) * pack, np.arange(high, bend + 1) * pack
        far = np.ceil(far / pack - 1e-9) * pack
    else:
        inner = np.unique(np.concatenate([[least], knots[(knots > least) & (knots < top)], [top]]))
        beyond = np.unique(np.concatenate([[top], knots[(knots > top) & (knots < far)]]))
    allowed = np.unique(np.concatenate([inner, beyond, [far]]))
    allowed = allowed[(allowed > 0) & (allowed <= most * (1 + 1e-12))]
    sizes = np.unique(np.concatenate([_some(inner, _MOST), _some(beyond, _MOST), [far]]))
    kept = np.isin(allowed, sizes)
    return allowed[kept], allowed[~kept]


def _some(values: np.ndarray, most: int) -> np.ndarray:
    if len(values) <= most:
        return values
    return np.asarray(values[np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))])
