"""What a rung means to whoever does not read its metric: rows of 1,000 that are judged wrongly, or the average miss in the target's unit."""

from __future__ import annotations

import numpy as np

from holdgood.core.records import Comparison, Interval
from holdgood.metrics import CostTable, mean_interval, paired, share_interval, weighted
from holdgood.training.score import Judge

ROWS = 1000.0


def misses(judge: Judge, costs: CostTable | None, answered: np.ndarray | None) -> np.ndarray | None:
    """How far each answer (n,) is off: 1 or 0 for classes, else in the target's unit. None where costs are declared (money says
    it better), and where the metric is this already.
    """
    if answered is None or costs is None or not costs.assumed or judge.metric.name == "mae":
        return None
    off: np.ndarray = np.abs(answered - judge.y)
    return off if judge.task.kind == "regression" else (off > 0).astype(np.float64)


def plain(judge: Judge, missed: np.ndarray) -> Interval:
    """Rows of 1,000 that are judged wrongly, or the average miss, with its interval."""
    if judge.task.kind == "regression":
        found = mean_interval(weighted(missed, judge.counts), judge.clusters)
        return found.model_copy(update={"low": max(0.0, found.low)})
    found = share_interval(missed, judge.clusters, weight=judge.counts)
    return found.model_copy(update={name: ROWS * getattr(found, name) for name in ("value", "low", "high")})


def plain_gain(judge: Judge, first: str, one: np.ndarray, second: str, two: np.ndarray, level: float) -> Comparison:
    """By how much the first misses less than the second, in the units of ``plain``, paired over the same rows."""
    scale, unit = (1.0, "the target's unit") if judge.task.kind == "regression" else (ROWS, "of 1,000 rows")
    one, two = (scale * weighted(rows, judge.counts) for rows in (one, two))
    return paired(one, two, first=first, second=second, clusters=judge.clusters, unit=unit, level=level)
