"""Folds over development rows: stratified, by group, chained forward in time, or blocks of time with purge and embargo."""

from __future__ import annotations

import numpy as np

from holdgood.core.budget import seconds_of
from holdgood.core.errors import SplitError
from holdgood.core.protocols import Fold
from holdgood.core.task import Task
from holdgood.splitting.draw import one_class

FIRST_SHARE = 0.3
"""Least share of rows in the first training part of a chain in time: a model of fewer says little about the last."""


def number_of_folds(n: int) -> int:
    """Folds for n rows: many where rows are few and fits are cheap, few where every fit is dear.

    >>> [number_of_folds(n) for n in (12, 300, 5_000, 60_000, 1_000_000)]
    [2, 8, 5, 4, 3]
    """
    if n < 2_000:
        return max(2, min(8, n // 5))
    if n <= 20_000:
        return 5
    return 4 if n <= 100_000 else 3


def folds(
    task: Task,
    y: np.ndarray,
    *,
    kind: str = "stratified",
    time: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    seed: int = 0,
    n_folds: int | None = None,
    gap: str | float = 0.0,
    outcome_after: str | float = 0.0,
    embargo: str | float = 0.0,
) -> list[Fold]:
    """Pairs of (training rows, validation rows), ascending positions; every row is validated once at most.

    ``kind``: ``random``, ``stratified`` (random for regression), ``group`` (needs ``groups``), ``time`` (needs ``time``
    in microseconds; training rows lie strictly before the validation rows; groups that occur in validation leave
    training), ``purged`` (needs ``time``: contiguous blocks of it are validated in turn, and rows on both sides train;
    López de Prado 2018). An outcome is settled ``outcome_after`` a row's time: in both kinds in time, rows whose window
    from time to outcome touches one of the validation rows' (widened by ``gap``) leave training, and in ``purged`` so do
    rows within ``embargo`` after it. Durations in words or seconds. The only row of a class is always trained on, never
    validated.
    """
    k = n_folds or number_of_folds(len(y))
    rng = np.random.default_rng([seed, 11])
    if kind in ("time", "purged"):
        if time is None:
            raise SplitError("folds in time without times", "a time for every row", 'use split.kind = "stratified"')
        apart = round((seconds_of(gap) + seconds_of(outcome_after)) * 1e6)
        found = (
            _forward(time, k, apart, groups)
            if kind == "time"
            else _purged(time, k, apart, apart + round(seconds_of(embargo) * 1e6), groups)
        )
    elif kind == "group":
        if groups is None:
            raise SplitError("folds by group without groups", "a group for every row", "declare split.by")
        found = _pairs(_group_numbers(task, y, groups, k, rng))
    elif kind in ("random", "stratified"):
        by_class = kind == "stratified" and task.kind != "regression"
        found = _pairs(_numbers(y if by_class else np.zeros(len(y)), k, rng, keep_singles=by_class))
    else:
        raise SplitError(f"folds of kind {kind!r}", "random, stratified, group, time or purged", "check [split]")
    if task.kind != "regression":
        found = [f for f in found if not one_class(y[f[0]])]
    if not found:
        raise SplitError(
            f"no usable fold from {len(y):,} development rows ({kind})",
            "training rows of two classes before every validation row" if kind == "time" else "two classes in training",
            "use fewer folds, a smaller split.gap, outcome_after or embargo, or another split.kind",
        )
    return found


def _pairs(number: np.ndarray) -> list[Fold]:
    """Folds from each row's fold number; -1 is never validated."""
    return [(np.flatnonzero(number != f), np.flatnonzero(number == f)) for f in range(int(number.max()) + 1)]


def _numbers(y: np.ndarray, k: int, rng: np.random.Generator, *, keep_singles: bool) -> np.ndarray:
    """Deal the shuffled rows of each class over the folds, going on where the last class stopped."""
    number = np.full(len(y), -1)
    start = 0
    for code in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == code))
        if keep_singles and len(rows) == 1:
            continue
        number[rows] = (start + np.arange(len(rows))) % k
        start = (start + len(rows)) % k
    return _dense(number)


def _dense(number: np.ndarray) -> np.ndarray:
    """Fold numbers without gaps, where some fold got no row."""
    used = np.unique(number[number >= 0])
    return np.where(number >= 0, np.searchsorted(used, number), -1)


def _group_numbers(task: Task, y: np.ndarray, groups: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Largest group first, each to the fold where it adds least to what is there already, class by class."""
    codes, member = np.unique(groups, return_inverse=True)
    if len(codes) < 2:
        raise SplitError(
            "folds by group, but all rows are of one group", "at least two groups", "choose other split.by"
        )
    labels = np.zeros(len(y), np.int64) if task.kind == "regression" else np.unique(y, return_inverse=True)[1]
    classes = int(labels.max()) + 1
    table = np.bincount(member * classes + labels, minlength=len(codes) * classes).reshape(len(codes), classes)
    share = table / table.sum(axis=0)
    shuffled = rng.permutation(len(codes))
    order = shuffled[np.argsort(-table.sum(axis=1)[shuffled], kind="stable")]
    load, fold_of = np.zeros((min(k, len(codes)), classes)), np.empty(len(codes), np.int64)
    for g in order:
        fold = int(np.argmin((load * share[g]).sum(axis=1)))
        load[fold] += share[g]
        fold_of[g] = fold
    return _dense(fold_of[member])


def _purged(time: np.ndarray, k: int, before: int, after: int, groups: np.ndarray | None) -> list[Fold]:
    """Blocks of equal rows, a moment never cut in two; training rows end ``before`` the block and begin ``after`` it."""
    ordered = np.sort(time, kind="stable")
    starts = np.unique(ordered[np.arange(k) * len(time) // k])
    number = np.searchsorted(starts, time, side="right") - 1
    found = []
    for f in range(len(starts)):
        valid = number == f
        first, last = time[valid].min(), time[valid].max()
        train = (time < first - before) | (time > last + after)
        if groups is not None:
            train &= ~np.isin(groups, np.unique(groups[valid]))
        if train.any():
            found.append((np.flatnonzero(train), np.flatnonzero(valid)))
    return found


def _forward(time: np.ndarray, k: int, gap: int, groups: np.ndarray | None) -> list[Fold]:
    """An expanding window: after a first part come k stretches, each predicted from all the rows before it."""
    ordered = np.sort(time, kind="stable")
    shares = np.linspace(max(FIRST_SHARE, 1 / (k + 1)), 1.0, k + 1)[:-1]
    # A stretch begins at a time, not at a row: rows of one time never straddle.
    starts = np.unique(ordered[(shares * len(time)).astype(np.int64)])
    starts = starts[starts > ordered[0]]
    found = []
    for i, begin in enumerate(starts):
        valid = time >= begin
        if i + 1 < len(starts):
            valid &= time < starts[i + 1]
        train = time < begin - gap
        if groups is not None:
            train &= ~np.isin(groups, np.unique(groups[valid]))
        if train.any():
            found.append((np.flatnonzero(train), np.flatnonzero(valid)))
    return found
