"""Categories with many levels: the mean outcome of each level, shrunk and out of fold, and how often it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.protocols import Parts
from holdgood.features.encode.block import FOLDS, Targets, damaged, same_shape
from holdgood.features.encode.category import read_levels
from holdgood.features.encode.levels import UNSEEN, Levels

MOST_LEVELS = 20_000
_WEAKEST, _STRONGEST = 1.0, 10_000.0


class TargetMeans:
    """Shrunk means of the target columns, and log(1 + count).

    A level's mean is pulled towards the overall mean like ``m`` further rows of it would; ``m`` is the variance within
    levels over the variance between them (empirical Bayes, one-way ANOVA estimates; Micci-Barreca 2001). Training rows
    get the mean of the other inner folds, so that no row sees its own outcome. Unseen levels get the overall mean and
    a count of 0. With more than ten classes: the rank of the level by frequency instead of means.
    """

    kind: ClassVar[str] = "target-means"
    categorical: ClassVar[bool] = False

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._levels = Levels(())
        self._table = np.empty((2, 0))

    def fit(self, values: np.ndarray, targets: Targets) -> np.ndarray:
        """Learn the table of levels; returns the training rows out of fold."""
        self._levels, codes, _ = Levels.learn(values, MOST_LEVELS)
        size = len(self._levels) + 2
        codes = np.where(codes < 0, size + codes, codes)  # UNSEEN: the last row, MISSING: the one before
        unseen = size + UNSEEN
        cell = codes * FOLDS + targets.folds
        counts = np.bincount(cell, minlength=size * FOLDS).reshape(size, FOLDS)
        total = counts.sum(axis=1)
        log_count = np.log1p(np.where(np.arange(size) == unseen, 0, total).astype(np.float64))
        names, columns, training = [], [], []
        for label, y in zip(targets.labels, targets.columns.T, strict=True):
            y = np.ascontiguousarray(y)
            prior = float(y.mean()) if len(y) else 0.0
            # centred, so that sums of large outcomes lose nothing
            sums = np.bincount(cell, weights=y - prior, minlength=size * FOLDS).reshape(size, FOLDS)
            m = shrinkage(codes, y - prior, size)
            others = (total[:, None] - counts).astype(np.float64)
            apart = np.where(others > 0, sums.sum(axis=1)[:, None] - sums, 0.0) / (others + m) + prior
            whole = sums.sum(axis=1) / (total + m) + prior
            apart[unseen], whole[unseen] = prior, prior
            names.append(f" (mean of {label})")
            columns.append(whole)
            training.append(apart[codes, targets.folds])
        if not names:
            rank = np.append(np.arange(len(self._levels), dtype=np.float64), [np.nan, np.nan])
            names.append(" (rank by frequency)")
            columns.append(rank)
            training.append(rank[codes])
        names.append(" (log count)")
        self.names = tuple(names)
        self._table = np.ascontiguousarray(np.column_stack([*columns, log_count]))
        return np.column_stack([*training, log_count[codes]])

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """A look-up in the table."""
        codes = self._levels.codes(values)
        out[:] = self._table[np.where(codes < 0, len(self._table) + codes, codes)]

    def row(self, value: Any) -> Sequence[float]:
        """A look-up in the table, whose last two rows count from the end as UNSEEN and MISSING do."""
        found: list[float] = self._table[self._levels.code(value)].tolist()
        return found

    def to_parts(self) -> Parts:
        """Levels and the table, whose last two rows are for missing and unseen levels."""
        return Parts({"levels": list(self._levels.levels), "names": list(self.names)}, {"table": self._table})

    @classmethod
    def from_parts(cls, parts: Parts) -> TargetMeans:
        """Rebuild."""
        block = cls()
        block._levels = read_levels(parts)
        names = parts.json.get("names")
        if not isinstance(names, list):
            raise damaged("no names")
        block.names = tuple(str(n) for n in names)
        block._table = same_shape(parts.arrays.get("table"), (len(block._levels) + 2, len(names)), "levels")
        return block


def shrinkage(codes: np.ndarray, y: np.ndarray, size: int) -> float:
    """Variance within levels over variance between levels, kept between 1 and 10,000 rows.

    ``codes`` in 0 … size − 1. Without two rows in any level nothing can be told apart: the strongest.
    """
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    n, k = len(y), int((counts > 0).sum())
    if k < 2 or n <= k:
        return _STRONGEST
    sums = np.bincount(codes, weights=y, minlength=size)
    means = np.divide(sums, counts, out=np.zeros(size), where=counts > 0)
    within = float(np.square(y - means[codes]).sum()) / (n - k)
    between_squares = float((counts * np.square(means - sums.sum() / n)).sum()) / (k - 1)
    typical = (n - float(np.square(counts).sum()) / n) / (k - 1)
    between = (between_squares - within) / typical if typical > 0 else 0.0
    if between <= 0:
        return _STRONGEST
    return float(min(max(within / between, _WEAKEST), _STRONGEST))
