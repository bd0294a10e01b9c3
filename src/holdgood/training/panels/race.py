"""All candidates at all origins within a budget: simplest first, the latest origin first, local families divided over workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.events import Event, Listener
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, PanelContext
from holdgood.scale.local import Pool
from holdgood.training.panels.backtest import Fitted, PanelCandidate, fit_predict
from holdgood.training.panels.divided import Divided
from holdgood.training.panels.origins import Origin

PIECE = 200
"""Series a piece of work of a local family: small enough to stop in time, large enough to be worth sending."""
RESERVE = 0.45
"""Share of the budget kept for the last fits on the whole history and for what follows."""
MOST_GAPS = 0.2
"""Share of the series that a candidate may have no forecast for (the naive's stands in) before it counts as failed."""


@dataclass
class Ran:
    """What a candidate did: points by origin (series, horizon) with NaN where it was not judged, CPU seconds, failures."""

    candidate: PanelCandidate
    points: dict[int, np.ndarray] = field(default_factory=dict)
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    status: str = "open"
    reason: str = ""


def run(
    pool: Pool,
    candidate: PanelCandidate,
    history: Panel,
    later: Sequence[tuple[Panel, Future]],
    context: PanelContext,
    *,
    keep: bool = False,
    deadline: float = math.inf,
    said: Callable[[float], None] | None = None,
) -> tuple[Fitted, bool]:
    """Fit a candidate on a history, and forecast from later ones; whether it ended in time.

    ``later``: panels of the same series in the same order, and their futures. What had not ended by ``deadline`` (monotonic)
    or failed is NaN.
    """
    rows = np.arange(len(history))
    parts = pieces(rows, history.lengths, max(1, pool.workers)) if candidate.local else [rows]
    shared = pool.share(history), pool.share(list(later))
    handles = {k: pool.submit(_piece, candidate, *shared, part, context, keep) for k, part in enumerate(parts)}
    waiting, done = set(handles), 0
    while waiting and time.monotonic() < deadline:
        pool.wait(min(1.0, max(0.01, deadline - time.monotonic())))
        over = {k for k in waiting if handles[k].state in ("done", "killed")}
        waiting -= over
        done += len(over)
        if over and said is not None:
            said(done / len(parts))
    for k in waiting:
        pool.kill(handles[k])
    points = tuple(np.full((len(history), future.horizon), np.nan) for _, future in later)
    failed: dict[str, str] = {}
    fit_s = predict_s = 0.0
    kept: list[tuple[np.ndarray, Forecaster]] = []
    for k, part in enumerate(parts):
        try:
            got: Fitted = handles[k].result()
        except Exception as error:  # a guest's forecaster may raise anything, a worker may die: isolated, named
            if k not in waiting:
                failed |= {str(i): _short(error) for i in history.ids[part].tolist()}
            continue
        for whole, some in zip(points, got.points, strict=True):
            whole[part] = some
        fit_s, predict_s = fit_s + got.fit_seconds, predict_s + got.predict_seconds
        failed |= got.failed
        if got.forecaster is not None:
            kept.append((part, got.forecaster))
    made: Forecaster | None = None
    if keep and len(kept) == len(parts):
        made = kept[0][1] if len(kept) == 1 else Divided([f for _, f in kept], [history.ids[p] for p, _ in kept])
    return Fitted(points, fit_s, predict_s, failed, made), not waiting


def _piece(
    candidate: PanelCandidate,
    history: Panel,
    later: Sequence[tuple[Panel, Future]],
    rows: np.ndarray,
    context: PanelContext,
    keep: bool,
) -> Fitted:
    some = [(panel.take(rows), future.take(rows)) for panel, future in later]
    return fit_predict(candidate, history.take(rows), some, context, keep)


def pieces(rows: np.ndarray, lengths: np.ndarray, workers: int) -> list[np.ndarray]:
    """Series divided so that each piece has long and short ones alike."""
    count = min(len(rows), max(workers, math.ceil(len(rows) / PIECE)))
    order = rows[np.argsort(-lengths, kind="stable")]
    return [np.sort(order[k::count]) for k in range(count)]


def race(
    pool: Pool,
    panel: Panel,
    candidates: Sequence[PanelCandidate],
    cuts: Sequence[Origin],
    horizon: int,
    clock: Clock,
    loss: Callable[[dict[int, np.ndarray]], float],
    *,
    seed: int,
    most: int | None,
    on_event: Listener,
) -> list[Ran]:
    """Run candidates in order of their rung: one fit before the oldest origin, then forecasts at every origin without refitting.

    A local family is fitted on each series before the oldest origin that the series is judged at; a global one on what lies
    before the oldest origin of all, in time. ``loss`` scores points (series, horizon) by place of the origin.
    ``most``: at most so many candidates (a work budget).
    """
    runs = [Ran(c) for c in sorted(candidates, key=lambda c: c.rung)]
    limit = math.inf if clock.budget.seconds is None else clock.started + clock.budget.seconds * (1.0 - RESERVE)
    deepest = np.zeros(len(panel), np.int64)
    for cut in cuts:
        deepest[cut.judged] = np.maximum(deepest[cut.judged], cut.dropped)
    oldest = max(c.dropped for c in cuts)
    some = np.flatnonzero(deepest > 0)
    judged = panel.take(some)
    alone, together = judged.until(deepest[some]), judged.until(oldest)
    later = [(judged.until(c.dropped), judged.ahead(horizon, c.dropped)[1]) for c in cuts]
    best = math.inf
    for place, ran in enumerate(runs):
        if most is not None and place >= most:
            ran.status, ran.reason = "skipped", "beyond the work budget"
            continue
        begun = time.monotonic()
        if place and begun > limit:
            ran.status, ran.reason = "skipped", "no time was left"
            continue
        said = _teller(on_event, ran.candidate.name, f"{len(some):,} series", place, len(runs), f"{best:.4g}")
        context = PanelContext(horizon, seed=seed, seconds=max(1.0, limit - begun))
        # the first candidate is the naive: whatever the clock says, there is an answer
        deadline = limit if place else math.inf
        history = alone if ran.candidate.local else together
        fitted, ended = run(pool, ran.candidate, history, later, context, deadline=deadline, said=said)
        ran.fit_seconds, ran.predict_seconds, ran.failed = (
            fitted.fit_seconds,
            fitted.predict_seconds,
            dict(fitted.failed),
        )
        for k, (cut, points) in enumerate(zip(cuts, fitted.points, strict=True)):
            whole = np.full((len(panel), horizon), np.nan)
            whole[some] = points
            ran.points[k] = np.where(np.isin(np.arange(len(panel)), cut.judged)[:, None], whole, np.nan)
        gaps = float(np.mean([np.isnan(ran.points[k][c.judged]).all(axis=1).mean() for k, c in enumerate(cuts)]))
        if not ended or gaps > MOST_GAPS:
            ran.status = "failed" if ended else "stopped"
            ran.reason = (
                next(iter(fitted.failed.values()), "no forecasts came of it") if ended else "not done within its time"
            )
            continue
        ran.status = "ok"
        found = loss(ran.points)
        best = min(best, found)
        on_event(Event("candidate", "training", f"{ran.candidate.name} {found:.4g}", best=f"{best:.4g}"))
    return runs


def _teller(on_event: Listener, name: str, where: str, begun: int, whole: int, best: str) -> Callable[[float], None]:
    def said(share: float) -> None:
        on_event(
            Event(
                "progress", "training", f"{name}: {share:.0%} of {where}", fraction=(begun + share) / whole, best=best
            )
        )

    return said


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
