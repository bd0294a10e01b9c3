"""Measures of one group's rows: each a ratio of two sums over rows, so that one way of taking intervals serves all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.declaration import FairnessSpec
from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task

DEFAULT = {"binary": "true_positive_rate", "multiclass": "accuracy", "regression": "error"}


@dataclass(frozen=True, eq=False)
class Ratio:
    """A measure of some rows: their sum of ``top`` over their sum of ``bottom``, both (n,). ``share``: 0/1 over 0/1."""

    name: str
    top: np.ndarray
    bottom: np.ndarray
    share: bool = True


def ratios(task: Task, y: np.ndarray, prediction: np.ndarray, answer: np.ndarray, measure: str) -> tuple[Ratio, ...]:
    """The measures of a kind of task, every one a Ratio.

    Binary: selection rate, true and false positive rate, precision, accuracy, base rate, mean prediction and
    calibration (mean prediction minus base rate). Multiclass: accuracy. Regression: error (mean of prediction minus
    truth, positive where a group is rated too high) and absolute error, both in standard deviations of the target, so
    that a limit on gaps means the same for every target. ``error`` of a class task is the share of wrong answers; it
    is there only where ``measure`` asks for it.
    """
    one = np.ones(len(y))
    if task.kind == "regression":
        scale = float(np.std(y)) or 1.0
        residual = (prediction - y) / scale
        return Ratio("error", residual, one, False), Ratio("absolute_error", np.abs(residual), one, False)
    right = (answer == y).astype(np.float64)
    wrong = (Ratio("error", 1.0 - right, one),) if measure == "error" else ()
    if task.kind == "multiclass":
        return (Ratio("accuracy", right, one), *wrong)
    event, act = (y == 1).astype(np.float64), (answer == 1).astype(np.float64)
    right = (event == act).astype(np.float64)
    return (
        Ratio("selection_rate", act, one),
        Ratio("true_positive_rate", event * act, event),
        Ratio("false_positive_rate", (1.0 - event) * act, 1.0 - event),
        Ratio("precision", event * act, act),
        Ratio("accuracy", right, one),
        *wrong,
        Ratio("base_rate", event, one),
        Ratio("mean_prediction", prediction, one, False),
        Ratio("calibration", prediction - event, one, False),
    )


DESCRIBED_ONLY = ("base_rate", "mean_prediction")
"""Measures that describe a group; a gap in them is a fact about the world, not about the model."""


def gate_measure(spec: FairnessSpec, task: Task) -> str:
    """The measure that the gate looks at; DeclarationError where the declared one says nothing about this task."""
    measure = spec.measure or DEFAULT[task.kind]
    suited = {
        "binary": ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy", "error"),
        "multiclass": ("accuracy", "error"),
        "regression": ("error",),
    }[task.kind]
    if measure not in suited:
        raise DeclarationError(
            f"fairness.measure is {measure!r}, which says nothing about a {task.kind} task",
            "one of: " + ", ".join(suited),
            "change measure under [fairness], or leave it out",
        )
    return measure
