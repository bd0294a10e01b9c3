"""What people do today: minimum and maximum in steps of cover, from a moving average; declared, or recovered from what they ordered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation, Terms
from holdgood.decisions.inventory.allowed import allowed_at_least

WINDOW = 13


@dataclass(frozen=True, eq=False)
class MinMax:
    """Orders up to ``high`` when the position (on hand and on the way, less waiting) is at or below ``low``.

    Both are steps of mean sales over the last ``window`` steps that were in stock; with ``window`` 0 they are units. A number for all, or
    (n,) one for each item. ``low`` equal to ``high``: order up to a level at every step.
    """

    low: np.ndarray | float
    high: np.ndarray | float
    window: int = WINDOW
    name: str = "min-max"

    def order(self, seen: Observation) -> np.ndarray:
        """Units (n,), in what the supplier takes."""
        rate = moving_average(seen.sales, seen.in_stock, self.window) if self.window else np.ones(len(seen.stock))
        position = seen.stock.position
        wanted = np.where(position <= self.low * rate, np.maximum(self.high * rate - position, 0.0), 0.0)
        return allowed_at_least(wanted, seen.terms)

    def take(self, rows: np.ndarray) -> MinMax:
        """The policy of some items."""
        low, high = (v[rows] if isinstance(v, np.ndarray) else v for v in (self.low, self.high))
        return MinMax(low, high, self.window, self.name)


def moving_average(sales: np.ndarray, in_stock: np.ndarray, window: int) -> np.ndarray:
    """Mean (n,) of the last ``window`` steps, those out of stock left out unless all are; 0 without a past."""
    # along the long axis: the simulator keeps a step of all rows together
    recent, shown = sales[:, -window:].T, in_stock[:, -window:].T
    there = ~np.isnan(recent)
    seen = there & shown
    known = np.where(there, recent, 0.0)
    count, total = seen.sum(axis=0), (known * seen).sum(axis=0)
    return np.asarray(
        np.where(count > 0, total / np.maximum(count, 1), known.sum(axis=0) / np.maximum(there.sum(axis=0), 1))
    )


@dataclass(frozen=True, eq=False)
class Recovered:
    """``policy`` as fitted; ``agreement``: share of steps at which it orders when they did; ``error``: mean units between its orders and theirs,
    over steps at which either ordered.
    """

    policy: MinMax
    agreement: float
    error: float


def recovered(
    positions: np.ndarray, orders: np.ndarray, sales: np.ndarray, in_stock: np.ndarray, terms: Terms
) -> Recovered:
    """The minimum and maximum that explain best what was ordered.

    positions, orders (n, t): the position before ordering at the end of each step, and what was ordered; sales, in_stock (n, t): of the same steps.
    Units an item, or cover by a moving average of 4, 13 or 26 steps, an item: whichever comes nearest to the orders.
    DataError where nothing was ever ordered. Items that never ordered get what is usual for the others (cover) or nothing (units).
    """
    if not (positions.shape == orders.shape == sales.shape == in_stock.shape):
        raise DataError(
            f"positions {positions.shape}, orders {orders.shape}, sales {sales.shape}", "one shape", "cut them alike"
        )
    if not (orders > 0).any():
        raise DataError("a history without a single order", "orders to learn from", "declare the incumbent policy instead")  # fmt: skip
    found = [_fitted(positions, orders, sales, in_stock, terms, window) for window in (0, 4, 13, 26)]
    return min(found, key=lambda each: each.error)


def _fitted(
    positions: np.ndarray, orders: np.ndarray, sales: np.ndarray, in_stock: np.ndarray, terms: Terms, window: int
) -> Recovered:
    n, steps = orders.shape
    rate = np.ones((n, steps))
    for step in range(steps) if window else ():
        rate[:, step] = moving_average(sales[:, : step + 1], in_stock[:, : step + 1], window)
    placed = orders > 0
    known = rate > 0
    cover = np.where(known, positions / np.where(known, rate, 1.0), np.nan)
    after = np.where(known, (positions + orders) / np.where(known, rate, 1.0), np.nan)
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    for item in range(n):
        use = placed[item] & known[item]
        if use.any():
            high[item] = np.median(after[item, use])
            low[item] = min(_threshold(cover[item, known[item]], placed[item, known[item]]), high[item])
    usual = (np.nanmedian(low), np.nanmedian(high)) if window and not np.isnan(low).all() else (0.0, 0.0)
    low, high = (np.where(np.isnan(v), u, v) for v, u in zip((low, high), usual, strict=True))
    wanted = np.where(positions <= low[:, None] * rate, np.maximum(high[:, None] * rate - positions, 0.0), 0.0)
    again = np.column_stack([allowed_at_least(wanted[:, step], terms) for step in range(steps)])
    either = placed | (again > 0)
    error = float(np.abs(again - orders)[either].mean())
    return Recovered(MinMax(low, high, window, "recovered min-max"), float(((again > 0) == placed).mean()), error)


def _threshold(cover: np.ndarray, placed: np.ndarray) -> float:
    """The value at or below which they ordered, with the fewest exceptions."""
    order = np.argsort(cover, kind="stable")
    values, ordered = cover[order], placed[order]
    wrong = np.concatenate([[0], np.cumsum(~ordered)]) + np.concatenate([np.cumsum(ordered[::-1])[::-1], [0]])
    last = np.concatenate([[True], np.append(values[1:] > values[:-1], True)])
    best = int(np.flatnonzero(last)[np.argmin(wrong[last])])
    return float(values[best - 1]) if best else float(values[0]) - 1.0
