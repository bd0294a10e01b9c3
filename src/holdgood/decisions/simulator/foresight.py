"""What an order book written by somebody who knows the future would cost: how much there is to gain at all.

Lost sales, without a fixed cost: a unit of demand that the stock in hand does not serve is served by the last order that can arrive before it,
or left, whichever is cheaper; exact for certain and random lead times, because to keep stock back for a later step never pays. With a fixed cost
and certain lead times: the recursion of Wagner & Whitin (1958), a unit being left where its share of holding exceeds what it is worth.
Backorders with certain lead times and no fixed cost: each unit comes when it saves the most. Everything else is relaxed to one of these: a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from holdgood.decisions.simulator.outcome import Outcome
from holdgood.decisions.simulator.shelf import Shelf
from holdgood.decisions.simulator.world import World

CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Foresight:
    """``loss`` (n, scenarios): least cost less revenue. ``exact``: attained by some order book; otherwise nobody can do better."""

    loss: np.ndarray
    exact: bool

    def value(self, outcome: Outcome) -> float:
        """Money between ``outcome`` and foresight, a scenario: the value of knowing the future."""
        return float((outcome.loss - self.loss).sum(axis=0).mean())


def foresight(world: World) -> Foresight:
    """The least loss in every scenario; see the module for where it is exact."""
    n = len(world.terms)
    loss = np.empty((n, world.scenarios))
    together = max(1, CELLS // max(1, n * world.steps))
    whole = True
    for begin in range(0, world.scenarios, together):
        end = min(begin + together, world.scenarios)
        rows = np.tile(np.arange(n), end - begin)
        demand = np.ascontiguousarray(world.drawn(begin, end).transpose(2, 1, 0).reshape(world.steps, -1), dtype=float)
        leads = _leads(world, begin, end, rows)
        found = _lost(world, rows, demand, leads) if world.terms.lost_sales else _waiting(world, rows, demand, leads)
        loss[:, begin:end] = found.reshape(end - begin, n).T
        pack = np.maximum(world.terms.pack, 1.0)[rows]
        whole = whole and bool((demand % pack == 0).all())
    return Foresight(loss, _exact(world, whole))


def _exact(world: World, whole: bool) -> bool:
    """Nothing was relaxed. ``whole``: demand comes in whole packs."""
    terms = world.terms
    free = not terms.minimum.any() and bool(np.isinf(terms.maximum).all())
    packs = not terms.pack.any() or (whole and bool((world.stock.position % np.maximum(terms.pack, 1.0) == 0).all()))
    counted = world.since == 0 or (world.leads is None and not terms.unit.any() and not terms.fixed.any())
    certain = world.leads is None
    if terms.lost_sales:
        return free and packs and counted and (certain or not terms.fixed.any())
    keeps = bool(np.isinf(terms.shelf_life).all())
    return free and packs and counted and certain and keeps and not terms.fixed.any()


def _leads(world: World, begin: int, end: int, rows: np.ndarray) -> np.ndarray:
    """(steps, rows)"""
    if world.leads is None:
        return np.broadcast_to(world.terms.lead[rows], (world.steps, len(rows)))
    some = world.leads[:, begin:end] if world.leads.shape[1] > 1 else world.leads
    full = np.broadcast_to(some, (len(world.terms), end - begin, world.steps))
    return np.ascontiguousarray(full.transpose(2, 1, 0).reshape(world.steps, -1))


def _lost(world: World, rows: np.ndarray, demand: np.ndarray, leads: np.ndarray) -> np.ndarray:
    """Least loss (rows,) where demand that is not met is lost."""
    terms = world.terms.take(rows)
    loss, left = _without_orders(world, rows, demand)
    since = world.since
    if terms.fixed.any() and world.leads is None:
        return np.asarray(loss + _lots(world, rows, left))
    arrival = np.arange(world.steps)[:, None] + leads
    # the last arrival up to each step, of whatever order
    latest = np.full(demand.shape, -np.inf)
    for placed in range(world.steps):
        here = np.flatnonzero(arrival[placed] < world.steps)
        at = arrival[placed, here].astype(int)
        latest[at, here] = at
    latest = np.maximum.accumulate(latest, axis=0)
    gap = np.arange(world.steps)[:, None] - latest
    serving = np.where(gap < terms.shelf_life, terms.unit + terms.holding * np.where(np.isinf(gap), 0.0, gap), np.inf)
    serving = np.where(np.isinf(gap), np.inf, serving)
    each = np.minimum(terms.shortage, serving - terms.earned)
    return np.asarray(loss + (left * each)[since:].sum(axis=0))


def _without_orders(world: World, rows: np.ndarray, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What stock and pipeline cost on their own, (rows,), and the demand that they leave, (steps, rows)."""
    terms, stock = world.terms.take(rows), world.stock.take(rows)
    shelf = Shelf(terms, world.steps) if np.isfinite(terms.shelf_life).any() else None
    on_hand, loss, left = stock.on_hand.astype(float), np.zeros(len(rows)), np.empty_like(demand)
    if shelf is not None:
        shelf.begin(on_hand)
    for step in range(world.steps):
        came = stock.arriving[:, step] if step < stock.arriving.shape[1] else np.zeros(len(rows))
        sold = np.minimum(on_hand + came, demand[step])
        left[step] = demand[step] - sold
        on_hand = on_hand + came - sold
        gone = np.zeros(len(rows)) if shelf is None else shelf.spoiled(step, came, sold, on_hand)
        on_hand = on_hand - gone
        if step >= world.since:
            loss += on_hand * terms.holding + gone * terms.waste - sold * terms.earned
    return loss, left


def _lots(world: World, rows: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Least loss (rows,) for the demand that is left where each order has a fixed cost, by recursion from the last step."""
    terms, steps = world.terms.take(rows), world.steps
    best = np.zeros((steps + 1, len(rows)))
    for first in range(steps - 1, -1, -1):
        lose = left[first] * terms.shortage * (first >= world.since)
        best[first] = lose + best[first + 1]
        cover = terms.fixed.copy()
        for last in range(first, steps):
            gap = last - first
            serve = np.where(gap < terms.shelf_life, terms.unit + terms.holding * gap - terms.earned, np.inf)
            cover = cover + left[last] * np.minimum(terms.shortage, serve)
            best[first] = np.where(first >= terms.lead, np.minimum(best[first], cover + best[last + 1]), best[first])
    return np.asarray(best[0])


def _waiting(world: World, rows: np.ndarray, demand: np.ndarray, leads: np.ndarray) -> np.ndarray:
    """Least loss (rows,) where demand waits: each unit ordered comes at the step from which it saves the most, or never.

    The first unit ordered, the second and so on never change what another saves, so each is decided alone: of all units between two of the
    levels to which stock sinks without orders, all are alike.
    """
    terms, stock, steps, since = world.terms.take(rows), world.stock.take(rows), world.steps, world.since
    came = np.zeros((steps, len(rows)))
    known = min(steps, stock.arriving.shape[1])
    came[:known] = stock.arriving[:, :known].T
    net = stock.on_hand - stock.waiting + np.cumsum(came - demand, axis=0)
    late = np.maximum(-net, 0.0)
    counted = (np.arange(steps) >= since)[:, None]
    before = late[since - 1] if since else stock.waiting
    loss = (np.maximum(net, 0.0) * terms.holding + late * terms.shortage)[since:].sum(axis=0)
    loss = loss - terms.earned * (before + demand[since:].sum(axis=0) - late[-1])
    first = (np.arange(steps)[:, None] + leads).min(axis=0, initial=np.inf)
    possible = np.arange(steps)[:, None] >= first
    # what was ordered before the steps that count is not paid in them; with random lead times anything may have been
    early = np.arange(steps)[:, None] < since + (terms.lead if world.leads is None else np.inf if since else 0.0)
    paid = np.where(early & (since > 0), 0.0, terms.unit)
    edges = np.concatenate([np.zeros((1, len(rows))), np.sort(late, axis=0)])
    for lower, upper in pairwise(edges):
        if not (upper > lower).any():
            continue
        asked = late >= upper
        each = np.where(counted, np.where(asked, terms.shortage, -terms.holding), 0.0)
        saved = np.cumsum(each[::-1], axis=0)[::-1] - paid + terms.earned * asked[-1]
        if since:  # served earlier: a sale of steps that do not count
            saved = saved - np.where(counted, 0.0, terms.earned * asked[since - 1])
        best = np.where(possible, saved, 0.0).max(axis=0)
        loss = loss - np.maximum(best, 0.0) * (upper - lower)
    return np.asarray(loss)
