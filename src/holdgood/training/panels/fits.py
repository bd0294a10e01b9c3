"""Fits handed out to workers: a local family in pieces of its series, a global one whole, and what came back put together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdgood.core.protocols import Forecaster, PanelContext
from holdgood.scale.local import Handle, Pool
from holdgood.training.panels.backtest import Fitted, PanelCandidate, Plan, fit_predict
from holdgood.training.panels.divided import Divided

PIECE = 200
"""Series a piece of work of a local family: small enough to stop in time, large enough to be worth sending."""
PROBE = 24
"""Series of the first piece of a local family at most, from which the time for all is known."""


@dataclass
class Job:
    """A candidate's series in pieces, and the work on those that were handed out; ``late``: those that had to be ended.

    ``ticket``: the plan as workers know it (``pool.share``).
    """

    candidate: PanelCandidate
    ticket: Any
    parts: list[np.ndarray]
    handles: dict[int, Handle] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, candidate: PanelCandidate, plan: Plan, ticket: Any, workers: int, probe: bool = False) -> Job:
        """Divide the series of a plan; with ``probe``, the first piece is small."""
        rows = np.arange(len(plan.panel))
        if not candidate.local:
            return cls(candidate, ticket, [rows])
        first: list[np.ndarray] = []
        if probe and len(rows) >= 8:
            order, few = np.argsort(-plan.panel.lengths, kind="stable"), min(PROBE, len(rows) // 8)
            first = [np.sort(order[np.linspace(0, len(rows) - 1, few + 2)[1:-1].astype(np.int64)])]
            rows = np.setdiff1d(rows, first[0])
        return cls(candidate, ticket, first + pieces(rows, plan.panel.lengths, workers))

    @property
    def open(self) -> list[int]:
        """Pieces that have not been handed out."""
        return [k for k in range(len(self.parts)) if k not in self.handles]

    @property
    def running(self) -> bool:
        """Whether a piece is under way."""
        return any(h.state == "running" for h in self.handles.values())

    @property
    def ended(self) -> bool:
        """Whether every piece was done in its time."""
        return not self.open and not self.late

    def release(self) -> None:
        """Let go of what the pieces brought: it has been gathered."""
        self.handles.clear()

    def again(self) -> None:
        """Late pieces are open again: a first look that did not end is no verdict."""
        for k in self.late:
            del self.handles[k]
        self.late.clear()

    def seconds_left(self, workers: int) -> float:
        """Wall seconds that the open pieces will take, by those that are done; infinite where none is."""
        done = [k for k, h in self.handles.items() if k not in self.late and h.state == "done"]
        series = sum(len(self.parts[k]) for k in done)
        if not series:
            return math.inf if self.open else 0.0
        each = sum(self.handles[k].seconds for k in done) / series
        return each * sum(len(self.parts[k]) for k in self.open) / max(1, min(workers, len(self.open)))

    def gathered(self, plan: Plan) -> Fitted:
        """The pieces put together, NaN where one failed, is late or was never begun; the forecaster only of all of them."""
        ids = plan.panel.ids
        points = tuple(np.full((len(ids), plan.horizon), np.nan) for _ in plan.cuts)
        failed: dict[str, str] = {}
        fit_s = predict_s = 0.0
        kept: list[tuple[np.ndarray, Forecaster]] = []
        for k, handle in sorted(self.handles.items()):
            part = self.parts[k]
            try:
                got: Fitted = handle.result()
            except Exception as error:  # a guest's forecaster may raise anything, a worker may die: isolated, named
                if k not in self.late:
                    failed |= {str(i): _short(error) for i in ids[part].tolist()}
                continue
            for whole, some in zip(points, got.points, strict=True):
                whole[part] = some
            fit_s, predict_s = fit_s + got.fit_seconds, predict_s + got.predict_seconds
            failed |= got.failed
            if got.forecaster is not None:
                kept.append((part, got.forecaster))
        made: Forecaster | None = None
        if kept and len(kept) == len(self.parts):
            made = kept[0][1] if len(kept) == 1 else Divided([f for _, f in kept], [ids[p] for p, _ in kept])
        return Fitted(points, fit_s, predict_s, failed, made)


def hand_out(
    pool: Pool,
    work: Sequence[tuple[Job, Sequence[int]]],
    context: PanelContext,
    *,
    keep: bool = False,
    deadline: float = math.inf,
    soft: bool = False,
    said: Callable[[float], None] | None = None,
) -> None:
    """Do some pieces of some jobs, all handed out at once in that order, until ``deadline`` (monotonic); late ones are ended.

    ``soft``: only those that have not begun; to end a worker costs the next one its imports.
    """
    tasks: list[tuple[Job, int, Handle]] = []
    for job, places in work:
        for k in places:
            job.handles[k] = pool.submit(fit_predict, job.candidate, job.ticket, job.parts[k], context, keep)
            tasks.append((job, k, job.handles[k]))
    waiting = set(range(len(tasks)))
    while waiting and time.monotonic() < deadline:
        pool.wait(min(1.0, max(0.01, deadline - time.monotonic())))
        over = {t for t in waiting if tasks[t][2].state in ("done", "killed")}
        waiting -= over
        if over and said is not None:
            said(1.0 - len(waiting) / len(tasks))
    for t in waiting:
        job, k, handle = tasks[t]
        if soft and handle.state == "running":
            continue
        pool.kill(handle)
        job.late.add(k)


def end(pool: Pool, jobs: Sequence[Job], deadline: float) -> None:
    """Wait for what still runs, until ``deadline`` (monotonic); then end it."""
    running = [(job, k, h) for job in jobs for k, h in job.handles.items() if h.state == "running"]
    while any(h.state == "running" for _, _, h in running) and time.monotonic() < deadline:
        pool.wait(min(1.0, max(0.01, deadline - time.monotonic())))
    for job, k, handle in running:
        if handle.state == "running":
            pool.kill(handle)
            job.late.add(k)


def pieces(rows: np.ndarray, lengths: np.ndarray, workers: int) -> list[np.ndarray]:
    """Series divided so that each piece has long and short ones alike."""
    if not len(rows):
        return []
    count = min(len(rows), max(workers, math.ceil(len(rows) / PIECE)))
    order = rows[np.argsort(-lengths[rows], kind="stable")]
    return [np.sort(order[k::count]) for k in range(count)]


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
