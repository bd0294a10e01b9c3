"""Train forecasters on a panel: backtest over rolling origins, combine, climb the ladder, refit, spread paths by past errors."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.budget import Budget, Clock
from holdgood.core.errors import DataError
from holdgood.core.events import Event, Listener, silent
from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, PanelContext
from holdgood.core.records import Leaderboard
from holdgood.scale.local import Pool
from holdgood.training.panels.backtest import PanelCandidate, Plan
from holdgood.training.panels.censored import KEEP, Demand
from holdgood.training.panels.choose import choose
from holdgood.training.panels.combine import Blend, blended
from holdgood.training.panels.combined import Combined, spread
from holdgood.training.panels.errors import Sizes, Trajectories, traits
from holdgood.training.panels.fits import Job, hand_out
from holdgood.training.panels.judged import METRICS, Outcomes, Rows, last_losses, loss, outcomes, rows_of
from holdgood.training.panels.origins import origins
from holdgood.training.panels.panel_ladder import trials
from holdgood.training.panels.race import Ran, race
from holdgood.training.panels.seen import Seen
from holdgood.training.panels.segments import segments
from holdgood.training.panels.told import told
from holdgood.training.panels.windows import ROWS, SAMPLES, SLOW, better_by_windows

LAST = 0.97
"""Share of the budget by which the last fits end."""
FOR_COLUMNS = 0.4
"""Share of the budget by which it is known which columns are of use."""
STANDS_IN = "not refitted in time: as fitted before the oldest origin"
COUNTS = 100.0
"""Paths of whole numbers are rounded to whole numbers where the median is below."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """What was forecast at past origins, and what came: (origins, series, horizon), NaN where not judged.

    ``points``: of the delivered choice, with weights that were learned on other series. ``naive``: of the best of the lowest rung.
    ``scale``, ``square_scale`` (origins, series); ``segment`` (series,); ``dropped``: how far before each series' end an origin lies. ``drawn``: as y,
    with outcomes that a stock-out hid drawn from what is likely; y has none there.
    """

    dropped: tuple[int, ...]
    y: np.ndarray
    points: np.ndarray
    naive: np.ndarray
    scale: np.ndarray
    segment: np.ndarray
    drawn: np.ndarray
    square_scale: np.ndarray


@dataclass(frozen=True, eq=False)
class TrainedPanel:
    """What comes of training: the delivered forecaster, the leaderboard, the backtest behind both."""

    forecaster: Combined
    leaderboard: Leaderboard
    backtest: Backtest


def train_panel(
    panel: Panel,
    candidates: Sequence[PanelCandidate],
    horizon: int,
    *,
    budget: Budget | str | float | None = None,
    metric: str = "mase",
    prefer: str = "best",
    workers: int = 2,
    seed: int = 0,
    count: int | None = None,
    embargo: int = 0,
    clusters: np.ndarray | None = None,
    demand: Demand = KEEP,
    on_event: Listener = silent,
) -> TrainedPanel:
    """Learn on the whole panel; forecasts of ``horizon`` steps are judged at ``count`` past origins.

    ``metric``: mase (errors over the naive's in-sample) or smape. ``prefer``: as for tables; ``best`` takes the combination
    with the least loss.
    ``embargo``: first steps that will have passed before a forecast is used: forecast, not judged.
    ``clusters``: (series,) codes of series that share shocks, for the intervals of the ladder.
    ``demand``: what forecasters see of a history in which stock-outs hid some (default: what was sold), learned anew from what lies
    before each origin. Hidden outcomes are not scored.
    """
    if metric not in METRICS:
        raise DataError(f"a metric {metric!r}", "one of: " + ", ".join(METRICS), "choose one of them")
    if not len(panel) or not candidates:
        raise DataError(
            f"{len(panel)} series and {len(candidates)} candidates", "one of each at least", "check the table"
        )
    clock = Clock(Budget.parse(budget))
    cuts = origins(panel, horizon, count=count)
    if not cuts:
        raise DataError(
            f"{len(panel)} series of at most {int(panel.lengths.max())} steps, and {horizon} steps to forecast",
            "a history longer than what is to be forecast",
            "forecast fewer steps, or bring more history",
        )
    seen = Seen.of(panel, demand, [cut.dropped for cut in cuts])
    known = outcomes(panel, cuts, horizon, seen, demand.drawn(panel, seed))
    scored = [np.where(np.arange(horizon) < embargo, np.nan, y) for y in known.y]

    def mean_loss(points: dict[int, np.ndarray]) -> float:
        each = [(points[k], scored[k][c.judged], known.scale[k][c.judged]) for k, c in enumerate(cuts)]
        found = [loss(metric, *one) for one in each]
        return float(np.nanmean(np.concatenate(found)))

    with Pool(workers, 1) as pool:
        most = clock.budget.trials
        columns = told(
            pool, panel, candidates, cuts, seen, demand, horizon, known, metric,
            embargo=embargo, clusters=clusters, seed=seed, deadline=_by(clock, FOR_COLUMNS),
        )  # fmt: skip
        seen = replace(seen, panel=columns.of(seen.panel))
        runs = race(
            pool, columns.of(panel), candidates, cuts, seen, demand, horizon, clock, mean_loss,
            seed=seed, most=most, on_event=on_event, earlier=columns.jobs,
        )  # fmt: skip
        done = [r for r in runs if r.status == "ok"]
        if not done:
            said = "; ".join(f"{r.candidate.name}: {r.reason}" for r in runs)[:400]
            raise DataError(
                f"no forecaster gave an answer ({said})", "at least a naive forecast", "look at these series"
            )
        rows = rows_of(done, known, metric, embargo)
        choice = choose(done, rows, metric, prefer, clusters, seed)
        on_event(Event("progress", "training", f"refitting for {choice.name}", fraction=0.9))
        made = refitted(pool, seen.panel, done, choice.blend, horizon, clock, seed)
    blend, honest = _of(choice.blend, list(made)), choice.honest
    if len(made) < len(choice.blend.members):  # what is delivered is what is told of: errors of those that are left
        honest = blended(rows.points, _only(choice.blend, list(made)), rows.past)
    board = Leaderboard(
        metric=metric, higher_is_better=False, trials=trials(runs, choice.losses, choice.judge), ladder=choice.climb.rungs,
        chosen=choice.name, prefer=prefer, rule=choice.climb.rule, reason=choice.climb.reason, rows=len(panel),
        members={done[i].candidate.name: float(w) for i, w in zip(made, blend.weights, strict=True)},
        folds=len(cuts), fold_kind="rolling-origin", delivered="refit on all history", seconds=clock.spent(),
        budget=str(clock.budget), budget_hit=any(r.status in ("stopped", "skipped") for r in runs),
        unjudged=dict(columns.unjudged),
        notes=columns.notes + _notes(done, choice.blend, made, float(loss(metric, honest, rows.scored, rows.scale).mean()), metric),
    )  # fmt: skip
    members = {done[i].candidate.name: f for i, f in made.items()}
    forecaster = delivered(seen, panel.y, members, blend, list(made), rows, honest, seed)
    first = _first(done, choice.losses)
    return TrainedPanel(forecaster, board, _backtest(seen.panel, known, rows, honest, horizon, first))


def refitted(
    pool: Pool, panel: Panel, done: Sequence[Ran], blend: Blend, horizon: int, clock: Clock, seed: int
) -> dict[int, Forecaster]:
    """Members by place, fitted on the whole history, the dearest first; those that do not end in time are left out."""
    order = sorted(blend.members, key=lambda i: -done[i].fit_seconds)
    end = _by(clock, LAST)
    context = PanelContext(horizon, seed=seed, seconds=max(1.0, end - time.monotonic()))
    plan = Plan.whole(panel, horizon)
    ticket = pool.share(plan)
    jobs = {i: Job.of(done[i].candidate, plan, ticket, max(1, pool.workers)) for i in order}
    hand_out(pool, [(job, job.open) for job in jobs.values()], context, keep=True, deadline=end)
    made = {i: f for i, job in jobs.items() if (f := job.gathered(plan).forecaster) is not None}
    for i in order:  # as fitted for the backtest: it answers from the whole history all the same
        if i not in made and (earlier := done[i].forecaster) is not None:
            made[i] = earlier
            done[i].reason = STANDS_IN
    if not made:
        raise DataError(
            "no member could be fitted on the whole history", "one that can", "see the reasons of the trials"
        )
    return {i: made[i] for i in sorted(made)}


def delivered(
    seen: Seen,
    sold: np.ndarray,
    members: dict[str, Forecaster],
    blend: Blend,
    places: list[int],
    rows: Rows,
    honest: np.ndarray,
    seed: int,
) -> Combined:
    """Members with the errors of the honest combination, in units that follow the size of a series.

    ``sold``: values as they were, before hidden demand was completed.
    """
    panel = seen.panel
    known = np.empty((len(rows.y), 5))
    for k in np.unique(rows.origin):
        at = np.flatnonzero(rows.origin == k)
        known[at] = traits(seen.before(rows.series[at], int(rows.dropped[at[0]])), honest[at])
    errors = rows.drawn - honest
    sizes = Sizes.learned(known, errors)
    kept = Trajectories.kept(errors, sizes.of(known), segments(panel)[rows.series], rows.origin, seed)
    there = sold[~np.isnan(sold)]
    past = {str(panel.ids[s]): v[places] for s, v in last_losses(rows).items()} if blend.sharpness else {}
    flags = bool((there >= 0).all()), bool((there == np.round(there)).all() and np.median(np.abs(there)) < COUNTS)
    return Combined(
        members, blend, sizes, kept, past=past, nonnegative=flags[0], whole=flags[1],
        windowed=_windowed(seen, rows, honest, sizes, kept, flags, seed),
    )  # fmt: skip


def _windowed(
    seen: Seen, rows: Rows, honest: np.ndarray, sizes: Sizes, kept: Trajectories, flags: tuple[bool, bool], seed: int
) -> dict[int, float]:
    """Segments of slow movers for which windows of the own past foretold the latest origin better than errors do."""
    kind = segments(seen.panel)
    at = np.flatnonzero((rows.origin == rows.origin.min()) & np.isin(kind[rows.series], SLOW))
    if not len(at):
        return {}
    at = at if len(at) <= ROWS else np.sort(np.random.default_rng(seed).choice(at, ROWS, replace=False))
    some = seen.before(rows.series[at], int(rows.dropped[at[0]]))
    others = spread(some, honest[at], sizes, kept, SAMPLES, seed, *flags)
    return better_by_windows(some, kind[rows.series[at]], rows.drawn[at], others, seed)


def _by(clock: Clock, share: float) -> float:
    """When this share of the budget is spent (monotonic)."""
    return math.inf if clock.budget.seconds is None else clock.started + share * clock.budget.seconds


def _of(blend: Blend, places: list[int]) -> Blend:
    weights = blend.weights[places]
    return Blend(blend.name, weights / weights.sum(), blend.median, blend.sharpness)


def _only(blend: Blend, places: list[int]) -> Blend:
    """The blend without members that are not among ``places``, over all candidates."""
    weights = np.zeros_like(blend.weights)
    weights[places] = blend.weights[places]
    return Blend(blend.name, weights / weights.sum(), blend.median, blend.sharpness)


def _notes(
    done: Sequence[Ran], blend: Blend, made: dict[int, Forecaster], score: float, metric: str
) -> tuple[str, ...]:
    notes = []
    if lost := [done[i].candidate.name for i in blend.members if i not in made]:
        said = f"{', '.join(lost)} could not be refitted in time and left the combination"
        notes.append(f"{said}; {metric} at past origins without: {score:.4g}")
    if stand := [done[i].candidate.name for i in made if done[i].reason == STANDS_IN]:
        notes.append(f"{', '.join(stand)}: {STANDS_IN}")
    if fell := sorted({s for f in made.values() for s in f.failed}):
        notes.append(f"{len(fell)} series got a fallback from a member: {', '.join(fell[:5])}")
    return tuple(notes)


def _first(done: Sequence[Ran], losses: dict[str, np.ndarray]) -> int:
    """The best configuration of the lowest rung: with a season, to repeat the last one is what must be beaten."""
    lowest = min(r.candidate.rung for r in done)
    places = [i for i, r in enumerate(done) if r.candidate.rung == lowest]
    return min(places, key=lambda i: float(losses[done[i].candidate.name].mean()))


def _backtest(panel: Panel, known: Outcomes, rows: Rows, honest: np.ndarray, horizon: int, first: int) -> Backtest:
    shape = (len(known.cuts), len(panel), horizon)
    points, naive = np.full(shape, np.nan), np.full(shape, np.nan)
    points[rows.origin, rows.series] = honest
    naive[rows.origin, rows.series] = rows.points[first]
    dropped = tuple(c.dropped for c in known.cuts)
    return Backtest(
        dropped, np.stack(known.y), points, naive, np.stack(known.scale), segments(panel), np.stack(known.drawn),
        np.stack(known.square),
    )  # fmt: skip
