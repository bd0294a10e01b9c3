"""Measures by group, as counts first: a rate is a pair (hits, of how many), so that it can get its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Rate: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Hits and trials a group, both (groups,)."""


@dataclass(frozen=True, eq=False)
class GroupCounts:
    """Counts of truth against answer a group, each (groups,): ``true_positive`` and so on."""

    true_positive: np.ndarray
    false_positive: np.ndarray
    false_negative: np.ndarray
    true_negative: np.ndarray

    @property
    def n(self) -> np.ndarray:
        """Rows a group."""
        return self.positives + self.false_positive + self.true_negative

    @property
    def positives(self) -> np.ndarray:
        """Rows whose truth is positive."""
        return self.true_positive + self.false_negative


def counts(codes: np.ndarray, groups: int, y: np.ndarray, answer: np.ndarray) -> GroupCounts:
    """Count binary answers by group; ``codes`` (n,) are 0…groups-1, ``y`` and ``answer`` 0/1."""
    cell = codes.astype(np.int64) * 4 + (y == 1) * 2 + (answer == 1)
    table = np.bincount(cell, minlength=groups * 4).reshape(groups, 4)
    return GroupCounts(table[:, 3], table[:, 1], table[:, 2], table[:, 0])


def selection_rate(c: GroupCounts) -> Rate:
    """Share of rows acted on."""
    return c.true_positive + c.false_positive, c.n


def true_positive_rate(c: GroupCounts) -> Rate:
    """Share of positives acted on."""
    return c.true_positive, c.positives


def false_positive_rate(c: GroupCounts) -> Rate:
    """Share of negatives acted on."""
    return c.false_positive, c.n - c.positives


def precision(c: GroupCounts) -> Rate:
    """Share of the rows acted on that are positive."""
    return c.true_positive, c.true_positive + c.false_positive


def accuracy(c: GroupCounts) -> Rate:
    """Share of right answers."""
    return c.true_positive + c.true_negative, c.n


def base_rate(c: GroupCounts) -> Rate:
    """Share of positives."""
    return c.positives, c.n


def rate(pair: Rate) -> np.ndarray:
    """Hits over trials, NaN where there are no trials; (groups,).

    >>> rate((np.array([1, 0]), np.array([4, 0]))).tolist()
    [0.25, nan]
    """
    hits, trials = pair
    return np.divide(hits, trials, out=np.full(len(hits), np.nan), where=trials > 0)


def mean_residual(codes: np.ndarray, groups: int, y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Mean of prediction minus truth a group: positive where the group is rated too high; NaN of no rows."""
    total = np.bincount(codes, weights=prediction - y, minlength=groups)
    return rate((total, np.bincount(codes, minlength=groups)))
