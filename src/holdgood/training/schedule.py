"""Which fit comes next, and when to stop. Under a work budget the clock is not looked at anywhere.

Under a wall clock: one fold of each family's first configuration tells what it costs; candidates that cannot finish all
folds and a refit in what is left are stopped; what overruns is killed; time for the refit of the best is kept back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from holdgood.core.errors import EnvironmentFault
from holdgood.core.events import Event, Listener
from holdgood.scale import Handle, Pool
from holdgood.training.progress import Progress, makespan
from holdgood.training.work import FoldFit, Work, fit_fold, load, reason_of

BEHIND, ERRORS = 0.02, 3.0
"""A variant is stopped early when it is worse than the best by this share of the loss, and by this many standard errors."""
MOST_RESERVED = 0.35
SMALL_CELLS = 4_000_000
NO_TURN = "the time was up before its turn"
HONOURS_SLACK = 0.3


class Schedule:
    """Runs fold fits on a pool until all candidates are through or the time is up; ``run`` returns what is known of each."""

    def __init__(
        self,
        work: Work,
        pool: Pool,
        ticket: Any,
        progress: list[Progress],
        *,
        left: Callable[[], float],
        losses: Callable[[FoldFit], np.ndarray],
        on_trial: Callable[[Progress], None],
        listener: Listener,
        refit_members: int,
    ) -> None:
        self.work, self.pool, self._ticket, self.all = work, pool, ticket, progress
        self.left, self.losses, self.on_trial, self.listener = left, losses, on_trial, listener
        self.total = left()
        self.timed = math.isfinite(self.total)
        self.parallel = max(1, pool.workers)
        self.refit_members = refit_members
        self.rows = len(work.training_rows(None))
        # ensemble, ladder and intervals run in this process after the last fit; seconds, measured on one core
        self.overhead = 0.15 + 2.5e-6 * len(work.y) * max(1, work.task.n_classes - 1) if self.timed else 0.0
        self._handles: dict[Handle, tuple[Progress, int, float]] = {}
        self._warming: list[Handle] = []
        self._start_seconds = 0.0
        self._restarted = False
        self.cold = False

    def run(self) -> None:
        """Run to the end; every open candidate has a status afterwards."""
        self._warm_up()
        while True:
            self._fill()
            warming = any(h.state in ("waiting", "running") for h in self._warming)
            if not self._handles and (not warming or self._time_is_up()):
                break
            for handle in self.pool.wait(self._until_next_deadline()):
                self._take(handle)
            if self.timed:
                self._kill_overrun()
        for p in self.all:
            if p.status == "open":
                p.status = "stopped" if p.done else "skipped"
                p.reason = f"the time was up after {len(p.done)} of {p.folds} folds" if p.done else NO_TURN

    def _warm_up(self) -> None:
        """Let workers import and map while this process fits the simplest rungs of small data itself."""
        self._warming = [self.pool.submit(load, self._ticket) for _ in range(self.pool.workers)]
        if not self.timed or not self._warming or self.rows * len(self.work.frame.features) > SMALL_CELLS:
            return
        with Pool(0) as here:
            for p in self._simplest_first()[:2]:
                for fold in range(p.folds):
                    self.pool.wait(0.0)
                    if any(h.state == "done" for h in self._warming) or p.status != "open" or self._time_is_up():
                        return
                    if fold not in p.done:
                        handle = here.submit(fit_fold, self.work, p.index, fold, self.left() / 10, True)
                        self._accept(p, fold, handle)

    def _time_is_up(self) -> bool:
        return self.timed and self.left() <= self.reserve()

    def _simplest_first(self) -> list[Progress]:
        """Open first configurations by rung."""
        return sorted(
            (p for p in self.all if p.first and p.status == "open"), key=lambda p: (p.candidate.rung, p.index)
        )

    def reserve(self) -> float:
        """Seconds kept back for refitting the best few and for what comes after."""
        found = sorted(
            (p for p in self.all if p.done and p.status in ("open", "ok")), key=lambda p: (p.loss(), p.index)
        )
        if not found:
            return self.overhead
        beside = [p.refit_seconds(self.rows) for p in self._beside(found)] if self.refit_members > 1 else []
        needs = [p.refit_seconds(self.rows) for p in found[: self.refit_members]]
        # several refits may take a third of what was there at most; the best one alone is always kept room for
        while len(needs) > 1 and makespan(needs + beside, self.parallel) > MOST_RESERVED * self.total:
            needs.pop()
        return makespan(needs + beside, self.parallel) + self.overhead

    def _beside(self, found: list[Progress]) -> list[Progress]:
        """The prior and the lowest rung above it are refitted too."""
        by_rung = sorted((p for p in found if p.first), key=lambda p: (p.candidate.rung, p.index))
        chosen = found[: self.refit_members]
        return [p for p in by_rung[:2] if p not in chosen]

    def _fill(self) -> None:
        while self.pool.idle:
            task = self._next()
            if task is None:
                return
            p, fold = task
            seconds = self._seconds(p) if self.timed else math.inf
            if self.timed and not self.pool.workers and not self._safe_here(p, fold, seconds):
                continue
            p.under_way[fold] = time.monotonic()
            handle = self.pool.submit(fit_fold, self._ticket, p.index, fold, seconds, self.timed)
            self._handles[handle] = (p, fold, 1.6 * seconds + 0.5 + (self._start_seconds if self._restarted else 0.0))

    def _next(self) -> tuple[Progress, int] | None:
        if not self.timed:
            return next(((p, f) for p in self.all if p.status == "open" and (f := p.next_fold) is not None), None)
        if self._time_is_up():
            return None
        for p in self._probes():
            return p, 0
        self._plan_folds()
        told = not any(p.first and p.under_way and not p.done for p in self.all)
        for p in self._order():
            fold = p.next_fold
            if fold is None or (fold != 0 and not p.done):
                continue  # all under way, or the first fold must tell its time first
            if self._fits(p):
                return p, fold
            if told and not p.under_way:
                p.status, p.reason = "stopped", self._too_slow(p)
        return self._best_effort()

    def _probes(self) -> list[Progress]:
        """First configurations whose first fold has not begun: the two simplest, then the strongest sooner."""
        firsts = self._simplest_first()
        ordered = firsts[:2] + firsts[:1:-1]
        return [p for p in ordered if 0 not in p.done and 0 not in p.under_way]

    def _plan_folds(self) -> None:
        """Fewer folds for all where the best first configuration could not finish them: better judged on few than left out."""
        lowest = min(p.candidate.rung for p in self.all)
        above = [p for p in self.all if p.first and p.done and p.candidate.rung > lowest and p.status in ("open", "ok")]
        best = min(above, key=lambda p: (p.loss(), p.index), default=None)
        if best is None or best.complete:
            return
        room = self.left() - self.overhead - makespan([best.refit_seconds(self.rows)], self.parallel)
        begun = len(best.done) + len(best.under_way)
        k = max(1, begun)
        while k < best.folds and 1.1 * best.fold_seconds() * math.ceil((k + 1 - begun) / self.parallel) <= room:
            k += 1
        for p in self.all:
            p.folds = min(p.folds, k)
            if p.complete and p.status == "open":
                self._finish(p)

    def _order(self) -> list[Progress]:
        """Open candidates: the prior, first configurations by loss, then variants, the better families' sooner."""
        families = sorted((p for p in self.all if p.first and p.done), key=lambda p: (p.loss(), p.index))
        rank = {p.candidate.family: i for i, p in enumerate(families)}
        place: dict[str, int] = {}
        keys = {}
        for p in self.all:
            position = place[p.candidate.family] = place.get(p.candidate.family, -1) + 1
            lowest = p.first and p.candidate.rung == min(q.candidate.rung for q in self.all)
            if p.first:
                keys[p.index] = (0 if lowest else 1, p.loss())
            else:
                keys[p.index] = (2, float(position * (rank.get(p.candidate.family, len(rank)) + 1)))
        return sorted((p for p in self.all if p.status == "open"), key=lambda p: (keys[p.index], p.index))

    def _fits(self, p: Progress) -> bool:
        """Whether what is left of a candidate, and the refits after it, end in time."""
        like = (
            p
            if p.done
            else next((q for q in self.all if q.first and q.candidate.family == p.candidate.family and q.done), None)
        )
        if like is None:
            return (
                not p.first
            )  # its family's first failed or was stopped: no measure, and its own first fold is the probe
        remaining = p.folds - len(p.done) - len(p.under_way)
        fits = 1.1 * like.fold_seconds() * math.ceil(remaining / self.parallel)
        after = max(self.reserve(), makespan([like.refit_seconds(self.rows)], self.parallel) + self.overhead)
        return fits + after <= self.left()

    def _too_slow(self, p: Progress) -> str:
        if not p.done:
            return f"its folds and a refit would not end in the {self.left():.1f} s that were left"
        return f"a fold takes {p.fold_seconds():.1f} s; {p.folds} folds and a refit would not end in the {self.left():.1f} s that were left"

    def _best_effort(self) -> tuple[Progress, int] | None:
        """Where nothing above the prior has all its folds or still can, the best so far goes on as far as it comes."""
        lowest = min(p.candidate.rung for p in self.all)
        above = [p for p in self.all if p.candidate.rung > lowest]
        if any(p.complete or p.under_way for p in above):
            return None
        tried = sorted(
            (p for p in above if p.done and p.status in ("open", "stopped")), key=lambda p: (p.loss(), p.index)
        )
        for p in tried[:1]:
            fold = p.next_fold
            room = self.left() - p.refit_seconds(self.rows) - self.overhead
            if fold is not None and 1.1 * p.fold_seconds() <= room:
                p.status, p.reason = "open", ""
                return p, fold
        return None

    def _seconds(self, p: Progress) -> float:
        """What one fold of a candidate may take so that all of them and a refit can still end."""
        rounds = math.ceil((p.folds - len(p.done)) / self.parallel)
        share = max(0.0, self.left() - self.overhead) / (rounds + 1.5)
        known = p.fold_seconds()
        return share if math.isnan(known) else min(max(share, 2.0 * known), max(0.0, self.left() - self.reserve()))

    def _safe_here(self, p: Progress, fold: int, seconds: float) -> bool:
        """Without workers nothing can be killed: try a sixteenth of the rows first, and leave out what would overrun."""
        rows = len(self.work.folds[fold][0])
        if p.done or rows < 3000 or p.candidate.rung == 0:
            return True
        given = self.left() / 30
        began = time.monotonic()
        trial = fit_fold(self.work, p.index, fold, given, False, rows // 16)
        took = time.monotonic() - began
        if not trial.error and took > given + HONOURS_SLACK and 16 * took > seconds:
            p.status, p.reason = "stopped", f"a sixteenth of the rows took {took:.1f} s; it cannot be stopped in time"
            return False
        return True

    def _until_next_deadline(self) -> float | None:
        if not self.timed:
            return None
        ends = [limit - handle.seconds for handle, (_, _, limit) in self._handles.items() if handle.state == "running"]
        # waking twice a second keeps the reserve honest while long fits run
        return max(0.0, min([self.left() - self.reserve(), 0.5, *ends]))

    def _kill_overrun(self) -> None:
        up = self._time_is_up()
        for handle, (p, fold, limit) in list(self._handles.items()):
            if handle.state == "done" or not (up or handle.seconds > limit):
                continue
            self.pool.kill(handle, restart=not up)
            self._restarted, self.cold = True, self.cold or up
            del self._handles[handle]
            del p.under_way[fold]
            if not up:
                p.status, p.reason = "stopped", f"one fold took more than {limit:.1f} s with {self.left():.1f} s left"

    def _take(self, handle: Handle) -> None:
        if handle in self._handles:
            p, fold, _ = self._handles.pop(handle)
            p.under_way.pop(fold, None)
            self._accept(p, fold, handle)
        elif handle in self._warming:
            self._start_seconds = max(self._start_seconds, handle.seconds)

    def _accept(self, p: Progress, fold: int, handle: Handle) -> None:
        """Note what became of one fold."""
        try:
            fit: FoldFit = handle.result()
        except Exception as error:  # the worker died, or what it returned could not travel
            fit = FoldFit(p.index, fold, error=error.came if isinstance(error, EnvironmentFault) else reason_of(error))
        if fit.error or fit.prediction is None:
            p.status, p.reason = "failed", fit.error
            return
        p.done[fold], p.reused = fit, False
        p.losses[fold] = self.losses(fit)
        if p.status != "open":
            return
        if p.complete:
            self._finish(p)
        elif self.timed and not p.first:
            self._stop_if_behind(p)
        self._tell(p)

    def _finish(self, p: Progress) -> None:
        p.status = "ok"
        self.on_trial(p)

    def _stop_if_behind(self, p: Progress) -> None:
        best = min((q for q in self.all if q.complete), key=lambda q: (q.loss(), q.index), default=None)
        if best is None:
            return
        folds = [f for f in sorted(p.losses) if f in best.losses]
        behind = np.concatenate([p.losses[f] - best.losses[f] for f in folds])
        mean, error = float(np.mean(behind)), float(np.std(behind)) / math.sqrt(len(behind))
        level = float(np.mean(np.concatenate([best.losses[f] for f in folds])))
        if mean > BEHIND * abs(level) and mean > ERRORS * error:
            p.status, p.behind = "stopped", True
            p.reason = f"clearly behind {best.candidate.name} after {len(folds)} of {p.folds} folds"

    def _tell(self, p: Progress) -> None:
        over = sum(q.folds if q.status != "open" else len(q.done) for q in self.all)
        best = min((q for q in self.all if q.done), key=lambda q: (q.loss(), q.index))
        left = max(0.0, self.left() - self.reserve()) if self.timed else None
        message = f"{p.candidate.name}: {len(p.done)} of {p.folds} folds"
        share = over / sum(q.folds for q in self.all)
        self.listener(
            Event(
                "candidate",
                "train",
                message,
                share,
                f"{best.candidate.name} {best.loss():.4g}",
                left,
                {"loss": p.loss()},
            )
        )
