"""Block: how one feature becomes one or more columns of the matrix. Encoders are rows of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.protocols import FitContext, Parts

FOLDS = 5
MOST_CLASSES = 10


@dataclass(frozen=True)
class Targets:
    """The outcome as columns (rows, t), and the inner fold of each training row for encodings out of fold.

    Binary and regression: one column, y. Multiclass up to ten classes: one 0/1 column a class; beyond: none.
    """

    columns: np.ndarray
    folds: np.ndarray
    labels: tuple[str, ...]
    classes: bool
    seed: int

    @classmethod
    def of(cls, y: np.ndarray, context: FitContext) -> Targets:
        """Folds are drawn from the seed by position alone; rows of a group share one."""
        n, task = len(y), context.task
        folds = _inner_folds(n, context)
        y = np.asarray(y, np.float64)
        if task.kind != "multiclass":
            return cls(y[:, None], folds, ("target",), task.kind == "binary", context.seed)
        if task.n_classes > MOST_CLASSES:
            return cls(np.empty((n, 0)), folds, (), True, context.seed)
        labels = tuple(f"class {label}" for label in task.classes)
        return cls((y[:, None] == np.arange(task.n_classes)).astype(np.float64), folds, labels, True, context.seed)


def _inner_folds(n: int, context: FitContext) -> np.ndarray:
    """The inner fold of each row, (n,); a single group cannot be kept whole and is parted like any rows."""
    rng = np.random.default_rng(context.seed)
    if context.groups is None:
        return rng.permutation(n) % FOLDS
    _, first, codes = np.unique(context.groups, return_index=True, return_inverse=True)
    if len(first) < 2:
        return rng.permutation(n) % FOLDS
    # dealt out in order of first appearance, so that the names of groups decide nothing
    fold = np.empty(len(first), np.int64)
    fold[np.argsort(first, kind="stable")] = rng.permutation(len(first)) % FOLDS
    return np.asarray(fold[codes])


class Block(Protocol):
    """One feature's way into the matrix. ``categorical`` marks a column of codes."""

    kind: ClassVar[str]
    categorical: ClassVar[bool]

    @property
    def names(self) -> tuple[str, ...]:
        """Suffixes to the feature's name, one a column; none: the feature says nothing."""
        ...

    def fit(self, values: np.ndarray, targets: Targets) -> np.ndarray | None:
        """Learn. Where the outcome is used, give the training rows (rows, columns) out of fold; else None."""
        ...

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write any rows; each row's result depends on that row alone."""
        ...

    def row(self, value: Any) -> Sequence[float]:
        """The columns of a single row, to the bit as ``write`` writes them."""
        ...

    def to_parts(self) -> Parts:
        """What is needed to write."""
        ...

    @classmethod
    def from_parts(cls, parts: Parts) -> Block:
        """Rebuild; BundleError where sizes do not fit together."""
        ...


def written(block: Block, value: Any) -> list[float]:
    """The columns of a single row, by writing it."""
    values = np.array([value], np.float64) if isinstance(value, float) else np.empty(1, object)
    if values.dtype == object:
        values[0] = value
    out = np.zeros((1, len(block.names)))
    block.write(values, out)
    found: list[float] = out[0].tolist()
    return found


def damaged(what: str) -> BundleError:
    """The error for a block whose parts do not fit together."""
    return BundleError(f"an encoder with {what}", "parts that fit together", "the bundle is damaged")


def same_shape(array: np.ndarray | None, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Check the shape of an array read from disk; gives float64, C-contiguous."""
    if array is None or array.shape != shape or array.dtype.kind != "f":
        raise damaged(f"{what} of shape {None if array is None else array.shape} where {shape} was expected")
    return np.ascontiguousarray(array, np.float64)
