"""What every family checks before it learns: rows, outcomes and weights that fit together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError, TargetError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task


@dataclass(frozen=True)
class Start:
    """What trees add to: ``values`` standardised by ``offset`` and ``scale`` where they are amounts, and ``margins`` (see ``margins_of``;
    one zero for an amount).
    """

    values: np.ndarray
    offset: float
    scale: float
    margins: np.ndarray


def checked(
    matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, task: Task
) -> tuple[np.ndarray, np.ndarray | None]:
    """Outcomes as float64 and weights scaled to mean one (or None), both of shape (rows,).

    Weights are scaled so that limits on a leaf's weight mean the same whatever unit the caller counts in.
    Raises DataError for lengths or weights that do not fit, TargetError for outcomes that the task cannot have.
    """
    values = np.ascontiguousarray(y, dtype=np.float64)
    if values.shape != (len(matrix),) or len(values) == 0:
        raise DataError(
            f"{values.shape} outcomes for {len(matrix)} rows",
            "one outcome a row, at least one row",
            "pass only rows with an outcome",
        )
    if not np.isfinite(values).all():
        raise TargetError(
            "an outcome that is missing or infinite",
            "a finite number a row",
            "leave rows without an outcome out of training",
        )
    if task.kind != "regression":
        codes = values.astype(np.int64)
        if (codes != values).any() or codes.min() < 0 or codes.max() >= task.n_classes:
            raise TargetError(
                f"class codes from {values.min():g} to {values.max():g}",
                f"whole numbers from 0 to {task.n_classes - 1}",
                "code the target by Task.classes",
            )
    if weight is None:
        return values, None
    scaled = np.ascontiguousarray(weight, dtype=np.float64)
    if scaled.shape != values.shape or not np.isfinite(scaled).all() or scaled.min() < 0 or scaled.max() <= 0:
        raise DataError(
            "weights that are missing, negative or all zero",
            "one finite weight of zero or more a row",
            "check the weight column",
        )
    return values, scaled * (len(scaled) / scaled.sum())


def learned_from(n: int, context: FitContext, weights: np.ndarray | None = None) -> np.ndarray:
    """Mask of the rows that are boosted on: those outside ``context.stop_rows``, if these have a say.

    All of them where there are no stop rows, where the rounds are given, or where either side has no row that counts.
    """
    kept, stop = np.ones(n, dtype=bool), context.stop_rows
    if stop is not None and context.rounds is None and 0 < len(stop) < n:
        kept[stop] = False
    if weights is not None and not (weights[kept].any() and weights[~kept].any()):
        kept[:] = True
    return kept


def start_of(values: np.ndarray, weights: np.ndarray | None, kept: np.ndarray, task: Task) -> Start:
    """Where trees start from: the mean of all outcomes, or the shares of classes among the rows that are learned from."""
    if task.kind == "regression":
        offset, scale = center_and_unit(values)
        return Start((values - offset) / scale, offset, scale, np.zeros(1))
    weight = None if weights is None else weights[kept]
    return Start(values, 0.0, 1.0, margins_of(values[kept], weight, task.n_classes))


def class_shares(y: np.ndarray, weight: np.ndarray | None, n_classes: int) -> np.ndarray:
    """Weighted share of each class code, shape (n_classes,); adds up to one."""
    counts = np.bincount(y.astype(np.int64), weights=weight, minlength=n_classes).astype(np.float64)
    shares: np.ndarray = counts / counts.sum()
    return shares


def center_and_unit(y: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of numeric outcomes; 1.0 where these do not differ beyond rounding."""
    center, spread = float(y.mean()), float(y.std())
    return center, spread if spread > 1e-12 * abs(center) else 1.0


def margins_of(y: np.ndarray, weight: np.ndarray | None, n_classes: int) -> np.ndarray:
    """Where trees start from: log odds of the second of two classes, shape (1,), or log shares, shape (n_classes,).

    Half a row is added to each class, so that one without rows has a margin too.
    """
    shares = class_shares(y, weight, n_classes) * len(y) + 0.5
    logs: np.ndarray = np.log(shares / shares.sum())
    return logs[1:] - logs[:1] if n_classes == 2 else logs


def expect_columns(matrix: Matrix, columns: int) -> np.ndarray:
    """The matrix's values as C-contiguous float64; DataError where its width is not the one learned from."""
    values = np.ascontiguousarray(matrix.values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != columns:
        raise DataError(
            f"rows of {values.shape[1:]} columns",
            f"{columns} columns, as in training",
            "encode the rows with the encoder of this model",
        )
    return values
