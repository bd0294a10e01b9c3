"""Train on the panel's series that have a history; what comes back answers for all of them, new items included."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.budget import Budget
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.events import Listener
from holdgood.core.records import Leaderboard
from holdgood.evaluation.forecasts import PastForecasts
from holdgood.features.panels.reader import ReadPanel
from holdgood.models.forecasting.beginnings import Beginnings
from holdgood.models.forecasting.coherent import Coherent
from holdgood.scale import cores
from holdgood.training.panels.censored import KEEP, CensoredDemand, Demand
from holdgood.training.panels.judged import METRICS
from holdgood.training.panels.segments import NAMES
from holdgood.training.panels.train import train_panel
from holdgood.workflow.forecasting.agreed import AgreedPast
from holdgood.workflow.forecasting.candidates import candidates
from holdgood.workflow.forecasting.demand import DemandOfLevels
from holdgood.workflow.forecasting.model import Model, words_of
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
    """What candidates are compared by. DeclarationError for a declared metric that forecasts are not compared by."""
    metric = declaration.task.metric
    if metric is not None and metric not in METRICS:
        raise DeclarationError(
            f"task.metric = {metric!r}",
            "for a forecast one of: " + ", ".join(METRICS),
            did_you_mean(metric, METRICS) or "choose one of them, or take it out",
        )
    return metric or METRICS[0]


def not_used(declaration: Declaration) -> tuple[str, ...]:
    """Notes on sections that are declared and that a forecast does not look at."""
    said = []
    if declaration.costs.model_fields_set:
        said.append("[costs] is declared; forecasts are chosen by their errors alone, and money is not counted here")
    if declaration.gates.model_fields_set:
        said.append("[gates] is declared; nothing is held against it here: a forecast has no release checklist")
    return tuple(said)


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
    some, horizon = read.take(learned), read.plan.horizon
    levels = tuple(tuple(level) for level in declaration.forecast.levels)
    coherent = Coherent(levels) if levels else None
    nodes = coherent.nodes(some.panel, words_of(some, levels)) if coherent else None
    panel = coherent.panel(some.panel, nodes) if coherent and nodes else some.panel
    censored = CensoredDemand(declaration.forecast.stock_outs) if panel.available is not None else KEEP
    demand: Demand = DemandOfLevels(censored, nodes) if nodes else censored
    if nodes and censored.how == "drop":
        raise DeclarationError(
            'stock_outs = "drop" in a hierarchy', "sums have no step without a stock-out", 'write stock_outs = "impute"'
        )
    tried, notes = candidates(panel, horizon, declaration.budget.models)
    seed, spec = declaration.budget.seed, declaration.forecast
    trained = train_panel(
        panel, tried, horizon, budget=budget, metric=metric_of(declaration), prefer=declaration.budget.prefer,
        workers=declaration.budget.workers or cores(), seed=seed, count=spec.origins, embargo=spec.embargo, demand=demand,
        on_event=listener,
    )  # fmt: skip
    back = trained.backtest
    past = PastForecasts(panel.ids, back.y, back.points, back.naive, back.scale, back.segment, NAMES, back.square_scale)
    agreed = None
    if coherent and nodes:
        errors = np.moveaxis(back.drawn - back.points, 0, 1)
        agreed = AgreedPast(coherent, nodes, panel, back.dropped, errors, trained.forecaster.nonnegative, seed)
        coherent = coherent.learned(panel.ids, errors.reshape(len(panel), -1))
    past = with_pits(
        panel, past, back.dropped, trained.forecaster, tuple(spec.lead_times), seed, demand, back.drawn,
        agreed.paths if agreed else None,
    )  # fmt: skip
    if agreed:
        past = replace(past, points=agreed.points(back.points))
    past = replace(past, level=nodes.levels if nodes else None)
    told = (*not_used(declaration), *notes, *_unscored(back.y, back.drawn), *trained.leaderboard.notes)
    board = trained.leaderboard.model_copy(update={"notes": told})
    model = Model(
        trained.forecaster, Beginnings.learned(censored.completed(some.panel), horizon, seed), coherent, censored
    )
    return Fitted(model, board, past, back.dropped, learned)


def _unscored(y: np.ndarray, drawn: np.ndarray) -> tuple[str, ...]:
    count = int((np.isnan(y) & ~np.isnan(drawn)).sum())
    if not count:
        return ()
    return (
        f"{count:,} past outcomes were hidden by stock-outs and are not scored; those that are scored are the lower ones, "
        "so that a forecast of all demand seems to be too high",
    )
