"""Scores out of fold: the metric on pooled rows with an interval, the metric a fold, and paired gains in its own units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np

from holdgood.core.records import Comparison, Interval
from holdgood.core.task import Task
from holdgood.metrics import (
    CostTable,
    auc_interval,
    best_threshold,
    cost_rows,
    delong,
    jackknife_gain,
    jackknife_interval,
    loss_rows,
    mean_interval,
    paired,
    root_mean_interval,
    weighted,
)
from holdgood.metrics.interval import auc_parts
from holdgood.metrics.quantile import t_quantile
from holdgood.metrics.score import Metric

Spend: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""What answers (class codes or values) cost on the rows at some positions; (n,) amounts."""


@dataclass(frozen=True, eq=False)
class Judge:
    """The rows that candidates are judged on, in order of time where they have one, and what they are judged by.

    ``fold_of``: fold number a row; ``clusters``: rows that belong together (declared ones, or blocks of days where rows
    follow in time), as codes in order of first appearance. ``weight``: how much each row counts in scores and gains;
    ``counts``: the same for money, where weights of classes do not enter (see ``train``). ``spend``: what answers cost on
    the rows at given positions (``rows``), where costs are the user's own function.
    """

    task: Task
    metric: Metric
    y: np.ndarray
    fold_of: np.ndarray
    clusters: np.ndarray | None = None
    weight: np.ndarray | None = None
    counts: np.ndarray | None = None
    rows: np.ndarray | None = None
    spend: Spend | None = None

    def cost(self, table: CostTable, answer: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
        """What answers cost on all rows, or on some by mask."""
        at = np.arange(len(self.y)) if inside is None else np.flatnonzero(inside)
        if self.spend is None or self.rows is None:
            return cost_rows(table, self.y[at], answer)
        return self.spend(answer, self.rows[at])

    @cached_property
    def acting(self) -> np.ndarray | None:
        """Binary: what acting saves on each row, where costs are by row; else None."""
        if self.spend is None or self.rows is None or self.task.kind != "binary":
            return None
        none = np.zeros(len(self.y), np.int64)
        return self.spend(none, self.rows) - self.spend(none + 1, self.rows)

    def threshold(self, table: CostTable, prediction: np.ndarray, inside: np.ndarray | None = None) -> float:
        """Binary: the threshold that earns most on all rows, or on some by mask."""
        at = slice(None) if inside is None else inside
        counts, acting = (None if v is None else v[at] for v in (self.counts, self.acting))
        return best_threshold(table, self.y[at], prediction[at], counts, acting)

    @property
    def parts(self) -> np.ndarray:
        """Part of each row for whatever is chosen on the others: its fold; with one fold, every other unit.

        A cluster is never parted, except where there is but one.
        """
        if len(np.unique(self.fold_of)) > 1:
            return self.fold_of
        if self.clusters is not None and len(np.unique(self.clusters)) > 1:
            halves: np.ndarray = self.clusters % 2
            return halves
        return np.arange(len(self.y)) % 2

    def losses(self, prediction: np.ndarray) -> np.ndarray:
        """Per-row losses in the units of the metric where it has any, else of ``loss_rows``; weighted (``weighted``)."""
        rows = self.metric.rows or loss_rows
        return weighted(rows(self.task, self.y, prediction), self.weight)

    def scored(self, prediction: np.ndarray, rows: np.ndarray) -> float:
        """The metric on some rows, by position."""
        weight = None if self.weight is None else self.weight[rows]
        return float(self.metric.score(self.task, self.y[rows], prediction[rows], weight))

    def whole(self, prediction: np.ndarray) -> float:
        """The metric on all rows."""
        return float(self.metric.score(self.task, self.y, prediction, self.weight))

    @property
    def unit(self) -> str:
        """What a gain is measured in."""
        if self._by_auc:
            return "area under the ROC curve"
        if self.metric.own:
            return self.metric.name
        if self.task.kind == "regression":
            return "absolute error" if self.metric.name == "mae" else "squared error"
        return {"brier": "Brier score", "accuracy": "error rate"}.get(self.metric.name, "log loss")

    @property
    def _by_auc(self) -> bool:
        return self.metric.name == "roc_auc" and self.task.kind == "binary" and self.weight is None

    def fold_scores(self, prediction: np.ndarray) -> tuple[float, ...]:
        """The metric on each fold's rows."""
        return self.part_scores(prediction, self.fold_of)

    def part_scores(self, prediction: np.ndarray, parts: np.ndarray) -> tuple[float, ...]:
        """The metric on the rows of each part."""
        return tuple(self.scored(prediction, np.flatnonzero(parts == f)) for f in np.unique(parts))

    def worth(self, score: float) -> float:
        """A score as a number of which more is better; what could not be scored comes last."""
        if math.isnan(score):
            return -math.inf
        return score if self.metric.higher_is_better else -score

    def score(self, prediction: np.ndarray) -> Interval:
        """The metric on all judged rows with an interval."""
        if self.metric.name == "rmse":
            return root_mean_interval(self.losses(prediction), self.clusters)
        if self._by_auc:
            return auc_interval(self.y, prediction, self.clusters)
        if self.metric.rows is not None and not self.metric.higher_is_better:
            return mean_interval(self.losses(prediction), self.clusters)
        if self.metric.own:
            return jackknife_interval(partial(self.scored, prediction), len(self.y), self.clusters)
        return self._over_folds(prediction)

    def _over_folds(self, prediction: np.ndarray) -> Interval:
        """For metrics that are no means of rows: the spread over folds, corrected for shared training rows."""
        value = self.whole(prediction)
        scores = np.array([s for s in self.fold_scores(prediction) if not math.isnan(s)])
        k = len(scores)
        if k < 2:
            return Interval(
                value=value, low=math.nan, high=math.nan, n=len(self.y), method="one fold tells nothing of the spread"
            )
        half = t_quantile(0.975, k - 1) * math.sqrt(float(np.var(scores, ddof=1)) * (1 / k + 1 / (k - 1)))
        return Interval(
            value=value,
            low=value - half,
            high=value + half,
            n=len(self.y),
            method=f"corrected resampled t over {k} folds",
        )

    def influence(self, prediction: np.ndarray) -> np.ndarray:
        """What each row adds to the deviation of the score from the truth, (n,); more is better. See ``gain``."""
        if self._by_auc:
            return auc_parts(self.y, prediction)[1]
        losses = self.losses(prediction)
        rows: np.ndarray = (np.mean(losses) - losses) / len(losses)
        return rows

    def gain(self, first: str, one: np.ndarray, second: str, two: np.ndarray, level: float) -> Comparison:
        """Paired gain of the first over the second on the same rows; positive: the first is better."""
        if self._by_auc:
            return delong(self.y, one, two, first=first, second=second, clusters=self.clusters, level=level)
        if self.metric.own:
            return jackknife_gain(
                partial(self.scored, one), partial(self.scored, two), len(self.y), first=first, second=second,
                higher_is_better=self.metric.higher_is_better, clusters=self.clusters, unit=self.unit, level=level,
            )  # fmt: skip
        return paired(
            self.losses(one),
            self.losses(two),
            first=first,
            second=second,
            clusters=self.clusters,
            unit=self.unit,
            level=level,
        )

    def left(self, prediction: np.ndarray) -> float:
        """What is left to gain, in the units of ``gain``: the mean loss, or one minus the area.

        What the best of a user's own metric would be is not known: it is the size of the score.
        """
        if self.metric.own:
            return abs(self.whole(prediction))
        if self._by_auc:
            return 1.0 - self.whole(prediction)
        return float(np.mean(self.losses(prediction)))
