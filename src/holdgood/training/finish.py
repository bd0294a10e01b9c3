"""The last fits: the chosen one (or all members) on all development rows, and the prior and simplest rule beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from holdgood.core.chain import Chain
from holdgood.core.errors import DataError
from holdgood.scale import Handle, Pool
from holdgood.training.progress import Progress
from holdgood.training.work import Work, fit_all, reason_of

CLOSE = 0.12
"""Seconds kept for ending workers and returning."""


@dataclass(frozen=True)
class Refit:
    """A chain for delivery. ``note`` says so where it is not the refit on all rows that was wanted."""

    chain: Chain
    note: str = ""


class Refits:
    """Started at once, collected at the end, so that the ladder's arithmetic runs beside them."""

    def __init__(
        self,
        work: Work,
        pool: Pool,
        ticket: Any,
        wanted: Sequence[Progress],
        *,
        left: Callable[[], float],
        last_resort: Chain | None,
    ) -> None:
        self.left, self.pool, self.last_resort = left, pool, last_resort
        self.wanted = list({p.index: p for p in wanted}.values())
        self.done: dict[int, Chain] = {}
        self.failed: dict[int, str] = {}
        self._handles: dict[Handle, int] = {}
        everything = sum(p.refit_seconds(len(work.y)) for p in self.wanted) if math.isfinite(left()) else 0.0
        # capped while comparing, all rows in the end, where there is time for it
        capped = everything > left() - CLOSE
        self.rows = len(work.training_rows(None)) if capped else len(work.y)
        for p in self.wanted:
            estimate = p.refit_seconds(self.rows)
            if math.isfinite(left()) and not pool.workers and estimate > left() - CLOSE:
                self.failed[p.index] = "no time was left for its refit"  # nothing can be ended here once it has begun
                continue
            # a little more than the folds took, scaled to all rows: a refit cut short would not be the model that was judged
            seconds = 1.5 * estimate if math.isfinite(left()) else math.inf
            handle = pool.submit(fit_all, ticket, p.index, p.refit_rounds(self.rows), seconds, capped)
            self._handles[handle] = p.index

    def collect(self) -> dict[int, Refit]:
        """Chains by candidate; where a refit did not end in time or failed, the chain of the first fold, with a note."""
        while any(h.state in ("waiting", "running") for h in self._handles) and self.left() > CLOSE:
            self.pool.wait(None if math.isinf(self.left()) else self.left() - CLOSE)
        for handle, index in self._handles.items():
            if handle.state in ("waiting", "running"):
                self.failed[index] = "the time was up before its refit ended"
                continue
            try:
                self.done[index] = handle.result()
            except Exception as error:  # told in the notes; the first fold's chain takes its place
                self.failed[index] = reason_of(error)
        if self.failed:
            self.pool.kill(restart=False)
        return {p.index: self._delivered(p) for p in self.wanted}

    def _delivered(self, p: Progress) -> Refit:
        name = p.candidate.name
        if p.index in self.done:
            return Refit(self.done[p.index])
        first = p.done[0].chain if 0 in p.done else None
        if first is not None:
            return Refit(
                first, f"{name} is delivered as fitted on the first fold's training rows: {self.failed[p.index]}"
            )
        if self.last_resort is not None:
            return Refit(
                self.last_resort,
                f"{name} could not be refitted ({self.failed[p.index]}); a prior from a few rows takes its place",
            )
        raise DataError(
            f"{name} was chosen on its folds but could not be fitted on all rows: {self.failed[p.index]}",
            "a model that fits all development rows",
            "leave this family out with budget.models",
        )
