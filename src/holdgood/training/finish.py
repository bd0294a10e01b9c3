"""The last fits: the chosen one (or all members) on all development rows, and the prior and simplest rule beside it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdgood.core.chain import Chain
from holdgood.scale import Handle, Pool
from holdgood.training.progress import Progress, makespan
from holdgood.training.schedule import WAKING
from holdgood.training.timing import CLOSE
from holdgood.training.work import FullFit, Work, fit_all, reason_of

SHRINK = 0.85
ENOUGH = 0.8
"""A refit that the clock ended before this share of its rounds or trees is not the model that was judged."""
NO_DATE = 366 * 86_400_000_000
"""Microseconds around 1970 in which a time is rather a count of the user's own than a date."""


@dataclass(frozen=True)
class Refit:
    """A chain for delivery. ``note`` says so where it is not the whole refit that was wanted; ``words``: what it is; ``lost``: why
    it is a fold's model, or cut short; empty where it is neither.
    """

    chain: Chain
    note: str = ""
    words: str = "refitted on all rows"
    lost: str = ""


class Refits:
    """Started at once, collected at the end, so that the ladder's arithmetic runs beside them.

    ``failed``: after ``collect``, the reason for each candidate (by index) whose refit did not end as wanted. ``patience``:
    seconds after which a refit is taken as hanging, where there is no clock. ``delivered``: so many of the first ``wanted`` are
    delivered (None: all), the others stand beside them. ``rows``: how many refits learn from: all that memory bears, or as
    many as the time does.
    """

    def __init__(
        self,
        work: Work,
        pool: Pool,
        ticket: Any,
        wanted: Sequence[Progress],
        *,
        left: Callable[[], float],
        patience: float = math.inf,
        delivered: int | None = None,
    ) -> None:
        self.work, self.left, self.pool, self.patience = work, left, pool, patience
        self.wanted = list({p.index: p for p in wanted}.values())
        self.done: dict[int, FullFit] = {}
        self.failed: dict[int, str] = {}
        self._handles: dict[Handle, int] = {}
        timed, n = math.isfinite(left()), work.refit_rows
        self.all = len(work.y)
        self.rows = self._bearable(n) if timed and self.wanted else n
        most = None if self.rows == n else self.rows
        self.note = (
            ""
            if most is None
            else f"refits learned from {most:,} of {self.all:,} rows, drawn at random: the time was short"
        )
        if timed:  # what is delivered before what stands beside it, the dearest first, so that workers end together
            first = {p.index for p in wanted[:delivered]}
            self.wanted.sort(key=lambda p: (p.index not in first, -p.refit_seconds(self.rows), p.index))
        else:
            self.wanted.sort(key=lambda p: p.index)
        estimates = [p.refit_seconds(self.rows) for p in self.wanted]
        for p, estimate in zip(self.wanted, estimates, strict=True):
            if timed and not pool.workers and estimate > left() - CLOSE:
                self.failed[p.index] = "no time was left for its refit"  # nothing can be ended here once it has begun
                continue
            # more than the folds took, and more yet where there is time: a refit cut short is not the model judged
            share = 0.8 * (left() - CLOSE) * estimate / max(sum(estimates), 1e-9)
            seconds = max(1.5 * estimate, share) if timed else math.inf
            handle = pool.submit(fit_all, ticket, p.candidate, p.refit_rounds(self.rows), seconds, most, p.hints())
            self._handles[handle] = p.index

    def _bearable(self, n: int) -> int:
        """Rows to learn from: all where there is time for it, else as many as it bears, no fewer than a fold had."""
        needed = makespan([p.refit_seconds(n) for p in self.wanted], max(1, self.pool.workers))
        room = self.left() - CLOSE
        if needed <= room:
            return n
        learned = max(fit.learned_rows for p in self.wanted for fit in p.done.values())
        return min(n, max(int(SHRINK * n * max(room, 0.0) / needed), learned))

    def collect(self) -> dict[int, Refit]:
        """What can be delivered, by candidate: refits, else a fold's chain with a note (``_standing_in``); others are left out."""
        wait_for(self._handles, self.pool, self.left, self.patience)
        for handle, index in self._handles.items():
            if handle.state == "killed":
                self.failed[index] = f"its refit had not ended after {self.patience:,.0f} s: taken as hanging"
                continue
            if handle.state in ("waiting", "running"):
                self.failed[index] = "the time was up before its refit ended"
                continue
            try:
                fit: FullFit = handle.result()
            except Exception as error:  # told in the notes; a fold's chain or a lower rung takes its place
                self.failed[index] = reason_of(error)
                continue
            self.done[index] = fit
            if fit.share < ENOUGH:
                self.failed[index] = f"the time was up after {fit.share:.0%} of its refit"
        if any(h.state in ("waiting", "running") for h in self._handles):
            self.pool.kill(restart=False)
        found = {p.index: self._delivered(p) for p in self.wanted}
        return {index: refit for index, refit in found.items() if refit is not None}

    def _delivered(self, p: Progress) -> Refit | None:
        name = p.candidate.name
        if p.index not in self.failed:
            fit = self.done[p.index]
            on = "all rows" if self.rows == self.all else f"{self.rows:,} of {self.all:,} rows"
            if fit.share >= 1.0:
                return Refit(fit.chain, words=f"refitted on {on}", lost="the time was short" if self.note else "")
            short = f"the refit of {name} made {fit.share:.0%} of what was asked before the time was up"
            return Refit(
                fit.chain, short, f"refitted on {on} with {fit.share:.0%} of what was asked", "the time was up"
            )
        fold = self._standing_in(p)
        kept = None if fold is None else p.done[fold].chain
        if fold is None or kept is None:
            return None
        lost, words = self.failed[p.index], f"fitted on {p.done[fold].learned_rows:,} of {self.all:,} rows"
        if until := self._until(fold):
            words += f", up to {until}"
        return Refit(kept.fresh(), f"{name} is delivered as {words}: {lost}", words, lost)

    def _standing_in(self, p: Progress) -> int | None:
        """The fold whose chain takes the place of a refit: of the latest rows where these follow in time, else of the most."""
        kept = [f for f in sorted(p.done) if p.done[f].chain is not None]
        return max(kept, key=lambda f: (self._latest(f), p.done[f].learned_rows), default=None)

    def _latest(self, fold: int) -> int:
        time = self.work.time
        return 0 if time is None else int(time[self.work.folds[fold][0]].max())

    def _until(self, fold: int) -> str:
        """The day of the latest row that a fold learned from; empty where rows have no time, or one counted from nothing."""
        latest = self._latest(fold)
        return str(np.datetime64(latest, "us").astype("datetime64[D]")) if abs(latest) > NO_DATE else ""


def wait_for(handles: Iterable[Handle], pool: Pool, left: Callable[[], float], patience: float) -> None:
    """Wait until all are through or the time is up; what takes more than ``patience`` seconds is killed, by a pool that can."""
    while any(h.state in ("waiting", "running") for h in handles) and left() > CLOSE:
        pool.wait(min(left() - CLOSE, patience, WAKING) if math.isfinite(min(left(), patience)) else None)
        for hanging in [h for h in handles if h.state == "running" and h.seconds > patience]:
            pool.kill(hanging)


def words_of(refits: Sequence[Refit]) -> str:
    """What is delivered, for the record: how many of the models are what, where they are not all alike.

    >>> chain = Chain(None, None)
    >>> words_of([Refit(chain), Refit(chain)])
    'refitted on all rows'
    >>> words_of([Refit(chain), Refit(chain, words="fitted on 70 of 100 rows"), Refit(chain)])
    '2 of 3 models refitted on all rows, 1 fitted on 70 of 100 rows'
    """
    counted = Counter(r.words for r in refits).most_common()
    if len(counted) == 1:
        return counted[0][0]
    first, *others = [f"{many} of {len(refits)} models {words}" if not i else f"{many} {words}"
                      for i, (words, many) in enumerate(counted)]  # fmt: skip
    return ", ".join([first, *others])


def short_of(words: str, lost: Sequence[str]) -> str:
    """What is delivered where that is not what was wanted, and why (the first reason), in a sentence; empty where it is.

    >>> short_of("refitted on all rows", ["", ""])
    ''
    >>> short_of("fitted on 70 of 100 rows", ["the time was up before its refit ended"])
    'What is delivered was not refitted on all rows as wanted, but is fitted on 70 of 100 rows: the time was up before its refit ended.'
    """
    reason = next((why for why in lost if why), "")
    return f"What is delivered was not refitted on all rows as wanted, but is {words}: {reason}." if reason else ""
