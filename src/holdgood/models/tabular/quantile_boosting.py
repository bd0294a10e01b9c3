"""Quantile boosting: LightGBM fitted to one quantile of an amount, kept and scored as any other booster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Json
from holdgood.core.task import Task
from holdgood.models.tabular.lightgbm import Boosting

_BEYOND = 5.0
"""Rows that a leaf holds beyond its quantile on the thinner side, on average: fewer would follow single rows."""


class QuantileBoosting(Boosting):
    """Gradient boosting on the pinball loss (Koenker & Bassett 1978; Friedman 2001) of the quantile at ``level``."""

    def __init__(self, level: float, parameters: Mapping[str, Json], *, hurries: bool = True) -> None:
        super().__init__(parameters, hurries=hurries)
        self.level = level

    def fit(
        self,
        matrix: Matrix,
        y: np.ndarray,
        weight: np.ndarray | None,
        context: FitContext,
        start: np.ndarray | None = None,
    ) -> QuantileBoosting:
        """As ``Boosting.fit``, for a regression."""
        super().fit(matrix, y, weight, context, start)
        # what trees answer is their sum, whatever loss grew them: a scorer need not know of it
        text = self.fitted.text.split("\n")
        at = next(i for i, line in enumerate(text) if line.startswith("objective="))
        text[at] = "objective=regression"
        self.fitted.text = "\n".join(text)
        return self

    def _settings(self, task: Task, rows: int, context: FitContext) -> dict[str, Any]:
        settings = super()._settings(task, rows, context)
        thin = min(self.level, 1.0 - self.level)
        leaf = max(int(self.parameters.get("min_data_in_leaf", 20)), round(_BEYOND / thin))
        settings["min_data_in_leaf"] = max(1, min(leaf, rows // 10))
        return settings | {"objective": "quantile", "alpha": self.level, "metric": "quantile"}
