"""Prior: the class shares or the mean of the training rows. What every other model must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Json, Model, Needs, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.training_rows import checked, class_shares


class Prior:
    """Gives every row the same answer: the weighted class shares (classification) or mean (regression) of the
    training rows.
    """

    part: ClassVar[str] = "prior"

    def __init__(self) -> None:
        self.rounds: int | None = None
        self.kind = ""
        self.answer: np.ndarray = np.empty(0)

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Prior:
        """Count. A class that no training row has gets a share of zero."""
        values, weights = checked(matrix, y, weight, context.task)
        self.kind = context.task.kind
        if self.kind == "regression":
            self.answer = np.array([np.average(values, weights=weights)])
        else:
            shares = class_shares(values, weights, context.task.n_classes)
            self.answer = shares[1:] if self.kind == "binary" else shares
        return self

    def predict(self, matrix: Matrix) -> np.ndarray:
        """The same answer for each row: shape (n,), or (n, k) for multiclass."""
        if not len(self.answer):
            raise DataError("a prior that has not been fitted", "a fitted model", "call fit first")
        if self.kind == "multiclass":
            return np.tile(self.answer, (len(matrix), 1))
        return np.full(len(matrix), self.answer[0])

    def to_parts(self) -> Parts:
        """The kind of task and the answer."""
        return Parts({"kind": self.kind}, {"answer": self.answer})

    @classmethod
    def from_parts(cls, parts: Parts) -> Prior:
        """Rebuild; BundleError where the answer does not fit the kind of task."""
        model = cls()
        model.kind = str(parts.json.get("kind"))
        model.answer = np.asarray(parts.arrays.get("answer", np.empty(0)), dtype=np.float64)
        long_enough = model.answer.ndim == 1 and (
            len(model.answer) >= 2 if model.kind == "multiclass" else len(model.answer) == 1
        )
        if model.kind not in PriorFamily.kinds or not long_enough or not np.isfinite(model.answer).all():
            raise BundleError(
                f"a prior of kind {model.kind!r} with {model.answer.size} numbers",
                "one finite answer",
                "the bundle is damaged",
            )
        return model


class PriorFamily:
    """The lowest rung: no features at all."""

    name: ClassVar[str] = "prior"
    rung: ClassVar[int] = 0
    needs: ClassVar[Needs] = "codes"
    monotone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """There is one."""
        return [("prior", {})]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh prior."""
        return Prior()


FAMILY = PriorFamily
