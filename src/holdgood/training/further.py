"""What comes after the portfolio: proposals of the search, and repeats of the folds for the best.

Under a work budget one unit is one candidate over all folds once: a portfolio entry, a proposal or a repeat. Proposals come
in generations of fixed size, each after the last one has ended, so that nothing depends on how many workers there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from holdgood.core.protocols import Candidate
from holdgood.training.progress import Progress
from holdgood.training.repeats import complete_repeats
from holdgood.training.search import Search

GENERATION = 4
FOR_REPEATS = 0.3
"""Share of what is left after the portfolio that goes into repeats, where the folds have any."""
REPEATED, OF_ONE_FAMILY = 8, 2
"""So many of the best trials are repeated, at most so many of one family."""
STANDARD_ERRORS, NEAR, FAR = 1.0, 0.003, 0.1
LOOKS = (1, 2, 4)
"""A proposal is compared with its rival after so many folds, and stopped where it is behind by more than one standard
error of the paired difference and a share of NEAR of the loss (nearer ones are good company), or by FAR of it."""


class Further:
    """Adds to the list of trials, or opens one again for another repeat. ``units``: work left, or None under a clock."""

    def __init__(
        self,
        search: Search,
        trials: list[Progress],
        *,
        repeats: int,
        units: int | None,
        on_new: Callable[[Progress], None],
    ) -> None:
        self.search, self.trials, self.repeats, self.units, self.on_new = search, trials, repeats, units, on_new
        self.reference: Progress | None = None
        self._began = 0.0
        self._for_repeats = 0

    def more(self, room: float) -> bool:
        """Something new to do; False: nothing. ``room``: seconds that fits may still take, infinite under a work budget."""
        if self.units is not None and self.units <= 0:
            return False
        if self.reference is None:
            self.reference = self.best()
            if self.reference is None:
                return False
            self._began = room
            self._for_repeats = round(FOR_REPEATS * (self.units or 0)) if self.repeats > 1 else 0
        timed = self.units is None
        due = self.repeats > 1 and (room < FOR_REPEATS * self._began if timed else self._left() <= self._for_repeats)
        if due:
            return self._repeat() or self._propose(room)
        return self._propose(room) or self._repeat()

    def best(self) -> Progress | None:
        """The complete trial with the lowest loss."""
        return min(self._complete(), key=lambda p: (p.loss(), p.index), default=None)

    def _left(self) -> int:
        assert self.units is not None
        return self.units

    def _complete(self) -> list[Progress]:
        return [p for p in self.trials if p.status == "ok"]

    def _propose(self, room: float) -> bool:
        assert self.reference is not None
        many = 1 if self.units is None else min(GENERATION, self.units)
        rival, folds = self.best(), self.reference.base
        wanted = min(p.folds for p in self._complete())
        candidates: list[Candidate] = self.search.ask(self.trials, self.reference, many, room=room)
        for candidate in candidates:
            p = Progress(len(self.trials), candidate, min(folds, wanted), False, base=folds, searched=True, rival=rival)
            self.trials.append(p)
            self.on_new(p)
        if self.units is not None:
            self.units -= len(candidates)
        return bool(candidates)

    def _repeat(self) -> bool:
        """Open the one of the best few that has been repeated least for all folds of one more repeat."""
        assert self.reference is not None
        base = self.reference.base
        lowest = min(p.candidate.rung for p in self.trials)
        of_family: dict[str, int] = {}
        few: list[Progress] = []
        for p in sorted(self._complete(), key=lambda p: (p.loss(), p.index)):
            seen = of_family[p.candidate.family] = of_family.get(p.candidate.family, 0) + 1
            if p.candidate.rung > lowest and seen <= OF_ONE_FAMILY and p.folds >= base and not p.final:
                few.append(p)
        least = min(few[:REPEATED], key=lambda p: (p.folds, p.loss(), p.index), default=None)
        if least is None or least.folds >= base * self.repeats:
            return False
        least.folds += base
        least.status = "open"
        if self.units is not None:
            self.units -= 1
        return True


def race(p: Progress) -> None:
    """Stop a proposal that can hardly win any more. What is looked at are its first folds, whichever ended first."""
    rival = p.rival
    while rival is not None and p.status == "open":
        look = next((m for m in LOOKS if m > p.raced and m < min(p.base, p.folds)), None)
        if look is None or p.in_a_row < look or rival.in_a_row < look:
            return
        p.raced = look
        behind = p.against(rival, look)
        mean, error = float(behind.mean()), float(behind.std()) / math.sqrt(len(behind))
        if mean > bearable(error, rival.level(look)) and mean > 0:
            p.stop(f"behind {rival.candidate.name} after {look} of {p.folds} folds", look)


def bearable(error: float, level: float) -> float:
    """How far a proposal may be behind a rival of this loss, with this standard error of the difference."""
    return min(max(STANDARD_ERRORS * error, NEAR * level), FAR * level)


def settle(p: Progress) -> bool:
    """Take an open trial back to the repeats that it has in full; False where it has none."""
    whole = complete_repeats(p.done, p.base) if p.folds > p.base else 0
    if not whole:
        return False
    p.folds, p.status, p.final = whole * p.base, "ok", True
    for f in [f for f in p.done if f >= p.folds]:
        del p.done[f], p.losses[f]
    return True
