"""Folds drawn several times over: for few rows, where one division says as much of the division as of the models."""

from __future__ import annotations

from typing import Any

import numpy as np

from holdgood.core.protocols import Fold
from holdgood.core.task import Task
from holdgood.splitting.folds import folds

_STRIDE = 7919


def number_of_repeats(n: int) -> int:
    """How many times n rows may be divided; fewer are used where the budget ends before.

    >>> [number_of_repeats(n) for n in (300, 1_500, 4_000, 15_000, 60_000)]
    [5, 4, 3, 2, 1]
    """
    for most, repeats in ((1_000, 5), (2_000, 4), (5_000, 3), (20_000, 2)):
        if n < most:
            return repeats
    return 1


def repeated_folds(
    task: Task, y: np.ndarray, *, kind: str = "stratified", seed: int = 0, repeats: int | None = None, **options: Any
) -> list[Fold]:
    """Folds repeat by repeat; every repeat validates the same rows once. Options as for ``folds``.

    Folds in time are not repeated (there is one past), nor are folds by group where a repeat would validate other rows.
    """
    first = folds(task, y, kind=kind, seed=seed, **options)
    found = list(first)
    if kind in ("time", "purged"):
        return found
    validated = np.sort(np.concatenate([valid for _, valid in first]))
    for r in range(1, repeats or number_of_repeats(len(y))):
        more = folds(task, y, kind=kind, seed=seed + _STRIDE * r, **options)
        same = len(more) == len(first) and np.array_equal(np.sort(np.concatenate([v for _, v in more])), validated)
        if same:
            found += more
    return found
