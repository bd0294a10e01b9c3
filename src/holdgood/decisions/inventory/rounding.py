"""A good plan from the relaxed program: whole packs, without a search.

Few items are torn between two sizes in the relaxed optimum, about as many as there are limits and suppliers. They are rounded up. Where
that breaks a limit, the packs that are missed least are taken out again, as far as joint minimums and floors allow; where something
is left, the packs that save most are put in. Where this does not do, limits are tightened by what is still over, and then
the supplier that the relaxed plan wants least is not asked: this ends, as fewer suppliers are asked each time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.constraints import Constraints
from holdgood.decisions.inventory.levels import Levels
from holdgood.decisions.inventory.many_items import asks_of, chosen, point_of
from holdgood.decisions.inventory.packs_moved import Moves
from holdgood.decisions.inventory.program import Program

_TRIES = 3
"""How often limits are tightened before a supplier goes."""


def rounded(
    task: Program, relaxed: np.ndarray, sizes: Levels, terms: Terms, constraints: Constraints
) -> np.ndarray | None:
    """A point (columns,) of the program that keeps every row, from the relaxed optimum; None where none was found."""
    suppliers = asks_of(task, constraints)
    wanted = relaxed[suppliers]
    obliged = np.array([s.obliged for s in constraints.joint], bool)
    asked = (wanted > 0.5) | obliged
    while True:
        settled = task.fixed(suppliers, asked.astype(float)).relaxed()
        for _ in range(_TRIES):
            found = settled.solved()
            if found.x is None:
                break
            moves = Moves(
                _up(chosen(sizes, terms, found.x, whole=False), sizes, terms), asked, sizes, terms, constraints
            )
            if moves.trim():
                moves.fill()
                return point_of(task, moves.quantity, asked, sizes, terms)
            high = settled.high.copy()
            for limit, over in zip(constraints.limits, moves.over(), strict=True):
                high[task.named[limit.name]] -= 1.01 * over
            settled = replace(settled, high=high)
        droppable = np.flatnonzero(asked & ~obliged)
        if not len(droppable):
            return None
        asked[droppable[np.argmin(wanted[droppable])]] = False


def _up(quantity: np.ndarray, sizes: Levels, terms: Terms) -> np.ndarray:
    """Every item at whole packs, and not below its smallest order."""
    quantity = np.where(quantity < 1e-7, 0.0, quantity)
    packed = terms.pack > 0
    step = np.where(packed, terms.pack, 1.0)
    quantity = np.where(packed, np.ceil(quantity / step - 1e-7) * step, quantity)
    return np.where(quantity > 0, np.clip(quantity, sizes.smallest, sizes.largest), 0.0)
