"""The folds of a project, made in one place: whoever compares, tunes or combines models on development rows uses these."""

from __future__ import annotations

from typing import Any

import numpy as np

from holdgood.core.declaration import SplitSpec
from holdgood.core.errors import SplitError
from holdgood.core.protocols import Fold
from holdgood.core.task import Task
from holdgood.splitting import folds, repeated_folds

IN_TIME = ("time", "purged")
"""Kinds whose rows follow in time: early stopping keeps the latest, and gains are judged in blocks of days."""


def fold_kind(spec: SplitSpec, how: str) -> str:
    """The kind of folds: as declared, else like the wall (``how``); ``stratified`` is random for a regression."""
    if spec.validation != "auto":
        return spec.validation
    return how if how in ("time", "group") else "stratified"


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

    ``repeated``: few rows are divided several times over, repeat by repeat, to be used as the budget allows.
    """
    make = repeated_folds if repeated else folds
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
