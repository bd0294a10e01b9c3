"""The leaderboard as a record: every trial with its reason, the ladder, the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from holdgood.core.protocols import Candidate
from holdgood.core.records import Leaderboard, Trial
from holdgood.metrics import CostTable, threshold_interval
from holdgood.metrics.flat_range import flat_range
from holdgood.metrics.score import Metric
from holdgood.training.choice import Choice
from holdgood.training.progress import Progress
from holdgood.training.schedule import BEFORE

OUT_OF_TIME = ("stopped", "skipped")
NOT_FITTED = "judged, but not fitted on all rows"
"""Why a trial failed that has a score."""
DRAWS = 200
MOST_ROWS = 20_000
"""Rows that the threshold's interval is drawn from: 200 draws of all of 200,000 rows would take seconds."""
FEW_CLUSTERS = 500


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
    flat_low, flat_high = flat(choice, costs)
    step, weights = choice.step, choice.blend.weights if choice.blend is not None else ()
    members = (
        {p.candidate.name: float(w) for p, w in zip(choice.members, weights, strict=True)} if step.ensemble else {}
    )
    record = Leaderboard(
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        trials=trials(progress, beyond, choice),
        ladder=choice.climb.rungs,
        chosen=step.trial,
        members=members,
        prefer=prefer,
        rule=choice.climb.rule,
        reason=choice.climb.reason,
        rows=len(choice.rows),
        folds=len(np.unique(choice.judge.fold_of)),
        repeats=choice.repeats,
        calibration=choice.calibration.words if choice.calibration is not None else "",
        threshold=value,
        threshold_low=low,
        threshold_high=high,
        threshold_flat_low=flat_low,
        threshold_flat_high=flat_high,
        budget=budget,
        budget_hit=bool(beyond) or any(p.status in OUT_OF_TIME and not p.behind for p in progress),
        only_prior=len(choice.steps) == 1 and cut_short(progress, beyond),
    )
    # nobody looked: that nothing is proven better would read as a finding about the data
    return record.model_copy(update={"reason": record.too_short}) if record.only_prior else record


def cut_short(progress: Sequence[Progress], beyond: Sequence[Candidate]) -> bool:
    """Whether the budget ended something above the lowest rung: time or work, not memory, a fault or a race that it lost.

    False where something above it was judged all the same, whether or not it could be delivered.
    """
    lowest = min(p.candidate.rung for p in progress)
    if any(p.candidate.rung > lowest and (p.status == "ok" or p.reason.startswith(NOT_FITTED)) for p in progress):
        return False
    ended = (
        p.candidate
        for p in progress
        if not p.behind and (p.status == "stopped" or (p.status == "skipped" and p.reason.endswith(BEFORE)))
    )
    return any(c.rung > lowest for c in (*ended, *beyond))


def threshold(choice: Choice, costs: CostTable, seed: int) -> tuple[float, float, float]:
    """The threshold that earns most on out-of-fold rows, and its interval; NaN for other tasks than binary."""
    judge = choice.judge
    if judge.task.kind != "binary":
        return math.nan, math.nan, math.nan
    value = judge.threshold(costs, choice.oof)
    rows = thinned(judge.clusters, len(judge.y))
    clusters = None if judge.clusters is None else judge.clusters[rows]
    counts, worth = (None if v is None else v[rows] for v in (judge.counts, judge.acting))
    ends = threshold_interval(
        costs, judge.y[rows], choice.oof[rows], clusters, seed=seed, n_boot=DRAWS, weight=counts, worth=worth
    )
    return value, min(value, ends.low), max(value, ends.high)


def flat(choice: Choice, costs: CostTable) -> tuple[float, float]:
    """The thresholds that earn nearly as much on out-of-fold rows; NaN for other tasks than binary."""
    judge = choice.judge
    if judge.task.kind != "binary":
        return math.nan, math.nan
    return flat_range(costs, judge.y, choice.oof, judge.counts, judge.acting)


def thinned(clusters: np.ndarray | None, n: int) -> np.ndarray:
    """Rows for the draws of the threshold, MOST_ROWS or hardly more, evenly spread.

    Whole clusters where there are many, else some rows of each: it is their number that tells how far a choice moves.
    Fewer rows make the interval wider, never narrower.
    """
    if n <= MOST_ROWS:
        return np.arange(n)
    units = 0 if clusters is None else int(clusters.max()) + 1
    if clusters is None or units <= FEW_CLUSTERS:
        return np.linspace(0, n - 1, MOST_ROWS).astype(np.int64)
    kept = np.zeros(units, bool)
    kept[np.linspace(0, units - 1, max(FEW_CLUSTERS, round(units * MOST_ROWS / n))).astype(np.int64)] = True
    return np.flatnonzero(kept[clusters])


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
        fold_scores=choice.fold_scores(prediction) if choice is not None and prediction is not None else (),
        fit_seconds=p.fit_seconds(),
        predict_us_per_row=1e6 * sum(f.predict_seconds for f in fits) / predicted if predicted else math.nan,
        size_bytes=p.size_bytes(),
        rounds=p.rounds(),
    )


def _skipped(c: Candidate) -> Trial:
    reason = "beyond the work budget"
    return Trial(
        name=c.name, family=c.family, rung=c.rung, parameters=dict(c.parameters), status="skipped", reason=reason
    )
