"""The folds of a project, made in one place: whoever compares, tunes or combines models on development rows uses these."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from holdgood.core.budget import seconds_of
from holdgood.core.declaration import SplitSpec
from holdgood.core.errors import SplitError
from holdgood.core.protocols import Fold
from holdgood.core.task import Task
from holdgood.splitting import folds, repeated_folds

IN_TIME = ("time", "purged")
"""Kinds whose rows follow in time: early stopping keeps the latest, and gains are judged in blocks of days."""


def fold_kind(spec: SplitSpec, how: str) -> str:
    """The kind of folds: as declared, else like the wall (``how``); ``stratified`` is random for a regression.

    SplitError where folds in time are to be repeated.
    """
    kind = how if how in ("time", "group") else "stratified"
    if spec.validation != "auto":
        kind = spec.validation
    if kind in IN_TIME and (spec.repeats or 1) > 1:
        raise SplitError(
            f"split.repeats = {spec.repeats} with folds of kind {kind}",
            "repeats of rows that are divided by chance: there is one past",
            'take split.repeats away, or declare split.validation = "stratified"',
        )
    return kind


def validation_folds(
    spec: SplitSpec,
    kind: str,
    task: Task,
    y: np.ndarray,
    *,
    time: np.ndarray | None,
    groups: np.ndarray | None,
    seed: int,
    n_folds: int | None = None,
    repeated: bool = False,
) -> list[Fold]:
    """Pairs of training and validation positions among the rows given; SplitError where they cannot be made as declared.

    ``repeated``: rows are divided as often as declared, else by size, repeat by repeat, to be used as the budget allows.
    """
    make = partial(repeated_folds, repeats=spec.repeats) if repeated else folds
    return make(
        task,
        y,
        kind=kind,
        time=time,
        groups=groups,
        seed=seed,
        n_folds=n_folds or spec.folds,
        gap=spec.gap,
        outcome_after=spec.outcome_after,
        embargo=spec.embargo,
    )


def own_folds(
    spec: SplitSpec,
    kind: str,
    task: Task,
    y: np.ndarray,
    rows: np.ndarray,
    time: np.ndarray | None,
    groups: np.ndarray | None,
    seed: int,
) -> list[Fold]:
    """Folds of some of the rows, by the same rule, as positions in ``rows``; none where there are too few to divide them so."""
    try:
        return validation_folds(
            spec, kind, task, y[rows], time=None if time is None else time[rows],
            groups=None if groups is None else groups[rows], seed=seed,
        )  # fmt: skip
    except SplitError:
        return []


def apart(spec: SplitSpec, kind: str) -> int:
    """Microseconds that folds of this kind keep between what is learned from and what comes after it."""
    return round((seconds_of(spec.gap) + seconds_of(spec.outcome_after)) * 1e6) if kind in IN_TIME else 0


def repeats_note(spec: SplitSpec, done: int) -> str:
    """What to say where the choice rests on fewer repeats than declared; empty where it does not."""
    if spec.repeats is None or done >= spec.repeats:
        return ""
    return f"split.repeats is {spec.repeats}; the choice rests on {done}, as far as the budget and the groups allowed"


def given_folds(cv: Any, usable: np.ndarray, y: np.ndarray, groups: Any) -> list[Fold]:
    """Folds of a scikit-learn splitter, or pairs of positions, among the rows that are ``usable``; others leave them."""
    try:
        pairs = cv.split(np.zeros((len(y), 1)), y, groups) if hasattr(cv, "split") else cv
        where = np.full(len(y), -1)
        where[usable] = np.arange(len(usable))
        return [(_kept(where, train), _kept(where, valid)) for train, valid in pairs]
    except (TypeError, IndexError, ValueError) as error:
        raise SplitError(
            f"cv cannot be used: {str(error).splitlines()[0]}",
            "a number of folds, a splitter of scikit-learn, or pairs of row positions",
            "correct cv",
        ) from error


def _kept(where: np.ndarray, rows: Any) -> np.ndarray:
    """New positions of those rows that are left."""
    found: np.ndarray = where[np.asarray(rows)]
    return found[found >= 0]
