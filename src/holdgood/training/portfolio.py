"""Train a portfolio of candidates within a budget, search on with what is left, climb the ladder, deliver what was chosen."""

from __future__ import annotations

import math
import time as clocks
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.chain import Chain
from holdgood.core.declaration import Costs
from holdgood.core.errors import DataError, DeclarationError, Interrupted
from holdgood.core.events import Event, Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import Candidate, Fold, Space
from holdgood.core.records import Leaderboard
from holdgood.core.task import Task
from holdgood.metrics import CostTable, Metric, OwnScore, loss_rows, resolve, seconds_of, weighted
from holdgood.metrics import metric as metric_named
from holdgood.scale import Pool, memory_available
from holdgood.training.bag import Bag, bag
from holdgood.training.board import NOT_FITTED, board
from holdgood.training.calibrated import Calibrated
from holdgood.training.choice import Choice, choose, judged
from holdgood.training.cost import LATENCY_MS, SIZE_MB, Aim
from holdgood.training.ending import Ending, usable
from holdgood.training.ensemble import Ensemble
from holdgood.training.finish import Refit, Refits, short_of, words_of
from holdgood.training.folds import alike, checked, latest_first
from holdgood.training.further import Further
from holdgood.training.ladder import Limits
from holdgood.training.last_resort import last_resort, only_prior, stand_in
from holdgood.training.limits_kept import broken_by_refits
from holdgood.training.memory import columns_of, in_steps, rows_within
from holdgood.training.progress import Progress
from holdgood.training.repeats import repeats_of
from holdgood.training.schedule import Schedule
from holdgood.training.score import Spend
from holdgood.training.search import Search
from holdgood.training.store import Store
from holdgood.training.timing import CLOSE, REFITTED, ROOMY, Timing
from holdgood.training.trained import Trained
from holdgood.training.turns import in_order
from holdgood.training.work import FoldFit, Work

PREFERENCES = ("simple", "balanced", "best")
CELLS_A_SECOND = 2.5e5
"""Feature cells (rows x features) that one second of budget can bear; with more, each fit learns from fewer rows."""
SHORT = 15.0
"""Seconds of budget below which time is kept back for refitting one model only."""
SHORTEST = 5.0
"""Seconds of budget below which no workers are started: importing would take most of it."""
OF_WORKERS = 0.9
"""Share of the free memory that all workers together may take before one ends itself."""
OF_MEMORY = 0.7
"""Share of the free memory that all fits together may take."""


def train(
    frame: Frame,
    y: np.ndarray,
    task: Task,
    candidates: Sequence[Candidate],
    folds: Sequence[Fold],
    *,
    clock: Clock,
    weight: np.ndarray | None = None,
    time: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
    costs: CostTable | None = None,
    prefer: str = "balanced",
    seed: int = 0,
    workers: int = 2,
    listener: Listener = silent,
    store: Path | None = None,
    metric: str | Metric | None = None,
    latency_limit_ms: float | None = None,
    size_limit_mb: float | None = None,
    aim_latency_ms: float | None = None,
    aim_size_mb: float | None = None,
    stamp: str = "",
    spaces: Sequence[Space] = (),
    class_weight: np.ndarray | None = None,
    spend: Spend | None = None,
    as_given: bool = False,
    apart: int = 0,
    ending: Ending | None = None,
) -> Trained:
    """Try candidates over the folds, search on in ``spaces`` until the budget ends, choose by the ladder, deliver the choice.

    ``y``: float64, (n,), coded as in Task. ``folds``: pairs of row numbers, repeat by repeat where rows are validated more
    than once; repeats are for the best trials, as the budget allows. ``time`` (int64, microseconds): rows follow
    in time, later rows end early fits (``apart`` microseconds after the others) and gains are judged in blocks of days;
    ``groups``: rows that early stopping and encoders may not part; ``clusters``: rows that belong together in every interval.
    ``store``: a folder in which finished trials survive an interruption, for the same ``stamp`` (a fingerprint of code and
    versions).
    Under ``trials=N`` the first N candidates are tried, and what is left of N goes into search and repeats (one candidate
    over all folds once is one); nothing depends on the clock or on ``workers``.
    ``latency_limit_ms`` and ``size_limit_mb`` are kept by every choice, and the aims (``balanced``: 0.3 ms and 20 MB unless
    said; ``best`` has none) by every ensemble. What is delivered is a refit on all rows; the mean of the folds' models
    within the aims stands in where that does not end in time.
    ``weight`` (n,), above zero: how much a row counts, in fits, scores, gains, thresholds and money alike; only ratios
    matter. ``class_weight`` (k,) multiplies it by class in fits, scores and gains; money, and the threshold that money
    chooses, count rows as they are: a declared amount stays what it is. ``metric``: a name, or the user's own; ``spend``:
    what answers cost on rows by position, where costs are the user's own function. ``as_given``: ``candidates`` come in the
    order to be tried, whatever their rungs. ``ending``: asked, the search ends at once and the best so far is delivered.
    Raises DataError where no candidate can be fitted, Interrupted on Ctrl-C.
    """
    _check_rows(len(frame), y=y, weight=weight, time=time, groups=groups, clusters=clusters)
    if prefer not in PREFERENCES:
        raise DeclarationError(f"prefer = {prefer!r}", "one of: " + ", ".join(PREFERENCES), "change budget.prefer")
    y = np.asarray(y, np.float64)
    if not np.isfinite(y).all():
        raise DataError(
            f"{int((~np.isfinite(y)).sum()):,} rows without an outcome",
            "an outcome in every row",
            "leave these rows out first",
        )
    ordered, beyond = in_order(candidates, clock.budget.trials, as_given)
    counted = weight if class_weight is None else (1.0 if weight is None else weight) * class_weight[y.astype(np.int64)]
    division = latest_first(checked(folds, len(y)), time)
    work = Work(frame, y, counted, task, division, time, groups, seed, apart=apart)
    limits = Limits(latency_limit_ms, size_limit_mb, by_size=clock.budget.trials is not None)
    aim = _aim(prefer, limits, aim_latency_ms, aim_size_mb)
    training = _Training(
        work, ordered, metric or task.metric, clock, clusters, costs, prefer, limits, aim, beyond, spaces, weight, spend,
        ending,
    )  # fmt: skip
    try:
        return training.run(workers, listener, store, stamp)
    except KeyboardInterrupt:
        kept = sum(p.complete for p in training.progress)
        raise Interrupted(
            f"training was stopped by Ctrl-C after {kept} finished trials",
            "nothing is lost: what was finished is kept" if store else "to be let run until its budget ends",
            "run it again: finished trials are not done twice"
            if store
            else "give a store to keep finished trials next time",
        ) from None


def _aim(prefer: str, limits: Limits, latency_ms: float | None, size_mb: float | None) -> Aim:
    """What the delivered model should cost at most: as said, else by preference, and never more than the limits."""
    usual = (LATENCY_MS, SIZE_MB) if prefer == "balanced" else (math.inf, math.inf)
    latency = min(latency_ms or usual[0], limits.latency_ms or math.inf)
    size = min(size_mb or usual[1], limits.size_mb or math.inf)
    if limits.by_size and prefer != "balanced" and latency_ms is None:
        latency = math.inf  # a limit that is measured by the clock is not looked at under a work budget
    return Aim(latency, size, by_clock=not limits.by_size)


def _check_rows(n: int, **columns: np.ndarray | None) -> None:
    for name, column in columns.items():
        if column is not None and len(column) != n:
            raise DataError(
                f"{name} of {len(column):,} rows beside a frame of {n:,}",
                "one value a row",
                "take both from the same table",
            )


class _Training:
    """One call of ``train``, step by step in ``run``."""

    def __init__(
        self,
        work: Work,
        candidates: Sequence[Candidate],
        metric: str | Metric,
        clock: Clock,
        clusters: np.ndarray | None,
        costs: CostTable | None,
        prefer: str,
        limits: Limits,
        aim: Aim,
        beyond: Sequence[Candidate],
        spaces: Sequence[Space],
        counts: np.ndarray | None = None,
        spend: Spend | None = None,
        ending: Ending | None = None,
    ) -> None:
        self.counts, self.spend, self.ending = counts, spend, ending
        self.began = clocks.monotonic()
        self.work, self.clock, self.clusters, self.costs, self.prefer, self.limits, self.aim, self.beyond, self.spaces = (
            work, clock, clusters, costs, prefer, limits, aim, beyond, spaces,
        )  # fmt: skip
        self.metric = metric_named(metric, work.task) if isinstance(metric, str) else metric
        self.timed = clock.budget.seconds is not None
        self.call = seconds_of(self.metric, work.task, work.y, work.weight) if self.timed else 0.0
        self.notes: list[str] = []
        self.cells = max(1, len(work.frame)) * max(1, len(work.frame.features))
        self.repeats = repeats_of(work.folds)
        self.base = len(work.folds) // self.repeats
        self._cap_rows(candidates)
        # where a refit does not end, the folds' models may stand in; some of capped rows, or of the far past, have seen too little
        capped = work.cap is not None or work.bearable is not None
        self.bagging = prefer != "simple" and self.base > 1 and not capped and alike(work.folds)
        families = [c.family for c in candidates]
        self.progress = [Progress(i, c, self.base, families.index(c.family) == i) for i, c in enumerate(candidates)]
        if ending is not None:
            ending.usable = partial(usable, self.progress)

    def run(self, workers: int, listener: Listener, folder: Path | None, stamp: str) -> Trained:
        """Fit, choose, refit, tell."""
        resort = self._resort()
        store = self._restored(folder, stamp)
        workers = self._how_many(workers)
        self.work.cache_bytes = memory_available() // (6 * (workers + 1))
        with Pool(workers, memory=int(OF_WORKERS * memory_available() / max(1, workers))) as pool:
            ticket = pool.share(self.work)
            timing = Timing(
                self.work, self.progress, left=self.clock.left, parallel=max(1, pool.workers),
                refit_members=1 if self.prefer == "simple" or self.clock.left() < SHORT else REFITTED, call=self.call,
            )  # fmt: skip
            schedule = Schedule(
                self.work, pool, ticket, timing, self._further(store), losses=self._losses, listener=listener,
                on_trial=store.save if store else _forget, keep=self.bagging, ending=self.ending,
            )  # fmt: skip
            schedule.run()
            if self.ending is not None and self.ending.asked:
                self.clock = self.ending.delivering(self.clock, timing.reserve(), self.notes)
            if store is not None and store.lost:
                self.notes.append(f"finished trials could not all be kept for an interrupted run: {store.lost}")
            found, k = self._judged()
            if not found:
                return self._only_prior(resort)
            choice = self._choose(found, k, schedule, {})
            if schedule.timing.by_rows and choice.blend is not None:
                self.notes.append(
                    f"{self.metric.name} takes {1000 * self.call:.2g} ms a call: weights of the ensemble were chosen by losses of rows"
                )
            # workers that had to be killed would spend the rest of the time on importing: this process is warm
            with Pool(0) if schedule.cold else nullcontext(pool) as warm:
                there = self.work if schedule.cold else ticket
                # what stands in for refits that do not end has to be put together, too
                kept = timing.stand_in if self.bagging else 0.0
                refits = Refits(
                    self.work,
                    warm,
                    there,
                    choice.wanted,
                    left=lambda: self.clock.left() - kept,
                    patience=schedule.patience(),
                    delivered=len(choice.chosen),
                )
                record = self._board(choice)
                ready = refits.collect()
                bagged = self._bagged(choice, k, warm, there, refits)
                fallen = choice if bagged else self._fall(choice, found, k, schedule, refits, ready, warm, there)
            if refits.note and refits.done:
                self.notes.append(refits.note)
            if fallen is not choice:
                choice, record = fallen, self._board(fallen)
            trained = self._delivered(choice, record, bagged, ready, refits.failed, resort)
        delivered = trained.leaderboard.delivered
        listener(Event("note", "train", f"chosen: {record.chosen}, {delivered} ({record.reason})", 1.0))
        return trained

    def _further(self, store: Store | None) -> Further:
        """Search and repeats. Under a clock, what an interrupted search left is taken up first."""
        units = self.clock.budget.trials
        search = Search(self.spaces, self.work.seed)
        if store is not None and self.timed:
            for candidate in store.searched(self.spaces):
                p = Progress(len(self.progress), candidate, self.base, False, searched=True)
                if store.restore(p, self._losses):
                    self.progress.append(p)

        def known(p: Progress) -> None:
            if store is not None:
                store.restore(p, self._losses)

        left = None if units is None else units - len(self.progress)
        return Further(search, self.progress, repeats=self.repeats, units=left, on_new=known)

    def _bagged(self, choice: Choice, k: int, pool: Pool, ticket: Any, refits: Refits) -> Bag | None:
        """The mean of the folds' models of the choice, where not all of it could be refitted on all rows as wanted."""
        whole = refits.rows == self.work.refit_rows and all(p.index not in refits.failed for p in choice.chosen)
        if whole or not self.bagging or choice.step is choice.steps[0]:
            return None
        weights = choice.blend.weights.tolist() if choice.step.ensemble and choice.blend is not None else [1.0]
        made = bag(
            self.work, pool, ticket, choice.chosen, weights, k, self.aim, left=self.clock.left, patience=refits.patience
        )
        if made is not None:
            lost = [f"{p.candidate.name}: {refits.failed[p.index]}" for p in choice.chosen if p.index in refits.failed]
            self.notes.append(
                f"the folds' models stand in for refits on all rows ({'; '.join(lost) or 'the time was short'})"
            )
        return made

    @property
    def _money(self) -> CostTable:
        """The costs, or assumed ones where nobody declared any."""
        return self.costs or resolve(Costs(), self.work.task)

    def _board(self, choice: Choice) -> Leaderboard:
        return board(
            self.metric, self.progress, self.beyond, choice, costs=self._money, prefer=self.prefer, budget=str(self.clock.budget),
            seed=self.work.seed,
        )  # fmt: skip

    def _fall(
        self,
        choice: Choice,
        found: list[Progress],
        k: int,
        schedule: Schedule,
        first: Refits,
        ready: dict[int, Refit],
        pool: Pool,
        ticket: Any,
    ) -> Choice:
        """Choose anew where what was chosen cannot be delivered, or breaks a limit as refitted: what is named is delivered.

        A trial restored from a store has no chain of its first fold that could stand in. New refits (of the next best)
        are added to ``ready`` and run only where there is time: here under a clock, which ended the workers; else in
        ``pool``, where one that hangs can be ended.
        """
        failed = first.failed
        lowest = min(p.candidate.rung for p in found)
        while True:
            lost = [p for p in choice.chosen if p.index not in ready and p is not choice.prior]
            over = "" if lost else broken_by_refits(choice, ready, self.limits, self.work)
            if not lost and not over:
                return choice
            if over:
                self.notes.append(f"{choice.step.name} was left out after the choice: refitted it takes {over}")
            for p in lost:
                p.status, p.reason = "failed", f"{NOT_FITTED}: {failed[p.index]}"
                self.notes.append(f"{p.candidate.name} was left out after the choice: {failed[p.index]}")
            left = self.clock.left() - CLOSE
            found = [
                p
                for p in found
                if p.candidate.rung == lowest
                or p.index in ready
                or (p.index not in failed and (p.done[0].chain or p.refit_seconds(self.work.refit_rows) < left))
            ]
            choice = self._choose(found, k, schedule, ready)
            more = [p for p in choice.wanted if p.index not in ready and p.index not in failed]
            with Pool(0) if self.timed else nullcontext(pool) as here:
                there = self.work if self.timed else ticket
                refits = Refits(self.work, here, there, more, left=self.clock.left, patience=schedule.patience())
                ready |= refits.collect()
                failed |= refits.failed

    def _how_many(self, workers: int) -> int:
        """Workers to start: none where starting them would take longer than the work, fewer where memory is short."""
        fits = sum(p.folds - len(p.done) for p in self.progress)
        fits += self.base * max(0, (self.clock.budget.trials or 0) - len(self.progress)) if self.spaces else 0
        small = fits * (0.04 + 4e-7 * self.cells) < 4.0
        if workers == 0 or self.clock.left() < SHORTEST or (small and not self.timed):
            return 0
        # a worker holds the matrices of a fold, a copy inside the library, and its own imports
        return max(1, min(workers, int(memory_available() // (3 * 8 * self.cells + 300_000_000))))

    def _cap_rows(self, candidates: Sequence[Candidate]) -> None:
        """Fewer training rows a fit where memory is short, or under a clock so short that hardly one fold would end otherwise."""
        n, frame = len(self.work.y), self.work.frame
        widest = max((c.needs for c in candidates), key=lambda needs: columns_of(frame, needs))
        # both caps come in steps of the root of two: another few free bytes, or seconds, and the same work replays alike
        free = OF_MEMORY * memory_available()
        within = max(1000, in_steps(rows_within(frame, free, widest, self.work.task.n_classes), math.floor))
        if within < n:
            self.work.bearable = within
            self.notes.append(
                f"each fit, refits too, learned from at most {within:,} of {n:,} rows, drawn at random: memory allows no more"
            )
        if not self.timed:
            return
        # by the budget as it was given, not by what is left of it: whoever goes on after an interruption has the same cap,
        # and finds the trials that are there
        bearable = CELLS_A_SECOND * (self.clock.budget.seconds or 0.0) / max(1, len(frame.features))
        cap = max(2000, in_steps(bearable, round))
        if cap < self.work.refit_rows:
            self.work.cap = cap
            self.notes.append(
                f"while comparing, each fit learned from at most {cap:,} of {n:,} rows, drawn at random: the budget allows no more"
            )

    def _resort(self) -> Chain | None:
        """Fitted before anything else: from here on there is always something to deliver."""
        if not self.timed:
            return None
        lowest = min(self.progress, key=lambda p: (p.candidate.rung, p.index)).candidate
        try:
            return last_resort(self.work, lowest, self.clock.left() / 4)
        except Exception as error:  # the prior itself will be tried again and told of as a trial
            self.notes.append(f"no last resort: {error}")
            return None

    def _only_prior(self, resort: Chain | None) -> Trained:
        """Not one fold ended: deliver the last resort, and say so, and why."""
        trained, note = only_prior(
            resort, self.work, self.metric, self.progress, self.beyond, self._money, self.prefer, str(self.clock.budget)
        )
        self.notes.append(note)
        return replace(trained, leaderboard=self._finished(trained.leaderboard))

    def _restored(self, folder: Path | None, stamp: str) -> Store | None:
        if folder is None:
            return None
        store = Store(folder, self.work, stamp)
        for p in self.progress:
            store.restore(p, self._losses)
        if store.unreadable:
            self.notes.append(f"{store.unreadable} stored trials were damaged and done again")
        return store

    def _losses(self, fit: FoldFit) -> np.ndarray:
        assert fit.prediction is not None
        rows, where = self.metric.rows or loss_rows, self.work.folds[fit.fold][1]
        return weighted(rows(self.work.task, self.work.y[where], fit.prediction), self.work.weights(where))

    def _judged(self) -> tuple[list[Progress], int]:
        """The trials to judge and on how many folds; none where no fold of the prior ended."""
        found, k = judged(self.progress, self.base)
        if not found:
            failed = [f"{p.candidate.name}: {p.reason}" for p in self.progress if p.status == "failed"]
            if len(failed) == len(self.progress):
                raise DataError(
                    "no candidate could be fitted: " + "; ".join(failed[:3]),
                    "at least the prior",
                    "look at the reasons above",
                )
            return [], 0
        if k < self.base:
            self.notes.append(f"judged on {k} of {self.base} folds: the budget allowed no more")
        if self.limits.by_size and self.limits.latency_ms is not None:
            self.notes.append("the latency limit was not looked at: under a work budget nothing depends on a clock")
        return found, k

    def _choose(self, found: list[Progress], k: int, schedule: Schedule, ready: Collection[int]) -> Choice:
        return choose(
            self.work, self.metric, found, k, clusters=self.clusters, costs=self.costs, prefer=self.prefer, limits=self.limits,
            room=(self.clock.left() - schedule.timing.overhead) / ROOMY, parallel=1 if schedule.cold else schedule.parallel, ready=ready,
            aim=self.aim if self.prefer == "balanced" else None, counts=self.counts, spend=self.spend,
            by_rows=schedule.timing.by_rows, stopped=[p for p in self.progress if p.searched and p.behind],
        )  # fmt: skip

    def _delivered(
        self,
        choice: Choice,
        record: Leaderboard,
        bagged: Bag | None,
        ready: dict[int, Refit],
        failed: dict[int, str],
        resort: Chain | None,
    ) -> Trained:
        prior = choice.prior
        refits = ready if prior.index in ready else ready | {prior.index: stand_in(prior, failed, resort)}
        if bagged is not None:
            chain: Chain | Ensemble | Calibrated = bagged.chain
        elif choice.step.ensemble and choice.blend is not None:
            chain = Ensemble([refits[p.index].chain for p in choice.chosen], choice.blend.weights.tolist())
        else:
            chain = refits[choice.chosen[0].index].chain
        if choice.calibration is not None:
            chain = Calibrated(chain, choice.calibration.recalibration)
        parts = [refits[p.index] for p in choice.chosen]
        words = bagged.words if bagged else words_of(parts)
        lost = [failed[p.index] for p in choice.chosen if p.index in failed] if bagged else [r.lost for r in parts]
        shortfall = short_of(words, [*lost, "the time was short"] if bagged else lost)
        record = record.model_copy(update={"delivered": words, "shortfall": shortfall})
        simple = choice.simple if choice.step.ensemble or choice.simple not in choice.chosen else None
        if simple is not None and simple.index not in refits:
            self.notes.append(f"{simple.candidate.name} is not compared with: {failed[simple.index]}")
            simple = None
        delivered = {p.index for p in [*([] if bagged else choice.chosen), prior, *([simple] if simple else [])]}
        self.notes += [r.note for index, r in refits.items() if r.note and index in delivered]
        if self.work.time is not None:
            self.notes.append(f"gains were compared over {choice.units}")
        oof = {p.candidate.name: choice.once(choice.predictions[p.index]) for p in choice.trials}
        oof["chosen"] = choice.once(choice.oof)
        trained = Trained(
            chain, self._finished(record), oof, choice.rows, record.threshold, None, refits[prior.index].chain
        )
        if simple is None:
            return trained
        own = math.nan
        if self.work.task.kind == "binary":
            own = choice.judge.threshold(self._money, choice.predictions[simple.index])
        name = simple.candidate.name
        return replace(trained, simple=refits[simple.index].chain, simple_threshold=own, simple_name=name)

    def _finished(self, record: Leaderboard) -> Leaderboard:
        return record.model_copy(
            update={"notes": (*self.notes, *self._failures()), "seconds": clocks.monotonic() - self.began}
        )

    def _failures(self) -> tuple[str, ...]:
        """What the user's own metric could not score."""
        return self.metric.score.notes() if isinstance(self.metric.score, OwnScore) else ()


def _forget(p: Progress) -> None:
    """Without a store nothing is kept."""
