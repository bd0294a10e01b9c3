"""What the windows after the first cost, by where stock stands when the next order is decided: what a fixed cost, a pack or a minimum buys lasts longer.

Where an order costs money of its own, or is never smaller than what several windows need, one window cannot tell what it is worth: not to order
now means to pay for it later. So the windows that follow are taken as alike, each with the demand of the last one that the paths reach, and
the best orders of all of them are found by policy iteration over the inventory position (Howard 1960; the policy is an (s, S) where there
is no pack: Scarf 1960). Exact on its grid where demand waits and is alike and independent from window to window, or where orders
arrive at once; where sales are lost on the way, what is on order is counted as if it lay there (a bound that is near with good service).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.inventory import Stock, Terms
from holdgood.core.threads import thread_limit
from holdgood.decisions.inventory.allowed import bounds

POINTS = 128
"""Positions of an item's grid."""
_KEPT = 0.9995
"""What money is worth a window later: near one, so that costs without end stay finite."""
_FAR = 40.0
"""Windows of demand that an order covers at most: further on nobody knows what is asked for."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Positions of m items: ``low`` (m,), ``low`` + ``width`` (m,) and so on, ``POINTS`` of them."""

    low: np.ndarray
    width: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """(m, POINTS)"""
        return np.asarray(self.low[:, None] + self.width[:, None] * np.arange(POINTS))

    @classmethod
    def around(cls, level: np.ndarray, demand: np.ndarray, terms: Terms, gain: np.ndarray) -> Grid:
        """From where everybody orders to above what anybody would order up to. level (m,): cheapest position of a window without fixed
        costs. demand (m, samples): of the steps between two orders. gain (m,): money that a unit in stock saves when it is asked for.
        """
        mean, high = demand.mean(axis=1), demand.max(axis=1)
        least = bounds(terms)[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            lot = np.sqrt(2.0 * terms.fixed * mean / terms.holding)
            late = terms.fixed / gain
        lot = np.where(terms.fixed > 0, np.minimum(lot, _FAR * mean), 0.0)
        late = np.where(terms.fixed > 0, np.minimum(late, _FAR * mean), 0.0)
        below = np.zeros(len(mean)) if terms.lost_sales else late + least + 2.0 * high
        span = np.maximum(level, 0.0) + 1.5 * np.maximum(lot, least) + least + 2.0 * high + below
        width = span / (POINTS - 2)
        whole = (demand == np.round(demand)).all(axis=1)
        width = np.where(whole, np.maximum(np.ceil(width - 1e-9), 1.0), width)
        pack = terms.pack
        with np.errstate(divide="ignore", invalid="ignore"):
            several = np.where(pack >= width, pack / np.floor(pack / width), np.ceil(width / pack) * pack)
        width = np.where(pack > 0, several, width)
        return cls(-np.ceil(below / width) * width, width)


@dataclass(frozen=True, eq=False)
class CostToGo:
    """Expected money (m, POINTS) of all windows from a position on, up to a number that is the same for all positions of an item."""

    grid: Grid
    money: np.ndarray

    def at(self, position: np.ndarray) -> np.ndarray:
        """Between two positions of the grid linear, outside it the nearest; (m, …) as given."""
        shape = (len(self.money),) + (1,) * (position.ndim - 1)
        place = (position - self.grid.low.reshape(shape)) / self.grid.width.reshape(shape)
        place = np.clip(place, 0.0, POINTS - 1.0)
        left = np.minimum(place.astype(np.int64), POINTS - 2)
        row = np.arange(len(self.money)).reshape(shape)
        share = place - left
        return np.asarray(_KEPT * (self.money[row, left] * (1.0 - share) + self.money[row, left + 1] * share))


def cost_to_go(grid: Grid, window: np.ndarray, demand: np.ndarray, terms: Terms) -> CostToGo:
    """The best that can come after the first window. window (m, POINTS): expected money of one, by the position after its order.
    demand (m, samples): of the steps between two orders.
    """
    m = len(terms)
    move = _moves(grid, demand, terms.lost_sales)
    some = np.arange(POINTS)
    least, most = bounds(terms)
    step = np.maximum(np.round(terms.pack / grid.width), 1.0).astype(np.int64)
    smallest = np.maximum(np.ceil(least / grid.width - 1e-9), 1.0)
    sizes = np.arange(1, POINTS)
    # (m, sizes): orders of so many widths that the supplier takes
    taken = (
        (sizes >= smallest[:, None])
        & (sizes % step[:, None] == 0)
        & (sizes * grid.width[:, None] <= most[:, None] + 1e-9)
    )
    order = np.zeros((m, POINTS), np.int64)
    row, eye = np.arange(m)[:, None], np.eye(POINTS)
    money = np.zeros((m, POINTS))
    for _ in range(50):
        after = some + order
        paid = window[row, after] + np.where(order > 0, terms.fixed[:, None], 0.0)
        with thread_limit(1, "blas"):  # many small systems: threads that wait for each other cost seven times as much
            money = np.linalg.solve(eye - _KEPT * move[row, after], paid[..., None])[..., 0]
        then = window + _KEPT * (move @ money[..., None])[..., 0]
        best, chosen = then.copy(), np.zeros_like(order)
        for k, size in enumerate(sizes.tolist()):
            here = np.where(taken[:, k, None], then[:, size:] + terms.fixed[:, None], np.inf)
            cheaper = here < best[:, :-size] - 1e-12 * np.abs(best[:, :-size])
            best[:, :-size] = np.where(cheaper, here, best[:, :-size])
            chosen[:, :-size] = np.where(cheaper, size, chosen[:, :-size])
        better = best < money - 1e-9 * np.abs(money)
        if not better.any():
            break
        order = np.where(better, chosen, order)
    return CostToGo(grid, money - money.min(axis=1, keepdims=True))


def _moves(grid: Grid, demand: np.ndarray, lost: bool) -> np.ndarray:
    """Chances (m, POINTS, POINTS) from the position after an order to the one before the next; demand between two points is shared out."""
    m, samples = demand.shape
    units = np.minimum(demand / grid.width[:, None], POINTS - 1.0)
    whole = np.floor(units)
    share = units - whole
    chance = np.zeros((m, POINTS + 1))
    row = np.broadcast_to(np.arange(m)[:, None], (m, samples))
    np.add.at(chance, (row, whole.astype(np.int64)), (1.0 - share) / samples)
    np.add.at(chance, (row, whole.astype(np.int64) + 1), share / samples)
    out, some = np.zeros((m, POINTS, POINTS)), np.arange(POINTS)
    for fewer in range(POINTS):
        out[:, some, np.maximum(some - fewer, 0)] += chance[:, fewer, None]
    return out


def next_position(
    paths: np.ndarray, arriving: np.ndarray, stock: Stock, terms: Terms, lead: int, review: int, quantity: np.ndarray
) -> np.ndarray:
    """Position (m, samples, g) when the next order is decided, after an order of quantity (m, g) now; m items of one lead and review.
    arriving (m, samples or 1, k): what is on the way.
    """
    coming = arriving.sum(axis=2)[:, :, None]
    ordered = quantity[:, None, :]
    if not terms.lost_sales:
        asked = paths[:, :, :review].sum(axis=2)[:, :, None]
        return np.asarray((stock.on_hand - stock.waiting)[:, None, None] + coming + ordered - asked)
    hand = np.broadcast_to(stock.on_hand[:, None, None], (*paths.shape[:2], 1))
    for j in range(review):
        came = arriving[:, :, j, None] if j < arriving.shape[2] else 0.0
        hand = np.maximum(hand + came + (ordered if j == lead else 0.0) - paths[:, :, j, None], 0.0)
    later = arriving[:, :, review:].sum(axis=2)[:, :, None]
    return np.asarray(hand + later + (ordered if lead >= review else 0.0))
