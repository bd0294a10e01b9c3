"""One more fold for the best, where few folds judge many candidates and their noise hides who is ahead.

On large data one fold is enough to sort candidates roughly, and time is better spent on more of them. Once all have had their
turn, another look at the few best is worth more than further proposals as long as these cannot be told apart. Those that go
on are judged on all their folds together; the others end where they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from holdgood.training.progress import SAFETY, Progress, makespan

MOST, OF_ONE_FAMILY = 6, 3
"""So many of the best go on, at most so many of one family, beside the best of each simpler family for the ladder."""
CLOSE, STANDARD_ERRORS = 3, 2.0
"""Fewer trials than these within so many standard errors of the best: it is known who is ahead."""
SHARE = 0.7
"""Of the time that is there: a fold that does not end for all of them is lost."""


def worth_another_fold(trials: Sequence[Progress], room: float, parallel: int) -> list[Progress]:
    """Those finished trials that should have one fold more; empty where that is not worth it, or does not end in ``room`` seconds."""
    ok = sorted((p for p in trials if p.status == "ok"), key=lambda p: (p.loss(), p.index))
    if not ok or any(p.folds != ok[0].folds for p in ok) or ok[0].folds >= ok[0].base:
        return []
    best, folds = ok[0], ok[0].folds
    if sum(not told_apart(p, best, folds) for p in ok[1:]) < CLOSE:
        return []
    kept: list[Progress] = []
    of_family: dict[str, int] = {}
    for p in ok:
        seen = of_family[p.candidate.family] = of_family.get(p.candidate.family, 0) + 1
        simpler = seen == 1 and p.candidate.rung < best.candidate.rung
        if simpler or (seen <= OF_ONE_FAMILY and len(kept) < MOST):
            kept.append(p)
    seconds = SAFETY * makespan([p.fold_seconds() for p in kept], parallel)
    return kept if seconds <= SHARE * room else []


def told_apart(p: Progress, best: Progress, folds: int) -> bool:
    """Whether a trial is behind the best by more than two standard errors of their paired difference."""
    gap = p.against(best, folds)
    return float(gap.mean()) > STANDARD_ERRORS * float(np.std(gap)) / math.sqrt(len(gap))


def end_where_they_are(trials: Sequence[Progress], kept: Sequence[Progress]) -> None:
    """Open those that go on for one fold more; end the other finished ones."""
    going = {p.index for p in kept}
    for p in trials:
        if p.index in going:
            p.folds += 1
            p.status = "open"
        elif p.status == "ok":
            p.stop(f"not among the best on {p.folds} of {p.base} folds", p.folds)


def take_back(kept: Sequence[Progress]) -> None:
    """All to the folds that all of them have, where the time was up before the last fold of one."""
    if all(p.complete for p in kept):
        return
    folds = min(p.folds for p in kept) - 1
    for p in kept:
        if p.status == "failed":
            continue
        p.folds, p.status, p.reason = folds, "ok", ""
        for f in [f for f in p.done if f >= folds]:
            del p.done[f], p.losses[f]
