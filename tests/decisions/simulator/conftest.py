"""The simulator told again, slowly: one item, one scenario, a list of units each with the step in which it came. The other road of the tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass
class Told:
    demand: float = 0
    sold: float = 0
    short: float = 0
    missed: float = 0
    held: float = 0
    stock_outs: float = 0
    ordered: float = 0
    orders: float = 0
    received: float = 0
    wasted: float = 0
    on_hand: float = 0
    on_order: float = 0
    waiting: float = 0


@pytest.fixture(scope="session")
def scalar() -> Callable[..., Told]:
    """The slow simulator."""
    return run


def run(
    demand: list[int],
    orders: list[int],
    leads: list[float],
    on_hand: int,
    arriving: list[int],
    waiting: int = 0,
    life: float = math.inf,
    lost: bool = True,
    since: int = 0,
) -> Told:
    """Whole units. Order e is placed before step e and arrives with step e + leads[e]."""
    told = Told()
    shelf = [0] * on_hand
    queue = [-1] * waiting
    coming = [(step, units) for step, units in enumerate(arriving)]
    for step, asked in enumerate(demand):
        counted = step >= since
        coming.append((step + leads[step], orders[step]))
        came = sum(units for at, units in coming if at == step)
        shelf += [step] * came
        queue += [step] * asked
        served = 0
        while shelf and queue:
            shelf.pop(0)
            queue.pop(0)
            served += 1
        short = sum(1 for asked_in in queue if asked_in == step)
        missed = len(queue)
        if lost:
            queue = []
        gone = sum(1 for came_in in shelf if step >= came_in + life - 1)
        shelf = [came_in for came_in in shelf if step < came_in + life - 1]
        if counted:
            told.demand += asked
            told.sold += served
            told.short += short
            told.missed += missed
            told.held += len(shelf)
            told.stock_outs += short > 0
            told.ordered += orders[step]
            told.orders += orders[step] > 0
            told.received += came
            told.wasted += gone
    told.on_hand, told.waiting = len(shelf), len(queue)
    told.on_order = sum(units for at, units in coming if at >= len(demand))
    return told
