"""Forest: many trees on random rows and columns, averaged; bounded in size and time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from holdgood.core.frame import Matrix
from holdgood.core.protocols import Dimension, FitContext, Json, Model, Needs
from holdgood.core.task import Task
from holdgood.models.tabular.booster import as_float32
from holdgood.models.tabular.training_rows import checked
from holdgood.models.tabular.trees import Grown, SklearnTrees, leaves_within

_SMOOTHING = 1.0
_MEGABYTES = 28.0
_MOST_LEAVES_A_TREE = 2_000
_FEWEST_TREES = 60
_BATCH = 5
_TREES = "trees"


class Forest(SklearnTrees):
    """Random forest (Breiman 2001), or extremely randomised trees (Geurts 2006) with ``extra``, by scikit-learn.

    ``trees`` at most; fewer where many classes would make the model larger than 28 MB. Each tree sees up to
    ``rows_a_tree`` rows. ``columns``: the share of columns looked at in a split, 0 for the square root of their number.
    ``hints`` tells how many trees stand after the fit; set before, no more are grown: a refit is as large as the judged.
    """

    def __init__(
        self, trees: int = 200, rows_a_tree: int = 20_000, leaf_rows: int = 3, columns: float = 0.0, extra: bool = False
    ) -> None:
        self.trees, self.rows_a_tree, self.leaf_rows, self.columns, self.extra = (
            trees,
            rows_a_tree,
            leaf_rows,
            columns,
            extra,
        )
        self.hints: dict[str, float] = {}

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Forest:
        """Grow in batches until all trees stand or the time is up; without a clock the result is the same to the
        bit.
        """
        started = time.monotonic()
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        rows = min(self.rows_a_tree, len(values))
        trees, leaves = self._sizes(rows, task.n_classes)
        trees = max(1, min(trees, int(self.hints.get(_TREES, trees))))
        settings: dict[str, Any] = {
            "max_features": self.columns or "sqrt",
            "min_samples_leaf": min(self.leaf_rows, max(1, len(values) // 8)),
            "max_leaf_nodes": leaves,
            "bootstrap": True,
            "max_samples": rows,
            "random_state": context.seed % 2**32,
            "n_jobs": context.threads,
            "warm_start": True,
        }
        forest = self._maker(task.kind)(**settings, n_estimators=trees if math.isinf(context.seconds) else 1)
        inputs = as_float32(matrix.values)
        while True:
            grown = time.monotonic()
            before = len(getattr(forest, "estimators_", []))
            forest.fit(inputs, values, sample_weight=weights)
            now = time.monotonic()
            count = forest.n_estimators
            # The text and its check take about a tenth of the growing; the next batch must fit in what is left after
            # that.
            pace = (now - grown) / max(1, count - before)
            left = 0.9 * context.seconds - (now - started)
            batch = min(_BATCH, trees - count, int(left / pace) if pace > 0 and not math.isinf(left) else _BATCH)
            if batch < 1:
                break
            forest.set_params(n_estimators=count + batch)
        grown_trees = len(forest.estimators_)
        self.hints, self.finished = {_TREES: grown_trees}, grown_trees / trees
        self.keep(Grown.of(forest, task, _SMOOTHING), matrix)
        return self

    def _maker(self, kind: str) -> Any:
        if kind == "regression":
            return ExtraTreesRegressor if self.extra else RandomForestRegressor
        return ExtraTreesClassifier if self.extra else RandomForestClassifier

    def _sizes(self, rows: int, n_classes: int) -> tuple[int, int | None]:
        """Number of trees, and the most leaves each may have (None where it cannot get so far)."""
        room = leaves_within(_MEGABYTES, n_classes)
        could = max(2, rows // max(1, self.leaf_rows))
        wanted = min(_MOST_LEAVES_A_TREE, could)
        trees = max(min(self.trees, room // wanted), min(self.trees, _FEWEST_TREES))
        leaves = min(wanted, room // trees)
        return trees, None if leaves >= could else leaves


class ForestFamily:
    """Random forest first, extremely randomised trees second."""

    name: ClassVar[str] = "forest"
    rung: ClassVar[int] = 4
    needs: ClassVar[Needs] = "codes"
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Leaves of few rows for numbers and many classes, of more rows for probabilities."""
        leaf = 2 if task.kind == "regression" else 1 if task.n_classes > 2 else 5 if rows >= 5_000 else 3
        # Fewer trees and columns on many rows keep 200,000 rows of 40 columns near 40 seconds on one core.
        many = rows > 20_000
        trees, looked = (100, 8) if many else (200, 20)
        share = round(min(0.35, looked / columns), 4) if task.kind == "regression" and columns > 2 else 0.0
        named: list[tuple[str, dict[str, Json]]] = [("forest", {"columns": share})]
        named.append(("forest-extra", {"columns": 0.6 if task.kind == "regression" else 0.35, "extra": True}))
        return [(name, {"trees": trees, "leaf_rows": leaf, "extra": False} | more) for name, more in named]

    @staticmethod
    def space(task: Task, rows: int, columns: int) -> Mapping[str, Dimension]:
        """Rows a leaf, columns a split, and whether thresholds are drawn."""
        return {
            "leaf_rows": ("int", 1, 20, True),
            "columns": ("float", 0.1, 1.0, True),
            "extra": [False, True],
        }

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh forest."""
        return Forest(**parameters)


FAMILY = ForestFamily
