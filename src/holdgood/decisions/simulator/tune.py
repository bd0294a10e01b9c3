"""One search for every policy: ours and the incumbent are tuned alike before they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdgood.core.errors import DataError
from holdgood.core.inventory import OrderPolicy
from holdgood.decisions.simulator.simulate import simulate
from holdgood.decisions.simulator.world import World


@dataclass(frozen=True, eq=False)
class Tuned:
    """``policy``: the candidate with the least ``settled`` loss; ``losses``: of each candidate, in the order given, summed over items, mean over scenarios."""

    policy: OrderPolicy
    losses: tuple[float, ...]


def tuned(candidates: Sequence[OrderPolicy], worlds: Sequence[World]) -> Tuned:
    """The candidate that loses least over ``worlds`` (past windows, or drawn futures); of equals the first.

    Judge the winner in a world that is not among them: here it was chosen because it did well.
    """
    if not candidates or not worlds:
        raise DataError(f"{len(candidates)} candidates in {len(worlds)} worlds", "one of each at least", "pass some")
    losses = tuple(sum(float(simulate(c, w).settled.sum(axis=0).mean()) for w in worlds) for c in candidates)
    return Tuned(candidates[min(range(len(losses)), key=losses.__getitem__)], losses)
