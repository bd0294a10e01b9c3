"""Runs a policy through futures under the rules of the business; see ``core.inventory`` for the clock.

A scenario is a world of all items at once, so that a policy may weigh one item against another. Where policies speak for
each row alone (they have ``take``), several scenarios run side by side. What stands in memory is bounded by ``CELLS``.

A unit keeps for ``shelf_life`` steps, the one it arrives in included; what is there at the start is fresh. The oldest is sold first; what is too
old at the end of a step is waste before the step's holding is counted. A policy is not told ages (``inventory.projected`` takes what is
there to keep). Where demand is lost nobody sees how much: a step that ends with an empty shelf is not ``in_stock``. Where demand waits it
is seen in full, and ``sales`` are the demand of the step.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Protocol, runtime_checkable

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation, OrderPolicy, Stock, Terms
from holdgood.decisions.simulator.delivery import Certain, Uncertain
from holdgood.decisions.simulator.excess import sensible_stock
from holdgood.decisions.simulator.outcome import Outcome, Units
from holdgood.decisions.simulator.shelf import Shelf
from holdgood.decisions.simulator.world import World

CELLS = 16_000_000
"""Steps of rows that run side by side, at most (one scenario at least)."""
ROWS = 16_384
"""Rows side by side beyond which more are no faster."""
_SLACK = 1e-6
_COUNTED = (
    "demand",
    "sold",
    "short",
    "missed",
    "held",
    "excess",
    "stock_outs",
    "ordered",
    "orders",
    "received",
    "wasted",
)


@runtime_checkable
class RowByRow(Protocol):
    """A policy whose order of a row depends on that row alone."""

    def take(self, rows: np.ndarray) -> OrderPolicy:
        """The policy for those rows, in that order; a row may come several times."""
        ...


def simulate(policy: OrderPolicy, world: World, sensible: np.ndarray | None = None, *, threads: int = 1) -> Outcome:
    """What comes of ``policy`` in every scenario. ``sensible`` (n,): stock above it is excess; None: from the futures.

    ``threads``: scenarios that run at the same time, where policies speak for each row alone (NumPy lets go of the
    interpreter); what comes out is the same to the bit. Drawing futures must then be safe from several threads.

    DataError where an order is negative, not a number, or breaks the pack, minimum or maximum of its item.
    """
    n = len(world.terms)
    if sensible is None:
        first = world.drawn(0, min(world.scenarios, max(1, 2_000_000 // max(1, n * world.steps))))
        sensible = sensible_stock(first, world.terms)
    past = world.sales.shape[1]
    by_row = isinstance(policy, RowByRow)
    threads = threads if by_row else 1
    fits = max(1, CELLS // max(1, n * (world.steps + past) * threads))
    together = min(fits, max(1, ROWS // max(n, 1)), -(-world.scenarios // threads)) if by_row else 1
    units = Units.nothing(n, world.scenarios)

    def run(begin: int) -> dict[str, np.ndarray]:
        end = min(begin + together, world.scenarios)
        rows = np.tile(np.arange(n), end - begin)
        acting = policy
        if isinstance(policy, RowByRow) and (threads > 1 or end - begin > 1):
            acting = policy.take(rows)
        return _run(acting, world, begin, end, rows, sensible[rows])

    begins = range(0, world.scenarios, together)
    with ThreadPoolExecutor(threads) as pool:
        for begin, found in zip(begins, pool.map(run, begins) if threads > 1 else map(run, begins), strict=True):
            for name, values in found.items():
                many = values.reshape(-1, n).T
                getattr(units, name)[:, begin : begin + many.shape[1]] = many
    return Outcome(policy.name, units, world.terms, world.steps - world.since)


def _run(
    policy: OrderPolicy, world: World, begin: int, end: int, rows: np.ndarray, sensible: np.ndarray
) -> dict[str, np.ndarray]:
    """Some scenarios side by side: row by row of ``rows``, scenario after scenario."""
    terms, stock = world.terms.take(rows), world.stock.take(rows)
    steps, past, many = world.steps, world.sales.shape[1], len(rows)
    demand = np.ascontiguousarray(world.drawn(begin, end).transpose(2, 1, 0).reshape(steps, many), dtype=float)
    way = _delivery(world, stock, terms, begin, end)
    sales, in_stock = np.empty((past + steps, many)), np.empty((past + steps, many), bool)
    sales[:past], in_stock[:past] = world.sales.T[:, rows], world.in_stock.T[:, rows]
    perishes = np.isfinite(terms.shelf_life)
    shelf = Shelf(terms, steps) if perishes.any() else None
    on_hand, waiting = stock.on_hand.astype(float), stock.waiting.astype(float)
    told = {name: np.zeros(many) for name in _COUNTED}
    shown = {f.name: _shown(getattr(terms, f.name)) for f in fields(terms) if f.name != "lost_sales"}
    rules = Terms(**shown, lost_sales=terms.lost_sales)
    if shelf is not None:
        shelf.begin(on_hand)
    for step in range(steps):
        known = past + step
        seen = Observation(
            step - 1,
            _shown(sales[:known].T),
            _shown(in_stock[:known].T),
            Stock(_shown(on_hand), _shown(way.arriving(step)), _shown(waiting)),
            rules,
        )
        order = _accepted(policy, policy.order(seen), terms)
        way.order(step, order)
        came, asked = way.receive(step), demand[step]
        have = on_hand + came
        if terms.lost_sales:
            sold = np.minimum(have, asked)
            short = missed = asked - sold
        else:
            sold = np.minimum(have, asked + waiting)
            waiting = waiting + asked - sold
            short, missed = np.minimum(waiting, asked), waiting
        on_hand = have - sold
        if shelf is not None:
            gone = shelf.spoiled(step, came, sold, on_hand)
            on_hand = on_hand - gone
        sales[known] = sold if terms.lost_sales else asked
        in_stock[known] = on_hand > 0 if terms.lost_sales else True
        if step < world.since:
            continue
        told["demand"] += asked
        told["sold"] += sold
        told["short"] += short
        told["missed"] += missed
        told["held"] += on_hand
        told["excess"] += np.maximum(on_hand - sensible, 0.0)
        told["stock_outs"] += short > 0
        told["ordered"] += order
        told["orders"] += order > 0
        told["received"] += came
        if shelf is not None:
            told["wasted"] += gone
    return told | {"on_hand": on_hand, "on_order": way.open(steps - 1), "waiting": waiting}


def _shown(values: np.ndarray) -> np.ndarray:
    """The same numbers, read only: a policy looks at the world and does not write in it."""
    view = values.view()
    view.flags.writeable = False
    return view


def _delivery(world: World, stock: Stock, terms: Terms, begin: int, end: int) -> Certain | Uncertain:
    if world.leads is None:
        return Certain(stock, terms, world.steps)
    n, many = len(world.terms), end - begin
    leads = world.leads[:, begin:end] if world.leads.shape[1] > 1 else world.leads
    full = np.broadcast_to(leads, (n, many, world.steps))
    return Uncertain(stock, terms, full.transpose(1, 0, 2).reshape(n * many, world.steps))


def _accepted(policy: OrderPolicy, order: np.ndarray, terms: Terms) -> np.ndarray:
    """The order, if the supplier would take it."""
    order = np.asarray(order, float)
    if order.shape != (len(terms),):
        raise DataError(f"{policy.name} orders {order.shape}", f"({len(terms)},), one for each row", "correct the policy")  # fmt: skip
    wrong = ~(order >= 0) | np.isinf(order)
    placed = order > 0
    wrong |= placed & ((order < terms.minimum - _SLACK) | (order > terms.maximum + _SLACK))
    if terms.pack.any():
        packs = order / np.where(terms.pack > 0, terms.pack, 1.0)
        wrong |= (terms.pack > 0) & (np.abs(packs - np.round(packs)) > _SLACK)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{policy.name} orders {order[at]:g} of row {at}",
            f"0, or multiples of {terms.pack[at]:g} from {terms.minimum[at]:g} to {terms.maximum[at]:g}"
            if terms.pack[at]
            else f"0, or {terms.minimum[at]:g} to {terms.maximum[at]:g}",
            "round the order as the terms say",
        )
    return order
