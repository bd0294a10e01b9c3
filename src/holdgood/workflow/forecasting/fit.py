"""Train on the panel's series that have a history; what comes back answers for all of them, new items included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.budget import Budget
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DataError
from holdgood.core.events import Listener
from holdgood.core.records import Leaderboard
from holdgood.evaluation.forecasts import PastForecasts
from holdgood.features.panels.reader import ReadPanel
from holdgood.models.forecasting.beginnings import Beginnings
from holdgood.scale import cores
from holdgood.training.panels.judged import METRICS
from holdgood.training.panels.segments import NAMES
from holdgood.training.panels.train import train_panel
from holdgood.workflow.forecasting.candidates import candidates
from holdgood.workflow.forecasting.output import Model
from holdgood.workflow.forecasting.past import with_pits


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model, the leaderboard, and what it would have forecast at past origins (of the series that it learned from).

    ``dropped``: how many steps before a series' end each origin lies; ``learned``: positions of these series in the panel.
    """

    model: Model
    leaderboard: Leaderboard
    past: PastForecasts
    dropped: tuple[int, ...]
    learned: np.ndarray


def metric_of(declaration: Declaration) -> str:
    """What candidates are compared by."""
    return declaration.task.metric if declaration.task.metric in METRICS else METRICS[0]


def learned_from(read: ReadPanel, alive: np.ndarray) -> np.ndarray:
    """Positions of the series that are learned from: alive, with at least one observation."""
    panel = read.panel
    seen = np.zeros(len(panel), np.int64)
    of = np.repeat(np.arange(len(panel)), panel.lengths)
    np.add.at(seen, of, ~np.isnan(panel.y))
    return np.asarray(alive[seen[alive] > 0])


def fit_panel(
    read: ReadPanel, alive: np.ndarray, declaration: Declaration, budget: Budget, listener: Listener
) -> Fitted:
    """Backtest, choose, refit. DataError where no series has any history."""
    learned = learned_from(read, alive)
    if not len(learned):
        raise DataError(
            "no series has a history and goes on", "one at least", "see forecast.ended_after and keep_ended"
        )
    panel, horizon = read.panel.take(learned), read.plan.horizon
    tried, notes = candidates(panel, horizon, declaration.budget.models)
    seed, prefer = declaration.budget.seed, declaration.budget.prefer
    trained = train_panel(
        panel, tried, horizon, budget=budget, metric=metric_of(declaration), prefer=prefer,
        workers=declaration.budget.workers or cores(), seed=seed, on_event=listener,
    )  # fmt: skip
    back = trained.backtest
    past = PastForecasts(panel.ids, back.y, back.points, back.naive, back.scale, back.segment, NAMES)
    past = with_pits(panel, past, back.dropped, trained.forecaster, tuple(declaration.forecast.lead_times), seed)
    board = trained.leaderboard.model_copy(update={"notes": (*notes, *trained.leaderboard.notes)})
    model = Model(trained.forecaster, Beginnings.learned(panel, horizon, seed))
    return Fitted(model, board, past, back.dropped, learned)
