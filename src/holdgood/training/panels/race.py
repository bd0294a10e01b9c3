"""All candidates at all origins within a budget: the naive first, then a look at each, then the quickest first."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.events import Event, Listener
from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, PanelContext
from holdgood.core.records.leaderboard import NOT_IN_TIME
from holdgood.scale.local import Pool
from holdgood.training.panels.backtest import PanelCandidate, Plan
from holdgood.training.panels.censored import Demand
from holdgood.training.panels.fits import Job, end, hand_out
from holdgood.training.panels.origins import Origin
from holdgood.training.panels.seen import Seen

RESERVE = 0.45
"""Share of the budget kept for the last fits on the whole history and for what follows."""
FOR_PROBES = 0.5
"""Share of the time for a first piece of every local family: what each will take is known before any is run, the quickest first."""
OF_WHAT_IS_LEFT = 0.6
"""Share of the time that is left that one batch may take: a slow family does not starve those behind it."""
MOST_GAPS = 0.2
"""Share of the series that a candidate may have no forecast for (the naive's stands in) before it counts as failed."""


@dataclass
class Ran:
    """What a candidate did: points by origin, of the series that are judged there (judged, horizon), CPU seconds, failures.

    ``origins``: how many it forecast from; points are let go when all stand side by side. ``forecaster``: as fitted before the oldest
    origin; it stands in where a refit does not end.
    """

    candidate: PanelCandidate
    points: dict[int, np.ndarray] = field(default_factory=dict)
    origins: int = 0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    failed: dict[str, str] = field(default_factory=dict)
    status: str = "open"
    reason: str = ""
    forecaster: Forecaster | None = None


def race(
    pool: Pool,
    panel: Panel,
    candidates: Sequence[PanelCandidate],
    cuts: Sequence[Origin],
    seen: Seen,
    demand: Demand,
    horizon: int,
    clock: Clock,
    loss: Callable[[dict[int, np.ndarray]], float],
    *,
    seed: int,
    most: int | None,
    on_event: Listener,
    earlier: Mapping[str, Job] | None = None,
) -> list[Ran]:
    """Run candidates: one fit before the oldest origin, then forecasts at every origin without refitting.

    Under a clock the naive comes first, then a small piece of every local family, then whole families, the quickest first, with
    a global one beside each; a work budget takes them by rung.

    ``seen``: what they see from each origin, completed by ``demand``. ``loss`` scores points (series, horizon) by place of the origin.
    ``most``: at most so many candidates (a work budget). ``earlier``: by candidate, fits of this very plan that are done.
    """
    runs = [Ran(c) for c in sorted(candidates, key=lambda c: c.rung)]
    limit = math.inf if clock.budget.seconds is None else clock.started + clock.budget.seconds * (1.0 - RESERVE)
    plan, some = Plan.of(panel, cuts, seen, demand, horizon)
    ticket = pool.share(plan)
    for ran in runs[most:] if most is not None else []:
        ran.status, ran.reason = "skipped", "beyond the work budget"
    wide = max(1, pool.workers)
    timed = clock.budget.seconds is not None
    there = earlier or {}
    jobs = {
        id(ran): there.get(ran.candidate.name) or Job.of(ran.candidate, plan, ticket, wide, probe=timed)
        for ran in runs[:most]
    }
    best, told = math.inf, 0

    def judge(ran: Ran) -> None:
        nonlocal best, told
        told += 1
        note(ran, jobs[id(ran)], plan, cuts, some)
        jobs[id(ran)].release()
        if ran.status == "ok":
            score = loss(ran.points)
            best = min(best, score)
            on_event(Event("candidate", "training", f"{ran.candidate.name} {score:.4g}", best=f"{best:.4g}"))

    def context_until(deadline: float) -> PanelContext:
        return PanelContext(horizon, seed=seed, seconds=max(1.0, deadline - time.monotonic()))

    first = [ran for ran in runs[:most] if ran.candidate.rung == runs[0].candidate.rung]
    # the first rung is the naive: whatever the clock says, there is an answer
    work = [(jobs[id(ran)], jobs[id(ran)].open) for ran in first]
    hand_out(pool, work, PanelContext(horizon, seed=seed), keep=True)
    for ran in first:
        judge(ran)
    done = [ran for ran in runs[:most] if ran not in first and ran.candidate.name in there]
    for ran in done:
        judge(ran)
    rest = [ran for ran in runs[:most] if ran not in first and ran not in done]
    if timed and rest:
        begun = time.monotonic()
        deadline = begun + FOR_PROBES * (limit - begun)
        probes = [(jobs[id(ran)], [0]) for ran in rest if ran.candidate.local and len(jobs[id(ran)].parts) > 1]
        probes = [(jobs[id(ran)], [0]) for ran in rest if not ran.candidate.local][:1] + probes
        hand_out(pool, probes, context_until(limit), keep=True, deadline=deadline, soft=True)
        for job, _ in probes:
            job.again()
        rest.sort(
            key=lambda ran: (jobs[id(ran)].seconds_left(wide) if ran.candidate.local else 0.0, ran.candidate.rung)
        )
    late: list[tuple[Ran, str]] = []
    for batch in batches(rest, wide):
        begun = time.monotonic()
        deadline = begun + OF_WHAT_IS_LEFT * (limit - begun)
        if begun > limit:
            late += [(ran, "no time was left") for ran in batch]
            continue
        names = ", ".join(ran.candidate.name for ran in batch)
        said = _teller(on_event, names, f"{len(some):,} series", told, len(runs), f"{best:.4g}")
        work = [(jobs[id(ran)], jobs[id(ran)].open) for ran in batch]
        hand_out(pool, work, context_until(limit), keep=True, deadline=deadline, soft=True, said=said)
        for ran in batch:
            if jobs[id(ran)].running or jobs[id(ran)].late:
                late.append((ran, ""))
            else:
                judge(ran)
    unfinished = [jobs[id(ran)] for ran, _ in late]
    for job in unfinished:
        job.again()
    if time.monotonic() < limit:
        hand_out(pool, [(job, job.open) for job in unfinished], context_until(limit), keep=True, deadline=limit)
    end(pool, list(jobs.values()), limit)
    for ran, why in late:
        judge(ran)
        if ran.status != "ok":
            ran.reason = why or ran.reason
    return runs


def batches(runs: Sequence[Ran], workers: int) -> list[list[Ran]]:
    """What is run side by side, in the order given: each local family, with a global one beside it while there are any.

    A global family is one piece of work and keeps one worker busy; the series of local ones are divided over the others.
    Global ones that are left come as many at a time as there are workers.
    """
    rest = sorted((ran for ran in runs if not ran.candidate.local), key=lambda ran: ran.candidate.rung)
    out: list[list[Ran]] = []
    for ran in runs:
        if ran.candidate.local:
            out.append(([rest.pop(0)] if rest and workers > 1 else []) + [ran])
    return out + [rest[i : i + workers] for i in range(0, len(rest), workers)]


def note(ran: Ran, job: Job, plan: Plan, cuts: Sequence[Origin], some: np.ndarray) -> None:
    """Write down what a candidate did; it counts as failed or stopped where too many series have no forecast."""
    fitted = job.gathered(plan)
    ran.fit_seconds, ran.predict_seconds, ran.failed = fitted.fit_seconds, fitted.predict_seconds, dict(fitted.failed)
    ran.forecaster = fitted.forecaster
    for k, (cut, points) in enumerate(zip(cuts, fitted.points, strict=True)):
        ran.points[k] = points[np.searchsorted(some, cut.judged)]
    ran.origins = len(cuts)
    gaps = float(np.mean([np.isnan(points).all(axis=1).mean() for points in ran.points.values()]))
    if gaps <= MOST_GAPS:
        ran.status = "ok"
        return
    ran.status = "failed" if job.ended else "stopped" if job.handles else "skipped"
    why = next(iter(fitted.failed.values()), "no forecasts came of it")
    ran.reason = why if job.ended else NOT_IN_TIME


def _teller(on_event: Listener, name: str, where: str, begun: int, whole: int, best: str) -> Callable[[float], None]:
    def said(share: float) -> None:
        on_event(
            Event(
                "progress", "training", f"{name}: {share:.0%} of {where}", fraction=(begun + share) / whole, best=best
            )
        )

    return said
