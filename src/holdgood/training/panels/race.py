"""All candidates at all origins within a budget: simplest first, the latest origin first, local families divided over workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.events import Event, Listener
from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, PanelContext
from holdgood.scale.local import Handle, Pool
from holdgood.training.panels.backtest import Fitted, PanelCandidate, Plan, fit_predict
from holdgood.training.panels.divided import Divided
from holdgood.training.panels.origins import Origin

PIECE = 200
"""Series a piece of work of a local family: small enough to stop in time, large enough to be worth sending."""
RESERVE = 0.45
"""Share of the budget kept for the last fits on the whole history and for what follows."""
BESIDE = 2
"""Rung of local families from which a global one runs beside them."""
OF_WHAT_IS_LEFT = 0.6
"""Share of the time that is left that one batch may take: a slow family does not starve those behind it."""
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
    candidates: Sequence[PanelCandidate],
    plan: Plan,
    ticket: Any,
    context: PanelContext,
    *,
    keep: bool = False,
    deadline: float = math.inf,
    said: Callable[[float], None] | None = None,
) -> list[tuple[Fitted, bool]]:
    """Fit candidates and forecast from the cuts of a plan; with each, whether it ended in time.

    All are handed out at once, so that workers are busy where a global family is one piece of work. ``ticket``: the plan as
    workers know it (``pool.share``). What had not ended by ``deadline`` (monotonic) or failed is NaN.
    """
    tasks: list[tuple[int, np.ndarray, Handle]] = []
    rows = np.arange(len(plan.panel))
    for c, candidate in enumerate(candidates):
        parts = pieces(rows, plan.panel.lengths, max(1, pool.workers)) if candidate.local else [rows]
        tasks += [(c, part, pool.submit(fit_predict, candidate, ticket, part, context, keep)) for part in parts]
    waiting = set(range(len(tasks)))
    while waiting and time.monotonic() < deadline:
        pool.wait(min(1.0, max(0.01, deadline - time.monotonic())))
        over = {k for k in waiting if tasks[k][2].state in ("done", "killed")}
        waiting -= over
        if over and said is not None:
            said(1.0 - len(waiting) / len(tasks))
    for k in waiting:
        pool.kill(tasks[k][2])
    out = []
    for c in range(len(candidates)):
        mine = [k for k, task in enumerate(tasks) if task[0] == c]
        late = {place for place, k in enumerate(mine) if k in waiting}
        out.append((_gathered(plan, [(tasks[k][1], tasks[k][2]) for k in mine], late), not late))
    return out


def _gathered(plan: Plan, parts: Sequence[tuple[np.ndarray, Handle]], late: set[int]) -> Fitted:
    """The pieces of one candidate put together; the forecaster only where every piece has one."""
    ids = plan.panel.ids
    points = tuple(np.full((len(ids), plan.horizon), np.nan) for _ in plan.cuts)
    failed: dict[str, str] = {}
    fit_s = predict_s = 0.0
    kept: list[tuple[np.ndarray, Forecaster]] = []
    for k, (part, handle) in enumerate(parts):
        try:
            got: Fitted = handle.result()
        except Exception as error:  # a guest's forecaster may raise anything, a worker may die: isolated, named
            if k not in late:
                failed |= {str(i): _short(error) for i in ids[part].tolist()}
            continue
        for whole, some in zip(points, got.points, strict=True):
            whole[part] = some
        fit_s, predict_s = fit_s + got.fit_seconds, predict_s + got.predict_seconds
        failed |= got.failed
        if got.forecaster is not None:
            kept.append((part, got.forecaster))
    made: Forecaster | None = None
    if kept and len(kept) == len(parts):
        made = kept[0][1] if len(kept) == 1 else Divided([f for _, f in kept], [ids[p] for p, _ in kept])
    return Fitted(points, fit_s, predict_s, failed, made)


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
    plan = Plan(panel.take(some), deepest[some], oldest, tuple(c.dropped for c in cuts), horizon)
    ticket = pool.share(plan)
    best = math.inf
    for ran in runs[most:] if most is not None else []:
        ran.status, ran.reason = "skipped", "beyond the work budget"
    for place, batch in enumerate(batches(runs[:most], max(1, pool.workers))):
        begun = time.monotonic()
        if place and begun > limit:
            for ran in batch:
                ran.status, ran.reason = "skipped", "no time was left"
            continue
        names = ", ".join(ran.candidate.name for ran in batch)
        said = _teller(on_event, names, f"{len(some):,} series", runs.index(batch[0]), len(runs), f"{best:.4g}")
        # the first batch is the naive: whatever the clock says, there is an answer
        deadline = begun + OF_WHAT_IS_LEFT * (limit - begun) if place else math.inf
        context = PanelContext(horizon, seed=seed, seconds=max(1.0, min(deadline, limit) - begun))
        found = run(pool, [r.candidate for r in batch], plan, ticket, context, deadline=deadline, said=said)
        for ran, (fitted, ended) in zip(batch, found, strict=True):
            _note(ran, fitted, ended, cuts, some, len(panel))
            if ran.status == "ok":
                score = loss(ran.points)
                best = min(best, score)
                on_event(Event("candidate", "training", f"{ran.candidate.name} {score:.4g}", best=f"{best:.4g}"))
    return runs


def batches(runs: Sequence[Ran], workers: int) -> list[list[Ran]]:
    """What is run side by side, in order: local families rung by rung, from BESIDE on each with one global family.

    A global family is one piece of work and keeps one worker busy; the series of local ones are divided over the others.
    Global ones that are left come as many at a time as there are workers.
    """
    local: dict[int, list[Ran]] = {}
    for ran in runs:
        if ran.candidate.local:
            local.setdefault(ran.candidate.rung, []).append(ran)
    rest = [ran for ran in runs if not ran.candidate.local]
    out: list[list[Ran]] = []
    for rung, group in sorted(local.items()):
        beside = [rest.pop(0)] if rest and rung >= BESIDE and workers > 1 else []
        out.append(beside + group)
    return out + [rest[i : i + workers] for i in range(0, len(rest), workers)]


def _note(ran: Ran, fitted: Fitted, ended: bool, cuts: Sequence[Origin], some: np.ndarray, series: int) -> None:
    """Write down what a candidate did; it counts as failed where too many series have no forecast."""
    ran.fit_seconds, ran.predict_seconds, ran.failed = fitted.fit_seconds, fitted.predict_seconds, dict(fitted.failed)
    for k, (cut, points) in enumerate(zip(cuts, fitted.points, strict=True)):
        whole = np.full((series, points.shape[1]), np.nan)
        whole[some] = points
        ran.points[k] = np.where(np.isin(np.arange(series), cut.judged)[:, None], whole, np.nan)
    gaps = float(np.mean([np.isnan(ran.points[k][c.judged]).all(axis=1).mean() for k, c in enumerate(cuts)]))
    if gaps <= MOST_GAPS:
        ran.status = "ok"
        return
    ran.status = "failed" if ended else "stopped"
    why = next(iter(fitted.failed.values()), "no forecasts came of it")
    ran.reason = why if ended else "not done within its time"


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
