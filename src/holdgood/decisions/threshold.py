"""Predictions into answers with their money: a threshold or the cheapest answer, and a capacity a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.core.records import PlanLine, WorkPlan
from holdgood.metrics.capacity import gain_of_acting, within_capacity
from holdgood.metrics.cost import CostTable, answers, as_they_are, bayes_threshold


@dataclass(frozen=True, eq=False)
class ThresholdPolicy:
    """Acts where it pays. ``threshold``: None for the Bayes threshold; ``capacity``: actions a day at most, or None."""

    table: CostTable
    threshold: float | None = None
    capacity: int | None = None

    def __post_init__(self) -> None:
        if self.capacity is not None and self.table.kind != "binary":
            raise DeclarationError(
                f"a capacity for a {self.table.kind} task", "a binary task: act or do not", "take the capacity away"
            )
        if self.capacity is not None and self.capacity < 0:
            raise DeclarationError(
                f"a capacity of {self.capacity}", "actions a day, zero or more", "correct the capacity"
            )

    def decide(self, prediction: np.ndarray) -> np.ndarray:
        """One answer a row, whatever the neighbours: class codes (int64), or the values for regression; no capacity."""
        return answers(self.table, prediction, self.threshold)

    def decide_within(self, prediction: np.ndarray, day: np.ndarray | None = None) -> np.ndarray:
        """Answers under the capacity: of a day's rows that deserve action, those with the largest expected gain.

        ``day`` (n,): rows of one value share a capacity; None: all rows do. Equal gains go to the earlier row.
        """
        answer = self.decide(prediction)
        if self.capacity is None:
            return answer
        days = np.zeros(len(prediction), np.int64) if day is None else day
        kept = within_capacity(gain_of_acting(self.table, prediction), days, self.capacity, answer == 1)
        return kept.astype(np.int64)

    def expected_cost(self, prediction: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """What each answer to a class task costs on average, if stated chances are true; (n,) amounts."""
        stated = as_they_are(self.table, prediction)
        chances = np.column_stack([1.0 - stated, stated]) if stated.ndim == 1 else stated
        return np.asarray(np.einsum("ij,ji->i", chances, self.table.cost[:, answer.astype(np.int64)], optimize=False))

    def plan(self, prediction: np.ndarray, items: Sequence[str], day: np.ndarray | None = None) -> WorkPlan:
        """Work orders for the rows to act on, the most money first; ``items`` name the rows."""
        if len(items) != len(prediction):
            raise DeclarationError(
                f"{len(items)} items and {len(prediction)} predictions", "a name for every row", "pass as many"
            )
        acted = np.flatnonzero(self.decide_within(prediction, day) == 1)
        gain = gain_of_acting(self.table, prediction)
        idle = np.zeros(len(prediction), np.int64)
        if_not, if_done = self.expected_cost(prediction, idle), self.expected_cost(prediction, idle + 1)
        at = bayes_threshold(self.table) if self.threshold is None else self.threshold
        lines = [
            PlanLine(
                item=items[i],
                action="act",
                expected_money=float(gain[i]),
                risk_if_done=float(if_done[i]),
                risk_if_not=float(if_not[i]),
                reason=f"the chance is {prediction[i]:.1%}; acting pays from {at:.1%} on",
            )
            for i in acted[np.lexsort((acted, -gain[acted]))]
        ]
        return WorkPlan(lines=tuple(lines), currency=self.table.currency, assumed=self.table.assumed)
