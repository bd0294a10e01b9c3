"""Residual bands of a run: of what was chosen and of what it is compared with, learned out of fold, kept as numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdgood.core.declaration import Declaration
from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task
from holdgood.metrics import Band, CostTable, band
from holdgood.training import Trained

Bands = Mapping[str, Band]
"""``chosen``, ``prior`` and, where there is one, ``simple``."""


def expect_amounts(declared: Declaration, task: Task) -> None:
    """DeclarationError where quantiles are asked for of what has none."""
    if declared.task.quantiles and task.kind != "regression":
        raise DeclarationError(
            f"task.quantiles for a {task.kind} target", "an amount (a regression)", "take task.quantiles away"
        )


def bands_of(
    trained: Trained, y: np.ndarray, weight: np.ndarray | None, task: Task, table: CostTable, declared: Declaration
) -> dict[str, Band]:
    """Bands of a regression; none for other tasks, or where neither costs nor an interval nor quantiles ask for one.

    ``y`` and ``weight``: of the rows that ``trained`` learned from.
    """
    wanted = declared.task.quantiles
    if task.kind != "regression" or (table.assumed and declared.task.interval is None and not wanted):
        return {}
    over, under = (0.0, 0.0) if table.assumed else (table.over, table.under)
    rows = trained.oof_rows
    counts = None if weight is None else weight[rows]
    board = trained.leaderboard
    named = {"chosen": "chosen", "prior": board.ladder[0].trial if board.ladder else "chosen"}
    if trained.simple is not None:
        named["simple"] = trained.simple_name
    return {
        role: band(
            y[rows],
            trained.oof[trial],
            level=declared.task.interval,
            over=over,
            under=under,
            weight=counts,
            quantiles=wanted,
        )
        for role, trial in named.items()
    }


def answered(bands: Bands, role: str, prediction: np.ndarray | None) -> np.ndarray | None:
    """What a regression answers with; None where no band is kept for this role, or there is no prediction."""
    return None if prediction is None or role not in bands else bands[role].answer(prediction)
