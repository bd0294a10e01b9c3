"""Tree: one small decision tree that can be read on a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Json, Model, Needs
from holdgood.core.task import Task
from holdgood.models.tabular.booster import as_float32
from holdgood.models.tabular.training_rows import checked
from holdgood.models.tabular.trees import Grown, SklearnTrees

# Rows' weight by which a leaf's class shares are drawn to those of all rows; keeps a pure leaf from being certain.
_SMOOTHING = 2.0


class Tree(SklearnTrees):
    """CART by scikit-learn. ``max_depth``; ``leaf_share``: a leaf holds at least that share of the rows, and at
    least five.
    """

    def __init__(self, max_depth: int = 5, leaf_share: float = 0.005) -> None:
        self.max_depth, self.leaf_share = max_depth, leaf_share

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Tree:
        """Grow on all given rows."""
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        settings: dict[str, Any] = {
            "max_depth": self.max_depth,
            "min_samples_leaf": max(min(5, max(1, len(values) // 8)), math.ceil(self.leaf_share * len(values))),
            "random_state": context.seed % 2**32,
        }
        maker = DecisionTreeRegressor if task.kind == "regression" else DecisionTreeClassifier
        estimator = maker(**settings).fit(as_float32(matrix.values), values, sample_weight=weights)
        self.keep(Grown.of(estimator, task, _SMOOTHING), matrix)
        return self


class TreeFamily:
    """One tree, at most six splits deep."""

    name: ClassVar[str] = "tree"
    rung: ClassVar[int] = 2
    needs: ClassVar[Needs] = "codes"
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Five splits deep; then one that fits on half a page."""
        return [("tree", {"max_depth": 6 if rows >= 20_000 else 5}), ("tree-short", {"max_depth": 3})]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh tree."""
        return Tree(**parameters)


FAMILY = TreeFamily
