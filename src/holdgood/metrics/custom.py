"""A metric of the user's own: a plain function that is tried before anything is spent, and whose failures are told."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task
from holdgood.metrics.score import Metric


class OwnScore:
    """A score by ``function(y, prediction[, weight])``.

    ``y``: class codes (int64; 1 is the positive class of a binary task) or values, ``prediction`` in the shapes of Task.
    A call that raises, or gives no finite number, scores NaN, which ranks last; ``failures`` keeps what was wrong.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name, self.function = name, function
        self.weighs = _weighs(function)
        self.failures: dict[str, int] = {}

    def __call__(self, task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
        """The score, or NaN."""
        truth = y if task.kind == "regression" else y.astype(np.int64)
        given = (truth, prediction) if weight is None else (truth, prediction, weight)
        try:
            score = float(self.function(*given))
        except Exception as error:  # whatever a user's function raises is told, and what it was asked about comes last
            lines = str(error).splitlines()
            return self._failed(f"raised {type(error).__name__}: {lines[0] if lines else 'no message'}")
        return score if math.isfinite(score) else self._failed(f"gave {score}")

    def _failed(self, why: str) -> float:
        self.failures[why] = self.failures.get(why, 0) + 1
        return math.nan

    def notes(self) -> tuple[str, ...]:
        """What went wrong, a line each."""
        return tuple(f"the metric {self.name} {why} ({times:,} times)" for why, times in self.failures.items())


def own_metric(
    name: str, function: Callable[..., Any], task: Task, *, higher_is_better: bool | None, weighted: bool = False
) -> Metric:
    """A function as a metric for one task. DeclarationError without a direction, or without a place for weights."""
    if higher_is_better is None:
        raise DeclarationError(
            f"the metric {name} does not say which way is better",
            "higher_is_better = true or false",
            "declare task.higher_is_better, or pass higher_is_better=",
        )
    score = OwnScore(name, function)
    if weighted and not score.weighs:
        raise DeclarationError(
            f"the metric {name} takes no weights, but rows are weighted",
            "metric(y, prediction, weight)",
            "add the third argument, or take the weights away",
        )
    return Metric(name, (task.kind,), higher_is_better, score)


def tried(metric: Metric, task: Task, y: np.ndarray, weight: np.ndarray | None) -> str:
    """Why a metric cannot be used, found by scoring the prior on these rows; empty where it can."""
    if not isinstance(metric.score, OwnScore):
        return ""
    score = metric.score(task, y, _prior(task, y, weight), weight)
    why = next(iter(metric.score.failures), "") if math.isnan(score) else ""
    metric.score.failures.clear()
    return why


def seconds_of(metric: Metric, task: Task, y: np.ndarray, weight: np.ndarray | None) -> float:
    """Seconds that scoring the prior on these rows takes; 0 where the metric is one of ours, whose costs are known."""
    if not isinstance(metric.score, OwnScore):
        return 0.0
    prior, taken = _prior(task, y, weight), []
    for _ in range(2):  # the first call may import
        began = time.perf_counter()
        metric.score(task, y, prior, weight)
        taken.append(time.perf_counter() - began)
    metric.score.failures.clear()
    return min(taken)


def _prior(task: Task, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    if task.kind == "regression":
        return np.full(len(y), np.average(y, weights=weight))
    shares = np.bincount(y.astype(np.int64), weights=weight, minlength=task.n_classes) / (
        len(y) if weight is None else weight.sum()
    )
    return np.full(len(y), shares[1]) if task.kind == "binary" else np.tile(shares, (len(y), 1))


def cannot_judge(name: str, why: str) -> DeclarationError:
    """A metric that cannot score the simplest prediction there is."""
    return DeclarationError(
        f"the metric {name} {why} on the prior, the same prediction for every row",
        "a finite number for any prediction of this task",
        'repair it, or declare on_metric_error = "default" to go on with the default metric',
    )


def _weighs(function: Callable[..., Any]) -> bool:
    """Whether a third argument is taken by position."""
    try:
        taken = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C says nothing about itself
        return False
    places = [p for p in taken if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(places) >= 3 or any(p.kind is p.VAR_POSITIONAL for p in taken)
