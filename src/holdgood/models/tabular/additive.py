"""Additive: one curve a column, and where asked a few surfaces of two columns. A model that a person can read whole."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Dimension, FitContext, Json, Model, Needs, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.booster import Booster
from holdgood.models.tabular.curves import Curve, Surface, Terms
from holdgood.models.tabular.lightgbm import Boosting
from holdgood.models.tabular.links import sigmoid, softmax
from holdgood.models.tabular.terms_of_trees import columns_that_meet, raw_scores, terms_of
from holdgood.models.tabular.training_rows import checked, expect_columns

PARITY = 1e-9
_PAIR_ROUNDS = "pair_rounds"
_LOOK = {"num_leaves": 4, "max_depth": 2, "learning_rate": 0.1, "feature_fraction": 0.5, "max_bin": 32}
_LOOK_ROUNDS = 40
_SURFACE = {"num_leaves": 4, "max_depth": 2, "max_bin": 32}
_CURVES_SHARE = 0.6  # of the time given, where surfaces follow
_SAMPLE_ROWS = 256


class Additive:
    """A generalised additive model by boosting (Lou, Caruana, Gehrke 2012); with ``pairs``, a GA2M (2013).

    LightGBM grows small trees of one column each; together they make one curve a column, kept as a table of steps. Then
    the ``pairs`` most promising pairs of columns get trees of two columns, fitted to what the curves left. Curves and
    surfaces have a mean of zero over the training rows, see Terms.purified. A column with a sign (``Matrix.monotone``) has a
    curve that moves that way only, and no surface. ``parameters`` are LightGBM's own names.
    ``rounds`` are those of the curves; ``hints`` keeps those of the surfaces for a refit.
    """

    part: ClassVar[str] = "additive"

    def __init__(self, pairs: int = 0, parameters: Mapping[str, Json] | None = None) -> None:
        self.pairs, self.parameters = pairs, dict(parameters or {})
        self.rounds: int | None = None
        self.hints: dict[str, float] = {}
        self.finished = 1.0
        self.kind = ""
        self.columns = 0
        self.terms = Terms(np.empty(0))
        self._sample: tuple[np.ndarray, np.ndarray] | None = None

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Additive:
        """Boost the curves, then the surfaces; the trees become tables. The clock ends either between two rounds."""
        deadline = time.monotonic() + context.seconds
        values, weights = checked(matrix, y, weight, context.task)
        self.kind, self.columns = context.task.kind, matrix.values.shape[1]
        paired = self.pairs > 0 and self.columns > 1
        singles = Boosting(
            self.parameters | {"interaction_constraints": [[j] for j in range(self.columns)]}, hurries=False
        )
        seconds = context.seconds * (_CURVES_SHARE if paired else 1.0)
        singles.fit(matrix, values, weights, replace(context, seconds=seconds))
        self.rounds, self.finished = singles.rounds, singles.finished
        offset, scale = singles.fitted.offset, singles.fitted.scale
        learned = _learned(matrix, context)
        boosters, self.terms = [singles.fitted], terms_of(singles.fitted, learned)
        if paired and self.finished == 1.0:
            residual = (values - offset) / scale if self.kind == "regression" else values
            left = replace(context, seconds=deadline - time.monotonic())
            pairs, doubles = self._surfaces(matrix, residual, weights, left)
            if doubles is not None:
                boosters.append(doubles)
                self.terms = self.terms.plus(terms_of(doubles, learned, pairs))
        self.terms = self.terms.purified(learned.values).scaled(scale, offset)
        sample = learned.values[np.unique(np.linspace(0, len(learned) - 1, _SAMPLE_ROWS).astype(np.int64))]
        said = np.sum([raw_scores(b, sample) for b in boosters], axis=0)
        self._sample = sample, said * scale + offset
        return self

    def _surfaces(
        self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext
    ) -> tuple[list[tuple[int, int]], Booster | None]:
        """Pairs of columns, and trees of these on top of the curves; nothing where there is no time or no pair."""
        deadline = time.monotonic() + context.seconds
        raw = self.terms.score(matrix.values)
        start = raw if self.kind == "multiclass" else raw[:, 0]
        look = replace(context, rounds=_LOOK_ROUNDS, seconds=context.seconds / 3)
        found = columns_that_meet(Boosting(self.parameters | _LOOK).fit(matrix, y, weight, look, start).fitted)
        # A surface would be parted into itself and two curves, of which neither need move one way.
        bound = {j for j, sign in enumerate(matrix.monotone) if sign}
        pairs = [p for p in found if not bound & {*p}][: self.pairs]
        if not pairs or time.monotonic() > deadline:
            return [], None
        rounds = None
        if context.rounds is not None:
            rounds = int(self.hints.get(_PAIR_ROUNDS, context.rounds))
        doubles = Boosting(
            self.parameters | _SURFACE | {"interaction_constraints": [list(p) for p in pairs]}, hurries=False
        )
        doubles.fit(matrix, y, weight, replace(context, rounds=rounds, seconds=deadline - time.monotonic()), start)
        self.hints = {_PAIR_ROUNDS: float(doubles.rounds or 0)}
        self.finished = doubles.finished
        return pairs, doubles.fitted

    def curves(self) -> tuple[Curve, ...]:
        """What each column adds, before the link (log odds; regression: in units of the outcome): column, edges, values."""
        return self.terms.curves

    def surfaces(self) -> tuple[Surface, ...]:
        """What pairs of columns add beyond their curves."""
        return self.terms.surfaces

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass. A row alone gets the same bits as among others."""
        if not self.kind:
            raise DataError("an additive model that has not been fitted", "a fitted model", "call fit first")
        score = self.terms.score(expect_columns(matrix, self.columns))
        if self.kind == "multiclass":
            return softmax(score)
        return score[:, 0].copy() if self.kind == "regression" else sigmoid(score[:, 0].copy())

    def to_parts(self) -> Parts:
        """The tables; BundleError where they do not answer as the trees did."""
        if self._sample is not None:
            values, wanted = self._sample
            unit = max(1.0, float(np.abs(wanted).max()))
            worst = float(np.abs(self.terms.score(values) - wanted).max())
            if not worst <= PARITY * unit:
                raise BundleError(
                    f"curves that differ from their trees by {worst:.3g}",
                    f"at most {PARITY * unit:g}",
                    "report this with your versions: holdgood doctor",
                )
        parts = self.terms.to_parts()
        return Parts(parts.json | {"kind": self.kind, "columns": self.columns, "rounds": self.rounds}, parts.arrays)

    @classmethod
    def from_parts(cls, parts: Parts) -> Additive:
        """Rebuild; BundleError where something does not fit together."""
        model = cls()
        model.kind, columns, rounds = str(parts.json.get("kind")), parts.json.get("columns"), parts.json.get("rounds")
        intercept = parts.arrays.get("intercept", np.empty(0))
        outputs = intercept.size
        enough = outputs >= 2 if model.kind == "multiclass" else outputs == 1
        if model.kind not in AdditiveFamily.kinds or not enough or not isinstance(columns, int) or columns < 1:
            raise BundleError(
                f"an additive model of kind {model.kind!r} with {outputs} outputs and {columns!r} columns",
                "sizes that fit",
                "the bundle is damaged",
            )
        model.columns, model.rounds = columns, rounds if isinstance(rounds, int) else None
        model.terms = Terms.from_parts(parts, columns, outputs)
        return model


def _learned(matrix: Matrix, context: FitContext) -> Matrix:
    """The rows that trees were grown on: those outside the stop rows, as in Boosting.fit."""
    stop = context.stop_rows
    if stop is None or context.rounds is not None or not 0 < len(stop) < len(matrix):
        return matrix
    return matrix.take(np.setdiff1d(np.arange(len(matrix)), stop))


class AdditiveFamily:
    """A curve a column, and surfaces of a few pairs of columns: whole on one page, and often as good as boosting."""

    name: ClassVar[str] = "additive"
    rung: ClassVar[int] = 3
    needs: ClassVar[Needs] = "codes"
    monotone: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Curves alone, with surfaces, and smoother curves (random thresholds)."""
        default: dict[str, Json] = {"pairs": 0, "learning_rate": 0.05, "num_leaves": 3, "min_data_in_leaf": 20}
        default |= {"lambda_l2": 1.0, "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1}
        default |= {"extra_trees": False}
        return [
            ("additive", default),
            ("additive-pairs", default | {"pairs": 10}),
            ("additive-smooth", default | {"num_leaves": 4, "feature_fraction": 0.5, "extra_trees": True}),
        ]

    @staticmethod
    def space(task: Task, rows: int, columns: int) -> Mapping[str, Dimension]:
        """After TabArena's space of explainable boosting (Erickson 2025): pace, size of trees and leaves, number of surfaces."""
        return {
            "pairs": ("int", 0, 15, False),
            "learning_rate": ("float", 0.02, 0.2, True),
            "num_leaves": ("int", 2, 8, True),
            "min_data_in_leaf": ("int", 2, 60, True),
            "lambda_l2": ("float", 0.01, 30.0, True),
            "feature_fraction": ("float", 0.3, 1.0, False),
            "bagging_fraction": ("float", 0.5, 1.0, False),
            "extra_trees": [False, True],
        }

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh additive model: ``pairs``, and LightGBM's own names."""
        named = dict(parameters)
        return Additive(pairs=int(named.pop("pairs", 0)), parameters=named)


FAMILY = AdditiveFamily
