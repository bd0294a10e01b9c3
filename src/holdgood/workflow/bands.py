"""Bands of a run: of what was chosen and of what it is compared with, learned out of fold.

All are residual bands, kept as numbers; that of what was chosen may be one with learners of its own, where these are proven better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DeclarationError
from holdgood.core.frame import Frame
from holdgood.core.protocols import Candidate, Fold, Json
from holdgood.core.records import BandChoice
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for
from holdgood.metrics import Band, CostTable, band
from holdgood.models.tabular.quantile_boosting import QuantileBoosting
from holdgood.training import Trained
from holdgood.training.band_choice import Rows, band_folds, choose_band
from holdgood.training.fitted_band import FittedBand
from holdgood.workflow.candidates import learner_there

AnyBand: TypeAlias = Band | FittedBand
Bands: TypeAlias = Mapping[str, AnyBand]
"""``chosen``, ``prior`` and, where there is one, ``simple``."""
FAMILY = "lightgbm"
PARAMETERS: Mapping[str, Json] = {
    "learning_rate": 0.08, "num_leaves": 12, "min_data_in_leaf": 20, "feature_fraction": 0.8, "bagging_fraction": 0.8,
    "bagging_freq": 1, "lambda_l2": 1.0,
}  # fmt: skip
SHARE = 0.12
"""Of a training's seconds, what is kept for learners of quantiles at most."""
A_FIT, A_CELL = 0.03, 1e-6
"""Seconds that a learner of a level takes on a fold, about: to begin with, and for each cell. Less is kept where less is needed."""


@dataclass(frozen=True, eq=False)
class Division:
    """What learners of quantiles are fitted and judged on: facts, folds, and how rows belong together, as in training.

    ``left``: seconds that may still be spent.
    """

    frame: Frame
    folds: Sequence[Fold]
    own_folds: Callable[[np.ndarray], Sequence[Fold]]
    left: Callable[[], float]
    time: np.ndarray | None = None
    groups: np.ndarray | None = None
    apart: int = 0
    seed: int = 0
    workers: int = 1


@dataclass(frozen=True)
class LearnedBands:
    """Bands by role, and how that of the choice came about; None where none is wanted but for money."""

    bands: Bands = field(default_factory=dict)
    choice: BandChoice | None = None


def expect_amounts(declared: Declaration, task: Task) -> None:
    """DeclarationError where quantiles are asked for of what has none."""
    if declared.task.quantiles and task.kind != "regression":
        raise DeclarationError(
            f"task.quantiles for a {task.kind} target", "an amount (a regression)", "take task.quantiles away"
        )


def wants_learners(declared: Declaration, task: Task) -> bool:
    """Whether learners of quantiles are worth a try: there is something for them to say, and the family is allowed."""
    asked = declared.task.interval is not None or bool(declared.task.quantiles)
    return asked and task.kind == "regression" and learner_there(FAMILY, declared.budget.models)


def for_training(clock: Clock, declared: Declaration, task: Task, frame: Frame) -> Clock:
    """The clock of the training before learners of quantiles: it ends sooner by what these are expected to need."""
    left = clock.left()
    if np.isinf(left) or not wants_learners(declared, task):
        return clock
    levels = len(declared.task.quantiles) + (0 if declared.task.interval is None else 2)
    need = levels * 6 * (A_FIT + A_CELL * min(len(frame), 40_000) * max(1, len(frame.features)))
    # the same budget on a clock that started earlier: what is told of the budget stays what was declared
    return replace(clock, started=clock.started - min(SHARE * left, need))


def bands_of(
    trained: Trained,
    y: np.ndarray,
    weight: np.ndarray | None,
    task: Task,
    table: CostTable,
    declared: Declaration,
    division: Division,
) -> LearnedBands:
    """Bands of a regression; none for other tasks, or where neither costs nor an interval nor quantiles ask for one.

    ``y`` and ``weight``: of the rows that ``trained`` learned from, which ``division`` is over.
    """
    wanted = declared.task.quantiles
    if task.kind != "regression" or (table.assumed and declared.task.interval is None and not wanted):
        return LearnedBands()
    over, under = (0.0, 0.0) if table.assumed else (table.over, table.under)
    rows = trained.oof_rows
    counts = None if weight is None else weight[rows]
    board = trained.leaderboard
    named = {"chosen": "chosen", "prior": board.ladder[0].trial if board.ladder else "chosen"}
    if trained.simple is not None:
        named["simple"] = trained.simple_name
    found: dict[str, AnyBand] = {
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
    if declared.task.interval is None and not wanted:
        return LearnedBands(found)
    if not wants_learners(declared, task):
        said = f"Bands are of ranked residuals: budget.models leaves out {FAMILY}, which would learn quantiles."
        return LearnedBands(found, BandChoice(kind="residual", levels=(), rows=len(rows), sentence=said))
    residual = found["chosen"]
    assert isinstance(residual, Band)
    found["chosen"], choice = choose_band(
        _rows(trained, y, counts, division), residual, learner_of, task, left=division.left, seed=division.seed,
        workers=division.workers,
    )  # fmt: skip
    return LearnedBands(found, choice)


def learner_of(level: float) -> Candidate:
    """A learner of the quantile at this level."""
    return Candidate(
        name=f"quantile-{level:g}",
        family=FAMILY,
        rung=5,
        needs="codes",
        make_encoder=partial(encoder_for, "codes"),
        make_model=partial(QuantileBoosting, level, PARAMETERS),
        parameters=PARAMETERS,
    )


def _rows(trained: Trained, y: np.ndarray, counts: np.ndarray | None, division: Division) -> Rows:
    """The rows with an out-of-fold prediction. Where folds leave too little to learn residuals from (one fold judged all), these
    rows are divided anew by the same rule.
    """
    rows = trained.oof_rows
    found = band_folds(division.folds, rows, len(y))
    if not found:
        found = band_folds(division.own_folds(rows), np.arange(len(rows)), len(rows))
    return Rows(
        division.frame.take(rows),
        y[rows],
        trained.oof["chosen"],
        found,
        counts,
        None if division.time is None else division.time[rows],
        None if division.groups is None else division.groups[rows],
        division.apart,
    )


def answered(bands: Bands, role: str, prediction: np.ndarray | None) -> np.ndarray | None:
    """What a regression answers with; None where no band is kept for this role, or there is no prediction."""
    return None if prediction is None or role not in bands else bands[role].answer(prediction)
