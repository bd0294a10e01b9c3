"""``holdgood.fit(X, y)``: a scikit-learn estimator, nothing else. Same training as ``run``, without project, holdout or report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import check_is_fitted

from holdgood.connectors import read_table
from holdgood.core.budget import Budget, Clock
from holdgood.core.declaration import Costs, Declaration, SplitSpec, TableSpec, TaskSpec, parse
from holdgood.core.errors import DataError, DeclarationError, HoldgoodWarning, Interrupted, TargetError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import Scorer
from holdgood.core.records import Leaderboard
from holdgood.core.sql import evaluate
from holdgood.core.table import ColumnType, Table
from holdgood.core.task import Task
from holdgood.core.text import counted
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.metrics import Metric, own_metric, tried
from holdgood.metrics.cost import CostTable, answers
from holdgood.metrics.cost import resolve as resolve_costs
from holdgood.metrics.custom import cannot_judge
from holdgood.training import train
from holdgood.training.ending import Ending
from holdgood.training.portfolio import PREFERENCES
from holdgood.workflow.bands import AnyBand, Division, bands_of, expect_amounts, for_training
from holdgood.workflow.candidates import left_out, portfolio
from holdgood.workflow.ctrl_c import ctrl_c
from holdgood.workflow.functions import name_of
from holdgood.workflow.monotone import able, constrained
from holdgood.workflow.rows import as_moments, group_codes
from holdgood.workflow.single.alone import Alone
from holdgood.workflow.target import Target, from_values
from holdgood.workflow.validation import (
    IN_TIME,
    apart,
    fold_kind,
    given_folds,
    own_folds,
    repeats_note,
    validation_folds,
)
from holdgood.workflow.values import array_like, array_of, one_column
from holdgood.workflow.weights import amounts, class_weights

_MAIN = "X"


def _table(X: Any, types: dict[str, ColumnType] | None = None) -> Table:
    """A frame or 2-D array as a table; ``types`` are those of fit, where it is to be read as in fit."""
    X = array_like(np.array(X, dtype=object) if isinstance(X, (list, tuple)) else X)
    if isinstance(X, np.ndarray):
        if X.ndim != 2:
            raise DataError(
                f"X has {X.ndim} dimensions", "two: rows and columns", "Reshape your data: X[:, None] or X[None]"
            )
        if not X.shape[1]:
            raise DataError(
                f"X has no columns: 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.",
                "at least one",
                "check how it was selected",
            )
        X = pa.table({f"x{i}": array_of(X[:, i], f"column {i} of X") for i in range(X.shape[1])})
    table = read_table(X, name=_MAIN, types=types or {})
    if not table.names:
        raise DataError("X has no columns", "at least one", "check how it was selected")
    return table


def _of_length(values: pa.ChunkedArray | np.ndarray, rows: int, what: str) -> None:
    if len(values) != rows:
        raise DataError(
            f"X has {counted(rows, 'row')} and {what} has {len(values):,}",
            "one value a row",
            "check how they were selected",
        )


def _weights(given: Any, rows: int) -> np.ndarray:
    values = one_column(given, "sample_weight")
    _of_length(values, rows, "sample_weight")
    return amounts(values, "sample_weight")


def _outcomes(y: Any) -> pa.ChunkedArray:
    """The outcomes; a column vector is taken with scikit-learn's own warning."""
    y = array_like(y)
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1:
        said = "A column-vector y was passed when a 1d array was expected. Change its shape to (n_samples,)."
        warnings.warn(said, DataConversionWarning, stacklevel=3)
    return one_column(y, "y")


def _left_out(known: np.ndarray) -> str:
    """How many rows have no outcome to learn from, in a sentence; empty where all have one."""
    gone = int(np.sum(~known))
    has, was = ("has", "was") if gone == 1 else ("have", "were")
    return (
        f"{gone:,} of {counted(len(known), 'row')} {has} no outcome in y (missing or infinite) and {was} left out"
        if gone
        else ""
    )


def _learnable(task: Task, y: np.ndarray) -> None:
    """What weights leave to learn from."""
    if len(y) < 2 or np.all(y == y[0]):
        what = "one outcome" if task.kind == "regression" else "one class"
        raise TargetError(
            f"{what} only in {counted(len(y), 'row')} with a weight above zero",
            "two different outcomes" if task.kind == "regression" else "rows of two classes",
            "check sample_weight",
        )


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
    """What classifier and regressor share. Parameters are stored untouched; everything is checked in ``fit``.

    ``split``: folds in the words of ``[split]`` (validation, folds, repeats, gap, outcome_after, embargo). ``cv``: a number of folds,
    a splitter of scikit-learn, or pairs of positions; whoever learns, combines or compares uses these folds, and rows for early
    stopping come from a fold's training rows (the last in time, as far after the others as the folds keep).
    ``prefer``: "best" is an ensemble unless a single model is proven better than it, whatever that costs in use (limits are kept);
    "balanced" climbs only for gains that are proven and worth their cost, "simple" takes the simplest that is not proven worse.
    ``class_weight``: "balanced" or a weight by class. ``metric``: a name, or ``metric(y, prediction[, weight])`` of your own
    with ``higher_is_better``. ``monotone``: columns with which predictions only rise
    or only fall. ``costs``: amounts of money; with them ``predict`` gives the answer that costs least.
    """

    def __init__(
        self,
        budget: str | float = "60s",
        *,
        task: Literal["auto", "binary", "multiclass", "regression"] = "auto",
        prefer: Literal["simple", "balanced", "best"] = "best",
        metric: str | Callable[..., Any] | None = None,
        higher_is_better: bool | None = None,
        models: tuple[str, ...] = (),
        seed: int = 0,
        workers: int = 2,
        latency_limit_ms: float | None = None,
        size_limit_mb: float | None = None,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        costs: Costs | None = None,
        monotone: Mapping[str, Literal["increasing", "decreasing"]] | None = None,
        interval: float | None = None,
        quantiles: tuple[float, ...] = (),
        split: SplitSpec | Mapping[str, Any] | None = None,
        cv: Any = None,
        listener: Listener | None = None,
    ) -> None:
        self.budget = budget
        self.task = task
        self.prefer = prefer
        self.metric = metric
        self.higher_is_better = higher_is_better
        self.models = models
        self.seed = seed
        self.workers = workers
        self.latency_limit_ms = latency_limit_ms
        self.size_limit_mb = size_limit_mb
        self.class_weight = class_weight
        self.costs = costs
        self.monotone = monotone
        self.interval = interval
        self.quantiles = quantiles
        self.split = split
        self.cv = cv
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
        return from_values(
            values,
            self._settled(values) if self.task == "auto" else self.task,
            None,
            None if callable(self.metric) else self.metric,
        )

    def _settled(self, values: pa.ChunkedArray) -> str:
        """The kind of task where none is said."""
        return self._kinds[0]

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> HoldgoodEstimator:
        """Learn within the budget, which counts from this call to its return.

        ``X``: a frame or 2-D array of n rows; ``y``: n outcomes, rows without one are left out with a HoldgoodWarning; ``sample_weight``: n
        amounts of zero or more (zero leaves a row out); ``groups`` (n,) stay together in folds; ``time`` (n,), dates, ISO texts or numbers that
        grow with time, makes folds look forward only. DataError or DeclarationError where they do not fit together.

        Ctrl-C ends the search and gives the best model so far, with a HoldgoodWarning and ``stopped_early_`` set to True. A second one, or one before
        there is a model above the prior, raises KeyboardInterrupt; workers are ended.
        """
        clock = Clock(Budget.parse(self.budget))
        if y is None:
            raise DataError(
                f"y is a NoneType: {type(self).__name__} requires y to be passed, but the target y is None",
                "an outcome a row",
                "fit(X, y)",
            )
        if self.prefer not in PREFERENCES:
            do = did_you_mean(str(self.prefer), PREFERENCES) or 'say for example prefer="balanced"'
            raise DeclarationError(f"prefer = {self.prefer!r}", "one of: " + ", ".join(PREFERENCES), do)
        table = _table(X)
        values = _outcomes(y)
        _of_length(values, table.rows, "y")
        target = self._target(values)
        # a class code of -1 is an outcome that is no class (an infinite number)
        known = np.isfinite(target.y) & ((target.y >= 0) | (target.task.kind == "regression"))
        amount = None if sample_weight is None else _weights(sample_weight, table.rows)
        gone = _left_out(known)
        if gone:
            warnings.warn(gone, HoldgoodWarning, stacklevel=2)
        usable = np.flatnonzero(known if amount is None else known & (amount > 0))
        _learnable(target.task, target.y[usable])
        wanted = parse(
            {
                "task": {"interval": self.interval, "quantiles": list(self.quantiles)},
                "budget": {"models": list(self.models)},
            }
        )
        expect_amounts(wanted, target.task)
        declaration = Declaration(
            tables={_MAIN: TableSpec(types={c.name: c.type for c in table.columns})}, task=TaskSpec(target="y")
        )
        plan, signs = constrained(make_plan(declaration, {_MAIN: table}, exclude={}), self._ways(), target.task.kind)
        frame = build(plan, table.take(usable), {}, decision_time=None)[0]
        outcome = target.y[usable]
        weight = None if amount is None else amount[usable]
        of_class = class_weights(self.class_weight, target.task, outcome, weight)
        codes = None if groups is None else _codes(groups, table.rows)[usable]
        moments = None if time is None else _moments(time, table.rows)[usable]
        spec = self.split if isinstance(self.split, SplitSpec) else parse({"split": dict(self.split or {})}).split
        kind = fold_kind(spec, "time" if moments is not None else "group" if codes is not None else "stratified")
        if self.cv is None or isinstance(self.cv, int):
            found = validation_folds(
                spec, kind, target.task, outcome, time=moments, groups=codes, seed=self.seed, n_folds=self.cv,
                repeated=self.cv is None or spec.repeats is not None,
            )  # fmt: skip
        else:
            found = given_folds(self.cv, usable, target.y, groups)
        tried_out = portfolio(target.task, len(outcome), len(frame.features), self.models)
        if signs:
            tried_out, _ = able(tried_out)
        ending = Ending()
        try:
            with ctrl_c(ending):
                trained = train(
                    frame.constrained(signs),
                    outcome,
                    target.task,
                    tried_out.candidates,
                    found,
                    clock=for_training(clock, wanted, target.task, frame),
                    weight=weight,
                    class_weight=of_class,
                    time=moments if kind in IN_TIME else None,
                    groups=codes,
                    clusters=codes,
                    metric=self._judge(target.task, outcome, weight, of_class),
                    costs=self._table(target.task, of_class),
                    prefer=self.prefer,
                    seed=self.seed,
                    workers=self.workers,
                    listener=self.listener or silent,
                    latency_limit_ms=self.latency_limit_ms,
                    size_limit_mb=self.size_limit_mb,
                    aim_latency_ms=self.latency_limit_ms,
                    aim_size_mb=self.size_limit_mb,
                    spaces=tried_out.spaces,
                    apart=apart(spec, kind),
                    ending=ending,
                )
                division = Division(
                    frame, found, lambda rows: own_folds(spec, kind, target.task, outcome, rows, moments, codes, self.seed),
                    lambda: 0.0 if ending.asked else clock.left(), moments if kind in IN_TIME else None, codes, apart(spec, kind),
                    self.seed, self.workers,
                )  # fmt: skip
                learned = bands_of(
                    trained, outcome, weight, target.task, self._table(target.task, of_class), wanted, division
                )
        except (
            Interrupted
        ) as told:  # in a session Ctrl-C is Ctrl-C: what catches errors of ours must not go on with the next fit
            raise KeyboardInterrupt(told.came) from None
        self.plan_: FeaturePlan = plan
        self.task_: Task = target.task
        self.class_weight_ = of_class
        self.band_: AnyBand | None = learned.bands.get("chosen")
        self.chain_: Scorer = trained.chain
        short = repeats_note(spec, trained.leaderboard.repeats) if self.cv is None or isinstance(self.cv, int) else ""
        notes = trained.leaderboard.notes + left_out(self.models) + tuple(said for said in (short, gone) if said)
        self.leaderboard_: Leaderboard = trained.leaderboard.model_copy(update={"notes": notes, "band": learned.choice})
        self.columns_ = {c.name: c.type for c in table.columns}
        self.n_features_in_ = len(table.columns)
        self.feature_names_in_ = np.array(table.names, dtype=object)
        self._alone = Alone(self.plan_, self.chain_, self.columns_)
        self.stopped_early_ = ending.early
        if ending.early:
            said = f"Ctrl-C ended the search before its budget of {clock.budget}: this is the best of what was tried by then, "
            warnings.warn(
                f"{said}{self.leaderboard_.chosen} ({trained.leaderboard.delivered}).", HoldgoodWarning, stacklevel=2
            )
        return self

    def _ways(self) -> dict[str, str]:
        return dict(parse({"task": {"monotone": dict(self.monotone or {})}}).task.monotone)

    def _judge(
        self, task: Task, y: np.ndarray, weight: np.ndarray | None, of_class: np.ndarray | None
    ) -> Metric | None:
        """The user's own metric, tried on the prior; None where it is one of ours."""
        if not callable(self.metric):
            return None
        counted = weight if of_class is None else of_class[y.astype(np.int64)] * (1.0 if weight is None else weight)
        name, better = name_of(self.metric), self.higher_is_better
        made = own_metric(name, self.metric, task, higher_is_better=better, weighted=counted is not None)
        if why := tried(made, task, y, counted):
            raise cannot_judge(name, why)
        return made

    def _table(self, task: Task, of_class: np.ndarray | None) -> CostTable:
        return resolve_costs(self.costs or Costs(), task, of_class)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _predicted(self, X: Any) -> np.ndarray:
        """Predictions in the shapes of Task."""
        check_is_fitted(self, "chain_")
        alone = self._alone.predict(X)
        return self.chain_.predict(self._frame(X)) if alone is None else alone

    def _frame(self, X: Any) -> Frame:
        X = array_like(np.array(X, dtype=object) if isinstance(X, (list, tuple)) else X)
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] != self.n_features_in_:
            name = type(self).__name__
            raise DataError(
                f"X has {X.shape[1]} features, but {name} is expecting {self.n_features_in_} features as input",
                f"{counted(self.n_features_in_, 'column')}, as in fit",
                "select the same columns, in the same order",
            )
        table = _table(X, self.columns_)
        absent = [n for n in self.columns_ if n not in table.names]
        if absent:
            raise DataError(
                f"X lacks {counted(len(absent), 'column')}: " + ", ".join(absent[:8]),
                "the columns that were there in fit",
                "select the same columns",
            )
        return build(self.plan_, table, {}, decision_time=None)[0]


class HoldgoodClassifier(ClassifierMixin, HoldgoodEstimator):
    """Two or more classes, whatever they are written as: fifteen whole numbers are fifteen classes here."""

    _kinds = ("binary", "multiclass")

    def _settled(self, values: pa.ChunkedArray) -> str:
        numbers = pc.drop_null(values) if pa.types.is_floating(values.type) else None
        if numbers is not None and pc.any(pc.not_equal(numbers, pc.floor(numbers))).as_py():
            raise TargetError(
                "Unknown label type: the outcomes are continuous, numbers with fractions",
                "classes: words, truth values or whole numbers",
                "use HoldgoodRegressor for an amount, or write a condition such as y > 30",
            )
        found = from_values(values).task.kind
        return found if found in self._kinds else "multiclass"

    @property
    def classes_(self) -> np.ndarray:
        """Class labels, sorted; the columns of ``predict_proba``."""
        check_is_fitted(self, "chain_")
        return np.array(sorted(self.task_.classes, key=lambda v: (str(type(v)), v)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, k), columns in the order of ``classes_``."""
        p = self._predicted(X)
        if p.ndim == 1:
            p = np.column_stack([1.0 - p, p])
        order = [list(self.task_.classes).index(c) for c in self.classes_.tolist()]
        return np.ascontiguousarray(p[:, order])

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class a row; with declared costs the answer of least expected cost."""
        if self.costs is not None and self.costs.declared:
            threshold = self.leaderboard_.threshold
            codes = answers(self._table(self.task_, self.class_weight_), self._predicted(X), threshold)
            return np.array(self.task_.classes)[codes]
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


class HoldgoodRegressor(RegressorMixin, HoldgoodEstimator):
    """An amount."""

    _kinds = ("regression",)

    def _target(self, values: pa.ChunkedArray) -> Target:
        try:
            return super()._target(values)
        except TargetError as error:
            if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
                raise
            raise TargetError(
                error.came, error.expected, f"use HoldgoodClassifier for classes, or {error.do}"
            ) from error

    def predict(self, X: Any) -> np.ndarray:
        """The expected amount a row; with declared costs of too much and too little the amount that costs least."""
        expected = self._predicted(X)
        return expected if self.band_ is None else self.band_.answer(expected)

    def predict_interval(self, X: Any) -> np.ndarray:
        """Lower and upper end a row, (n, 2), at the level ``interval``; see docs/how-to/validation.md for what it promises."""
        check_is_fitted(self, "chain_")
        if self.band_ is None or self.band_.level is None:
            raise DeclarationError("no interval was asked for", "a level such as interval=0.9", "fit with interval=0.9")
        frame = self._frame(X)
        return np.column_stack(self.band_.interval(self.chain_.predict(frame), frame))

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """The quantiles at the levels ``quantiles``, (n, levels)."""
        check_is_fitted(self, "chain_")
        if self.band_ is None or not self.band_.wanted:
            raise DeclarationError(
                "no quantiles were asked for", "levels such as quantiles=(0.1, 0.9)", "fit with quantiles=(0.1, 0.9)"
            )
        frame = self._frame(X)
        return self.band_.at_levels(self.chain_.predict(frame), frame)


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

    The kind of task is read from ``y`` unless said: two values or words are classes, other numbers an amount. Ctrl-C ends the search
    with the best model so far (``stopped_early_``); pressed again, or before there is one, it raises KeyboardInterrupt.
    """
    values = one_column(y, "y")
    kind = task if task != "auto" else from_values(values).task.kind
    of_kind = HoldgoodRegressor if kind == "regression" else HoldgoodClassifier
    made = of_kind(budget, task=task, **parameters)
    made.fit(X, values, sample_weight, groups=groups, time=time)
    return made
