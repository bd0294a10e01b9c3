"""A prior from a few rows: what is delivered where the budget, or the memory, ended before a single fold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from holdgood.core.chain import Chain
from holdgood.core.errors import DataError, EnvironmentFault, HoldgoodError
from holdgood.core.protocols import Candidate
from holdgood.core.records import Leaderboard
from holdgood.metrics import CostTable, Metric, best_threshold
from holdgood.training.board import cut_short, trials
from holdgood.training.finish import Refit
from holdgood.training.progress import Progress
from holdgood.training.schedule import NO_TURN
from holdgood.training.trained import Trained
from holdgood.training.work import Work, fit_all

ROWS = 2000
SHOWN = 1000


def last_resort(work: Work, lowest: Candidate, seconds: float) -> Chain:
    """The lowest candidate from a few rows, fitted before anything else; whatever its model raises comes through."""
    few = Work(work.frame, work.y, work.weight, work.task, work.folds, seed=work.seed, cap=ROWS)
    return fit_all(few, lowest, None, seconds, few.cap).chain


def only_prior(
    resort: Chain | None,
    work: Work,
    metric: Metric,
    progress: Sequence[Progress],
    beyond: Sequence[Candidate],
    money: CostTable,
    prefer: str,
    budget: str,
) -> tuple[Trained, str]:
    """The last resort, delivered with what is known of it, and a note that says so and why.

    EnvironmentFault where memory barred all fits and there is no last resort, HoldgoodError where the time did.
    """
    barred = [f"{p.candidate.name}: {p.reason}" for p in progress if p.status == "skipped" and p.reason != NO_TURN]
    why = (
        f"no candidate could be fitted ({'; '.join(barred[:3])})" if barred else "the budget ended before a single fold"
    )
    if resort is None and barred:
        raise EnvironmentFault(
            why,
            "room for at least the prior",
            "free some memory, use a machine with more, or leave columns and rows out",
        )
    if resort is None:
        raise HoldgoodError(
            "the budget ended before a single fit", "time for at least the prior", "give a larger budget"
        )
    lowest = min(progress, key=lambda p: (p.candidate.rung, p.index)).candidate
    rows = work.folds[0][1][:SHOWN]
    prediction = resort.predict(work.frame.take(rows))
    threshold = best_threshold(money, work.y[rows], prediction) if work.task.kind == "binary" else math.nan
    record = Leaderboard(
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        trials=trials(progress, beyond, None),
        chosen=lowest.name,
        prefer=prefer,
        reason=why if barred else "the budget ended before anything could be compared",
        rows=len(rows),
        threshold=threshold,
        budget=budget,
        budget_hit=not barred,
        delivered="a prior from a few rows",
        only_prior=not barred and cut_short(progress, beyond),
    )
    if record.only_prior:
        record = record.model_copy(update={"reason": record.too_short})
    oof = {lowest.name: prediction, "chosen": prediction}
    note = f"{why}: what is delivered is a prior from a few rows, and nothing was compared"
    return Trained(resort, record, oof, rows, threshold, None, resort), note


def stand_in(prior: Progress, failed: Mapping[int, str], resort: Chain | None) -> Refit:
    """The prior from a few rows, where the prior itself could not be refitted; DataError where there is none."""
    name, reason = prior.candidate.name, failed[prior.index]
    if resort is not None:
        return Refit(
            resort,
            f"{name} could not be refitted ({reason}); the same from a few rows takes its place",
            "a prior from a few rows",
        )
    raise DataError(
        f"{name} was judged on its folds but could not be fitted on all rows: {reason}",
        "a model that fits all development rows",
        "leave this family out with budget.models",
    )
