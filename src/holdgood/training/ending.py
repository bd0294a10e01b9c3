"""An end before the budget's: whoever waits has had enough, and takes the best model so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdgood.core.budget import Clock
from holdgood.training.progress import Progress

ROOMY, LEAST = 2.0, 2.0
"""What is delivered then may take so many times what is kept back for it, and so many seconds more: there is time."""


class Ending:
    """May be asked for while ``train`` runs, by whoever handles Ctrl-C or from another thread.

    ``asked``: it was. ``early``: the search was still on, and was ended by it. Until training has said what is
    ``usable``, nothing is.
    """

    def __init__(self) -> None:
        self.asked = self.early = False
        self.usable: Callable[[], bool] = _nothing

    def ask(self) -> bool:
        """End the search and deliver: True. False where it was asked before, or where there is nothing to deliver yet."""
        if self.asked or not self.usable():
            return False
        self.asked = True
        return True

    def delivering(self, clock: Clock, reserve: float, notes: list[str]) -> Clock:
        """The clock of what comes after a search that was ended: as where the budget ends, only unhurried. A note says so."""
        self.early = True
        notes.append(f"the search was ended by hand, before its budget of {clock.budget}")
        return clock.ending_in(ROOMY * reserve + LEAST)


def usable(progress: Sequence[Progress]) -> bool:
    """Whether trials hold something to deliver: one above the lowest rung with a fold done, beside the lowest; or the lowest alone,
    where nothing else is tried.
    """
    lowest = min(p.candidate.rung for p in progress)
    rungs = {p.candidate.rung for p in progress if p.in_a_row and p.status != "failed" and not p.behind}
    return lowest in rungs and (len(rungs) > 1 or all(p.candidate.rung == lowest for p in progress))


def _nothing() -> bool:
    return False
