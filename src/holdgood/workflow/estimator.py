"""``holdgood.fit(X, y)``: a scikit-learn estimator, nothing else. Same training as ``run``, without project, holdout or report."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from holdgood.connectors import read_table
from holdgood.core.budget import Budget, Clock
from holdgood.core.declaration import Costs, Declaration, TableSpec, TaskSpec
from holdgood.core.errors import DataError
from holdgood.core.events import Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import Scorer
from holdgood.core.records import Leaderboard
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.metrics.cost import resolve as resolve_costs
from holdgood.splitting import folds
from holdgood.training import train
from holdgood.workflow.candidates import candidates
from holdgood.workflow.target import from_values

_MAIN = "X"


class HoldgoodEstimator(BaseEstimator):
    """What classifier and regressor share. Parameters are stored untouched; everything is checked in ``fit``."""

    def __init__(
        self,
        budget: str | float = "60s",
        *,
        prefer: Literal["simple", "balanced", "best"] = "best",
        metric: str | None = None,
        models: tuple[str, ...] = (),
        seed: int = 0,
        workers: int = 2,
        listener: Listener | None = None,
    ) -> None:
        self.budget = budget
        self.prefer = prefer
        self.metric = metric
        self.models = models
        self.seed = seed
        self.workers = workers
        self.listener = listener

    _kind = "auto"

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> HoldgoodEstimator:
        """Learn within the budget, which counts from this call to its return.

        ``X``: a frame or 2-D array of n rows; ``y``: n outcomes; ``groups`` stay together in folds; ``time`` (numbers or
        dates) makes folds look forward only.
        """
        clock = Clock(Budget.parse(self.budget))
        table = self._table(X)
        values = _outcomes(y)
        if len(values) != table.rows:
            raise DataError(
                f"X has {table.rows:,} rows and y has {len(values):,}",
                "one outcome a row",
                "check how they were selected",
            )
        target = from_values(values, self._kind, None, self.metric)
        usable = np.flatnonzero(np.isfinite(target.y))
        declaration = Declaration(
            tables={_MAIN: TableSpec(types={c.name: c.type for c in table.columns})}, task=TaskSpec(target="y")
        )
        self.plan_: FeaturePlan = make_plan(declaration, {_MAIN: table}, exclude={})
        frame = build(self.plan_, table.take(usable), {}, decision_time=None)[0]
        outcome = target.y[usable]
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)[usable]
        codes = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1][usable]
        moments = None if time is None else np.asarray(pa.array(time).cast(pa.timestamp("us")).cast(pa.int64()))[usable]
        kind = "time" if moments is not None else "group" if codes is not None else "stratified"
        trained = train(
            frame,
            outcome,
            target.task,
            candidates(target.task, len(outcome), len(frame.features), self.models),
            folds(target.task, outcome, kind=kind, time=moments, groups=codes, seed=self.seed),
            clock=clock,
            weight=weight,
            time=moments,
            groups=codes,
            costs=resolve_costs(Costs(), target.task),
            prefer=self.prefer,
            seed=self.seed,
            workers=self.workers,
            listener=self.listener or silent,
        )
        self.task_: Task = target.task
        self.chain_: Scorer = trained.chain
        self.leaderboard_: Leaderboard = trained.leaderboard
        self.columns_ = {c.name: c.type for c in table.columns}
        self.n_features_in_ = len(table.columns)
        self.feature_names_in_ = np.array(table.names, dtype=object)
        return self

    def _table(self, X: Any) -> Table:
        if isinstance(X, np.ndarray):
            if X.ndim != 2:
                raise DataError(f"X has {X.ndim} dimensions", "two: rows and columns", "reshape it")
            X = pa.table(
                {
                    f"x{i}": pa.array(X[:, i].tolist() if X.dtype == object else np.ascontiguousarray(X[:, i]))
                    for i in range(X.shape[1])
                }
            )
        types = getattr(self, "columns_", None)
        return read_table(X, name=_MAIN, types=types or {})

    def _frame(self, X: Any) -> Frame:
        check_is_fitted(self, "chain_")
        table = self._table(X)
        absent = [n for n in self.columns_ if n not in table.names]
        if absent:
            raise DataError(
                f"X lacks {len(absent)} columns: " + ", ".join(absent[:8]),
                "the columns that were there in fit",
                "select the same columns",
            )
        return build(self.plan_, table, {}, decision_time=None)[0]


class HoldgoodClassifier(ClassifierMixin, HoldgoodEstimator):
    """Two or more classes."""

    _kind = "auto"

    @property
    def classes_(self) -> np.ndarray:
        """Class labels, sorted; the columns of ``predict_proba``."""
        check_is_fitted(self, "chain_")
        return np.array(sorted(self.task_.classes, key=lambda v: (str(type(v)), v)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, k), columns in the order of ``classes_``."""
        p = self.chain_.predict(self._frame(X))
        if p.ndim == 1:
            p = np.column_stack([1.0 - p, p])
        order = [list(self.task_.classes).index(c) for c in self.classes_.tolist()]
        return np.ascontiguousarray(p[:, order])

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class a row."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


class HoldgoodRegressor(RegressorMixin, HoldgoodEstimator):
    """An amount."""

    _kind = "regression"

    def predict(self, X: Any) -> np.ndarray:
        """The expected amount a row."""
        return self.chain_.predict(self._frame(X))


def _outcomes(y: Any) -> pa.ChunkedArray:
    if isinstance(y, (pa.Array, pa.ChunkedArray)):
        frame: Any = pa.table({"y": y})
    elif isinstance(y, (np.ndarray, list, tuple)):
        flat = np.asarray(y)
        if flat.ndim == 2 and flat.shape[1] == 1:
            flat = flat[:, 0]
        if flat.ndim != 1:
            raise DataError(f"y has {flat.ndim} dimensions", "one outcome a row", "give one column")
        frame = pa.table({"y": pa.array(flat.tolist() if flat.dtype == object else flat)})
    else:
        frame = y.to_frame() if hasattr(y, "to_frame") else y
    table = Table.of(frame, "y")
    if len(table.names) != 1:
        raise DataError(f"y has {len(table.names)} columns", "one", "give one column")
    return table.data.column(0)


def fit(
    X: Any,
    y: Any,
    *,
    budget: str | float = "60s",
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto",
    sample_weight: Any = None,
    groups: Any = None,
    time: Any = None,
    **parameters: Any,
) -> HoldgoodClassifier | HoldgoodRegressor:
    """Fit the best model that the budget allows; returns a fitted scikit-learn estimator.

    The kind of task is read from ``y`` unless said: two values or words are classes, other numbers an amount.
    """
    values = _outcomes(y)
    kind = task if task != "auto" else from_values(values).task.kind
    made = HoldgoodRegressor(budget, **parameters) if kind == "regression" else HoldgoodClassifier(budget, **parameters)
    made.fit(X, values, sample_weight, groups=groups, time=time)
    return made
