"""Orders whose worth shows over several windows: the cost of the first, known path by path, and what follows (``cost_to_go``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.allowed import bounds
from holdgood.decisions.inventory.cost_to_go import POINTS, CostToGo, Grid, cost_to_go, next_position
from holdgood.decisions.inventory.order_curve import OrderCurve

Curves = Callable[[np.ndarray, Stock, Terms, int], OrderCurve]
"""Cost curve of a window from now on: paths, stock, terms, steps of the window."""
_AT_ONCE = 128
_LARGE = 1.0
"""Smallest orders above this multiple of a window's demand last for more than one."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Items of one lead time and review, with what follows their first window."""

    rows: np.ndarray
    paths: np.ndarray
    arriving: np.ndarray
    stock: Stock
    terms: Terms
    lead: int
    review: int
    then: CostToGo

    def at(self, quantity: np.ndarray) -> np.ndarray:
        """Expected money (m, g) after the first window."""
        after = next_position(self.paths, self.arriving, self.stock, self.terms, self.lead, self.review, quantity)
        return np.asarray(self.then.at(after).mean(axis=1))


@dataclass(frozen=True, eq=False)
class SeveralWindows:
    """What orders of n items change after their first window; nothing for items whose orders are decided by one window alone."""

    n: int
    groups: tuple[_Group, ...]

    @property
    def rows(self) -> np.ndarray:
        """The items that are looked at so."""
        return np.concatenate([np.zeros(0, np.int64), *(g.rows for g in self.groups)]).astype(np.int64)

    def saved(self, quantity: np.ndarray) -> np.ndarray:
        """Expected money that orders (n,) save after the first window, against ordering nothing; (n,)."""
        out = np.zeros(self.n)
        for g in self.groups:
            both = g.at(np.stack([np.zeros(len(g.rows)), quantity[g.rows]], axis=1))
            out[g.rows] = both[:, 0] - both[:, 1]
        return out

    def best(self, curve: OrderCurve, terms: Terms, quantity: np.ndarray) -> np.ndarray:
        """Orders (n,) that cost least over all windows; ``quantity`` (n,), best for the first window, where that is the only one looked at."""
        out = quantity.copy()
        for g in self.groups:
            choices = _choices(g, quantity[g.rows])
            money = curve.take(g.rows).at(choices) + np.where(choices > 0, g.terms.fixed[:, None], 0.0) + g.at(choices)
            lowest = money.min(axis=1, keepdims=True)
            good = money <= lowest + 1e-9 * np.maximum(1.0, np.abs(lowest))
            out[g.rows] = np.where(good, choices, np.inf).min(axis=1)
        return out

    def curve(self, curve: OrderCurve) -> OrderCurve:
        """Cost by quantity with what follows: the largest convex function below it at the sizes of the grid, fixed costs aside."""
        knots, at_knot = curve.knots.copy(), curve.at_knot.copy()
        slope, start = curve.slope.copy(), curve.start.copy()
        width = knots.shape[1]
        for g in self.groups:
            choices = np.sort(_choices(g, np.zeros(len(g.rows))), axis=1)
            follows = g.at(choices)
            money = curve.take(g.rows).at(choices) + follows - follows[:, :1]
            for i, x, y in zip(g.rows.tolist(), choices, money, strict=True):
                hull = _hull(x, y)[:width]
                slopes = np.diff(y[hull]) / np.diff(x[hull])
                count = len(slopes)
                if not count:
                    continue
                ends = np.r_[slopes[1:], curve.slope[i, -1]]
                start[i] = slopes[0]
                knots[i], at_knot[i] = x[hull[-1]], y[hull[-1]]
                slope[i] = max(ends[-1], slopes[-1])
                knots[i, :count], at_knot[i, :count] = x[hull[1:]], y[hull[1:]]
                slope[i, : count - 1] = ends[:-1]
        return OrderCurve(knots, start, slope, curve.none, at_knot)


def several_windows(
    paths: np.ndarray,
    stock: Stock,
    arriving: np.ndarray,
    terms: Terms,
    lead: np.ndarray,
    review: np.ndarray,
    gain: np.ndarray,
    curves: Curves,
) -> SeveralWindows:
    """Of the items whose order costs money of its own, or is never smaller than a window needs; lead, review (n,) int64, gain (n,) money."""
    asked = paths.mean(axis=(1, 2))
    least = bounds(terms)[0]
    # where demand is whole a single unit is no pack: what it is worth shows in its window, as another one can follow it at any time
    single = (least <= 1.0) & (paths == np.round(paths)).all(axis=(1, 2))
    large = (least > _LARGE * asked * review) & ~single & (terms.maximum > 0)
    rows = np.flatnonzero(((terms.fixed > 0) | large) & (asked > 0) & (lead + review <= paths.shape[2]))
    kinds = lead[rows] * (paths.shape[2] + 1) + review[rows]
    groups = []
    for kind in np.unique(kinds):
        members = rows[kinds == kind]
        for begin in range(0, len(members), _AT_ONCE):
            groups.append(
                _group(members[begin : begin + _AT_ONCE], paths, stock, arriving, terms, lead, review, gain, curves)
            )
    return SeveralWindows(len(terms), tuple(groups))


def _group(
    rows: np.ndarray, paths: np.ndarray, stock: Stock, arriving: np.ndarray, terms: Terms, lead: np.ndarray, review: np.ndarray,
    gain: np.ndarray, curves: Curves,
) -> _Group:  # fmt: skip
    wait, every = int(lead[rows[0]]), int(review[rows[0]])
    own, some = terms.take(rows), paths[rows]
    last = some[:, :, some.shape[2] - wait - every :]
    demand = last[:, :, wait:].sum(axis=2)
    # spoiling is paid for in the first window, for every unit once
    keeps = replace(own, shelf_life=np.full(len(rows), np.inf), fixed=np.zeros(len(rows)))
    nothing = np.zeros(len(rows))
    level = curves(last, Stock(nothing, np.zeros((len(rows), 0)), nothing), keeps, wait + every).lowest()
    grid = Grid.around(level, demand, own, gain[rows])
    begun = Stock(nothing, np.zeros((len(rows), 0)), -grid.low)
    there = grid.positions - grid.low[:, None]
    window = curves(last, begun, keeps, wait + every).at(there)
    if wait:
        window = window - curves(last, begun, keeps, wait).at(there)
    return _Group(rows, some, arriving[rows], stock.take(rows), own, wait, every, cost_to_go(grid, window, demand, own))


def _choices(group: _Group, also: np.ndarray) -> np.ndarray:
    """Order sizes (m, POINTS + 2) to choose between, as the terms allow: nothing, up to each position of the grid, and ``also`` (m,)."""
    terms = group.terms
    least, most = (x[:, None] for x in bounds(terms))
    position = (group.stock.on_hand - group.stock.waiting + group.arriving.sum(axis=2).mean(axis=1))[:, None]
    missing = group.then.grid.positions - position
    pack = terms.pack[:, None]
    up = np.where(pack > 0, np.ceil(missing / np.where(pack > 0, pack, 1.0) - 1e-9) * pack, missing)
    up = np.where((missing <= 0) | (least > most), 0.0, np.minimum(np.maximum(up, least), most))
    out = np.concatenate([np.zeros((len(terms), 1)), up, also[:, None]], axis=1)
    assert out.shape[1] == POINTS + 2
    return np.asarray(out)


def _hull(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Indices of the corners of the lower convex hull; x ascending."""
    kept: list[int] = []
    for k in range(len(x)):
        if kept and x[k] - x[kept[-1]] <= 1e-12:
            continue
        while len(kept) > 1 and (y[kept[-1]] - y[kept[-2]]) * (x[k] - x[kept[-2]]) >= (y[k] - y[kept[-2]]) * (
            x[kept[-1]] - x[kept[-2]]
        ):
            kept.pop()
        kept.append(k)
    return np.array(kept)
