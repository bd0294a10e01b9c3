"""Constraints that exclude each other: a smallest set that does, and the nearest amounts that can be kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.constraints import ConflictError, Constraints
from holdgood.decisions.inventory.levels import Levels
from holdgood.decisions.inventory.many_items import chosen
from holdgood.decisions.inventory.program import Program

FLOORS = "at_least"
"""The name of the floors of all items among named constraints."""


def conflict(task: Program, sizes: Levels, terms: Terms, constraints: Constraints, seconds: float) -> ConflictError:
    """The error that tells of it; ``task`` is impossible."""
    names = _smallest(task, seconds)
    quantity = _nearest(task, sizes, terms, seconds)
    declared = {x.name: x.most for x in constraints.limits} | {x.name: x.least for x in constraints.joint}
    kept = {x.name: float(x.weight @ quantity) for x in constraints.limits}
    kept |= {x.name: float((x.weight * x.items) @ quantity) for x in constraints.joint}
    obliged = {x.name for x in constraints.joint if x.obliged}
    nearest = {x.name: kept[x.name] for x in constraints.limits if kept[x.name] > x.most * (1 + 1e-9) + 1e-9} | {
        x.name: kept[x.name] for x in constraints.joint if x.obliged and kept[x.name] < x.least * (1 - 1e-9) - 1e-9
    }
    at_least = np.zeros(len(terms)) if constraints.at_least is None else constraints.at_least
    lower = np.flatnonzero(quantity < at_least * (1 - 1e-9) - 1e-9)
    said = [_told(name, declared, obliged) for name in names]
    do = [f"{name!r} at {'least' if name in obliged else 'most'} {nearest[name]:,.6g}" for name in nearest]
    if len(lower):
        do.append(
            f"a floor of {quantity[lower[0]]:,.6g} for item {lower[0]}"
            + (f" (and {len(lower) - 1} more)" if len(lower) > 1 else "")
        )
    error = ConflictError(
        "no orders keep " + " and ".join(said) + (" together" if len(said) > 1 else ""),
        "constraints that leave a plan",
        "the nearest that can be kept: " + "; ".join(do),
    )
    error.conflict, error.nearest, error.floors, error.quantity = names, nearest, lower, quantity
    return error


def _told(name: str, declared: dict[str, float], obliged: set[str]) -> str:
    if name == FLOORS:
        return "what must be ordered of single items"
    return f"{name!r} (at {'least' if name in obliged else 'most'} {declared[name]:,.6g})"


def _smallest(task: Program, seconds: float) -> tuple[str, ...]:
    """Names of a set that is impossible, but possible without any one of them: each is left out in turn, for good if the rest stays so."""
    easy = task.relaxed()
    judged = easy if easy.solved(seconds=seconds).impossible else task
    judged = replace(judged, money=np.zeros_like(judged.money))
    out: set[str] = set()
    for name in judged.named:
        if judged.without(out | {name}).solved(seconds=seconds).impossible:
            out.add(name)
    return tuple(name for name in judged.named if name not in out)


def _nearest(task: Program, sizes: Levels, terms: Terms, seconds: float) -> np.ndarray:
    """Orders that break the named constraints least, in shares of their amounts; (n,)."""
    rows = np.concatenate(list(task.named.values()))
    below = np.isfinite(task.low[rows])
    amount = np.abs(np.where(below, task.low[rows], task.high[rows]))
    give = sparse.csr_array(
        (np.where(below, 1.0, -1.0), (rows, np.arange(len(rows)))), shape=(len(task.low), len(rows))
    )
    more = np.zeros(len(rows))
    loose = Program(
        np.concatenate([np.zeros_like(task.money), 1.0 / np.maximum(amount, 1.0)]),
        np.concatenate([task.whole, more.astype(bool)]),
        np.concatenate([task.least, more]),
        np.concatenate([task.most, more + np.inf]),
        sparse.csr_array(sparse.hstack([task.rows, give])),
        task.low,
        task.high,
        {},
    )
    found = loose.solved(gap=0.01, seconds=seconds)
    nothing = np.zeros(len(terms))
    return nothing if found.x is None else chosen(sizes, terms, found.x)
