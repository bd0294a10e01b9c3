"""Linear: logistic or ridge regression, its penalty chosen inside the training rows; a small scorer of our own."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Json, Model, Needs, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.training_rows import checked, class_shares, expect_columns

# Penalties tried, as scikit-learn's C (classification) or 1 / alpha (ridge): a prior on coefficients, so it does not
# scale with rows.
_GRID = (1.0, 0.1, 0.01, 10.0, 0.001)
_GRID_ROWS = 10_000
_PENALTY = "strength"
_STEPS = 40  # L-BFGS steps between two looks at the clock
_ROUNDS_OF_STEPS = 10
_FURTHEST = 10.0  # a standardised input beyond this counts as this: one wild cell cannot decide alone
_WIDEN = 0.25  # a regression answer stays within the training range, widened by a quarter of it on either side
_BLOCK_CELLS = 1 << 18


class Linear:
    """Standardises columns (a missing value is the mean), then logistic regression by L-BFGS or ridge regression.

    ``strength`` fixes the penalty (scikit-learn's C, or 1 / alpha for ridge); None: the one in ``hints``, else the best
    of five on the stop rows, or on every fifth row where there are none; then all rows are fitted. ``hints`` tells it
    after the fit, so that a refit keeps what was chosen in the folds. scikit-learn fits; arrays are kept, scored here.
    """

    part: ClassVar[str] = "linear"

    def __init__(self, strength: float | None = None) -> None:
        self.strength = strength
        self.rounds: int | None = None
        self.hints: dict[str, float] = {}
        self.kind = ""
        self.center = self.unit = self.intercept = self.bounds = np.empty(0)
        self.coefficients = np.empty((0, 0))

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Linear:
        """Choose the penalty, then fit on all rows. With a clock, later steps are left out rather than the time
        overrun.
        """
        deadline = time.monotonic() + context.seconds
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        self.kind = task.kind
        self.center, self.unit = _moments(matrix.values)
        self.bounds = np.array([-np.inf, np.inf])
        z = _standardised(np.ascontiguousarray(matrix.values, dtype=np.float64), self.center, self.unit)
        if task.kind == "regression":
            spread = _WIDEN * float(np.ptp(values))
            self.bounds = np.array([values.min() - spread, values.max() + spread])
        # The number of BLAS threads changes the order of sums, so it is part of what a result depends on.
        with threadpool_limits(limits=context.threads):
            strength = self.strength or self.hints.get(_PENALTY)
            if not strength:
                strength = _choose(z, values, weights, task, context.stop_rows, deadline)
            self.hints = {_PENALTY: strength}
            self.coefficients, self.intercept = _solve(z, values, weights, task, strength, deadline)
        return self

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass.

        Sums run along each row by themselves (no matrix product), so that a row alone gets the same bits as among
        others.
        """
        if not self.kind:
            raise DataError("a linear model that has not been fitted", "a fitted model", "call fit first")
        values = expect_columns(matrix, len(self.center))
        step = max(1, _BLOCK_CELLS // max(1, values.shape[1]))
        raw = np.empty((len(values), len(self.intercept)))
        for start in range(0, len(values), step):
            z = _standardised(values[start : start + step], self.center, self.unit)
            for k, row in enumerate(self.coefficients):
                raw[start : start + step, k] = np.add.reduce(z * row, axis=1) + self.intercept[k]
        if self.kind == "regression":
            return np.clip(raw[:, 0], self.bounds[0], self.bounds[1])
        return sigmoid(raw[:, 0].copy()) if self.kind == "binary" else softmax(raw)

    def to_parts(self) -> Parts:
        """Arrays: center, unit, coefficients (outputs, columns), intercept, bounds."""
        names = ("center", "unit", "coefficients", "intercept", "bounds")
        return Parts({"kind": self.kind}, {name: getattr(self, name) for name in names})

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
            or shapes != [(columns,), (columns,), (outputs, columns), (outputs,), (2,)]
        ):
            raise BundleError(
                f"a linear model with arrays of shapes {shapes}", "shapes that fit", "the bundle is damaged"
            )
        return model


def sigmoid(raw: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-raw)) without overflow; shape (n,)."""
    small = np.exp(-np.abs(raw))
    share: np.ndarray = np.where(raw >= 0, 1.0, small) / (1.0 + small)
    return share


def softmax(raw: np.ndarray) -> np.ndarray:
    """Shares that add up to one in each row; shape (n, k). Sums go class by class, the same in any batch."""
    grown = np.exp(raw - raw.max(axis=1, keepdims=True))
    total = np.zeros(len(raw))
    for k in range(raw.shape[1]):
        total += grown[:, k]
    shares: np.ndarray = grown / total[:, None]
    return shares


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column's finite values; 0 and 1 where there is none or no spread."""
    center, unit = np.zeros(values.shape[1]), np.ones(values.shape[1])
    for j in range(values.shape[1]):
        column = values[:, j]
        column = column[np.isfinite(column)]
        if len(column):
            center[j] = column.mean()
            spread = column.std()
            # Below this the spread of a constant column is rounding error.
            unit[j] = spread if np.isfinite(spread) and spread > 1e-12 * max(1.0, abs(center[j])) else 1.0
    return np.where(np.isfinite(center), center, 0.0), unit


def _standardised(values: np.ndarray, center: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Columns in units of their spread, cut at ten; what is missing or infinite counts as the mean. C-contiguous."""
    z: np.ndarray = (np.where(np.isfinite(values), values, center) - center) / unit
    np.clip(z, -_FURTHEST, _FURTHEST, out=z)
    return z


def _choose(
    z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, task: Task, stop_rows: np.ndarray | None, deadline: float
) -> float:
    """The penalty with the least loss on rows that were not fitted; the first of the grid where there are too few
    rows or no time.
    """
    held = np.zeros(len(y), dtype=bool)
    if stop_rows is not None and 0 < len(stop_rows) < len(y):
        held[stop_rows] = True
    else:
        held[::5] = True
    if len(y) < 20:
        return _GRID[0]
    fit_rows, test_rows = (_thinned(np.flatnonzero(m)) for m in (~held, held))
    best, lowest, pace = _GRID[0], np.inf, 0.0
    for strength in _GRID:
        started = time.monotonic()
        # The fit on all rows must still find its time afterwards.
        if pace and started + pace * (1 + len(y) / len(fit_rows)) > deadline:
            break
        model = Linear()
        model.kind, model.center, model.unit = task.kind, np.zeros(z.shape[1]), np.ones(z.shape[1])
        model.bounds = np.array([-np.inf, np.inf])
        fit_weight = None if weight is None else weight[fit_rows]
        model.coefficients, model.intercept = _solve(z[fit_rows], y[fit_rows], fit_weight, task, strength, deadline)
        answers = model.predict(Matrix(z[test_rows], ()))
        loss = _loss(answers, y[test_rows], None if weight is None else weight[test_rows], task)
        pace = max(pace, time.monotonic() - started)
        if loss < lowest:
            best, lowest = strength, loss
    return best


def _thinned(rows: np.ndarray) -> np.ndarray:
    """At most 10,000 of the rows, evenly spaced."""
    return rows if len(rows) <= _GRID_ROWS else rows[np.linspace(0, len(rows) - 1, _GRID_ROWS).astype(np.int64)]


def _loss(answers: np.ndarray, y: np.ndarray, weight: np.ndarray | None, task: Task) -> float:
    if task.kind == "regression":
        losses = (answers - y) ** 2
    else:
        hit = (
            np.where(y == 1, answers, 1 - answers)
            if task.kind == "binary"
            else answers[np.arange(len(y)), y.astype(np.int64)]
        )
        losses = -np.log(np.maximum(hit, 1e-15))
    total = losses.sum() if weight is None else (losses * weight).sum() / max(weight.sum(), 1e-300) * len(y)
    return float(total) / len(y)


def _solve(
    z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, task: Task, strength: float, deadline: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (outputs, columns) and intercepts (outputs,). A class without rows gets the lowest intercept, so
    next to no share.
    """
    if task.kind == "regression":
        middle, spread = float(y.mean()), float(y.std()) or 1.0
        solver = "cholesky" if min(z.shape) <= 2_000 else "lsqr"
        ridge = Ridge(alpha=1.0 / strength, solver=solver).fit(z, (y - middle) / spread, sample_weight=weight)
        return np.atleast_2d(ridge.coef_) * spread, np.array([float(ridge.intercept_) * spread + middle])
    outputs = 1 if task.kind == "binary" else task.n_classes
    coefficients, intercept = np.zeros((outputs, z.shape[1])), np.full(outputs, -30.0)
    present = np.flatnonzero(class_shares(y, weight, task.n_classes) > 0)
    if len(present) < 2:
        intercept[present[0] if outputs > 1 else 0] = 30.0 if outputs > 1 or present[0] == 1 else -30.0
        return coefficients, intercept
    used = slice(None) if weight is None else weight > 0
    fitted = _logistic(z[used], y[used], None if weight is None else weight[used], strength, deadline)
    if len(present) > 2:
        coefficients[present], intercept[present] = fitted.coef_, fitted.intercept_
        intercept[np.setdiff1d(np.arange(outputs), present)] += fitted.intercept_.min()
    elif outputs == 1:
        coefficients, intercept = fitted.coef_.copy(), fitted.intercept_.copy()
    else:  # two of several classes seen: one column of scores, the other class at zero
        coefficients[present[1]], intercept[present] = fitted.coef_[0], [0.0, fitted.intercept_[0]]
    return coefficients, intercept


def _logistic(z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, strength: float, deadline: float) -> Any:
    """L-BFGS in pieces of 40 steps, each going on where the last one stopped, until it converges or the time is up."""
    model = LogisticRegression(C=strength, max_iter=_STEPS, warm_start=True, tol=1e-4)
    pace = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(_ROUNDS_OF_STEPS):
            started = time.monotonic()
            if pace and started + pace > deadline:
                break
            model.fit(z, y, sample_weight=weight)
            pace = time.monotonic() - started
            if int(np.max(model.n_iter_)) < _STEPS:
                break
    return model


class LinearFamily:
    """The lowest rung that looks at features."""

    name: ClassVar[str] = "linear"
    rung: ClassVar[int] = 1
    needs: ClassVar[Needs] = "dense"
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """One: it chooses its own penalty."""
        return [("linear", {})]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh linear model."""
        return Linear(**parameters)


FAMILY = LinearFamily
