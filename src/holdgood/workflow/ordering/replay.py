"""A warehouse beside a forecast that has none: stock by a stated rule, and what the plan's way of ordering saves against the usual one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from holdgood.core.inventory import Observation, OrderPolicy, Stock, Terms
from holdgood.core.records import Comparison
from holdgood.decisions.simulator import MinMax, Outcome, World, saved, simulate, tuned
from holdgood.features.panels.reader import ReadPanel

WARM, PAST = 24, 26
"""Steps at the end of history over which the incumbent is tuned and leaves its stock, and those before that its averages need."""
RULE = (
    f"the stock is what a rule of minimum and maximum over a moving average, tuned on the last {WARM} steps of history, has left on "
    "hand and on the way"
)


@dataclass(frozen=True, eq=False)
class Warehouse:
    """``incumbent``: tuned; ``stock``: what it has left of every item at the end of history; ``sales`` (n, steps): the past that it saw."""

    incumbent: MinMax
    stock: Stock
    sales: np.ndarray


@dataclass(frozen=True, eq=False)
class Replay:
    """Both ways of ordering on the steps after history. ``saved``: money an item that ours saves; ``steps`` of them were walked."""

    ours: Outcome
    theirs: Outcome
    saved: Comparison
    steps: int


@dataclass(eq=False)
class _Watched:
    """A policy whose last observation is kept."""

    policy: MinMax
    name: str = "min-max"
    stock: Stock | None = None

    def order(self, seen: Observation) -> np.ndarray:
        self.stock = seen.stock
        return self.policy.order(seen)


def warehouse(read: ReadPanel, terms: Terms) -> Warehouse:
    """Tune a minimum and a maximum in steps of cover on the end of history, and let them run: see ``RULE``."""
    past = np.maximum(read.panel.tail(PAST + WARM), 0.0)
    before, demand = past[:, :PAST], np.nan_to_num(past[:, PAST:])
    lead, rate = int(terms.lead.max()), np.nan_to_num(np.nanmean(past, axis=1))
    begun = Stock(2.0 * rate, np.repeat(rate[:, None], max(lead, 1), axis=1), np.zeros(len(terms)))
    lows = [lead + 1 + s for s in (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)]
    candidates: list[OrderPolicy] = [MinMax(low, low + gap) for low in lows for gap in (0.0, 0.5, 1.0)]
    best = tuned(candidates, [World(terms, begun, demand[:, None, :], before, ~np.isnan(before))]).policy
    assert isinstance(best, MinMax)
    # a step more, so that the rule looks at the end of history once
    whole = np.concatenate([demand, np.zeros((len(terms), 1))], axis=1)
    watched = _Watched(best)
    simulate(watched, World(terms, begun, whole[:, None, :], before, ~np.isnan(before)))
    assert watched.stock is not None
    return Warehouse(best, watched.stock, past)


def replay(ours: OrderPolicy, held: Warehouse, terms: Terms, demand: np.ndarray) -> Replay:
    """Walk the steps after history with both; ``demand`` (n, steps). Steps that no order of now can change are not counted."""
    world = World(terms, held.stock, demand[:, None, :], held.sales, ~np.isnan(held.sales), since=int(terms.lead.max()))
    mine, theirs = simulate(ours, world), simulate(held.incumbent, world)
    return Replay(mine, theirs, saved(mine, theirs, over="items"), demand.shape[1] - world.since)


def state_table(read: ReadPanel, held: Warehouse) -> pa.Table:
    """The stock as the table that a plan reads: the item's columns, on_hand, supplier."""
    return read.keys.append_column("on_hand", pa.array(np.round(held.stock.on_hand - held.stock.waiting, 2)))


def orders_table(read: ReadPanel, held: Warehouse) -> pa.Table:
    """What is on the way, one row an order: the item's columns, on_order, arrives (steps from now)."""
    rows, steps = np.nonzero(held.stock.arriving > 0)
    table = read.keys.take(pa.array(rows))
    table = table.append_column("on_order", pa.array(np.round(held.stock.arriving[rows, steps], 2)))
    return table.append_column("arrives", pa.array(steps + 1.0))
