"""Folds as they are used: checked once, the latest first, and the rows for early stopping carved from the training rows of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdgood.core.errors import SplitError
from holdgood.core.protocols import Fold
from holdgood.core.task import Task
from holdgood.training.repeats import repeats_of

STOP_SHARE = 0.12
ALIKE = 0.8
FEWEST_ROWS = 60
"""Below this many training rows nothing is kept for early stopping: a dozen rows would stop at noise."""


def checked(folds: Sequence[Fold], n: int) -> tuple[Fold, ...]:
    """Folds as int64 arrays; SplitError where they are empty, overlap themselves or name rows that are not there.

    Rows may be validated again by whole repeats (see ``repeats``), not otherwise.
    """
    if not folds:
        raise SplitError(
            "training was given no folds", "at least one pair of training and validation rows", "check [split]"
        )
    out = []
    for number, (train, valid) in enumerate(folds, start=1):
        train, valid = np.asarray(train, np.int64), np.asarray(valid, np.int64)
        if not len(train) or not len(valid):
            raise SplitError(
                f"fold {number} has {len(train)} training and {len(valid)} validation rows",
                "some of each",
                "use fewer folds",
            )
        rows = np.r_[train, valid]
        if rows.min() < 0 or rows.max() >= n:
            raise SplitError(
                f"fold {number} names rows up to {rows.max()}",
                f"row numbers from 0 to {n - 1}",
                "make the folds from this table",
            )
        inside = np.zeros(n, bool)
        inside[train] = True
        if inside[valid].any():
            raise SplitError(f"fold {number} validates rows that it trains on", "rows apart", "check the splitter")
        out.append((train, valid))
    repeats_of(out)
    return tuple(out)


def latest_first(folds: Sequence[Fold], time: np.ndarray | None) -> tuple[Fold, ...]:
    """Folds in time from the one that learns from the latest rows; others, and those that end alike, as they came.

    Whatever the budget cuts off is then the oldest: few folds judge what comes next best, the first tells what a fit of
    nearly all rows costs, and its model is the best there is where a refit does not end.
    """
    if time is None:
        return tuple(folds)
    return tuple(sorted(folds, key=lambda fold: -int(time[fold[0]].max())))


def alike(folds: Sequence[Fold]) -> bool:
    """Whether all folds learn from about as many rows, so that the mean of their models is worth as much as one of them."""
    rows = [len(train) for train, _ in folds]
    return min(rows) >= ALIKE * max(rows)


def stop_rows(
    rows: np.ndarray, y: np.ndarray, task: Task, *, time: np.ndarray | None, groups: np.ndarray | None, seed: int
) -> np.ndarray | None:
    """Positions within ``rows`` (training rows of a fold) that are kept for early stopping, sorted; None for few rows.

    The last in time where rows have one, whole groups where they have those, else at random, by class. They come from
    training rows, so that the rows a fold is judged on tune nothing.
    """
    n = len(rows)
    if n < FEWEST_ROWS:
        return None
    wanted = round(STOP_SHARE * n)
    rng = np.random.default_rng([seed, n])
    if time is not None:
        return _last(time[rows], wanted)
    if groups is not None:
        return _whole_groups(groups[rows], wanted, rng)
    if task.kind in ("binary", "multiclass"):
        picked = []
        for code in np.unique(y[rows]):
            members = np.flatnonzero(y[rows] == code)
            picked.append(rng.permutation(members)[: round(STOP_SHARE * len(members))])
        stop = np.sort(np.concatenate(picked))
        return stop if len(stop) else None
    return np.sort(rng.permutation(n)[:wanted])


def set_apart(
    rows: np.ndarray, stop: np.ndarray | None, time: np.ndarray | None, apart: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Training rows and stop rows (positions within them) as far apart as a fold's parts are: what lies between is not used.

    ``apart``: microseconds from the last row that is learned from to the first that stops. Nothing is kept for stopping where
    that would leave less than half of the rows to learn from.
    """
    if stop is None or time is None or not apart:
        return rows, stop
    stops = np.zeros(len(rows), bool)
    stops[stop] = True
    kept = stops | (time[rows] < time[rows[stop]].min() - apart)
    if kept.sum() - len(stop) < len(rows) / 2:
        return rows, None
    return rows[kept], np.flatnonzero(stops[kept])


def _last(time: np.ndarray, wanted: int) -> np.ndarray | None:
    """The latest rows; a moment is never cut in two, except where one moment holds most of the rows."""
    order = np.argsort(time, kind="stable")
    cut = time[order[-wanted]]
    late = np.flatnonzero(time >= cut)
    if len(late) > 3 * wanted:
        late = np.flatnonzero(time > cut)
    return late if len(late) else np.sort(order[-wanted:])


def _whole_groups(groups: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray | None:
    """Groups in random order until there are enough rows; None where that would leave nothing to learn from."""
    _, first, codes, counts = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    # shuffled in order of first appearance, so that the names of groups decide nothing
    shuffled = rng.permutation(np.argsort(first, kind="stable"))
    enough = int(np.searchsorted(np.cumsum(counts[shuffled]), wanted)) + 1
    stop = np.flatnonzero(np.isin(codes, shuffled[:enough]))
    return stop if len(stop) < 0.5 * len(groups) else None
