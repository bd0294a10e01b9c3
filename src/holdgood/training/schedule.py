"""Which fit comes next, and when to stop. Under a work budget the clock is not looked at, but for what hangs.

Under a wall clock: one fold of each family's first configuration tells what it costs; candidates that cannot finish all
folds and be delivered in what is left are stopped; what overruns is killed; time for the delivery is kept back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.core.errors import EnvironmentFault
from holdgood.core.events import Event, Listener
from holdgood.scale import Handle, Pool, give_back, memory_available
from holdgood.training.company import good_company
from holdgood.training.deepen import end_where_they_are, take_back, worth_another_fold
from holdgood.training.ending import Ending
from holdgood.training.further import Further, race, settle
from holdgood.training.memory import bytes_of_fit
from holdgood.training.progress import Progress
from holdgood.training.timing import Timing
from holdgood.training.work import FoldFit, Work, fit_fold, load, reason_of

BEHIND, ERRORS = 0.02, 3.0
"""A variant is stopped early when it is worse than the best by this share of the loss, and by this many standard errors."""
SMALL_CELLS = 4_000_000
BEFORE = "before its turn"
NO_TURN = f"the time was up {BEFORE}"
HONOURS_SLACK = 0.3
IMPORTING = 8.0
"""Seconds of refits above which a worker that was ended is started anew: it first imports for about two."""
HANGS, SLOWER, WAKING = 900.0, 50.0, 10.0
"""Without a clock a fit is ended after so many seconds, or so many times the slowest fold so far where that is longer; that
is looked at each time so many seconds have gone by without news."""
LOOK = 0.5
"""Seconds without news after which the clock, and whether somebody wants an end, are looked at."""


class Schedule:
    """Runs fold fits on a pool until all candidates are through or the time is up; ``run`` returns what is known of each."""

    def __init__(
        self,
        work: Work,
        pool: Pool,
        ticket: Any,
        timing: Timing,
        further: Further,
        *,
        losses: Callable[[FoldFit], np.ndarray],
        on_trial: Callable[[Progress], None],
        listener: Listener,
        keep: bool,
        ending: Ending | None = None,
    ) -> None:
        self.ending = ending
        self.work, self.pool, self._ticket, self.all = work, pool, ticket, timing.all
        self.timing, self.further, self.keep = timing, further, keep
        self.left, self.losses, self.on_trial, self.listener = timing.left, losses, on_trial, listener
        self.timed, self.parallel = timing.timed, timing.parallel
        self._handles: dict[Handle, tuple[Progress, int, float]] = {}
        self._warming: list[Handle] = []
        self._start_seconds = 0.0
        self._slowest = 0.0
        self._restarted = False
        self._full = False
        base = timing.all[0].base
        self._standing_in = {0, max(range(base), key=lambda f: len(work.folds[f][0]))}
        self._deepened: list[Progress] = []
        self._company_of: dict[tuple[int, int], bool] = {}
        self.cold = False

    def run(self) -> None:
        """Run to the end; every open candidate has a status afterwards."""
        self._warm_up()
        if self.pool.workers:
            self.work.cache.clear()  # workers make matrices of their own
            give_back()
        while True:
            self._fill()
            warming = any(h.state in ("waiting", "running") for h in self._warming)
            if not self._handles and (not warming or self._over):
                break
            for handle in self.pool.wait(self._until_next_deadline()):
                self._take(handle)
            self._kill_overrun()
        if self.timed and self._warming and not any(h.state == "done" for h in self._warming):
            self.cold = True  # on a busy machine the workers may still be importing
        take_back(self._deepened)
        for p in self.all:
            if p.status == "open" and p.later:
                p.stop(p.later, 1)
            if p.status == "open" and not settle(p):
                p.status = "stopped" if p.done else "skipped"
                why = "the search was ended" if self._ended else "the time was up"
                p.reason = f"{why} after {len(p.done)} of {p.folds} folds" if p.done else f"{why} {BEFORE}"

    @property
    def _ended(self) -> bool:
        """Whether somebody wants the search to end here."""
        return self.ending is not None and self.ending.asked

    @property
    def _over(self) -> bool:
        """Whether no fit may begin any more."""
        return self._ended or self.timing.is_up()

    def _warm_up(self) -> None:
        """Let workers import and map while this process fits the simplest rungs of small data itself."""
        self._warming = [self.pool.submit(load, self._ticket) for _ in range(self.pool.workers)]
        if not self.timed or not self._warming or self.timing.rows * len(self.work.frame.features) > SMALL_CELLS:
            return
        with Pool(0) as here:
            for p in self._simplest_first()[:2]:
                for fold in range(p.folds):
                    self.pool.wait(0.0)
                    if any(h.state == "done" for h in self._warming) or p.status != "open" or self._over:
                        return
                    if fold not in p.done:
                        handle = here.submit(
                            fit_fold, self.work, p.candidate, fold, self.left() / 10, self._keep(p, fold)
                        )
                        self._accept(p, fold, handle)

    def _simplest_first(self) -> list[Progress]:
        """Open first configurations by rung."""
        return sorted(
            (p for p in self.all if p.first and p.status == "open"), key=lambda p: (p.candidate.rung, p.index)
        )

    def _keep(self, p: Progress, fold: int) -> Path | None:
        """Where a fold's chain is kept: all of them for a mean of the folds' models, else what may stand in for a refit: the first
        (of the latest rows, where these follow in time) and the one of most rows.
        """
        wanted = self.keep or (self.timed and fold in self._standing_in)
        return self.pool.folder / f"chain-{p.index}-{fold}" if wanted else None

    def _fill(self) -> None:
        while self.pool.idle:
            task = self._next()
            if task is None:
                return
            p, fold = task
            if fold in p.spare:
                self._note(p, fold, p.spare.pop(fold))
                continue
            if not self._bearable(p):
                if self._handles:
                    return  # when what runs now has ended, there is more room
                continue
            seconds = self.timing.seconds(p) if self.timed else math.inf
            if self.timed and not self.pool.workers and not self._safe_here(p, fold, seconds):
                continue
            p.under_way[fold] = time.monotonic()
            handle = self.pool.submit(fit_fold, self._ticket, p.candidate, fold, seconds, self._keep(p, fold))
            self._handles[handle] = (p, fold, 1.6 * seconds + 0.5 + (self._start_seconds if self._restarted else 0.0))

    def _bearable(self, p: Progress) -> bool:
        """Whether memory for one more fit is there; a candidate for which it never will be is left out and told of."""
        rows = len(self.work.training_rows(0))
        needed = bytes_of_fit(self.work.frame, rows, p.candidate.needs, self.work.task.n_classes)
        free = memory_available()
        if needed <= free:
            return True
        if not self._handles and not settle(p):
            p.status = "skipped"
            p.reason = f"a fit needs about {needed / 1e6:,.0f} MB of memory, and {free / 1e6:,.0f} MB are free"
        return False

    def _next(self) -> tuple[Progress, int] | None:
        if self._over:
            return None
        if not self.timed:
            return self._next_unit()
        for p in self._probes():
            return p, 0
        if self.timing.one_is_enough:
            self._plan_folds()  # where one fold judges, whoever has it has paid already and may join an ensemble
        self._put_off()
        self._plan_folds()
        found = self._next_open() or self._late() or self._best_effort()
        probing = any(p.first and p.status == "open" and not p.done for p in self.all)
        if found is not None or probing or self._full:
            return found
        if kept := self._deeper():
            if self._handles:
                return None  # all that are compared have to be there
            end_where_they_are(self.all, kept)
            self._deepened = kept
            return self._next_open()
        if self.further.more(self.left() - self.timing.reserve()):
            found = self._next_open()
            self._full = found is None  # what is new would not end in time: neither would what comes after it
        return found

    def _next_unit(self) -> tuple[Progress, int] | None:
        """Under a work budget: in order, and a new generation only when all of the last has ended."""
        while True:
            for p in self.all:
                if p.status == "open" and (fold := p.next_fold) is not None:
                    return p, fold
            if self._handles or not self.further.more(math.inf):
                return None

    def _next_open(self) -> tuple[Progress, int] | None:
        told = not any(p.first and p.under_way and not p.done for p in self.all)
        for p in self._order():
            fold = p.next_fold
            if p.later or fold is None or (fold != 0 and not p.done):
                continue  # all under way, or the first fold must tell its time first
            if self.timing.fits(p):
                return p, fold
            if told and not p.under_way and not settle(p):
                p.status, p.reason = "stopped", self.timing.too_slow(p)
        return None

    def _probes(self) -> list[Progress]:
        """First configurations whose first fold has not begun: the two simplest, then the strongest sooner."""
        firsts = self._simplest_first()
        ordered = firsts[:2] + firsts[:1:-1]
        return [p for p in ordered if 0 not in p.done and 0 not in p.under_way]

    def _deeper(self) -> list[Progress]:
        """Those that get one fold more: the best, where one fold judged and they cannot be told apart."""
        if not self.timing.one_is_enough:
            return []
        return worth_another_fold(self.all, self.left() - self.timing.reserve(), self.parallel)

    def _put_off(self) -> None:
        """Let dear families that are clearly behind wait, so that their time goes to those that are ahead."""
        for p, ahead in self.timing.hopeless():
            if not p.under_way and not self._company(p, ahead):
                p.later = f"clearly behind {ahead.candidate.name} on the first fold, and a fold takes {p.fold_seconds():.1f} s"

    def _company(self, p: Progress, ahead: Progress) -> bool:
        """Whether it is good company for the one that is ahead, as their first folds say."""
        if (p.index, ahead.index) not in self._company_of:
            mine, best = p.done[0], ahead.done[0]
            self._company_of[p.index, ahead.index] = (
                mine.prediction is not None
                and best.prediction is not None
                and good_company(
                    mine.prediction, best.prediction, lambda mixed: self.losses(replace(best, prediction=mixed))
                )
            )
        return self._company_of[p.index, ahead.index]

    def _late(self) -> tuple[Progress, int] | None:
        """One of those that had to wait, where there is time for it now that the portfolio is through."""
        for p in self.timing.late():
            p.later, p.resumed = "", True
            if (found := self._next_open()) is not None:
                return found
        return None

    def _plan_folds(self) -> None:
        """Fewer folds for all where the best could not finish them: better judged on few than left out."""
        k = None if self._deepened else self.timing.bearable_folds()
        if k is None:
            return
        for p in self.all:
            p.folds = min(p.folds, k)
            if p.complete and p.status == "open":
                self._finish(p)

    def _order(self) -> list[Progress]:
        """Open candidates: the prior, first configurations by loss, then variants (those of good and quick families sooner),
        then what the search proposed or what is repeated.
        """
        families = sorted((p for p in self.all if p.first and p.done), key=lambda p: (p.loss(), p.index))
        rank = {p.candidate.family: i for i, p in enumerate(families)}
        quickest = min((p.fold_seconds() for p in families), default=1.0)
        pace = {p.candidate.family: math.sqrt(p.fold_seconds() / max(quickest, 1e-3)) for p in families}
        lowest = min(q.candidate.rung for q in self.all)
        place: dict[str, int] = {}
        keys = {}
        for p in self.all:
            family = p.candidate.family
            position = place[family] = place.get(family, -1) + 1
            if p.first:
                keys[p.index] = (0 if p.candidate.rung == lowest else 1, p.loss())
            elif p.searched or p.folds > p.base:
                keys[p.index] = (3, -float(len(p.done) > 0))
            else:
                keys[p.index] = (2, position * (rank.get(family, len(rank)) + 1) * pace.get(family, 1.0))
        return sorted((p for p in self.all if p.status == "open"), key=lambda p: (keys[p.index], p.index))

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
            room = self.left() - self.timing.delivery(p) - self.timing.overhead
            if fold is not None and 1.1 * p.fold_seconds() <= room:
                p.status, p.reason = "open", ""
                return p, fold
        return None

    def _safe_here(self, p: Progress, fold: int, seconds: float) -> bool:
        """Without workers nothing can be killed: try a sixteenth of the rows first, and leave out what would overrun."""
        rows = len(self.work.folds[fold][0])
        if p.done or p.searched or rows < 3000 or p.candidate.rung == 0:
            return True
        given = self.left() / 30
        began = time.monotonic()
        trial = fit_fold(self.work, p.candidate, fold, given, None, rows // 16)
        took = time.monotonic() - began
        if not trial.error and took > given + HONOURS_SLACK and 16 * took > seconds:
            p.status, p.reason = "stopped", f"a sixteenth of the rows took {took:.1f} s; it cannot be stopped in time"
            return False
        return True

    def _until_next_deadline(self) -> float | None:
        if not self.timed:
            return None if not self.pool.workers else WAKING if self.ending is None else LOOK
        ends = [limit - handle.seconds for handle, (_, _, limit) in self._handles.items() if handle.state == "running"]
        grace = self.timing.grace if self._handles else 0.0  # workers that still import are not waited for
        # waking twice a second keeps the reserve honest while long fits run
        return max(0.0, min([self.left() - self.timing.reserve() + grace, LOOK, *ends]))

    def _kill_overrun(self) -> None:
        up = self._ended or (self.timed and self.left() <= self.timing.reserve() - self.timing.grace)
        # a worker that starts anew first imports: worth its while only where refits are dear
        anew = not up or self.timing.reserve() > IMPORTING
        for handle, (p, _fold, limit) in list(self._handles.items()):
            longest = limit if self.timed else self.patience()
            if handle.state == "done" or not (up or handle.seconds > longest):
                continue
            self._kill(handle, restart=anew)
            self.cold = self.cold or not anew
            if not self.timed and not up:
                p.status, p.reason = "failed", f"one fold had not ended after {longest:,.0f} s: taken as hanging"
                for other in [h for h, (q, _, _) in self._handles.items() if q is p]:
                    self._kill(other, restart=True)
                return
            elif not up and not settle(p):
                p.status, p.reason = "stopped", f"one fold took more than {limit:.1f} s with {self.left():.1f} s left"

    def patience(self) -> float:
        """Seconds that a fit may take where nobody gave a clock (under one: no bound of its own); a worker that was started
        anew first imports.
        """
        if self.timed:
            return math.inf
        return max(HANGS, SLOWER * self._slowest) + (3.0 * self._start_seconds if self._restarted else 0.0)

    def _kill(self, handle: Handle, *, restart: bool) -> None:
        self.pool.kill(handle, restart=restart)
        self._restarted = True
        p, fold, _ = self._handles.pop(handle)
        del p.under_way[fold]

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
            fit = FoldFit(fold, error=error.came if isinstance(error, EnvironmentFault) else reason_of(error))
        self._note(p, fold, fit)

    def _note(self, p: Progress, fold: int, fit: FoldFit) -> None:
        if p.behind:
            if fit.chain is not None:
                fit.chain.remove()
            return
        if fit.nothing:
            p.stop(fit.nothing, 0)
            return
        if fit.error or fit.prediction is None:
            if p.in_a_row >= p.base and settle(p):
                return  # a repeat that failed takes nothing from the repeats before it
            p.status, p.reason = "failed", fit.error
            return
        p.done[fold], p.reused = fit, False
        p.losses[fold] = self.losses(fit)
        self._slowest = max(self._slowest, fit.fit_seconds + fit.predict_seconds)
        if p.status != "open":
            return
        if p.searched:
            race(p)
        if p.status == "open" and p.complete:
            self._finish(p)
        elif p.status == "open" and self.timed and not p.first and not p.searched and fold < p.base:
            self._stop_if_behind(p)
        self._tell(p)

    def _finish(self, p: Progress) -> None:
        p.status, p.later = "ok", ""
        self.on_trial(p)

    def _stop_if_behind(self, p: Progress) -> None:
        best = min((q for q in self.all if q.complete), key=lambda q: (q.loss(), q.index), default=None)
        if best is None:
            return
        folds = [f for f in sorted(p.losses) if f in best.losses and f < p.base]
        behind = np.concatenate([p.losses[f] - best.losses[f] for f in folds])
        mean, error = float(np.mean(behind)), float(np.std(behind)) / math.sqrt(len(behind))
        level = float(np.mean(np.concatenate([best.losses[f] for f in folds])))
        if mean > BEHIND * abs(level) and mean > ERRORS * error:
            p.stop(f"clearly behind {best.candidate.name} after {len(folds)} of {p.folds} folds", p.folds)

    def _tell(self, p: Progress) -> None:
        best = min((q for q in self.all if q.done), key=lambda q: (q.loss(), q.index))
        left = max(0.0, self.left() - self.timing.reserve()) if self.timed else None
        message = f"{p.candidate.name}: {len(p.done)} of {p.folds} folds"
        if self.timed:
            share = 1.0 - self.left() / self.timing.total
        else:
            over = sum(q.folds if q.status != "open" else len(q.done) for q in self.all)
            share = over / (sum(q.folds for q in self.all) + (self.further.units or 0) * p.base)
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
