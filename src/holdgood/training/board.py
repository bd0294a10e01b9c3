"""The leaderboard as a record: every trial with its reason, the ladder, the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from holdgood.core.protocols import Candidate
from holdgood.core.records import Leaderboard, Trial
from holdgood.metrics import CostTable, best_threshold, threshold_interval
from holdgood.metrics.score import Metric
from holdgood.training.choice import Choice
from holdgood.training.progress import Progress

OUT_OF_TIME = ("stopped", "skipped")


def board(
    metric: Metric,
    progress: Sequence[Progress],
    beyond: Sequence[Candidate],
    choice: Choice,
    *,
    costs: CostTable,
    prefer: str,
    budget: str,
    seed: int,
) -> Leaderboard:
    """Everything that was tried and why the choice was taken; ``beyond`` are candidates outside a work budget."""
    value, low, high = threshold(choice, costs, seed)
    step, weights = choice.step, choice.blend.weights if choice.blend is not None else ()
    members = (
        {p.candidate.name: float(w) for p, w in zip(choice.members, weights, strict=True)} if step.ensemble else {}
    )
    return Leaderboard(
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        trials=trials(progress, beyond, choice),
        ladder=choice.climb.rungs,
        chosen=step.trial,
        members=members,
        prefer=prefer,
        reason=choice.climb.reason,
        rows=len(choice.rows),
        folds=len(np.unique(choice.judge.fold_of)),
        threshold=value,
        threshold_low=low,
        threshold_high=high,
        budget=budget,
        budget_hit=bool(beyond) or any(p.status in OUT_OF_TIME and not p.behind for p in progress),
    )


def threshold(choice: Choice, costs: CostTable, seed: int) -> tuple[float, float, float]:
    """The threshold that earns most on out-of-fold rows, and its interval; NaN for other tasks than binary."""
    judge = choice.judge
    if judge.task.kind != "binary":
        return math.nan, math.nan, math.nan
    value = best_threshold(costs, judge.y, choice.oof)
    # draws cost time: fewer of them for many rows, by a rule that no clock decides
    draws = int(np.clip(4e6 / max(1, len(judge.y)), 20, 200))
    ends = threshold_interval(costs, judge.y, choice.oof, judge.clusters, seed=seed, n_boot=draws)
    return value, ends.low, ends.high


def trials(progress: Sequence[Progress], beyond: Sequence[Candidate], choice: Choice | None) -> tuple[Trial, ...]:
    """One record a candidate, in the order they were tried."""
    return tuple(_trial(p, choice) for p in progress) + tuple(_skipped(c) for c in beyond)


def _trial(p: Progress, choice: Choice | None) -> Trial:
    prediction = choice.predictions.get(p.index) if choice is not None else None
    fits = list(p.done.values())
    predicted = sum(f.rows for f in fits)
    return Trial(
        name=p.candidate.name,
        family=p.candidate.family,
        rung=p.candidate.rung,
        parameters=dict(p.candidate.parameters),
        status="stopped" if p.status == "open" else p.status,
        reason=p.reason or ("taken from an earlier, interrupted training" if p.reused else ""),
        score=choice.judge.score(prediction) if choice is not None and prediction is not None else None,
        fold_scores=choice.judge.fold_scores(prediction) if choice is not None and prediction is not None else (),
        fit_seconds=sum(f.fit_seconds for f in fits),
        predict_us_per_row=1e6 * sum(f.predict_seconds for f in fits) / predicted if predicted else math.nan,
        size_bytes=p.size_bytes(),
        rounds=p.rounds(),
    )


def _skipped(c: Candidate) -> Trial:
    reason = "beyond the work budget"
    return Trial(
        name=c.name, family=c.family, rung=c.rung, parameters=dict(c.parameters), status="skipped", reason=reason
    )
