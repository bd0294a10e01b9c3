"""LightGBM: gradient boosting on coded columns, stopped early on rows of its own, on time, or after given rounds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import lightgbm
import numpy as np

from holdgood.core.frame import Matrix
from holdgood.core.protocols import Dimension, FitContext, Json, Model, Needs
from holdgood.core.task import Task
from holdgood.models.tabular.booster import Booster, BoosterBacked
from holdgood.models.tabular.model_text import scoring_only
from holdgood.models.tabular.rounds import FASTEST, USUAL, boost
from holdgood.models.tabular.training_rows import center_and_unit, checked, learned_from

_MOST_ROUNDS = 3_000
_RATE = "learning_rate"
_OBJECTIVE = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
_METRIC = {"binary": "binary_logloss", "multiclass": "multi_logloss", "regression": "l2"}


class Boosting(BoosterBacked):
    """Histogram gradient boosting (Ke 2017). Parameters are LightGBM's own names.

    A regression outcome is standardised first, because LightGBM keeps outcomes in float32; the Booster undoes it.
    """

    def __init__(self, parameters: Mapping[str, Json], *, hurries: bool = True) -> None:
        self.parameters, self.hurries = dict(parameters), hurries
        self.hints: dict[str, float] = {}
        self.hurried = False

    def fit(
        self,
        matrix: Matrix,
        y: np.ndarray,
        weight: np.ndarray | None,
        context: FitContext,
        start: np.ndarray | None = None,
    ) -> Boosting:
        """Boost on the rows outside ``context.stop_rows`` and keep the rounds that were best on these.

        Without stop rows and without ``context.rounds``: about 10 / learning rate rounds. ``context.seconds`` ends it
        between rounds, and raises the learning rate where that would come far too early (``hints`` tells it; set before, it is
        used for given rounds). ``start``: raw scores to boost from, (rows,) or (rows, classes); the scorer holds only what is
        added to them, and a regression outcome is then taken as it is.
        """
        deadline = time.monotonic() + context.seconds
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        offset, scale = 0.0, 1.0
        if task.kind == "regression" and start is None:
            offset, scale = center_and_unit(values)
            values = (values - offset) / scale
        kept = learned_from(len(values), context)
        settings = self._settings(task, int(kept.sum()), context)
        if any(matrix.monotone):
            settings["monotone_constraints"] = list(matrix.monotone)
        data = _dataset(matrix, values, weights, kept, settings, start)
        booster = lightgbm.Booster(settings, data)
        if kept.all():
            asked = context.rounds or min(_MOST_ROUNDS, round(10 / settings["learning_rate"]))
            best, self.finished = boost(booster.update, asked, deadline)
        else:
            booster.add_valid(_dataset(matrix, values, weights, ~kept, settings, start, like=data), "stop")
            patience = round(max(30, 2.5 / settings["learning_rate"]))
            rate = float(settings["learning_rate"])
            self.hints = {_RATE: rate}  # told by unhurried folds too: rounds and rate of a refit are of the same folds

            def hurry(factor: float) -> None:
                self.hurried, self.hints = True, {_RATE: min(max(rate, FASTEST), rate * factor)}
                booster.reset_parameter({"learning_rate": self.hints[_RATE]})

            best, self.finished = boost(
                booster.update,
                _MOST_ROUNDS,
                deadline,
                lambda: float(booster.eval_valid()[0][2]),
                patience,
                hurry if self.hurries else None,
                USUAL / rate,
            )
        self.rounds = best
        self.scorer = Booster(
            scoring_only(booster.model_to_string(num_iteration=best), matrix.values.shape[1]),
            kind=task.kind,
            n_classes=task.n_classes,
            columns=matrix.values.shape[1],
            rounds=best,
            offset=offset,
            scale=scale,
        )
        return self

    def _settings(self, task: Task, rows: int, context: FitContext) -> dict[str, Any]:
        settings: dict[str, Any] = {"learning_rate": 0.05} | self.parameters
        if context.rounds is not None and _RATE in self.hints:
            settings["learning_rate"] = self.hints[_RATE]
        # A leaf may hold a twentieth of few rows at most, otherwise small tables would give a single leaf.
        settings["min_data_in_leaf"] = max(1, min(int(settings.get("min_data_in_leaf", 20)), rows // 20))
        settings["min_data_per_group"] = max(2, min(100, rows // 50))
        settings["min_data_in_bin"] = 3 if rows >= 200 else 1
        if task.kind == "multiclass":
            settings["num_class"] = task.n_classes
        return settings | {
            "objective": _OBJECTIVE[task.kind],
            "metric": _METRIC[task.kind],
            "seed": context.seed % 2**31,
            "num_threads": context.threads,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        }


def _dataset(
    matrix: Matrix,
    y: np.ndarray,
    weight: np.ndarray | None,
    rows: np.ndarray,
    settings: Mapping[str, Any],
    start: np.ndarray | None,
    like: lightgbm.Dataset | None = None,
) -> lightgbm.Dataset:
    """LightGBM's binned copy of some rows; columns go by position, names never enter a model."""
    every = bool(rows.all())
    return lightgbm.Dataset(
        matrix.values if every else matrix.values[rows],
        y if every else y[rows],
        weight=None if weight is None else weight[rows],
        init_score=None if start is None else start[rows],
        categorical_feature=list(matrix.categorical),
        params=dict(settings),
        reference=like,
    )


class LightgbmFamily:
    """Gradient boosting: the default, then variants that published searches found to lead elsewhere."""

    name: ClassVar[str] = "lightgbm"
    rung: ClassVar[int] = 5
    needs: ClassVar[Needs] = "codes"
    monotone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Four sets of parameters; on few rows the shallow one comes second, otherwise last."""
        default = {"learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.8}
        default |= {"bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 1.0, "extra_trees": False}
        default |= {"cat_smooth": 10.0, "cat_l2": 10.0}  # LightGBM's own, named so that a search knows where it begins
        wide = {
            "learning_rate": 0.04,
            "num_leaves": 50,
            "min_data_in_leaf": 40,
            "feature_fraction": 0.9,
            "bagging_fraction": 0.75,
        }
        if task.kind == "regression":
            wide = {
                "learning_rate": 0.05,
                "num_leaves": 100,
                "min_data_in_leaf": 3,
                "feature_fraction": 0.9,
                "bagging_fraction": 0.7,
            }
        extra = {
            "learning_rate": 0.03,
            "num_leaves": 50,
            "min_data_in_leaf": 10,
            "feature_fraction": 0.5,
            "extra_trees": True,
        }
        shallow = {
            "learning_rate": 0.04,
            "num_leaves": 8,
            "max_depth": 4,
            "min_data_in_leaf": 10,
            "feature_fraction": 0.5,
        }
        shallow |= {"bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0}
        named: list[tuple[str, dict[str, Json]]] = [
            ("lightgbm-wide", wide | {"bagging_freq": 1}),
            ("lightgbm-extra", extra),
        ]
        named.insert(0 if rows < 3_000 else 2, ("lightgbm-shallow", shallow))
        return [("lightgbm", default), *named]

    @staticmethod
    def space(task: Task, rows: int, columns: int) -> Mapping[str, Dimension]:
        """Size and number of leaves, pace, and how much of rows and columns a tree sees. Deep trees only where rows bear them."""
        most = 31 if rows < 2_000 else 127 if rows < 20_000 else 255
        return {
            "learning_rate": ("float", 0.015, 0.12, True),
            "num_leaves": ("int", 4, most, True),
            "min_data_in_leaf": ("int", 2, 60 if rows < 5_000 else 200, True),
            "feature_fraction": ("float", 0.3, 1.0, False),
            "bagging_fraction": ("float", 0.5, 1.0, False),
            "lambda_l2": ("float", 0.01, 30.0, True),
            "extra_trees": [False, True],
            "cat_smooth": ("float", 1.0, 50.0, True),
            "cat_l2": ("float", 0.5, 30.0, True),
        }

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh booster."""
        return Boosting(parameters)


FAMILY = LightgbmFamily
