"""Every metric of the task with its interval. Ratios and areas go by influence functions: no resampling, no seed."""

from __future__ import annotations

import math

import numpy as np

from holdgood.core.records import Interval
from holdgood.core.task import Task
from holdgood.metrics.interval import (
    auc_interval,
    auc_parts,
    cluster_codes,
    exact_share,
    mean_interval,
    root_mean_interval,
    share_interval,
    spread_of_mean,
    weighted,
)
from holdgood.metrics.jackknife import jackknife_interval
from holdgood.metrics.ranking import cumulative
from holdgood.metrics.score import METRICS, Metric, plain_answers
from holdgood.metrics.series import pinball

MINIMUM_ROWS = 2


def measure(
    task: Task,
    y: np.ndarray,
    prediction: np.ndarray,
    clusters: np.ndarray | None,
    weight: np.ndarray | None = None,
    own: Metric | None = None,
) -> dict[str, Interval]:
    """All metrics that speak of this kind of task, each with a 95% interval.

    ``y`` (n,) coded, codes outside the task's classes are classes that development never saw; ``prediction`` as in
    Task; ``clusters`` (n,) codes of rows that belong together; ``weight`` (n,) how much each row counts;
    ``own``: a metric of the user's own beside them. A metric without a value (AUC of one class) is NaN.
    """
    found = {}
    for name, metric in METRICS.items():
        if task.kind in metric.kinds:
            value = float(metric.score(task, y, prediction, weight))
            if weight is None or math.isnan(value) or len(y) < MINIMUM_ROWS:
                found[name] = _interval(name, value, task, y, prediction, clusters)
            else:
                found[name] = _weighted(metric, task, y, prediction, clusters, weight)
    if own is not None:
        found[own.name] = _by_groups(own, task, y, prediction, clusters, weight)
    return found


def _weighted(
    metric: Metric, task: Task, y: np.ndarray, prediction: np.ndarray, clusters: np.ndarray | None, weight: np.ndarray
) -> Interval:
    """Means of rows by the linearised mean, all else by leaving groups of rows out."""
    if metric.name == "accuracy":
        return share_interval((plain_answers(prediction) == y).astype(np.float64), clusters, weight=weight)
    if metric.name == "rmse":
        return root_mean_interval(weighted(np.square(prediction - y), weight), clusters)
    if metric.rows is not None and not metric.higher_is_better:
        return mean_interval(weighted(metric.rows(task, y, prediction), weight), clusters)
    return _by_groups(metric, task, y, prediction, clusters, weight)


def _by_groups(
    metric: Metric, task: Task, y: np.ndarray, prediction: np.ndarray, clusters: np.ndarray | None,
    weight: np.ndarray | None,
) -> Interval:  # fmt: skip
    def score(rows: np.ndarray) -> float:
        return float(metric.score(task, y[rows], prediction[rows], None if weight is None else weight[rows]))

    return jackknife_interval(score, len(y), clusters)


def at_threshold(
    y: np.ndarray, answer: np.ndarray, clusters: np.ndarray | None, weight: np.ndarray | None = None
) -> dict[str, Interval]:
    """Binary: accuracy, precision and recall of the answers given at the threshold in use; ``answer`` (n,) 0/1."""
    event, act = (y == 1).astype(np.float64), (answer == 1).astype(np.float64)
    return {
        "accuracy_at_threshold": share_interval((event == act).astype(np.float64), clusters, weight=weight),
        "precision_at_threshold": _share_of(event * act, act, clusters, weight),
        "recall_at_threshold": _share_of(event * act, event, clusters, weight),
    }


def coverage(y: np.ndarray, level: float, low: np.ndarray, high: np.ndarray) -> dict[str, Interval]:
    """Share of rows whose outcome lies in its interval, and how wide intervals are; rows as they are."""
    hits = int(np.sum((low <= y) & (y <= high)))
    found = {"interval_coverage": exact_share(hits, len(y))}
    width = high - low
    return found | ({"interval_width": mean_interval(width)} if np.isfinite(width).all() else {})


def at_quantiles(
    y: np.ndarray,
    levels: tuple[float, ...],
    quantiles: np.ndarray,
    clusters: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> dict[str, Interval]:
    """Of each quantile the share of rows at or below it, rows as they are, and its mean pinball loss where it is finite."""
    found: dict[str, Interval] = {}
    lost = pinball(y, quantiles, np.array(levels))
    for i, q in enumerate(levels):
        found[f"below_quantile_{q:g}"] = exact_share(int(np.sum(y <= quantiles[:, i])), len(y))
        if np.isfinite(quantiles[:, i]).all():
            found[f"pinball_{q:g}"] = mean_interval(weighted(lost[:, i], weight), clusters)
    return found


def below(metrics: dict[str, Interval], levels: tuple[float, ...]) -> str:
    """The shares in words."""
    told = [(q, metrics[f"below_quantile_{q:g}"]) for q in levels]
    shares = ", ".join(f"{q:g}: {s.value:.1%} ({s.low:.1%} to {s.high:.1%})" for q, s in told)
    return f"Share of outcomes at or below each quantile (95%, exact binomial): {shares}."


def inside(metrics: dict[str, Interval], level: float) -> str:
    """The coverage in words."""
    found = metrics["interval_coverage"]
    verdict = "as stated" if found.low <= level <= found.high else "less than stated" if found.high < level else "more"
    return (
        f"Intervals at {level:.0%} held {found.value:.1%} of the outcomes "
        f"(95%, exact binomial: {found.low:.1%} to {found.high:.1%}): {verdict}."
    )


def _share_of(
    hits: np.ndarray, of: np.ndarray, clusters: np.ndarray | None, weight: np.ndarray | None = None
) -> Interval:
    """Share of hits among some of the rows."""
    rows = of > 0
    counted = None if weight is None else weight[rows]
    return share_interval(hits[rows], None if clusters is None else clusters[rows], weight=counted)


def _interval(
    name: str, value: float, task: Task, y: np.ndarray, prediction: np.ndarray, clusters: np.ndarray | None
) -> Interval:
    rows = METRICS[name].rows
    if math.isnan(value) or len(y) < MINIMUM_ROWS:
        return Interval(value=value, low=math.nan, high=math.nan, n=len(y), method="no value, or one row")
    if name == "accuracy":
        return share_interval((plain_answers(prediction) == y).astype(np.float64), clusters)
    if name == "rmse":
        return root_mean_interval(np.square(prediction - y), clusters)
    if name == "roc_auc" and prediction.ndim == 1:
        return auc_interval(y, prediction, clusters)
    if name == "roc_auc":
        return _by_influence(value, _mean_auc_influence(y, prediction), clusters, "mean of DeLong influences")
    if name == "average_precision":
        return _by_influence(
            value, average_precision_influence(y, prediction), clusters, "influence function, logit scale"
        )
    if name == "balanced_accuracy":
        return _by_influence(value, _balanced_influence(y, plain_answers(prediction)), clusters, "influence function")
    if name == "f1":
        return _by_influence(value, _f1_influence(task, y, plain_answers(prediction)), clusters, "influence function")
    if name == "r2":
        around = np.square(y - np.mean(y))
        spread = spread_of_mean(ratio_influence(np.square(prediction - y), around), clusters)
        low, high = spread.interval(value, 0.95)
        return Interval(
            value=value, low=low, high=min(high, 1.0), n=len(y), method=_how("influence function", clusters)
        )
    if rows is None:
        return Interval(value=value, low=-math.inf, high=math.inf, n=len(y), method="no interval is known for it")
    return mean_interval(rows(task, y, prediction), clusters)


def ratio_influence(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Influence of every row on the ratio of two means; zeros where the bottom is all zero; (n,)."""
    below = float(np.mean(bottom))
    return (top - float(np.mean(top)) / below * bottom) / below if below > 0 else np.zeros(len(top))


def _how(method: str, clusters: np.ndarray | None) -> str:
    return method if clusters is None else f"{method}, {cluster_codes(clusters).max() + 1:,} clusters"


def _by_influence(value: float, influence: np.ndarray, clusters: np.ndarray | None, method: str) -> Interval:
    """Interval of a share-like value from its influences, on the logit scale where it lies inside (0, 1)."""
    spread = spread_of_mean(influence, clusters)
    if 0.0 < value < 1.0 and spread.error > 0 and math.isfinite(spread.error):
        scale = value * (1.0 - value)
        spread = spread_of_mean(influence / scale, clusters)
        ends = spread.interval(math.log(value / (1.0 - value)), 0.95)
        low, high = (1.0 / (1.0 + math.exp(min(-v, 700.0))) for v in ends)
    else:
        low, high = spread.interval(value, 0.95)
    low, high = min(max(low, 0.0), value), max(min(high, 1.0), value)
    return Interval(value=value, low=low, high=high, n=len(influence), method=_how(method, clusters))


def _mean_auc_influence(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    parts = [auc_parts((y == k).astype(np.float64), prediction[:, k]) for k in range(prediction.shape[1])]
    known = [influence * len(y) for area, influence in parts if not math.isnan(area)]
    total: np.ndarray = np.sum(known, axis=0)
    return total / len(known)


def _balanced_influence(y: np.ndarray, answer: np.ndarray) -> np.ndarray:
    codes = np.unique(y)
    total = np.zeros(len(y))
    for code in codes:
        truth = (y == code).astype(np.float64)
        total += ratio_influence(truth * (answer == code), truth)
    return total / len(codes)


def _f1_influence(task: Task, y: np.ndarray, answer: np.ndarray) -> np.ndarray:
    codes = np.array([1.0]) if task.kind == "binary" else np.unique(np.concatenate([y, answer]))
    total = np.zeros(len(y))
    for code in codes:
        truth, said = (y == code).astype(np.float64), (answer == code).astype(np.float64)
        total += ratio_influence(2.0 * truth * said, truth + said)
    return total / len(codes)


def average_precision_influence(y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Influence of every row on average precision; (n,), mean zero.

    The derivative of sum_i w_i y_i precision(s_i) / sum_i w_i y_i in the weight of a row: its own precision where it is
    positive, plus what it does to the precision at every positive ranked at or below it. O(n log n).
    """
    cuts, true, false = cumulative(y, score)
    acted = (true + false).astype(np.float64)
    positives = float(true[-1])
    here = np.diff(true, prepend=0)
    precision = true / acted
    value = float(np.sum(here * precision) / positives)
    # cuts fall; what lies at or below a cut is the sum from it to the end
    per_positive = np.cumsum((here / acted)[::-1])[::-1]
    per_row = np.cumsum((here * precision / acted)[::-1])[::-1]
    at = len(cuts) - 1 - np.searchsorted(cuts[::-1], score)
    event = (y == 1).astype(np.float64)
    influence: np.ndarray = event * (precision[at] - value) + event * per_positive[at] - per_row[at]
    return influence * (len(y) / positives)
