"""How long things will still take, and what is kept back. Under a work budget nothing here is asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from holdgood.metrics.jackknife import GROUPS
from holdgood.training.progress import Progress, clearly_better, makespan
from holdgood.training.selection import BAGS, FEW_ROWS, MANY_MEMBERS, MOST_ROWS, STEPS, joining
from holdgood.training.work import Work

MOST_RESERVED, ROOMY = 0.33, 1.15
"""Refits may be kept this share of all the time, and are kept so many times what they are estimated to take: learning from all rows
is worth more than what a last proposal finds."""
CHOOSING = 0.05
"""The user's own metric may take this share of the time in choosing the weights of an ensemble."""
REPLAYING = 0.03
"""Races of a search are replayed before anything is called proven, which may take this share of the time."""
REFITTED = 5
CLOSE = 0.12
"""Seconds kept for ending workers and returning."""
STAND_IN = 0.02
"""Share of the time (a second at most) in which the folds' models can take the place of refits that did not end."""
ALIKE = 1.2
"""Where a first fold was cut short, the other folds may take so many times as long: they are to be of the same model."""
SHORTEST = 0.1
"""Seconds that a first fold is always given."""
GRACE = 0.02
"""Fits that run when the time is up may take this share of it to end by themselves (at most a second): a worker that has to
be ended cannot help with the refits."""
MOST_SLOWDOWN = 12.0
PROBING, UNCAPPED_RUNG = 0.4, 1
"""The first folds of all dear families together may take this share of the time; the simplest (up to that rung) are let through."""
FIRSTS, FEWEST_FOLDS = 0.35, 3
"""All families' first configurations together should take no more than this share of what is left, on no fewer folds than
these or half of those wanted; on one fold alone where it has rows enough to tell candidates apart."""
FIRSTS_OF_MANY, ENOUGH_ROWS, ENOUGH_OF_A_CLASS = 0.15, 2_000, 200
"""The same share, and validation rows of one fold and of the rarer class of a binary task, from which on one fold alone may judge: time that a
second look at each candidate would take is then better spent on more candidates and on larger models."""
DEAR, CLEARLY, HOPELESS = 0.04, 1.5, 0.08
"""A first configuration whose other folds would take this share of all the time waits where its first fold is behind
the best by so many standard errors and by this share of the loss; the dearer it is, the less it may be behind."""
LATE, COMPANY = 0.5, 0.5
"""Once the portfolio is through it goes on after all, where that takes this share of what is left at most and its first fold is
behind by no more than this share of the loss: a family of another kind is good company in an ensemble, a proposal of the search seldom."""


class Timing:
    """Estimates from the folds that are done. ``refit_members``: of how many a refit is to be kept time for."""

    def __init__(
        self,
        work: Work,
        trials: list[Progress],
        *,
        left: Callable[[], float],
        parallel: int,
        refit_members: int,
        call: float = 0.0,
    ) -> None:
        self.work, self.all, self.left, self.parallel = work, trials, left, parallel
        self.refit_members, self.call = refit_members, call
        self.total = left()
        self.timed = math.isfinite(self.total)
        self.rows = len(work.training_rows(None))

    @property
    def overhead(self) -> float:
        """Seconds that choice, ladder, intervals and delivery take in this process after the last fit.

        As measured on one core; longer where the folds showed that the machine is shared, or by what the user's own metric
        takes.
        """
        if not self.timed:
            return 0.0
        complete = [p for p in self.all if p.complete]
        repeats = max((len(p.done) // p.base for p in complete), default=1)
        folds = min((p.folds for p in complete), default=len(self.work.folds))
        judged = sum(len(valid) for _, valid in self.work.folds[: min(folds, self.all[0].base)])
        rows, outputs = judged * max(1, repeats), max(1, self.work.task.n_classes - 1)
        steps = self._steps(complete, rows)
        mixed = (
            outputs if self.call else 1
        )  # of several classes one chance a row is looked at, but by a metric of one's own
        choosing = steps * (2.5e-5 + 1.5e-8 * min(rows, MOST_ROWS) * mixed)
        asked = 0.0
        if self.call:
            asked = self.call * (self._scores(len(complete)) + (0 if self._dear(steps) else steps))
        raced = sum(bool(p.done) for p in self.all) if any(p.searched for p in self.all) else 0
        replaying = min(REPLAYING * self.total, 3e-3 * self.slowdown * self._parts * raced)
        own = 0.15 + choosing + rows * outputs * (2.5e-6 + 2.5e-7 * len(complete))
        return asked + replaying + self.slowdown * own

    @property
    def by_rows(self) -> bool:
        """Whether the user's own metric is too slow to be asked at each step of an ensemble: losses of rows choose its weights."""
        return self.timed and self._dear(self._steps([p for p in self.all if p.complete], len(self.work.y)))

    def _dear(self, steps: int) -> bool:
        return self.call * steps > CHOOSING * self.total

    def _steps(self, trials: Sequence[Progress], rows: int) -> int:
        """Losses that the greedy selection looks at, where it has to choose again among what can be refitted, too."""
        able = len(joining(range(len(trials)), [p.candidate.family for p in trials]))
        bagged = rows <= FEW_ROWS and able >= MANY_MEMBERS
        return 2 * self._parts * STEPS * (BAGS * 7 if bagged else able)

    def _scores(self, trials: int) -> int:
        """Scores that are asked whatever chooses the weights: each trial in each part, with the groups that its interval leaves
        out, and what the ladder compares, twice at the most.
        """
        families = len({p.candidate.family for p in self.all if p.done})
        return trials * (2 * self._parts + GROUPS + 2) + 5 * (families + 1) * (GROUPS + 2)

    @property
    def _parts(self) -> int:
        """The folds, and all of them together."""
        return 1 + min((p.folds for p in self.all if p.complete), default=min(p.folds for p in self.all))

    @property
    def slowdown(self) -> float:
        """Seconds that go by for each second of work: the median over folds, 1 on a machine of one's own."""
        seen = [f.slowdown for p in self.all for f in p.done.values() if f.slowdown == f.slowdown]
        return min(MOST_SLOWDOWN, max(1.0, float(np.median(seen)))) if seen else 1.0

    def is_up(self) -> bool:
        """Whether no fit may begin or go on."""
        return self.timed and self.left() <= self.reserve()

    @property
    def grace(self) -> float:
        """Seconds in which fits under way may end by themselves once the time is up."""
        return min(1.0, GRACE * self.total) if self.timed else 0.0

    @property
    def stand_in(self) -> float:
        """Seconds in which the folds' models can take the place of refits that did not end."""
        return min(1.0, STAND_IN * self.total) if self.timed else 0.0

    def reserve(self) -> float:
        """Seconds kept back for what is delivered and for what comes after."""
        found = sorted(
            (p for p in self.all if p.done and p.status in ("open", "ok") and not p.later),
            key=lambda p: (p.loss(), p.index),
        )
        if not found:
            return self.overhead
        kept = self.overhead + self.grace + self.stand_in + CLOSE
        able = joining(range(len(found)), [p.candidate.family for p in found])
        members = [found[i] for i in able[: self.refit_members]]
        beside = [p.refit_seconds(self.rows) for p in self._beside(found, members)] if self.refit_members > 1 else []
        needs = [self.delivery(p) for p in members]
        # several may take a quarter of what was there at most; the best one alone is always kept room for
        while len(needs) > 1 and makespan(needs + beside, self.parallel) > MOST_RESERVED * self.total:
            needs.pop()
        return ROOMY * makespan(needs + beside, self.parallel) + kept

    def delivery(self, p: Progress) -> float:
        """Seconds until a trial can be delivered: a refit on all rows."""
        return p.refit_seconds(self.rows)

    def _beside(self, found: Sequence[Progress], members: Sequence[Progress]) -> list[Progress]:
        """The prior and the lowest rung above it are refitted too."""
        by_rung = sorted((p for p in found if p.first), key=lambda p: (p.candidate.rung, p.index))
        return [p for p in by_rung[:2] if p not in members]

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
            dear = sum(q.first and q.candidate.rung > UNCAPPED_RUNG for q in self.all)
            share = min(share, p.candidate.startup + PROBING * self.total * self.parallel / dear)
        until = max(0.0, self.left() - self.reserve())
        if any(f.cut for f in p.done.values()):
            return min(ALIKE * known, until)  # folds that took longer would be of another model than the first
        return min(share, max(until, SHORTEST)) if math.isnan(known) else min(max(share, 2.0 * known), until)

    def bearable_folds(self) -> int | None:
        """Folds for all, where those wanted would take too long; None: as many as there are.

        One where that is enough and all would take long. Else the families that are still in it, on as many folds as leave
        time for what comes after them; but the best one on as many as it can finish at all, where it is clearly better than all that have theirs.
        """
        lowest = min(p.candidate.rung for p in self.all)
        firsts = [p for p in self.all if p.first and 0 in p.losses and p.status in ("open", "ok") and not p.later]
        above = [p for p in firsts if p.candidate.rung > lowest]
        # on the fold that all of them have: means over different folds cannot be compared
        best = min(above, key=lambda p: (float(np.mean(p.losses[0])), p.index), default=None)
        if best is None or best.complete:
            return None
        if self.one_is_enough and self._all_on(firsts, best.folds) > FIRSTS_OF_MANY * self.left():
            return 1
        share, few = FIRSTS * self.left(), min(best.folds, max(FEWEST_FOLDS, best.base // 2))
        wanted = best.folds
        while wanted > few and self._all_on(firsts, wanted) > share:
            wanted -= 1
        if any(p.complete and not clearly_better(best, p) for p in above):
            return wanted
        room = self.left() - self.overhead - makespan([self.delivery(best)], self.parallel)
        own = len(best.done) + len(best.under_way)
        k = max(1, own)
        while k < wanted and 1.1 * best.fold_seconds() * math.ceil((k + 1 - own) / self.parallel) <= room:
            k += 1
        return k

    @cached_property
    def one_is_enough(self) -> bool:
        """Whether the first fold alone has rows enough to tell candidates apart."""
        rows = self.work.folds[0][1]
        if len(rows) < ENOUGH_ROWS or self.work.groups is not None or self.work.time is not None:
            return False
        rarer = np.bincount(self.work.y[rows].astype(np.int64)).min() if self.work.task.kind == "binary" else math.inf
        return bool(rarer >= ENOUGH_OF_A_CLASS)

    def _all_on(self, firsts: Sequence[Progress], folds: int) -> float:
        """Seconds until all of these have ``folds`` folds."""
        missing = [p.fold_seconds() * max(0, folds - len(p.done) - len(p.under_way)) for p in firsts]
        return 1.1 * math.fsum(missing) / self.parallel

    def hopeless(self) -> list[tuple[Progress, Progress]]:
        """First configurations that are dear and clearly behind on their first fold, each with the one that is ahead.

        The simplest rungs are let through: the ladder begins with them. Those that wait already (``later``) are left out.
        """
        firsts = [p for p in self.all if p.first and 0 in p.losses and p.status in ("open", "ok")]
        best = min(firsts, key=lambda p: (float(np.mean(p.losses[0])), p.index), default=None)
        if best is None or not self.timed:
            return []
        found = []
        for p in firsts:
            cost = p.fold_seconds() * max(0, p.folds - len(p.done)) / self.parallel
            if (
                p.status != "open"
                or p.later
                or p.resumed
                or p.candidate.rung <= UNCAPPED_RUNG
                or cost <= DEAR * self.total
            ):
                continue
            gap = p.losses[0] - best.losses[0]
            mean, level = float(np.mean(gap)), float(np.mean(best.losses[0]))
            bearable = HOPELESS * DEAR * self.total / cost * abs(level)
            if mean > CLEARLY * float(np.std(gap)) / math.sqrt(len(gap)) and mean > bearable:
                found.append((p, best))
        return found

    def late(self) -> list[Progress]:
        """Of the first configurations that wait, those that there is time for now, the least behind first."""
        waiting = [p for p in self.all if p.later and p.status == "open"]
        ahead = min((float(p.losses[0].mean()) for p in self.all if p.status == "ok" and 0 in p.losses), default=None)
        if ahead is None or not waiting:
            return []
        room, most = self.left() - self.reserve(), ahead + COMPANY * abs(ahead)
        cost = {p.index: p.fold_seconds() * math.ceil((p.folds - len(p.done)) / self.parallel) for p in waiting}
        able = [p for p in waiting if cost[p.index] <= LATE * room and float(p.losses[0].mean()) <= most]
        return sorted(able, key=lambda p: (float(p.losses[0].mean()), p.index))

    def too_slow(self, p: Progress) -> str:
        """Why a candidate is not gone on with, in words."""
        if not p.done:
            return f"its folds and a refit would not end in the {self.left():.1f} s that were left"
        return f"a fold takes {p.fold_seconds():.1f} s; {p.folds} folds and a refit would not end in the {self.left():.1f} s that were left"
