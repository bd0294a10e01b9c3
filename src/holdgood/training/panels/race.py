"""All candidates at all origins within a budget: simplest first, the latest origin first, local families divided over workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.errors import HoldgoodError
from holdgood.core.events import Event, Listener
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, PanelContext
from holdgood.scale.local import Handle, Pool
from holdgood.training.panels.backtest import Fitted, PanelCandidate, fit_predict
from holdgood.training.panels.divided import Divided
from holdgood.training.panels.origins import Origin

PIECE = 200
"""Series a piece of work of a local family: small enough to stop in time, large enough to be worth sending."""
RESERVE = 0.45
"""Share of the budget kept for the last fits on the whole history and for what follows."""
HOPELESS = 2.0
"""A candidate whose loss at the first origin is so many times the best one's is not tried at others."""


@dataclass
class Ran:
    """What a candidate did: points by origin (series, horizon) with NaN where it was not judged, CPU seconds, failures."""

    candidate: PanelCandidate
    points: dict[int, np.ndarray] = field(default_factory=dict)
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    wall: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    status: str = "open"
    reason: str = ""


def run_at(
    pool: Pool,
    candidate: PanelCandidate,
    panel: Panel,
    future: Future,
    context: PanelContext,
    *,
    keep: bool = False,
    deadline: float = math.inf,
    said: Callable[[float], None] | None = None,
) -> tuple[Fitted, bool]:
    """Fit a candidate on a panel and forecast; whether it ended in time. What had not by ``deadline`` (monotonic) is NaN."""
    rows = np.arange(len(panel))
    parts = pieces(rows, panel.lengths, max(1, pool.workers)) if candidate.local else [rows]
    shared = pool.share(panel), pool.share(future)
    handles: dict[int, Handle] = {}
    for k, part in enumerate(parts):
        handles[k] = pool.submit(_piece, candidate, *shared, part, context, keep)
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
    point = np.full((len(panel), future.horizon), np.nan)
    failed: dict[str, str] = {}
    fit_s = predict_s = 0.0
    kept: list[tuple[np.ndarray, Forecaster]] = []
    for k, part in enumerate(parts):
        try:
            got: Fitted = handles[k].result()
        except HoldgoodError as error:
            failed |= {str(i): _short(error) for i in panel.ids[part].tolist()} if k not in waiting else {}
            continue
        except Exception as error:  # a guest's forecaster may raise anything: isolated, named
            failed |= {str(i): _short(error) for i in panel.ids[part].tolist()}
            continue
        point[part] = got.point
        fit_s, predict_s = fit_s + got.fit_seconds, predict_s + got.predict_seconds
        failed |= got.failed
        if got.forecaster is not None:
            kept.append((part, got.forecaster))
    whole: Forecaster | None = None
    if keep and len(kept) == len(parts):
        whole = kept[0][1] if len(kept) == 1 else Divided([f for _, f in kept], [panel.ids[p] for p, _ in kept])
    return Fitted(point, fit_s, predict_s, failed, whole), not waiting


def _piece(
    candidate: PanelCandidate, panel: Panel, future: Future, rows: np.ndarray, context: PanelContext, keep: bool
) -> Fitted:
    return fit_predict(candidate, panel.take(rows), future.take(rows), context, keep)


def pieces(rows: np.ndarray, lengths: np.ndarray, workers: int) -> list[np.ndarray]:
    """Series divided so that each piece has long and short ones alike."""
    count = min(len(rows), max(workers, math.ceil(len(rows) / PIECE)))
    order = rows[np.argsort(-lengths, kind="stable")]
    return [np.sort(order[k::count]) for k in range(count)]


def race(
    pool: Pool,
    panel: Panel,
    candidates: Sequence[PanelCandidate],
    origins: Sequence[Origin],
    horizon: int,
    clock: Clock,
    loss: Callable[[np.ndarray, Origin], float],
    *,
    seed: int,
    most: int | None,
    on_event: Listener,
) -> list[Ran]:
    """Run candidates in order of their rung at the latest origin, then the promising ones at the others.

    ``loss`` scores points (series, horizon) at an origin. ``most``: at most so many candidates (a work budget).
    """
    runs = [Ran(c) for c in sorted(candidates, key=lambda c: c.rung)]
    limit = math.inf if clock.budget.seconds is None else clock.started + clock.budget.seconds * (1.0 - RESERVE)
    best = math.inf
    for k, origin in enumerate(origins):
        history = panel.until(origin.dropped).take(origin.judged)
        _, future = panel.take(origin.judged).ahead(horizon, np.full(len(origin.judged), origin.dropped))
        for place, ran in enumerate(runs):
            if ran.status != "open":
                continue
            if k == 0 and most is not None and place >= most:
                ran.status, ran.reason = "skipped", "beyond the work budget"
                continue
            spent = time.monotonic()
            if (k or place) and spent + (ran.wall / max(1, k)) > limit:
                if k == 0:
                    ran.status, ran.reason = "skipped", "no time was left"
                continue

            begun, whole = k * len(runs) + place, len(origins) * len(runs)
            where = f"{len(origin.judged):,} series at origin {k + 1} of {len(origins)}"
            said = _teller(on_event, ran.candidate.name, where, begun, whole, f"{best:.4g}")
            context = PanelContext(horizon, seed=seed, seconds=max(1.0, limit - spent))
            # the first candidate is the naive: whatever the clock says, there is an answer
            deadline = math.inf if not (k or place) else limit
            fitted, ended = run_at(pool, ran.candidate, history, future, context, deadline=deadline, said=said)
            ran.wall += time.monotonic() - spent
            ran.fit_seconds += fitted.fit_seconds
            ran.predict_seconds += fitted.predict_seconds
            ran.failed |= dict(fitted.failed)
            if not ended or np.isnan(fitted.point).all(axis=1).mean() > 0.2:
                if k == 0:
                    ran.status = "stopped" if not ended else "failed"
                    why = next(iter(fitted.failed.values()), "no forecasts came of it")
                    ran.reason = "not done within its time" if not ended else why
                continue
            points = np.full((len(panel), horizon), np.nan)
            points[origin.judged] = fitted.point
            ran.points[k] = points
            found = loss(points, origin)
            if k == 0:
                if found > HOPELESS * best:
                    ran.status, ran.reason = "stopped", "hopeless at the latest origin"
                best = min(best, found)
            on_event(Event("candidate", "training", f"{ran.candidate.name} {found:.4g}", best=f"{best:.4g}"))
    for ran in runs:
        if ran.status == "open":
            ran.status = "ok" if ran.points else "skipped"
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
