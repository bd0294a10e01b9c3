"""CatBoost: gradient boosting with symmetric trees, stopped early on rows of its own, on time, or after given rounds."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from holdgood.core.frame import Matrix
from holdgood.core.protocols import Dimension, FitContext, Json, Model, Needs
from holdgood.core.task import Task
from holdgood.models.tabular.backed import Backed
from holdgood.models.tabular.cbm_booster import EXTRA, LIBRARY, MOST_CODES, CbmBooster, data_of, library, numbers_of
from holdgood.models.tabular.training_rows import checked, learned_from, start_of

_MOST_ROUNDS = 2_000
_LOSS = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}


class SymmetricBoosting(Backed[CbmBooster]):
    """Gradient boosting whose trees ask the same question on a whole level (Prokhorenkova 2018), by CatBoost.

    Parameters are CatBoost's own names. Trees start from the share of each class, or from the mean of a standardised
    outcome. A category is always split off alone: measured against CatBoost's ordered target statistics on columns of
    at most 60 levels this was ahead on four of six sets, at a third of the cost or less; columns of more levels come as
    out-of-fold means already.
    """

    part: ClassVar[str] = CbmBooster.part
    kept: ClassVar[Any] = CbmBooster

    def __init__(self, parameters: Mapping[str, Json]) -> None:
        self.parameters = dict(parameters)

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> SymmetricBoosting:
        """Boost on the rows outside ``context.stop_rows`` and keep the rounds that were best on these.

        Without stop rows and without ``context.rounds``: about 10 / learning rate rounds. ``context.seconds`` ends it
        between rounds.
        """
        clock = _Clock(time.monotonic() + context.seconds)
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        kept = learned_from(len(values), context, weights)
        start = start_of(values, weights, kept, task)
        present, margins = np.empty(0, np.int64), start.margins
        if task.kind == "multiclass":
            present = np.unique(values[kept]).astype(np.int64)
            margins = margins[present]
        rows = _Rows(matrix, start.values, weights, margins, task.kind)
        self.rounds, self.finished, raw = 1, 1.0, None
        if rows.can_tell(kept):
            seen = ~kept if task.kind != "multiclass" else ~kept & np.isin(values, present)
            if weights is not None:
                seen &= weights > 0
            settings = self._settings(context, stops=bool(seen.any()))
            if any(matrix.monotone):
                # CatBoost counts numbers before categories (see data_of); it shrinks such models, which margins forbid
                numbers = [sign for j, sign in enumerate(matrix.monotone) if j not in rows.categorical]
                settings["monotone_constraints"] = {at: sign for at, sign in enumerate(numbers) if sign}
                settings["model_shrink_rate"] = 0.0
            model = library().CatBoost(settings)
            with_clock = None if context.seconds == math.inf else [clock]
            model.fit(rows.pool(kept), eval_set=rows.pool(seen) if seen.any() else None, callbacks=with_clock)
            self.rounds = int(model.tree_count_)
            self.finished = clock.rounds / model.get_param("iterations") if clock.up else 1.0
            raw = _scoring_only(model)
        self.scorer = CbmBooster(
            raw,
            kind=task.kind,
            n_classes=task.n_classes,
            columns=matrix.values.shape[1],
            categorical=rows.categorical,
            present=present.tolist(),
            margins=margins.tolist(),
            rounds=self.rounds,
            offset=start.offset,
            scale=start.scale,
        )
        return self

    def _settings(self, context: FitContext, *, stops: bool) -> dict[str, Any]:
        settings: dict[str, Any] = {"learning_rate": 0.05} | self.parameters
        if settings.get("bootstrap_type") == "Bayesian":  # which weighs all rows and refuses a share of them
            settings.pop("subsample", None)
        rate = settings["learning_rate"]
        settings["iterations"] = context.rounds or (_MOST_ROUNDS if stops else min(_MOST_ROUNDS, round(10 / rate)))
        if stops:
            settings |= {"use_best_model": True, "od_type": "Iter", "od_wait": round(max(30, 4 / rate))}
        return settings | {
            "loss_function": _LOSS[context.task.kind],
            "boosting_type": "Plain",
            "one_hot_max_size": MOST_CODES + 1,
            "random_seed": context.seed % 2**31,
            "thread_count": context.threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }


class _Clock:
    """Tells CatBoost after each round whether another one ends in time."""

    def __init__(self, deadline: float) -> None:
        self.deadline, self.rounds, self.up = deadline, 0, False
        self._last, self._pace = time.monotonic(), 0.0

    def after_iteration(self, info: Any) -> bool:
        """Called by CatBoost; False ends the training."""
        now = time.monotonic()
        if self.rounds:
            self._pace = max(0.7 * self._pace, now - self._last)
        self._last, self.rounds = now, self.rounds + 1
        self.up = now + self._pace > self.deadline
        return not self.up


class _Rows:
    """Training rows from which pools are made."""

    def __init__(
        self, matrix: Matrix, y: np.ndarray, weights: np.ndarray | None, margins: np.ndarray, kind: str
    ) -> None:
        self.values, self.y, self.weights = matrix.values, y, weights
        self.margins = None if kind == "regression" else margins
        most = {j: np.nanmax(matrix.values[:, j], initial=0.0) for j in matrix.categorical}
        self.categorical = sorted(j for j, code in most.items() if code < MOST_CODES)

    def can_tell(self, rows: np.ndarray) -> bool:
        """Whether there are two outcomes and a column that tells rows apart; CatBoost refuses to fit otherwise."""
        y, numbers = self.y[rows], numbers_of(self.values[rows])
        return bool((y != y[0]).any() and (numbers != numbers[0]).any())

    def pool(self, rows: np.ndarray) -> Any:
        """CatBoost's view of some rows; columns go by position, names never enter a model."""
        return library().Pool(
            data_of(self.values[rows], self.categorical),
            self.y[rows],
            weight=None if self.weights is None else self.weights[rows],
            baseline=None if self.margins is None else np.tile(self.margins, (int(rows.sum()), 1)),
        )


def _scoring_only(model: Any) -> bytes:
    """CatBoost's own file without parameters, times and random marks: equal fits give equal bytes."""
    notes = model.get_metadata()
    for key in list(notes.keys()):
        del notes[key]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path))
        return path.read_bytes()


def _bootstrap(task: Task) -> str:
    """CatBoost's own choice for the loss."""
    return "Bayesian" if task.kind == "multiclass" else "MVS"


class CatboostFamily:
    """Gradient boosting with symmetric trees: CatBoost's own defaults first."""

    name: ClassVar[str] = "catboost"
    rung: ClassVar[int] = 6
    needs: ClassVar[Needs] = "codes"
    monotone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")
    library: ClassVar[str] = LIBRARY
    extra: ClassVar[str] = EXTRA

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """CatBoost's defaults, named so that a search knows where it begins; then those that pytabkit tuned over many
        sets (Holzmüller 2024); on few rows shallow trees come second, otherwise last. With several classes a round
        costs by borders, not by rows: fewer of these.
        """
        default: dict[str, Json] = {"learning_rate": 0.06, "depth": 6, "l2_leaf_reg": 3.0, "random_strength": 1.0}
        default |= {"bootstrap_type": _bootstrap(task), "subsample": 0.8, "leaf_estimation_iterations": 1}
        tuned: dict[str, Json] = {"bootstrap_type": "Bernoulli", "subsample": 0.9, "l2_leaf_reg": 1e-5}
        if task.kind == "regression":
            tuned |= {"learning_rate": 0.09, "depth": 9, "random_strength": 0.0, "leaf_estimation_iterations": 20}
        else:
            tuned |= {"learning_rate": 0.08, "depth": 7, "random_strength": 0.8, "leaf_estimation_iterations": 1}
        shallow = default | {"depth": 4, "l2_leaf_reg": 5.0}
        named = [("catboost-tuned", tuned), ("catboost-shallow", shallow)]
        borders = {"border_count": 64} if task.kind == "multiclass" else {}
        return [(n, p | borders) for n, p in (("catboost", default), *(named[::-1] if rows < 3_000 else named))]

    @staticmethod
    def space(task: Task, rows: int, columns: int) -> Mapping[str, Dimension]:
        """TabArena's ranges (Erickson 2025), not as slow, so that a fit stays short, and wide enough for pytabkit's penalty and
        depth; and noise in the choice of splits, which TabArena leaves out.
        """
        return {
            "learning_rate": ("float", 0.02, 0.15, True),
            "depth": ("int", 4, 9 if task.kind == "regression" else 8, False),
            "l2_leaf_reg": ("float", 1e-5, 10.0, True),
            "random_strength": ("float", 0.0, 2.0, False),
            "bootstrap_type": [_bootstrap(task), "Bernoulli"],
            "subsample": ("float", 0.6, 1.0, False),
            "leaf_estimation_iterations": ("int", 1, 20, True),
        }

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh booster."""
        return SymmetricBoosting(parameters)


FAMILY = CatboostFamily
