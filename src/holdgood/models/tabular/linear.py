"""Linear: logistic or ridge regression, its penalty chosen inside the training rows; a small scorer of our own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Dimension, FitContext, Json, Model, Needs, Parts
from holdgood.core.task import Task
from holdgood.core.threads import thread_limit
from holdgood.models.tabular.links import sigmoid, softmax
from holdgood.models.tabular.penalised import Penalty, choose, solve
from holdgood.models.tabular.piecewise import Pieces
from holdgood.models.tabular.standard import moments, standardised
from holdgood.models.tabular.training_rows import checked, expect_columns

_PENALTY = "strength"
_WIDEN = 0.25  # a regression answer stays within the training range, widened by a quarter of it on either side
_BLOCK_CELLS = 1 << 18
_MOST_PIECES = 300
_MOST_BENT_COLUMNS = 150


class Linear:
    """Standardises columns (a missing value is the mean), then logistic regression by L-BFGS or ridge regression.

    ``strength`` fixes the penalty (scikit-learn's C, or 1 / alpha for ridge); None: the one in ``hints``, else the best
    of five on the stop rows, or on every fifth row where there are none; then all rows are fitted. ``hints`` tells it
    after the fit, so that a refit keeps what was chosen in the folds. ``l1``: the share of absolute values in the
    penalty (elastic net). ``pieces``: each number also enters as up to so many pieces, so that its line may bend at
    quantiles of the training rows (a linear spline). The coefficients of a column with a sign (``Matrix.monotone``), and
    of its pieces, are held to that sign. Arrays are kept and scored here.
    """

    part: ClassVar[str] = "linear"

    def __init__(self, strength: float | None = None, l1: float = 0.0, pieces: int = 0) -> None:
        self.strength, self.l1, self.most_pieces = strength, l1, pieces
        self.rounds: int | None = None
        self.hints: dict[str, float] = {}
        self.kind = ""
        self.center = self.unit = self.intercept = self.bounds = np.empty(0)
        self.coefficients = np.empty((0, 0))
        self.pieces = Pieces.none()

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Linear:
        """Choose the penalty, then fit on all rows. With a clock, later steps are left out rather than the time
        overrun.
        """
        deadline = time.monotonic() + context.seconds
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        self.kind = task.kind
        self.center, self.unit = moments(matrix.values)
        self.bounds = np.array([-np.inf, np.inf])
        z = standardised(np.ascontiguousarray(matrix.values, dtype=np.float64), self.center, self.unit)
        if task.kind == "regression":
            spread = _WIDEN * float(np.ptp(values))
            self.bounds = np.array([values.min() - spread, values.max() + spread])
        columns, middle, size = z, np.empty(0), np.empty(0)
        signs = matrix.monotone if task.kind != "multiclass" else ()
        if self.most_pieces:
            self.pieces = Pieces.learn(z, self.most_pieces, _MOST_PIECES)
            bent = self.pieces.of(z)
            middle, size = moments(bent)
            columns = np.hstack([z, (bent - middle) / size])
            signs += tuple(signs[j] for j in self.pieces.column) if signs else ()
        # The number of BLAS threads changes the order of sums, so it is part of what a result depends on.
        with thread_limit(context.threads):
            strength = self.strength or self.hints.get(_PENALTY)
            if not strength:
                strength = choose(columns, values, weights, task, self.l1, signs, context.stop_rows, deadline)
            self.hints = {_PENALTY: strength}
            penalty = Penalty(strength, self.l1, signs)
            self.coefficients, self.intercept = solve(columns, values, weights, task, penalty, deadline)
        if len(self.pieces):  # pieces are scored as they are: their scale goes into the coefficients
            self.coefficients[:, z.shape[1] :] /= size
            self.intercept = self.intercept - self.coefficients[:, z.shape[1] :] @ middle
        return self

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass.

        Sums run along each row by themselves (no matrix product), so that a row alone gets the same bits as among
        others.
        """
        if not self.kind:
            raise DataError("a linear model that has not been fitted", "a fitted model", "call fit first")
        values = expect_columns(matrix, len(self.center))
        step = max(1, _BLOCK_CELLS // max(1, self.coefficients.shape[1]))
        raw = np.empty((len(values), len(self.intercept)))
        for start in range(0, len(values), step):
            z = standardised(values[start : start + step], self.center, self.unit)
            if len(self.pieces):
                z = np.hstack([z, self.pieces.of(z)])
            for k, row in enumerate(self.coefficients):
                raw[start : start + step, k] = np.add.reduce(z * row, axis=1) + self.intercept[k]
        if self.kind == "regression":
            return np.clip(raw[:, 0], self.bounds[0], self.bounds[1])
        return sigmoid(raw[:, 0].copy()) if self.kind == "binary" else softmax(raw)

    def to_parts(self) -> Parts:
        """Arrays: center, unit, coefficients (outputs, columns and pieces), intercept, bounds, and pieces if any."""
        names = ("center", "unit", "coefficients", "intercept", "bounds")
        bent = self.pieces.to_arrays() if len(self.pieces) else {}
        return Parts({"kind": self.kind}, {name: getattr(self, name) for name in names} | bent)

    @classmethod
    def from_parts(cls, parts: Parts) -> Linear:
        """Rebuild; BundleError where the arrays do not fit together."""
        model = cls()
        model.kind = str(parts.json.get("kind"))
        for name in ("center", "unit", "coefficients", "intercept", "bounds"):
            array = parts.arrays.get(name)
            if array is None or array.dtype != np.float64 or (name != "bounds" and not np.isfinite(array).all()):
                raise BundleError(
                    f"a linear model without a finite array {name!r}", "its five arrays", "the bundle is damaged"
                )
            setattr(model, name, np.ascontiguousarray(array))
        outputs, columns = len(model.intercept), model.center.size
        model.pieces = Pieces.from_arrays(parts.arrays, columns)
        shapes = [
            model.center.shape,
            model.unit.shape,
            model.coefficients.shape,
            model.intercept.shape,
            model.bounds.shape,
        ]
        enough = outputs >= 2 if model.kind == "multiclass" else outputs == 1
        if (
            model.kind not in LinearFamily.kinds
            or not enough
            or shapes != [(columns,), (columns,), (outputs, columns + len(model.pieces)), (outputs,), (2,)]
        ):
            raise BundleError(
                f"a linear model with arrays of shapes {shapes}", "shapes that fit", "the bundle is damaged"
            )
        return model


class LinearFamily:
    """The lowest rung that looks at features."""

    name: ClassVar[str] = "linear"
    rung: ClassVar[int] = 1
    needs: ClassVar[Needs] = "dense"
    monotone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Straight lines first; lines that bend, where the columns are not too many for it; elastic net. Each chooses
        the strength of its penalty itself.
        """
        named: list[tuple[str, Mapping[str, Json]]] = [("linear", {})]
        if columns <= _MOST_BENT_COLUMNS:
            named.append(("linear-spline", {"pieces": 12}))
        return [*named, ("linear-elastic", {"l1": 0.5})]

    @staticmethod
    def space(task: Task, rows: int, columns: int) -> Mapping[str, Dimension]:
        """The penalty between the grid's steps, one and the same in all folds."""
        return {"strength": ("float", 0.0003, 30.0, True)}

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh linear model."""
        return Linear(**parameters)


FAMILY = LinearFamily
