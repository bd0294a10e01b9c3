"""Metrics by name: what each scores, for which tasks, and the per-row loss behind it where there is one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.task import Task, TaskKind
from holdgood.metrics import error, ranking

Rows = Callable[[Task, np.ndarray, np.ndarray], np.ndarray]


class Score(Protocol):
    """Task, outcomes (n,), predictions as in Task and, where rows count differently, weights (n,): one number."""

    def __call__(self, task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
        """The score."""
        ...


@dataclass(frozen=True)
class Metric:
    """One metric. ``rows``: a loss per row, lower is better, whose mean ranks models as the metric does; or None."""

    name: str
    kinds: tuple[TaskKind, ...]
    higher_is_better: bool
    score: Score
    rows: Rows | None = None

    @property
    def own(self) -> bool:
        """Whether it is the user's own function."""
        return self.name not in METRICS


def _plain(function: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]) -> Score:
    """A function of truth, prediction and weights that does not care about the task."""
    return lambda task, y, prediction, weight=None: function(y, prediction, weight)


def _rows(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Rows:
    """Losses a row that do not care about the task."""
    return lambda task, y, prediction: function(y, prediction)


def plain_answers(prediction: np.ndarray) -> np.ndarray:
    """Class codes without costs: a half or more for binary, the likeliest class for (n, k)."""
    return (prediction >= 0.5).astype(np.int64) if prediction.ndim == 1 else np.argmax(prediction, axis=1)


def _accuracy_loss(task: Task, y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return (plain_answers(prediction) != y).astype(np.float64)


def _accuracy(task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    return 1.0 - error.mean(_accuracy_loss(task, y, prediction), weight)


def _per_class(
    y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right answers, truths and answers of every class code that occurs on either side."""
    truth, answer = y.astype(np.int64), plain_answers(prediction)
    k = int(max(truth.max(initial=0), answer.max(initial=0))) + 1
    hits = truth == answer
    right = np.bincount(truth[hits], None if weight is None else weight[hits], minlength=k)
    return right, np.bincount(truth, weight, minlength=k), np.bincount(answer, weight, minlength=k)


def _balanced_accuracy(task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    right, truths, _ = _per_class(y, prediction, weight)
    there = truths > 0
    return float(np.mean(right[there] / truths[there])) if there.any() else math.nan


def _f1(task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    right, truths, answers = _per_class(y, prediction, weight)
    there = (truths + answers) > 0
    if task.kind == "binary":
        return float(2 * right[1] / (truths[1] + answers[1])) if len(there) > 1 and there[1] else 0.0
    return float(np.mean(2 * right[there] / (truths[there] + answers[there]))) if there.any() else math.nan


def _roc_auc(task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    if prediction.ndim == 1:
        return ranking.roc_auc(y, prediction, weight)
    areas = [ranking.roc_auc((y == k).astype(np.float64), prediction[:, k], weight) for k in range(prediction.shape[1])]
    known = [a for a in areas if not math.isnan(a)]
    return float(np.mean(known)) if known else math.nan


_CLASSES: tuple[TaskKind, ...] = ("binary", "multiclass")
_NUMBERS: tuple[TaskKind, ...] = ("regression",)

METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("log_loss", _CLASSES, False, _plain(error.log_loss), _rows(error.log_loss_rows)),
        Metric("roc_auc", _CLASSES, True, _roc_auc),
        Metric("average_precision", ("binary",), True, _plain(ranking.average_precision)),
        Metric("brier", _CLASSES, False, _plain(error.brier), _rows(error.brier_rows)),
        Metric("accuracy", _CLASSES, True, _accuracy, _accuracy_loss),
        Metric("balanced_accuracy", _CLASSES, True, _balanced_accuracy),
        Metric("f1", _CLASSES, True, _f1),
        Metric("rmse", _NUMBERS, False, _plain(error.rmse), _rows(error.squared_error_rows)),
        Metric("mae", _NUMBERS, False, _plain(error.mae), _rows(error.absolute_error_rows)),
        Metric("r2", _NUMBERS, True, _plain(error.r2), _rows(error.squared_error_rows)),
    )
}
"""roc_auc of several classes: each against the rest, averaged over the classes that occur. f1 of several: macro."""


def metric(name: str, task: Task) -> Metric:
    """The metric of that name; DeclarationError where it is unknown or says nothing about this kind of task."""
    fitting = [m.name for m in METRICS.values() if task.kind in m.kinds]
    if name not in METRICS:
        near = did_you_mean(name, METRICS) or "check task.metric"
        raise DeclarationError(f"no metric named {name!r}", "one of: " + ", ".join(fitting), near)
    found = METRICS[name]
    if task.kind not in found.kinds:
        came = f"the metric {name!r} says nothing about a {task.kind} task"
        raise DeclarationError(came, "one of: " + ", ".join(fitting), "change task.metric")
    return found


def loss_rows(task: Task, y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """The loss of every row that the ladder compares by: log loss for classes, squared error for regression; (n,)."""
    if task.kind == "regression":
        return error.squared_error_rows(y, prediction)
    return error.log_loss_rows(y, prediction)
