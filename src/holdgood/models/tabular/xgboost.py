"""XGBoost: gradient boosting on histograms, stopped early on rows of its own, on time, or after given rounds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.errors import HoldgoodError, MissingExtra
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Dimension, FitContext, Json, Model, Needs
from holdgood.core.task import Task
from holdgood.models.tabular.backed import Backed
from holdgood.models.tabular.booster import as_float32
from holdgood.models.tabular.rounds import FASTEST, USUAL, boost
from holdgood.models.tabular.training_rows import checked, learned_from, start_of
from holdgood.models.tabular.ubj_booster import MOST_CODES, OBJECTIVES, UbjBooster

_EXTRA, _LIBRARY = "boost", "xgboost"
_MOST_ROUNDS = 2_000
_CONVERTING = 7e-4
"""Seconds for bringing one tree into the form that we keep and check."""
_RATE = "eta"
_SAMPLE_ROWS = 256
_ZERO = 1e-35  # LightGBM's scorer takes smaller numbers for zero, so trees may not part them
PARITY = 1e-5
"""How far answers may lie from XGBoost's own, which are added up in float32; in probability, or standard deviations."""


class HistogramBoosting(Backed[UbjBooster]):
    """Regularised gradient boosting (Chen 2016), by XGBoost. Parameters are XGBoost's own names.

    Trees start from the share of each class, or from the mean of a standardised outcome.
    """

    part: ClassVar[str] = UbjBooster.part
    kept: ClassVar[Any] = UbjBooster

    def __init__(self, parameters: Mapping[str, Json]) -> None:
        self.parameters = dict(parameters)
        self.hints: dict[str, float] = {}
        self.hurried = False

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> HistogramBoosting:
        """Boost on the rows outside ``context.stop_rows`` and keep the rounds that were best on these.

        Without stop rows and without ``context.rounds``: about 10 / learning rate rounds. ``context.seconds`` ends it
        between rounds, and raises the learning rate where that would come far too early (``hints`` tells it; set before, it is
        used for given rounds). HoldgoodError where the trees as we keep them do not answer as XGBoost does.
        """
        deadline = time.monotonic() + context.seconds
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        kept = learned_from(len(values), context, weights)
        start = start_of(values, weights, kept, task)
        rows = _Rows(matrix, start.values, weights, start.margins, context.threads)
        settings = self._settings(task, context)
        if any(matrix.monotone):
            settings["monotone_constraints"] = tuple(matrix.monotone)
        learn = rows.data(kept)
        booster = rows.library.Booster(settings, [learn])
        counter = iter(range(_MOST_ROUNDS))

        def update() -> bool:
            booster.update(learn, next(counter))
            return False

        rate = settings["eta"]
        if kept.all():
            asked = context.rounds or min(_MOST_ROUNDS, round(10 / rate))
            counter = iter(range(asked))
            self.rounds, self.finished = boost(update, asked, deadline)
        else:
            judge = rows.data(~kept, like=learn)
            patience = round(max(30, 2.5 / rate))
            self.hints = {_RATE: rate}  # told by unhurried folds too: rounds and rate of a refit are of the same folds

            def hurry(factor: float) -> None:
                self.hurried, self.hints = True, {_RATE: min(max(rate, FASTEST), rate * factor)}
                booster.set_param({"eta": self.hints[_RATE]})

            self.rounds, self.finished = boost(
                update,
                _MOST_ROUNDS,
                deadline,
                lambda: float(booster.eval(judge).rpartition(":")[2]),
                patience,
                hurry,
                USUAL / rate,
                after=_CONVERTING * max(1, task.n_classes if task.kind == "multiclass" else 1),
            )
        booster = booster[: self.rounds]
        self.scorer = UbjBooster(
            bytes(booster.save_raw("ubj")),
            kind=task.kind,
            n_classes=task.n_classes,
            columns=matrix.values.shape[1],
            codes=rows.codes,
            margins=start.margins.tolist(),
            rounds=self.rounds,
            offset=start.offset,
            scale=start.scale,
        )
        self._check(booster, rows, matrix)
        return self

    def _settings(self, task: Task, context: FitContext) -> dict[str, Any]:
        settings: dict[str, Any] = {"eta": 0.05} | self.parameters
        if context.rounds is not None and _RATE in self.hints:
            settings["eta"] = self.hints[_RATE]
        if task.kind == "multiclass":
            settings["num_class"] = task.n_classes
        return settings | {
            "objective": OBJECTIVES[task.kind],
            "base_score": 0.0 if task.kind == "regression" else 0.5,
            "tree_method": "hist",
            "seed": context.seed % 2**31,
            "nthread": context.threads,
            "verbosity": 0,
        }

    def _check(self, booster: Any, rows: _Rows, matrix: Matrix) -> None:
        """The same answers by the other road, on up to 256 evenly spaced training rows."""
        some = np.zeros(len(matrix), bool)
        some[np.linspace(0, len(matrix) - 1, _SAMPLE_ROWS).astype(np.int64)] = True
        kept = self.fitted
        wanted = np.asarray(booster.predict(rows.raw(some)), np.float64) * kept.scale + kept.offset
        worst = float(np.abs(kept.predict(matrix.take(np.flatnonzero(some))) - wanted).max())
        most = PARITY * kept.scale + 1e-12 * abs(kept.offset)
        if not worst <= most:
            raise HoldgoodError(
                f"the trees as they are kept differ from XGBoost's by {worst:.3g}",
                f"at most {most:g}",
                "report this with your versions: holdgood doctor",
            )


class _Rows:
    """Training rows from which XGBoost's binned copies are made."""

    def __init__(
        self, matrix: Matrix, y: np.ndarray, weights: np.ndarray | None, margins: np.ndarray, threads: int
    ) -> None:
        try:
            import xgboost
        except ModuleNotFoundError:
            raise MissingExtra.named(_EXTRA, _LIBRARY, "an XGBoost model") from None
        self.library = xgboost
        self.values, self.y, self.weights, self.threads = as_float32(matrix.values), y, weights, threads
        self.values[np.abs(self.values) <= _ZERO] = 0.0
        self.margins = margins
        most = {j: int(np.nanmax(matrix.values[:, j], initial=0.0)) + 1 for j in matrix.categorical}
        self.codes = {j: count for j, count in most.items() if count <= MOST_CODES}
        self.types = ["c" if j in self.codes else "q" for j in range(matrix.values.shape[1])]

    def data(self, rows: np.ndarray, like: Any = None) -> Any:
        """Some rows in bins of their own, or in those of ``like``; columns go by position, names never enter a model."""
        return self.library.QuantileDMatrix(
            self.values[rows],
            self.y[rows],
            weight=None if self.weights is None else self.weights[rows],
            base_margin=self._margins(rows),
            feature_types=self.types,
            enable_categorical=True,
            nthread=self.threads,
            ref=like,
        )

    def raw(self, rows: np.ndarray) -> Any:
        """Some rows as they are: in bins of their own they would be predicted by the bins."""
        return self.library.DMatrix(
            self.values[rows],
            base_margin=self._margins(rows),
            feature_types=self.types,
            enable_categorical=True,
            nthread=self.threads,
        )

    def _margins(self, rows: np.ndarray) -> np.ndarray:
        return np.tile(self.margins, (int(rows.sum()), 1))


class XgboostFamily:
    """Gradient boosting: milder than XGBoost's defaults, then what was tuned over many sets."""

    name: ClassVar[str] = "xgboost"
    rung: ClassVar[int] = 5
    needs: ClassVar[Needs] = "codes"
    monotone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")
    library: ClassVar[str] = _LIBRARY
    extra: ClassVar[str] = _EXTRA

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """The tuned ones are pytabkit's (Holzmüller 2024), for numbers two levels shallower to keep files small."""
        mild: dict[str, Json] = {"eta": 0.05, "max_depth": 6, "min_child_weight": 3.0, "lambda": 1.0}
        mild |= {"subsample": 0.8, "colsample_bytree": 0.8, "colsample_bylevel": 1.0}
        tuned: dict[str, Json] = {"eta": 0.08, "max_depth": 6, "min_child_weight": 5e-6, "lambda": 0.0}
        tuned |= {"subsample": 0.65, "colsample_bytree": 1.0, "colsample_bylevel": 0.9}
        if task.kind == "regression":
            tuned |= {"eta": 0.05, "max_depth": 7, "min_child_weight": 2.0, "subsample": 0.7, "colsample_bylevel": 1.0}
        return [("xgboost", mild), ("xgboost-tuned", tuned)]

    @staticmethod
    def space(task: Task, rows: int, columns: int) -> Mapping[str, Dimension]:
        """TabArena's ranges (Erickson 2025), less deep to keep files small and not as slow, with heavier leaves for many rows."""
        return {
            "eta": ("float", 0.015, 0.15, True),
            "max_depth": ("int", 3, 8, False),
            "min_child_weight": ("float", 0.001, 5.0 if rows < 5_000 else 50.0, True),
            "lambda": ("float", 0.001, 10.0, True),
            "subsample": ("float", 0.5, 1.0, False),
            "colsample_bytree": ("float", 0.4, 1.0, False),
            "colsample_bylevel": ("float", 0.6, 1.0, False),
        }

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh booster."""
        return HistogramBoosting(parameters)


FAMILY = XgboostFamily
