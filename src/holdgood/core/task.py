"""Task: what is asked of a model, resolved against the data (the declaration says it, the target decides it)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

TaskKind: TypeAlias = Literal["binary", "multiclass", "regression", "forecast", "failure"]
Label: TypeAlias = bool | int | float | str
LEARNABLE: tuple[TaskKind, ...] = ("binary", "multiclass", "regression")

COSTS: dict[str, str] = {"binary": "miss and false_alarm", "multiclass": "matrix", "regression": "over and under"}
"""What ``[costs]`` takes for a kind of task."""

DEFAULT_METRIC: dict[str, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


class Task(BaseModel):
    """What is asked: kind, classes and metric.

    ``classes`` are the labels in code order; for binary tasks the second is the positive one. ``y`` is float64 in models:
    0/1 for binary, class code for multiclass, the value for regression. Predictions have shape (n,) for binary
    (probability of the positive class) and regression, (n, k) for multiclass.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TaskKind
    classes: tuple[Label, ...] = ()
    metric: str = "log_loss"
    target: str = "target"

    @property
    def positive(self) -> Label | None:
        """The positive class of a binary task."""
        return self.classes[1] if self.kind == "binary" else None

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)
