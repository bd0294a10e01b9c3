"""What the races of a search looked at, so that the ladder can replay them: who ran, against whom, and who was stopped.

Those that are left were picked on first folds that they are judged on. Without the ones that were stopped nobody can tell by
how much that flatters them; with their losses on the folds that they were shown, it can be drawn (see ``replay``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.training.further import LOOKS, STANDARD_ERRORS, bearable
from holdgood.training.progress import Progress


@dataclass(frozen=True, eq=False)
class Runner:
    """One trial. ``losses``: a row of the first repeat, (rows,), NaN where it was not shown; ``seen``: folds that it was shown.

    ``prediction``: of the judged rows, None where it was stopped. ``looks``: after how many folds it was looked at, and by
    how many standard errors it could be behind; empty where it did not race.
    """

    family: str
    prediction: np.ndarray | None
    losses: np.ndarray
    seen: int
    looks: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Races:
    """All trials in the order in which they came; ``rows``: how many one repeat has."""

    runners: tuple[Runner, ...]
    rows: int


def races(
    judged: Sequence[Progress],
    stopped: Sequence[Progress],
    predictions: Mapping[int, np.ndarray],
    folds: int,
    scattered: Callable[[Mapping[int, np.ndarray]], np.ndarray],
) -> Races | None:
    """What is to be replayed; None where no race stopped anybody. ``scattered``: losses by fold to losses by judged row."""
    out = [p for p in stopped if p.searched and p.rival is not None and p.in_a_row]
    if not out:
        return None
    runners, like = [], judged[0].losses
    for p in sorted([*judged, *out], key=lambda p: p.index):
        left = predictions.get(p.index)
        shown = folds if left is not None else min(folds, p.in_a_row)
        losses = scattered({f: p.losses[f] if f < shown else np.full_like(like[f], np.nan) for f in range(folds)})
        runners.append(Runner(p.candidate.family, left, losses, shown, _looks(p, folds)))
    return Races(tuple(runners), len(runners[0].losses))


def _looks(p: Progress, folds: int) -> tuple[tuple[int, float], ...]:
    """How far it could fall behind at each look, in standard errors of its difference to the rival that it had."""
    found = []
    for look in LOOKS if p.searched else ():
        if look >= p.base or look > folds:
            break
        far = STANDARD_ERRORS
        if p.rival is not None:
            shown = min(look, p.in_a_row, p.rival.in_a_row)
            behind = p.against(p.rival, shown)
            rows = len(behind) * look / shown
            error = float(behind.std()) / math.sqrt(rows)
            far = bearable(error, p.rival.level(shown)) / error if error > 0 else math.inf
        found.append((look, far))
    return tuple(found)
