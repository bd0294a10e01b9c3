"""``holdgood.fit(X, y)``: a scikit-learn estimator, nothing else. Same training as ``run``, without project, holdout or report."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from holdgood.connectors import read_table
from holdgood.core.budget import Budget, Clock
from holdgood.core.declaration import Costs, Declaration, TableSpec, TaskSpec
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import Scorer
from holdgood.core.records import Leaderboard
from holdgood.core.sql import evaluate
from holdgood.core.table import ColumnType, Table
from holdgood.core.task import Task
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.metrics.cost import resolve as resolve_costs
from holdgood.splitting import repeated_folds
from holdgood.training import train
from holdgood.workflow.candidates import left_out, portfolio
from holdgood.workflow.rows import as_moments, group_codes
from holdgood.workflow.target import Target, from_values
from holdgood.workflow.values import array_of, one_column

_MAIN = "X"


def _table(X: Any, types: dict[str, ColumnType] | None = None) -> Table:
    """A frame or 2-D array as a table; ``types`` are those of fit, where it is to be read as in fit."""
    if isinstance(X, np.ndarray):
        if X.ndim != 2:
            raise DataError(f"X has {X.ndim} dimensions", "two: rows and columns", "reshape it")
        X = pa.table({f"x{i}": array_of(X[:, i], f"column {i} of X") for i in range(X.shape[1])})
    table = read_table(X, name=_MAIN, types=types or {})
    if not table.names:
        raise DataError("X has no columns", "at least one", "check how it was selected")
    return table


def _of_length(values: pa.ChunkedArray | np.ndarray, rows: int, what: str) -> None:
    if len(values) != rows:
        raise DataError(
            f"X has {rows:,} rows and {what} has {len(values):,}", "one value a row", "check how they were selected"
        )


def _weights(given: Any, rows: int) -> np.ndarray:
    values = one_column(given, "sample_weight")
    _of_length(values, rows, "sample_weight")
    numeric = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    weight = values.cast(pa.float64()).to_numpy() if numeric and not values.null_count else np.full(rows, np.nan)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise DataError(
            "sample_weight holds something else than amounts, or nothing but zeros",
            "finite numbers of zero or more, and some above zero",
            "repair these rows, or leave them out",
        )
    return np.asarray(weight, dtype=np.float64)


def _codes(given: Any, rows: int) -> np.ndarray:
    values = one_column(given, "groups")
    _of_length(values, rows, "groups")
    return group_codes(Table.of(pa.table({"group": values})), ["group"])


def _moments(given: Any, rows: int) -> np.ndarray:
    """Dates, ISO texts or numbers as int64 microseconds (numbers: see ``rows.as_moments``)."""
    values = one_column(given, "time")
    _of_length(values, rows, "time")
    if pa.types.is_string(values.type):
        read = evaluate("try_cast(t AS TIMESTAMP)", pa.table({"t": values}), purpose="time")
        if read.null_count > values.null_count:
            raise DataError(
                f"{read.null_count - values.null_count:,} of {rows:,} times are texts that are no dates",
                'dates such as "2024-03-01" or "2024-03-01T06:00"',
                "convert them first, for example with pandas.to_datetime",
            )
        values = read
    return as_moments(values, "time")


class HoldgoodEstimator(BaseEstimator):
    """What classifier and regressor share. Parameters are stored untouched; everything is checked in ``fit``."""

    def __init__(
        self,
        budget: str | float = "60s",
        *,
        task: Literal["auto", "binary", "multiclass", "regression"] = "auto",
        prefer: Literal["simple", "balanced", "best"] = "best",
        metric: str | None = None,
        models: tuple[str, ...] = (),
        seed: int = 0,
        workers: int = 2,
        latency_limit_ms: float | None = None,
        size_limit_mb: float | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.budget = budget
        self.task = task
        self.prefer = prefer
        self.metric = metric
        self.models = models
        self.seed = seed
        self.workers = workers
        self.latency_limit_ms = latency_limit_ms
        self.size_limit_mb = size_limit_mb
        self.listener = listener

    _kinds: ClassVar[tuple[str, ...]] = ()

    def _target(self, values: pa.ChunkedArray) -> Target:
        """The task and the coded outcomes, of a kind that this estimator can be."""
        if self.task != "auto" and self.task not in self._kinds:
            raise DeclarationError(
                f"task = {self.task!r} for a {type(self).__name__}",
                "auto, " + ", ".join(self._kinds),
                did_you_mean(self.task, self._kinds) or "holdgood.fit(X, y, task=…) picks the estimator for a task",
            )
        return from_values(values, self._settled(values) if self.task == "auto" else self.task, None, self.metric)

    def _settled(self, values: pa.ChunkedArray) -> str:
        """The kind of task where none is said."""
        return self._kinds[0]

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> HoldgoodEstimator:
        """Learn within the budget, which counts from this call to its return.

        ``X``: a frame or 2-D array of n rows; ``y``: n outcomes, rows without one are left out; ``sample_weight``: n
        amounts of zero or more; ``groups`` (n,) stay together in folds; ``time`` (n,), dates, ISO texts or numbers that
        grow with time, makes folds look forward only. DataError or DeclarationError where they do not fit together.
        """
        clock = Clock(Budget.parse(self.budget))
        table = _table(X)
        values = one_column(y, "y")
        _of_length(values, table.rows, "y")
        target = self._target(values)
        # a class code of -1 is an outcome that is no class (an infinite number)
        usable = np.flatnonzero(np.isfinite(target.y) & ((target.y >= 0) | (target.task.kind == "regression")))
        declaration = Declaration(
            tables={_MAIN: TableSpec(types={c.name: c.type for c in table.columns})}, task=TaskSpec(target="y")
        )
        self.plan_: FeaturePlan = make_plan(declaration, {_MAIN: table}, exclude={})
        frame = build(self.plan_, table.take(usable), {}, decision_time=None)[0]
        outcome = target.y[usable]
        weight = None if sample_weight is None else _weights(sample_weight, table.rows)[usable]
        codes = None if groups is None else _codes(groups, table.rows)[usable]
        moments = None if time is None else _moments(time, table.rows)[usable]
        kind = "time" if moments is not None else "group" if codes is not None else "stratified"
        tried = portfolio(target.task, len(outcome), len(frame.features), self.models)
        trained = train(
            frame,
            outcome,
            target.task,
            tried.candidates,
            repeated_folds(target.task, outcome, kind=kind, time=moments, groups=codes, seed=self.seed),
            clock=clock,
            weight=weight,
            time=moments,
            groups=codes,
            costs=resolve_costs(Costs(), target.task),
            prefer=self.prefer,
            seed=self.seed,
            workers=self.workers,
            listener=self.listener or silent,
            latency_limit_ms=self.latency_limit_ms,
            size_limit_mb=self.size_limit_mb,
            aim_latency_ms=self.latency_limit_ms,
            aim_size_mb=self.size_limit_mb,
            spaces=tried.spaces,
        )
        self.task_: Task = target.task
        self.chain_: Scorer = trained.chain
        notes = trained.leaderboard.notes + left_out(self.models)
        self.leaderboard_: Leaderboard = trained.leaderboard.model_copy(update={"notes": notes})
        self.columns_ = {c.name: c.type for c in table.columns}
        self.n_features_in_ = len(table.columns)
        self.feature_names_in_ = np.array(table.names, dtype=object)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _frame(self, X: Any) -> Frame:
        check_is_fitted(self, "chain_")
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] != self.n_features_in_:
            raise DataError(
                f"X has {X.shape[1]:,} columns",
                f"{self.n_features_in_:,} columns, as in fit",
                "select the same columns, in the same order",
            )
        table = _table(X, self.columns_)
        absent = [n for n in self.columns_ if n not in table.names]
        if absent:
            raise DataError(
                f"X lacks {len(absent)} columns: " + ", ".join(absent[:8]),
                "the columns that were there in fit",
                "select the same columns",
            )
        return build(self.plan_, table, {}, decision_time=None)[0]


class HoldgoodClassifier(ClassifierMixin, HoldgoodEstimator):
    """Two or more classes, whatever they are written as: fifteen whole numbers are fifteen classes here."""

    _kinds = ("binary", "multiclass")

    def _settled(self, values: pa.ChunkedArray) -> str:
        found = from_values(values).task.kind
        return found if found in self._kinds else "multiclass"

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

    _kinds = ("regression",)

    def predict(self, X: Any) -> np.ndarray:
        """The expected amount a row."""
        return self.chain_.predict(self._frame(X))


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
    values = one_column(y, "y")
    kind = task if task != "auto" else from_values(values).task.kind
    of_kind = HoldgoodRegressor if kind == "regression" else HoldgoodClassifier
    made = of_kind(budget, task=task, **parameters)
    made.fit(X, values, sample_weight, groups=groups, time=time)
    return made
