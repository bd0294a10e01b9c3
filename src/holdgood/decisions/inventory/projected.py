"""The order of now, from joint sample paths of demand, projected stock and pipeline.

An order decided now arrives after its lead time and decides the steps until the next order can arrive: its window. Each path
is followed to that window with what is on hand and on the way, sales lost on the way included, so that two items of one
position but other stock are told apart. Inside the window an extra unit is sold at the first step that would have run
short, or is left over; so the cost of a path is convex and piecewise linear in the order, and its mean over paths is known exactly,
without a search. With backorders, no fixed cost and steady demand this is the base stock policy (Clark and Scarf 1960); with lost sales it
is the myopic policy of Morton (1971), near the best in practice (Zipkin 2008, "Old and new methods for lost-sales inventory systems").

With a shelf life, the order of now ages and spoils; what is on hand or on the way is taken to keep until it is sold, since ``Stock`` does not
say how old it is. The simulator ages every unit: where what is there spoils first, it finds more lost sales than are projected here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.allowed import best_allowed
from holdgood.decisions.inventory.gain import gain_of_sale, loss_of_spoiling
from holdgood.decisions.inventory.given import checked_paths, checked_stock, whole_steps
from holdgood.decisions.inventory.order_curve import OrderCurve
from holdgood.decisions.inventory.several_windows import SeveralWindows, several_windows

_AT_ONCE = 4_000_000
"""Numbers of sample paths handled together: bounds the memory."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Where each path of n items stands when the order of now arrives, and what its size changes.

    curve: expected cost by quantity. need (n, samples): units with which nothing runs short in the window, below zero where stock is
    enough already. window (n, samples): steps that the order decides, 0 where it never comes. demand (n, samples): asked for in the window.
    """

    curve: OrderCurve
    need: np.ndarray
    window: np.ndarray
    demand: np.ndarray

    def __len__(self) -> int:
        return len(self.need)


@dataclass(frozen=True, eq=False)
class BestOrders:
    """Orders of n items. quantity (n,): units. cost (n,): expected money of the window with it, the fixed cost included, less what it saves in
    the windows after. if_not (n,): without it. several: what orders change after the window.
    """

    quantity: np.ndarray
    cost: np.ndarray
    if_not: np.ndarray
    projection: Projection
    several: SeveralWindows

    @property
    def at_stake(self) -> np.ndarray:
        """Expected money that the order saves against ordering nothing; (n,)."""
        return np.asarray(self.if_not - self.cost)


def best_orders(
    paths: np.ndarray,
    stock: Stock,
    terms: Terms,
    *,
    review: np.ndarray | int = 1,
    leads: np.ndarray | None = None,
    arriving: np.ndarray | None = None,
) -> BestOrders:
    """The cheapest order of each item now; arguments as in ``project``. Packs, minimum and maximum are kept.

    A fixed cost, and packs or minimums above what a window asks for, are held against all the windows that the order
    serves: see ``cost_to_go``.
    """
    projection = project(paths, stock, terms, review=review, leads=leads, arriving=arriving)
    quantity = best_allowed(projection.curve, terms)
    n = len(terms)
    several = several_windows(
        paths,
        stock,
        stock.arriving[:, None, :] if arriving is None else arriving,
        terms,
        terms.lead.astype(np.int64) if leads is None else _usual(leads, paths.shape[2]),
        np.broadcast_to(np.asarray(review, np.int64), (n,)),
        gain_of_sale(terms),
        _window_curve,
    )
    quantity = several.best(projection.curve, terms, quantity)
    cost = projection.curve.at(quantity) + np.where(quantity > 0, terms.fixed, 0.0) - several.saved(quantity)
    return BestOrders(quantity, cost, projection.curve.none, projection, several)


def _usual(leads: np.ndarray, never: int) -> np.ndarray:
    """The middle lead time (n,) int64 of orders that come; ``never`` where none does."""
    come = np.where(np.isfinite(leads), leads, np.nan)
    known = np.isfinite(come).any(axis=1)
    out = np.full(len(leads), never, np.int64)
    out[known] = np.nanquantile(come[known], 0.5, axis=1, method="inverted_cdf").astype(np.int64)
    return out


def _window_curve(paths: np.ndarray, stock: Stock, terms: Terms, steps: int) -> OrderCurve:
    return project(paths, stock, replace(terms, lead=np.zeros(len(terms))), review=steps).curve


def project(
    paths: np.ndarray,
    stock: Stock,
    terms: Terms,
    *,
    review: np.ndarray | int = 1,
    leads: np.ndarray | None = None,
    arriving: np.ndarray | None = None,
) -> Projection:
    """Follow every path to the window of the order of now.

    paths (n, samples, steps): demand; step 0 is the next one. review: steps between orders, one number or (n,). leads (n, samples):
    sampled lead times instead of ``terms.lead``, inf for an order that never comes. arriving (n, samples, k): open orders by path, as
    ``stock.arriving``, where their arrival is not certain. Refused: paths that end before the window does.
    """
    n = len(terms)
    checked_paths(paths, terms)
    checked_stock(stock, terms)
    every = whole_steps(np.broadcast_to(np.asarray(review, float), (n,)), "review")
    if (every < 1).any():
        raise DataError(f"a review of {int(every.min())} steps", "one step or more", "correct it")
    if (terms.shelf_life < 1).any():
        raise DataError(
            f"a shelf life of {terms.shelf_life.min():g} steps", "one step or more", "correct it, or leave it out"
        )
    samples, steps = paths.shape[1:]
    if leads is None:
        first = np.broadcast_to(whole_steps(terms.lead, "lead")[:, None], (n, samples))
        end = first + every[:, None]
        if (end > steps).any():
            at = int(np.flatnonzero((end > steps).any(1))[0])
            raise DataError(
                f"sample paths of {steps} steps; item {at} waits {int(first[at, 0])} for its order and {int(every[at])} for the next",
                f"paths of {int(end.max())} steps or more",
                "forecast further ahead",
            )
    else:
        first, end = _sampled_window(leads, every, steps, (n, samples))
    open_orders = stock.arriving[:, None, :] if arriving is None else arriving
    parts = [
        _follow(
            paths[rows],
            open_orders[rows],
            stock.take(rows),
            terms.take(rows),
            first[rows],
            np.minimum(end[rows], steps),
        )
        for rows in _blocks(n, samples * steps)
    ]
    return _joined(parts)


def _sampled_window(
    leads: np.ndarray, every: np.ndarray, steps: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """First and end step of the window by path: the next order has a lead time of its own, and may be there first."""
    if leads.shape != shape or np.isnan(leads).any() or (leads < 0).any():
        raise DataError(
            f"lead times of shape {leads.shape}", f"{shape}, zero or more, inf for never", "sample one a path"
        )
    following = np.minimum(np.roll(leads, 1, axis=1), steps) + every[:, None]
    return np.minimum(leads, steps).astype(np.int64), following.astype(np.int64)


def _blocks(n: int, each: int) -> Iterator[np.ndarray]:
    size = max(1, _AT_ONCE // max(each, 1))
    for begin in range(0, n, size):
        yield np.arange(begin, min(n, begin + size))


def _follow(
    paths: np.ndarray, arriving: np.ndarray, stock: Stock, terms: Terms, first: np.ndarray, end: np.ndarray
) -> Projection:
    n, samples, steps = paths.shape
    gain, holding = gain_of_sale(terms)[:, None], terms.holding[:, None]
    life = terms.shelf_life[:, None]
    perishable = np.isfinite(terms.shelf_life).any()
    window = np.maximum(end - first, 0)
    sold_within = np.minimum(window, life)
    hand = np.broadcast_to((stock.on_hand - (0.0 if terms.lost_sales else stock.waiting))[:, None], (n, samples))
    begun, asked, demand, cost, need = (np.zeros((n, samples)) for _ in range(5))
    most = np.full((n, samples), -np.inf)
    spoils_at = np.full((n, samples), np.nan)
    breaks, jumps = [], []
    for j in range(steps if perishable else int(end.max(initial=0))):
        came = arriving[:, :, j] if j < arriving.shape[2] else 0.0
        wanted = paths[:, :, j]
        since = j - first
        inside = (since >= 0) & (j < end)
        begun = np.where(since == 0, hand, begun)
        asked = np.where(since >= 0, asked + wanted - came, asked)
        most = np.where(since >= 0, np.maximum(most, asked), most)
        left = hand + came - wanted
        hand = np.maximum(left, 0.0) if terms.lost_sales else left
        spoils_at = np.where(since == life - 1, most - begun, spoils_at)
        if not inside.any():
            continue
        cost = cost + np.where(inside, holding * np.maximum(left, 0.0) + gain * np.maximum(-left, 0.0), 0.0)
        demand = demand + np.where(inside, wanted, 0.0)
        need = np.where(inside, most - begun, need)
        if terms.lost_sales:
            # one unit more saves the first sale that would be lost and is held until then; sold too late it saves none
            counts = inside & (since < sold_within)
            jump = holding + np.where(since == sold_within - 1, gain, 0.0)
            breaks.append(np.where(counts, most - begun, 0.0))
        else:
            counts, jump = inside, holding + gain
            breaks.append(np.where(counts, asked - begun, 0.0))
        jumps.append(np.where(counts, jump, 0.0))
    if perishable:
        # a life beyond the paths: demand goes on at each path's own mean
        on = np.where(np.isfinite(life), life, 0.0) - (steps - first)
        last = most - begun + np.maximum(on, 0.0) * paths.mean(axis=2)
        spoils = np.isfinite(life) & (window > 0)
        breaks.append(np.where(spoils, np.where(np.isnan(spoils_at), last, spoils_at), 0.0))
        jumps.append(np.where(spoils, loss_of_spoiling(terms)[:, None], 0.0))
    if not breaks:  # no order comes in time on any path
        breaks, jumps = [np.zeros((n, samples))], [np.zeros((n, samples))]
    start = -gain * ((window > 0) if terms.lost_sales else window)
    curve = OrderCurve.of(
        np.stack(breaks, axis=2).reshape(n, -1),
        np.stack(jumps, axis=2).reshape(n, -1) / samples,
        start.mean(axis=1),
        cost.mean(axis=1),
    )
    return Projection(curve, need, window, demand)


def _joined(parts: list[Projection]) -> Projection:
    if len(parts) == 1:
        return parts[0]
    widest = max(p.curve.knots.shape[1] for p in parts)

    def wide(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.repeat(values[:, -1:], widest - values.shape[1], axis=1)], axis=1)

    curves = [p.curve for p in parts]
    curve = OrderCurve(
        np.concatenate([wide(c.knots) for c in curves]),
        np.concatenate([c.start for c in curves]),
        np.concatenate([wide(c.slope) for c in curves]),
        np.concatenate([c.none for c in curves]),
        np.concatenate([wide(c.at_knot) for c in curves]),
    )
    return Projection(
        curve,
        np.concatenate([p.need for p in parts]),
        np.concatenate([p.window for p in parts]),
        np.concatenate([p.demand for p in parts]),
    )
