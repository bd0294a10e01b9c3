"""Orders of many items under what binds them together, written as a mixed integer linear program.

Of each item a mixture of order sizes is chosen. As expected cost is convex from the smallest order on, the mixture lies between two
neighbours by itself; what has to be whole are packs, and whether anything is ordered at all where a minimum or a fixed cost
makes a step there. The relaxation of this form is as tight as one can be without looking at what binds the items together.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.allowed import bounds
from holdgood.decisions.inventory.constraints import Constraints
from holdgood.decisions.inventory.levels import Levels
from holdgood.decisions.inventory.program import Program


def written(sizes: Levels, terms: Terms, constraints: Constraints) -> Program:
    """The program of these order sizes under these constraints. Columns: the sizes, packs of items in packs, suppliers asked."""
    n, m = len(terms), len(sizes.item)
    packed = np.flatnonzero(terms.pack > 0)
    suppliers = len(constraints.joint)
    columns = m + len(packed) + suppliers
    blocks, low, high, named, height = [], [], [], {}, 0

    def put(row: np.ndarray, column: np.ndarray, value: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        nonlocal height
        blocks.append(sparse.csr_array((value, (row, column)), shape=(len(least), columns)))
        low.append(least)
        high.append(most)
        height += len(least)
        return np.arange(height - len(least), height)

    here = np.arange(m)
    put(sizes.item, here, np.ones(m), np.ones(n), np.ones(n))
    place = np.full(n, -1)
    place[packed] = np.arange(len(packed))
    of = place[sizes.item] >= 0
    put(
        np.concatenate([place[sizes.item][of], np.arange(len(packed))]),
        np.concatenate([here[of], m + np.arange(len(packed))]),
        np.concatenate([sizes.quantity[of], -terms.pack[packed]]),
        np.zeros(len(packed)),
        np.zeros(len(packed)),
    )
    for limit in constraints.limits:
        takes = limit.weight[sizes.item] * sizes.quantity
        named[limit.name] = put(np.zeros(m, int), here, takes, np.array([-np.inf]), np.array([limit.most]))
    for s, supplier in enumerate(constraints.joint):
        asked = m + len(packed) + s
        takes = np.where(supplier.items[sizes.item], supplier.weight[sizes.item] * sizes.quantity, 0.0)
        its = np.flatnonzero(supplier.items)
        at = np.arange(len(its))
        # an item of a supplier that is not asked is not ordered
        put(
            np.concatenate([at, at]),
            np.concatenate([sizes.first[its], np.full(len(its), asked)]),
            np.ones(2 * len(its)),
            np.ones(len(its)),
            np.full(len(its), np.inf),
        )
        least = np.array([supplier.least if supplier.obliged else 0.0])
        per = np.array([0.0 if supplier.obliged else -supplier.least])
        named[supplier.name] = put(
            np.zeros(m + 1, int), np.append(here, asked), np.append(takes, per), least, np.array([np.inf])
        )
    if constraints.at_least is not None:
        its = np.flatnonzero(constraints.at_least > 0)
        row = np.full(n, -1)
        row[its] = np.arange(len(its))
        of = row[sizes.item] >= 0
        named["at_least"] = put(
            row[sizes.item][of], here[of], sizes.quantity[of], constraints.at_least[its], np.full(len(its), np.inf)
        )
    money = np.zeros(columns)
    money[:m] = sizes.cost
    money[m + len(packed) :] = [s.fixed for s in constraints.joint]
    whole = np.zeros(columns, bool)
    whole[m:] = True
    least_order, _ = bounds(terms)
    step = (terms.fixed > 0) | (least_order > terms.pack)
    whole[sizes.first[step]] = True
    upper = np.ones(columns)
    upper[m : m + len(packed)] = np.inf
    return Program(
        money,
        whole,
        np.zeros(columns),
        upper,
        sparse.vstack(blocks, format="csr"),
        np.concatenate(low),
        np.concatenate(high),
        named,
    )


def asks_of(task: Program, constraints: Constraints) -> np.ndarray:
    """The columns that say which suppliers are asked."""
    return np.arange(len(task.money) - len(constraints.joint), len(task.money))


def reach_of(constraints: Constraints, n: int) -> np.ndarray:
    """How far an item's order may have to go for others' sake: to a floor, or to a supplier's minimum alone; (n,)."""
    reach = np.zeros(n) if constraints.at_least is None else constraints.at_least.copy()
    for supplier in constraints.joint:
        alone = np.divide(
            supplier.least, supplier.weight, out=np.zeros(n), where=supplier.items & (supplier.weight > 0)
        )
        reach = np.maximum(reach, alone)
    return reach


def chosen(sizes: Levels, terms: Terms, solution: np.ndarray, *, whole: bool = True) -> np.ndarray:
    """Quantities (n,) of a solution; whole packs where items come in packs, unless not asked for."""
    mixed = solution[: len(sizes.item)] * sizes.quantity
    quantity = np.bincount(sizes.item, weights=mixed, minlength=len(terms))
    if not whole:
        return quantity
    step = np.where(terms.pack > 0, terms.pack, 1.0)
    return np.where(terms.pack > 0, np.round(quantity / step) * step, np.where(quantity < 1e-9, 0.0, quantity))


def point_of(task: Program, quantity: np.ndarray, asked: np.ndarray, sizes: Levels, terms: Terms) -> np.ndarray:
    """The point (columns,) of these quantities, each a mixture of the two sizes beside it."""
    m, last = len(sizes.item), sizes.last
    point = np.zeros(len(task.money))
    for i, amount in enumerate(quantity):
        own = sizes.quantity[sizes.first[i] : last[i] + 1]
        right = min(int(np.searchsorted(own, amount, side="left")), len(own) - 1)
        left = max(right - 1, 0)
        share = 1.0 if right == left else (amount - own[left]) / (own[right] - own[left])
        point[sizes.first[i] + left] = 1.0 - share
        point[sizes.first[i] + right] = share
    packs = np.flatnonzero(terms.pack > 0)
    point[m : m + len(packs)] = np.round(quantity[packs] / terms.pack[packs])
    point[len(point) - len(asked) :] = asked
    return point
