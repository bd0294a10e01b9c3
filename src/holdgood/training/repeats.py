"""Repeated folds: further divisions of the same rows, and predictions that were made of a row more than once.

A gain between trials is judged over rows, not over predictions: the losses of a row in its repeats are averaged before
anything is counted. Here that is done by keeping the repeats side by side with the row as their cluster, which gives the
same mean and the same standard error (the cluster's sum), and lets every metric work as it does without repeats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from holdgood.core.errors import SplitError
from holdgood.core.protocols import Fold


def repeats_of(folds: Sequence[Fold]) -> int:
    """How many times the folds go through the same rows. Folds come repeat by repeat, each of as many folds as the first.

    SplitError where a repeat validates other rows than the first, or rows twice.
    """
    first = _length_of_first(folds)
    if len(folds) % first:
        raise _uneven(f"{len(folds)} folds in repeats of {first}")
    wanted = np.sort(np.concatenate([valid for _, valid in folds[:first]]))
    for start in range(first, len(folds), first):
        rows = np.sort(np.concatenate([valid for _, valid in folds[start : start + first]]))
        if not np.array_equal(rows, wanted):
            raise _uneven(f"folds {start + 1} to {start + first} validate other rows than the first {first}")
    return len(folds) // first


def _length_of_first(folds: Sequence[Fold]) -> int:
    """Folds until a row is validated again."""
    seen = np.zeros(1 + max(int(valid.max()) for _, valid in folds), bool)
    for number, (_, valid) in enumerate(folds):
        if seen[valid].any():
            return number
        seen[valid] = True
    return len(folds)


def _uneven(came: str) -> SplitError:
    return SplitError(
        came,
        "each row validated once at most, or repeats that each validate the same rows once",
        "check the splitter",
    )


def side_by_side(
    predictions: Mapping[int, np.ndarray], folds: Sequence[Fold], base: int, used: int, rows: np.ndarray, repeats: int
) -> np.ndarray:
    """Predictions of ``rows`` in each of ``repeats`` repeats, one after the other: shape (repeats * rows,) or with classes.

    ``predictions``: by fold number. ``base``: folds a repeat; ``used``: of the first, how many are looked at. A trial with
    fewer repeats shows its own in turn: its loss stays what it was, and weighs as much as that of the others.
    """
    own = complete_repeats(predictions, base) if used == base else 1
    return np.concatenate([_scattered(predictions, folds, base, used, r % max(1, own))[rows] for r in range(repeats)])


def complete_repeats(done: Mapping[int, object], base: int) -> int:
    """How many repeats, counted from the first without a gap, have all their folds."""
    r = 0
    while all(f in done for f in range(r * base, (r + 1) * base)):
        r += 1
    return r


def averaged(prediction: np.ndarray, repeats: int) -> np.ndarray:
    """The mean over repeats that lie side by side."""
    if repeats == 1:
        return prediction
    parts = prediction.reshape(repeats, -1, *prediction.shape[1:])
    mean: np.ndarray = parts.mean(axis=0)
    return mean


def _scattered(
    predictions: Mapping[int, np.ndarray], folds: Sequence[Fold], base: int, used: int, repeat: int
) -> np.ndarray:
    n = 1 + max(int(valid.max()) for _, valid in folds[:base])
    shape = predictions[0].shape[1:]
    full = np.full((n, *shape), np.nan)
    for f in range(repeat * base, repeat * base + used):
        full[folds[f][1]] = predictions[f]
    return full
