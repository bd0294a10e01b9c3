"""How long things will still take, and what is kept back. Under a work budget nothing here is asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from holdgood.training.progress import Progress, makespan
from holdgood.training.selection import BAGS, FEW_ROWS, MANY_MEMBERS, MOST_ROWS, STEPS
from holdgood.training.work import Work

MOST_RESERVED = 0.35
REFITTED = 3
MOST_SLOWDOWN = 12.0
PROBING, UNCAPPED_RUNG = 0.4, 1
"""The first folds of all families together may take this share of the time; the simplest (up to that rung) are let through."""


class Timing:
    """Estimates from the folds that are done. ``bagging``: what is delivered is made of the folds' models, not refitted."""

    def __init__(
        self,
        work: Work,
        trials: list[Progress],
        *,
        left: Callable[[], float],
        parallel: int,
        bagging: bool,
        refit_members: int,
    ) -> None:
        self.work, self.all, self.left, self.parallel = work, trials, left, parallel
        self.bagging, self.refit_members = bagging, refit_members
        self.total = left()
        self.timed = math.isfinite(self.total)
        self.rows = len(work.training_rows(None))

    @property
    def overhead(self) -> float:
        """Seconds that choice, ladder, intervals and delivery take in this process after the last fit.

        As measured on one core; longer where the folds showed that the machine is shared.
        """
        if not self.timed:
            return 0.0
        complete = [p for p in self.all if p.complete]
        repeats = max((len(p.done) // p.base for p in complete), default=1)
        rows, outputs = len(self.work.y) * max(1, repeats), max(1, self.work.task.n_classes - 1)
        parts = 1 + min((p.folds for p in self.all), default=1)
        # steps of the greedy selection: one mean loss each
        bagged = rows <= FEW_ROWS and len(complete) > MANY_MEMBERS
        steps = parts * STEPS * (BAGS * 7 if bagged else min(12, len(complete)))
        choosing = steps * (2.5e-5 + 1.5e-8 * min(rows, MOST_ROWS) * outputs)
        return self.slowdown * (0.15 + choosing + rows * outputs * (2.5e-6 + 2.5e-7 * len(complete)))

    @property
    def slowdown(self) -> float:
        """Seconds that go by for each second of work: the median over folds, 1 on a machine of one's own."""
        seen = [f.slowdown for p in self.all for f in p.done.values() if f.slowdown == f.slowdown]
        return min(MOST_SLOWDOWN, max(1.0, float(np.median(seen)))) if seen else 1.0

    def is_up(self) -> bool:
        """Whether no fit may begin or go on."""
        return self.timed and self.left() <= self.reserve()

    def reserve(self) -> float:
        """Seconds kept back for what is delivered and for what comes after."""
        found = sorted(
            (p for p in self.all if p.done and p.status in ("open", "ok")), key=lambda p: (p.loss(), p.index)
        )
        if not found:
            return self.overhead
        beside = [p.refit_seconds(self.rows) for p in self._beside(found)] if self.refit_members > 1 else []
        needs = [self.delivery(p) for p in found[: self.refit_members]]
        # several may take a third of what was there at most; the best one alone is always kept room for
        while len(needs) > 1 and makespan(needs + beside, self.parallel) > MOST_RESERVED * self.total:
            needs.pop()
        return makespan(needs + beside, self.parallel) + self.overhead

    def delivery(self, p: Progress) -> float:
        """Seconds until a trial can be delivered: a refit, or the fits of folds whose models were not kept."""
        if self.bagging and p.folds > 1:
            return p.rebuild_seconds()
        return p.refit_seconds(self.rows)

    def _beside(self, found: Sequence[Progress]) -> list[Progress]:
        """The prior and the lowest rung above it are refitted too."""
        by_rung = sorted((p for p in found if p.first), key=lambda p: (p.candidate.rung, p.index))
        chosen = [] if self.bagging else found[: self.refit_members]
        return [p for p in by_rung[:2] if p not in chosen]

    def fits(self, p: Progress) -> bool:
        """Whether what is left of a candidate, and the delivery after it, end in time."""
        like = p if p.done else self._like(p)
        if like is None:
            # its family's first failed or was stopped: no measure, and its own first fold is the probe
            return not p.first
        remaining = 1 if p.searched and not p.done else p.folds - len(p.done) - len(p.under_way)
        fits = 1.1 * like.fold_seconds() * math.ceil(remaining / self.parallel)
        after = max(self.reserve(), makespan([self.delivery(like)], self.parallel) + self.overhead)
        return fits + after <= self.left()

    def _like(self, p: Progress) -> Progress | None:
        return next((q for q in self.all if q.first and q.candidate.family == p.candidate.family and q.done), None)

    def seconds(self, p: Progress) -> float:
        """What one fold of a candidate may take so that all of them and the delivery can still end."""
        rounds = math.ceil((p.folds - len(p.done)) / self.parallel)
        share = max(0.0, self.left() - self.overhead) / (rounds + 1.5)
        known = p.fold_seconds()
        if math.isnan(known) and p.first and p.candidate.rung > UNCAPPED_RUNG:
            # a dear family that has not shown anything yet must not take the time in which the best could be finished
            share = min(share, PROBING * self.total * self.parallel / sum(q.first for q in self.all))
        return share if math.isnan(known) else min(max(share, 2.0 * known), max(0.0, self.left() - self.reserve()))

    def bearable_folds(self) -> int | None:
        """Folds for all, where the best first configuration could not finish those wanted; None: as many as there are."""
        lowest = min(p.candidate.rung for p in self.all)
        above = [p for p in self.all if p.first and p.done and p.candidate.rung > lowest and p.status in ("open", "ok")]
        best = min(above, key=lambda p: (p.loss(), p.index), default=None)
        if best is None or best.complete:
            return None
        room = self.left() - self.overhead - makespan([self.delivery(best)], self.parallel)
        begun = len(best.done) + len(best.under_way)
        k = max(1, begun)
        while k < best.folds and 1.1 * best.fold_seconds() * math.ceil((k + 1 - begun) / self.parallel) <= room:
            k += 1
        return k

    def too_slow(self, p: Progress) -> str:
        """Why a candidate is not gone on with, in words."""
        if not p.done:
            return f"its folds and a refit would not end in the {self.left():.1f} s that were left"
        return f"a fold takes {p.fold_seconds():.1f} s; {p.folds} folds and a refit would not end in the {self.left():.1f} s that were left"
