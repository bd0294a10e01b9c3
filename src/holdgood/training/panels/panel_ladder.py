"""The ladder over forecasts: each family's best against the best below it, paired over series, by the same rule as for tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdgood.core.records import Trial
from holdgood.core.task import Task
from holdgood.metrics.score import Metric
from holdgood.training.ladder import Step
from holdgood.training.panels.race import Ran
from holdgood.training.score import Judge

PARTS = 5


def _mean(task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    return float(np.average(prediction, weights=weight))


def judge_of(name: str, series: int, clusters: np.ndarray | None, seed: int) -> Judge:
    """A judge whose rows are series and whose "predictions" are their losses, mean over origins."""
    fold_of = np.random.default_rng(seed).permutation(series) % min(PARTS, series)
    metric = Metric(name, ("regression",), False, _mean, lambda task, y, prediction: prediction)
    return Judge(Task(kind="regression", metric=name), metric, np.zeros(series), fold_of, clusters)


def steps_of(runs: Sequence[Ran], losses: Sequence[np.ndarray], judge: Judge) -> list[Step]:
    """One step a family, simplest first: its losses a series by the configuration that was best on the other series."""
    families: dict[str, list[int]] = {}
    for i, ran in enumerate(runs):
        families.setdefault(ran.candidate.family, []).append(i)
    steps = []
    for family, places in sorted(families.items(), key=lambda item: runs[item[1][0]].candidate.rung):
        tries = tuple(losses[i] for i in places)
        honest = np.empty(len(judge.y))
        for part in np.unique(judge.fold_of):
            inside = judge.fold_of == part
            others = ~inside if (~inside).any() else inside
            honest[inside] = min(tries, key=lambda t: float(t[others].mean()))[inside]
        winner = runs[places[int(np.argmin([t.mean() for t in tries]))]]
        steps.append(
            Step(
                winner.candidate.name, winner.candidate.name, family, honest,
                row_ms=1e3 * winner.predict_seconds / max(1, len(judge.y) * max(1, winner.origins)),
                fit_seconds=sum(runs[i].fit_seconds for i in places), tries=tries if len(tries) > 1 else (),
            )
        )  # fmt: skip
    return steps


def trials(runs: Sequence[Ran], losses: dict[str, np.ndarray], judge: Judge) -> tuple[Trial, ...]:
    """One record a candidate."""
    out = []
    for ran in runs:
        c, loss = ran.candidate, losses.get(ran.candidate.name)
        failed = f"{len(ran.failed)} series got the fallback" if ran.failed else ""
        out.append(
            Trial(
                name=c.name, family=c.family, rung=c.rung, parameters=dict(c.parameters),
                status=ran.status if ran.status in ("ok", "failed", "stopped", "skipped") else "skipped",
                reason=ran.reason or failed, score=None if loss is None else judge.score(loss),
                fit_seconds=ran.fit_seconds,
                predict_us_per_row=1e6 * ran.predict_seconds / max(1, len(judge.y) * max(1, ran.origins)),
            )
        )  # fmt: skip
    return tuple(out)
