"""Train a portfolio of candidates within a budget, climb the ladder, refit what was chosen."""

from __future__ import annotations

import math
import time as clocks
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.chain import Chain
from holdgood.core.declaration import Costs
from holdgood.core.errors import DataError, DeclarationError, HoldgoodError, Interrupted
from holdgood.core.events import Event, Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import Candidate, Fold
from holdgood.core.records import Leaderboard, Trial
from holdgood.core.task import Task
from holdgood.metrics import CostTable, best_threshold, loss_rows, metric, resolve, threshold_interval
from holdgood.scale import Pool, memory_available
from holdgood.training.ensemble import Ensemble
from holdgood.training.finish import Refit, Refits
from holdgood.training.folds import checked
from holdgood.training.ladder import Climb, Limits, Step, climb
from holdgood.training.progress import Progress, makespan
from holdgood.training.schedule import Schedule
from holdgood.training.score import Judge
from holdgood.training.selection import Blend, blend
from holdgood.training.store import Store
from holdgood.training.work import FoldFit, Work, fit_all

PREFERENCES = ("simple", "balanced", "best")
CELLS_A_SECOND = 1.5e6
"""Feature cells (rows x features) that one second of budget can bear; with more, each fit learns from fewer rows."""
MOST_IN_ENSEMBLE = 12


@dataclass(frozen=True, eq=False)
class Trained:
    """What training hands on. ``oof``: predictions by trial name and of the choice under ``"chosen"``, on ``oof_rows``.

    ``simple`` is the lowest rung above the prior, refitted, or None where there is none; all chains can be saved.
    """

    chain: Chain | Ensemble
    leaderboard: Leaderboard
    oof: dict[str, np.ndarray]
    oof_rows: np.ndarray
    threshold: float
    simple: Chain | None
    prior: Chain


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
    metric: str | None = None,
    latency_limit_ms: float | None = None,
    size_limit_mb: float | None = None,
) -> Trained:
    """Try candidates over the folds until the clock's budget ends, choose by the ladder, refit the choice on all rows.

    ``y``: float64, (n,), coded as in Task. ``folds``: pairs of row numbers. ``time`` (int64): rows follow in time, later
    rows stop early fits early and gains are judged in blocks; ``groups``: rows that no split may part; ``clusters``:
    rows that belong together in every interval. ``store``: a folder in which finished trials survive an interruption.
    Under ``trials=N`` the first N candidates are tried and nothing depends on the clock or on ``workers``.
    Raises DataError where no candidate can be fitted, Interrupted on Ctrl-C.
    """
    training = _Training(
        frame, y, task, candidates, folds, clock=clock, weight=weight, time=time, groups=groups, clusters=clusters, costs=costs,
        prefer=prefer, seed=seed, workers=workers, listener=listener, store=store, metric_name=metric or task.metric,
        limits=Limits(latency_limit_ms, size_limit_mb, by_size=clock.budget.trials is not None),
    )  # fmt: skip
    try:
        return training.run()
    except KeyboardInterrupt:
        kept = sum(p.complete for p in training.progress)
        raise Interrupted(
            f"training was stopped by Ctrl-C after {kept} finished trials",
            "",
            "run it again: finished trials are not done twice"
            if store
            else "give a store to keep finished trials next time",
        ) from None


@dataclass(eq=False)
class _Found:
    """The trials that are judged, the rows they are judged on, and the choice."""

    judge: Judge
    rows: np.ndarray
    trials: list[Progress]
    predictions: dict[int, np.ndarray]
    steps: list[Step]
    climb: Climb
    blend: Blend | None
    members: list[Progress] = field(default_factory=list)


class _Training:
    """One call of ``train``, step by step in ``run``."""

    def __init__(
        self,
        frame: Frame,
        y: np.ndarray,
        task: Task,
        candidates: Sequence[Candidate],
        folds: Sequence[Fold],
        *,
        clock: Clock,
        weight: np.ndarray | None,
        time: np.ndarray | None,
        groups: np.ndarray | None,
        clusters: np.ndarray | None,
        costs: CostTable | None,
        prefer: str,
        seed: int,
        workers: int,
        listener: Listener,
        store: Path | None,
        metric_name: str,
        limits: Limits,
    ) -> None:
        self.began = clocks.monotonic()
        self.metric = metric(metric_name, task)
        self.task, self.clock, self.costs, self.prefer, self.limits = task, clock, costs, prefer, limits
        self.listener, self.store_folder, self.clusters, self.time = listener, store, clusters, time
        self.notes: list[str] = []
        self.timed = clock.budget.seconds is not None
        if prefer not in PREFERENCES:
            raise DeclarationError(f"prefer = {prefer!r}", "one of: " + ", ".join(PREFERENCES), "change budget.prefer")
        y = np.asarray(y, np.float64)
        _check_rows(len(frame), y=y, weight=weight, time=time, groups=groups, clusters=clusters)
        if not np.isfinite(y).all():
            raise DataError(
                f"{int((~np.isfinite(y)).sum()):,} rows without an outcome",
                "an outcome in every row",
                "leave these rows out first",
            )
        ordered = _in_order(candidates, clock.budget.trials)
        self.skipped = [c for c in candidates if not any(c is o for o in ordered)]
        self.workers = self._how_many(workers, frame, ordered, folds)
        self.work = Work(
            frame, y, weight, task, tuple(ordered), checked(folds, len(y)), time, groups, seed, self._cap(frame, y),
            cache_bytes=memory_available() // (6 * (self.workers + 1)),
        )  # fmt: skip
        firsts: dict[str, int] = {}
        for i, c in enumerate(ordered):
            firsts.setdefault(c.family, i)
        self.progress = [Progress(i, c, len(self.work.folds), firsts[c.family] == i) for i, c in enumerate(ordered)]

    def run(self) -> Trained:
        """Fit, choose, refit, tell."""
        resort = self._last_resort()
        store = Store(self.store_folder, self.work) if self.store_folder else None
        if store:
            for p in self.progress:
                store.restore(p, self._losses)
            if store.unreadable:
                self.notes.append(f"{store.unreadable} stored trials were damaged and done again")
        with Pool(self.workers) as pool:
            ticket = pool.share(self.work)
            schedule = Schedule(
                self.work, pool, ticket, self.progress, left=self.clock.left, losses=self._losses, on_trial=store.save if store else _forget,
                listener=self.listener, refit_members=1 if self.prefer == "simple" else 3,
            )  # fmt: skip
            schedule.run()
            found = self._choose(schedule)
            if found is None:
                return self._only_prior(resort)
            refits = Refits(self.work, pool, ticket, self._wanted(found), left=self.clock.left, last_resort=resort)
            board = self._board(found)
            return self._deliver(found, board, refits.collect())

    def _how_many(self, workers: int, frame: Frame, candidates: Sequence[Candidate], folds: Sequence[Fold]) -> int:
        """Workers to start: none where starting them would take longer than the work, fewer where memory is short."""
        cells = max(1, len(frame)) * max(1, len(frame.features))
        fits = len(candidates) * max(1, len(folds))
        if self.timed and self.clock.left() < 5.0:
            return 0
        if not self.timed and fits * (0.04 + 4e-7 * cells) < 4.0:
            return 0
        # a worker holds the training and validation matrices of a fold, a copy inside the library, and its own imports
        return max(1, min(workers, int(memory_available() // (3 * 8 * cells + 300_000_000)))) if workers else 0

    def _cap(self, frame: Frame, y: np.ndarray) -> int | None:
        """Training rows a fit may use under a wall clock so short that not one fold would end otherwise."""
        if not self.timed:
            return None
        bearable = int(CELLS_A_SECOND * self.clock.left() / max(1, len(frame.features)))
        if len(y) <= bearable:
            return None
        cap = max(2000, bearable)
        if cap >= len(y):
            return None
        self.notes.append(
            f"each fit learned from at most {cap:,} of {len(y):,} rows, drawn at random: the budget is too short for more"
        )
        return cap

    def _last_resort(self) -> Chain | None:
        """A prior from a few rows, fitted before anything else: from here on there is always something to deliver."""
        if not self.timed:
            return None
        lowest = min(self.progress, key=lambda p: (p.candidate.rung, p.index))
        few = Work(
            self.work.frame, self.work.y, self.work.weight, self.task, (lowest.candidate,), self.work.folds, seed=self.work.seed, cap=2000
        )  # fmt: skip
        try:
            return fit_all(few, 0, None, self.clock.left() / 4)
        except Exception as error:  # the prior itself will be tried again and told of as a trial
            self.notes.append(f"no last resort: {error}")
            return None

    def _losses(self, fit: FoldFit) -> np.ndarray:
        assert fit.prediction is not None
        rows = self.metric.rows or loss_rows
        return rows(self.task, self.work.y[self.work.folds[fit.fold][1]], fit.prediction)

    def _judged(self) -> tuple[list[Progress], int]:
        """Trials to judge and on how many folds: all, or as many as the furthest one above the prior has."""
        lowest = min(p.candidate.rung for p in self.progress)
        alive = [p for p in self.progress if p.status in ("ok", "open", "stopped", "skipped")]
        above = [p.in_a_row for p in alive if p.candidate.rung > lowest]
        base = [p.in_a_row for p in alive if p.candidate.rung == lowest]
        k = min(max(above, default=0) or max(base, default=0), max(base, default=0) or len(self.work.folds))
        judged = [p for p in alive if p.in_a_row >= k] if k else []
        if judged and k < len(self.work.folds):
            self.notes.append(f"judged on {k} of {len(self.work.folds)} folds: the budget allowed no more")
            for p in judged:
                p.status, p.reason = "ok", f"judged on {k} of {p.folds} folds"
        return [p for p in judged if p.status == "ok"], k

    def _choose(self, schedule: Schedule) -> _Found | None:
        trials, k = self._judged()
        if not trials:
            failed = [f"{p.candidate.name}: {p.reason}" for p in self.progress if p.status == "failed"]
            if len(failed) == len(self.progress):
                raise DataError(
                    "no candidate could be fitted: " + "; ".join(failed[:3]),
                    "at least the prior",
                    "look at the reasons above",
                )
            return None
        rows = np.concatenate([self.work.folds[f][1] for f in range(k)])
        fold_of = np.concatenate([np.full(len(self.work.folds[f][1]), f) for f in range(k)])
        # by time where there is one, so that blocks of neighbours are blocks of time
        order = np.argsort(rows, kind="stable") if self.time is None else np.lexsort((rows, self.time[rows]))
        rows, fold_of = rows[order], fold_of[order]
        predictions = {p.index: np.concatenate([p.done[f].prediction for f in range(k)])[order] for p in trials}  # type: ignore[misc]
        clusters = None if self.clusters is None else _by_appearance(self.clusters[rows])
        judge = Judge(self.task, self.metric, self.work.y[rows], fold_of, clusters, ordered=self.time is not None)
        steps = _family_steps(trials, predictions, judge)
        found_blend, members = self._blend(trials, predictions, judge, schedule)
        if found_blend is not None:
            steps.append(_ensemble_step(found_blend, members))
        result = climb(steps, judge, prefer=self.prefer, costs=self.costs, limits=self.limits)
        return _Found(judge, rows, trials, predictions, steps, result, found_blend, members)

    def _blend(
        self, trials: list[Progress], predictions: dict[int, np.ndarray], judge: Judge, schedule: Schedule
    ) -> tuple[Blend | None, list[Progress]]:
        """An ensemble of the best trials above the prior, as many as can be refitted in what is left."""
        lowest = min(p.candidate.rung for p in self.progress)
        able = sorted((p for p in trials if p.candidate.rung > lowest), key=lambda p: (p.loss(), p.index))[
            :MOST_IN_ENSEMBLE
        ]
        if self.timed:
            room = self.clock.left() - schedule.overhead
            while len(able) > 1 and makespan([p.refit_seconds(schedule.rows) for p in able], schedule.parallel) > room:
                able.pop()
        if len(able) < 2 or self.prefer == "simple":
            return None, []
        mixed = blend(self.task, judge.y, [predictions[p.index] for p in able], judge.fold_of)
        used = [i for i, w in enumerate(mixed.weights) if w > 0]
        if len(used) < 2:
            return None, []
        return Blend(mixed.weights[used], mixed.prediction), [able[i] for i in used]

    def _wanted(self, found: _Found) -> list[Progress]:
        """Whom to refit: the choice first, then the simplest rule and the prior."""
        chosen = found.members if found.steps[found.climb.chosen].ensemble else [self._trial(found, found.climb.chosen)]
        beside = [self._trial(found, i) for i in (1, 0) if i < len(found.steps) and not found.steps[i].ensemble]
        return list({p.index: p for p in [*chosen, *beside]}.values())

    def _trial(self, found: _Found, step: int) -> Progress:
        return next(p for p in found.trials if p.candidate.name == found.steps[step].trial)

    def _board(self, found: _Found) -> Leaderboard:
        step = found.steps[found.climb.chosen]
        weights = (
            dict(zip([p.candidate.name for p in found.members], map(float, found.blend.weights), strict=True))
            if found.blend
            else {}
        )
        threshold = self._threshold(found)
        if self.limits.by_size and self.limits.latency_ms is not None:
            self.notes.append("the latency limit was not looked at: under a work budget nothing depends on a clock")
        trials = tuple(_trial_record(p, found) for p in self.progress) + tuple(_skipped(c) for c in self.skipped)
        return Leaderboard(
            metric=self.metric.name,
            higher_is_better=self.metric.higher_is_better,
            trials=trials,
            ladder=found.climb.rungs,
            chosen=step.trial,
            members=weights if step.ensemble else {},
            prefer=self.prefer,
            reason=found.climb.reason,
            rows=len(found.rows),
            folds=len(np.unique(found.judge.fold_of)),
            threshold=threshold[0],
            threshold_low=threshold[1],
            threshold_high=threshold[2],
            budget=str(self.clock.budget),
            budget_hit=any(p.status in ("stopped", "skipped") and "behind" not in p.reason for p in self.progress),
        )

    def _threshold(self, found: _Found) -> tuple[float, float, float]:
        if self.task.kind != "binary":
            return math.nan, math.nan, math.nan
        table = self.costs or resolve(Costs(), self.task)
        p = self._chosen_oof(found)
        value = best_threshold(table, found.judge.y, p)
        # draws cost time: fewer of them for many rows, and a number that no clock decides
        draws = int(np.clip(4e6 / max(1, len(p)), 20, 200))
        ends = threshold_interval(table, found.judge.y, p, found.judge.clusters, seed=self.work.seed, n_boot=draws)
        return value, ends.low, ends.high

    def _chosen_oof(self, found: _Found) -> np.ndarray:
        step = found.steps[found.climb.chosen]
        return step.prediction if step.ensemble else found.predictions[self._trial(found, found.climb.chosen).index]

    def _deliver(self, found: _Found, board: Leaderboard, refits: dict[int, Refit]) -> Trained:
        step = found.steps[found.climb.chosen]
        if step.ensemble and found.blend is not None:
            chain: Chain | Ensemble = Ensemble(
                [refits[p.index].chain for p in found.members], found.blend.weights.tolist()
            )
        else:
            chain = refits[self._trial(found, found.climb.chosen).index].chain
        simple = next((self._trial(found, i) for i, s in enumerate(found.steps) if i > 0 and not s.ensemble), None)
        self.notes += [r.note for r in refits.values() if r.note]
        oof = {p.candidate.name: found.predictions[p.index] for p in found.trials} | {"chosen": self._chosen_oof(found)}
        board = board.model_copy(update={"notes": tuple(self.notes), "seconds": clocks.monotonic() - self.began})
        self.listener(Event("note", "train", f"chosen: {board.chosen} ({board.reason})", 1.0))
        return Trained(
            chain,
            board,
            oof,
            found.rows,
            board.threshold,
            refits[simple.index].chain if simple else None,
            refits[self._trial(found, 0).index].chain,
        )

    def _only_prior(self, resort: Chain | None) -> Trained:
        """Not one fold ended: deliver the last resort, and say so."""
        lowest = min(self.progress, key=lambda p: (p.candidate.rung, p.index))
        if resort is None:
            raise HoldgoodError(
                "the budget ended before a single fit", "time for at least the prior", "give a larger budget"
            )
        rows = self.work.folds[0][1][:1000]
        prediction = resort.predict(self.work.frame.take(rows))
        self.notes.append(
            "the budget ended before a single fold: what is delivered is a prior from a few rows, and nothing was compared"
        )
        table = self.costs or resolve(Costs(), self.task)
        threshold = best_threshold(table, self.work.y[rows], prediction) if self.task.kind == "binary" else math.nan
        board = Leaderboard(
            metric=self.metric.name,
            higher_is_better=self.metric.higher_is_better,
            trials=tuple(_trial_record(p, None) for p in self.progress) + tuple(_skipped(c) for c in self.skipped),
            chosen=lowest.candidate.name,
            prefer=self.prefer,
            reason="the budget ended before anything could be compared",
            rows=len(rows),
            threshold=threshold,
            budget=str(self.clock.budget),
            budget_hit=True,
            notes=tuple(self.notes),
            seconds=clocks.monotonic() - self.began,
        )
        return Trained(
            resort, board, {lowest.candidate.name: prediction, "chosen": prediction}, rows, threshold, None, resort
        )


def _forget(p: Progress) -> None:
    """Without a store nothing is kept."""


def _check_rows(n: int, **columns: np.ndarray | None) -> None:
    for name, column in columns.items():
        if column is not None and len(column) != n:
            raise DataError(
                f"{name} of {len(column):,} rows beside a frame of {n:,}",
                "one value a row",
                "take both from the same table",
            )


def _in_order(candidates: Sequence[Candidate], most: int | None) -> list[Candidate]:
    """First configurations by rung, then the variants of all families in turn; at most ``most`` of them."""
    if not candidates:
        raise DataError("training was given no candidates", "at least the prior", "check budget.models")
    names = [c.name for c in candidates]
    twice = sorted({n for n in names if names.count(n) > 1} | ({"chosen"} & set(names)))
    if twice:
        raise DataError(
            f"two candidates called {twice[0]!r}", "one name each, and none called 'chosen'", "rename one of them"
        )
    place: dict[str, int] = {}
    keyed = []
    for i, c in enumerate(candidates):
        turn = place[c.family] = place.get(c.family, -1) + 1
        keyed.append(((turn, c.rung, i), c))
    return [c for _, c in sorted(keyed, key=lambda pair: pair[0])][:most]


def _by_appearance(clusters: np.ndarray) -> np.ndarray:
    """Codes in order of first appearance: neighbours in time are neighbours in code, whatever clusters are called."""
    _, first, codes = np.unique(clusters, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[codes]


def _family_steps(trials: list[Progress], predictions: dict[int, np.ndarray], judge: Judge) -> list[Step]:
    """One step a family: its best trial, with predictions in which the choice of that trial is cross-fitted."""
    families: dict[str, list[Progress]] = {}
    for p in sorted(trials, key=lambda p: (p.candidate.rung, p.index)):
        families.setdefault(p.candidate.family, []).append(p)
    steps = []
    folds = np.unique(judge.fold_of)
    sizes = np.array([np.sum(judge.fold_of == f) for f in folds], np.float64)
    for family, members in families.items():
        worth = np.array([[judge.worth(s) for s in judge.fold_scores(predictions[p.index])] for p in members])
        best = members[int(np.argmax(worth @ sizes))]
        crossed = predictions[best.index]
        if len(members) > 1 and len(folds) > 1:
            crossed = np.empty_like(crossed)
            for i, fold in enumerate(folds):
                others = np.delete(sizes, i)
                winner = members[int(np.argmax(np.delete(worth, i, axis=1) @ others))]
                inside = judge.fold_of == fold
                crossed[inside] = predictions[winner.index][inside]
        steps.append(
            Step(family, best.candidate.name, family, crossed, best.row_ms(), best.size_bytes(), of=len(members))
        )
    return steps


def _ensemble_step(mixed: Blend, members: list[Progress]) -> Step:
    latency, size = sum(p.row_ms() for p in members), sum(p.size_bytes() for p in members)
    return Step("ensemble", "ensemble", "ensemble", mixed.prediction, latency, size, ensemble=True)


def _trial_record(p: Progress, found: _Found | None) -> Trial:
    judged = found is not None and p.index in found.predictions
    prediction = found.predictions[p.index] if found is not None and judged else None
    fits = list(p.done.values())
    predicted = sum(f.rows for f in fits)
    reason = p.reason or ("taken from an earlier, interrupted training" if p.reused else "")
    return Trial(
        name=p.candidate.name,
        family=p.candidate.family,
        rung=p.candidate.rung,
        parameters=dict(p.candidate.parameters),
        status=p.status if p.status != "open" else "stopped",
        reason=reason,
        score=found.judge.score(prediction) if found is not None and prediction is not None else None,
        fold_scores=found.judge.fold_scores(prediction) if found is not None and prediction is not None else (),
        fit_seconds=sum(f.fit_seconds for f in fits),
        predict_us_per_row=1e6 * sum(f.predict_seconds for f in fits) / predicted if predicted else math.nan,
        size_bytes=p.size_bytes(),
        rounds=p.rounds(),
    )


def _skipped(c: Candidate) -> Trial:
    return Trial(
        name=c.name,
        family=c.family,
        rung=c.rung,
        parameters=dict(c.parameters),
        status="skipped",
        reason="beyond the work budget",
    )
