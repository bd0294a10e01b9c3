"""Curves for plots, at most 200 points each; bins instead of rows, so that no single row's value is shown."""

from __future__ import annotations

import numpy as np

from holdgood.core.records import Series
from holdgood.core.task import Task
from holdgood.metrics.cost import CostTable, cost_curve
from holdgood.metrics.ranking import pr_curve, roc_curve

POINTS = 200
SCORE_BINS = 20
RESIDUAL_BINS = 40
ROWS_A_BIN = 20


def curves(
    task: Task, y: np.ndarray, prediction: np.ndarray, table: CostTable, threshold: float, scale: float, unit: str,
    acting: np.ndarray | None = None,
) -> tuple[Series, ...]:  # fmt: skip
    """The curves that suit the task. ``acting``: predictions that money follows, where a capacity keeps rows from being acted on.

    Binary: ROC, precision against recall, scores by outcome, money saved against the threshold, and the point in use.
    Regression: residuals against predictions. ``scale`` turns money a row into ``unit`` (such as EUR a month).
    """
    if task.kind == "binary":
        return _binary(y, prediction, table, threshold, scale, unit, prediction if acting is None else acting)
    if task.kind == "regression":
        return (_residuals(y, prediction),)
    return ()


def _binary(
    y: np.ndarray, p: np.ndarray, table: CostTable, threshold: float, scale: float, unit: str, acting: np.ndarray
) -> tuple[Series, ...]:
    found = []
    event = y == 1
    if event.any() and not event.all():
        false, true, _ = roc_curve(event, p, POINTS)
        found.append(_series("ROC", false, true, "false positive rate", "true positive rate"))
        recall, precision, _ = pr_curve(event, p, POINTS)
        found.append(_series("precision and recall", recall, precision, "recall", "precision"))
    edges = np.linspace(0.0, 1.0, SCORE_BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2.0
    for name, rows in (("scores where it did not happen", ~event), ("scores where it happened", event)):
        counts = np.histogram(np.clip(p[rows], 0.0, 1.0), edges)[0]
        found.append(_series(name, middle, counts / max(int(rows.sum()), 1), "stated chance", "share of rows"))
    thresholds, cost = cost_curve(table, event.astype(np.float64), acting)
    idle = _idle(table, event)
    found.append(
        _series("money against the threshold", thresholds, (idle - cost) * scale, "threshold", f"saved, {unit}")
    )
    act = acting >= threshold
    used = np.mean(table.cost[event.astype(np.int64), act.astype(np.int64)])
    here = np.array([threshold]), np.array([(idle - used) * scale])
    found.append(_series("money at the threshold in use", *here, "threshold", f"saved, {unit}"))
    return tuple(found)


def _idle(table: CostTable, event: np.ndarray) -> float:
    """Mean cost a row of acting on nobody."""
    share = float(np.mean(event))
    return float(table.cost[1, 0] * share + table.cost[0, 0] * (1.0 - share))


def _residuals(y: np.ndarray, prediction: np.ndarray) -> Series:
    """Mean residual (observed minus predicted) over bins of equal rows of the prediction, with the middle 80%."""
    bins = max(1, min(RESIDUAL_BINS, len(y) // ROWS_A_BIN))
    edges = np.unique(np.quantile(prediction, np.arange(1, bins) / bins, method="higher"))
    codes = np.unique(np.searchsorted(edges, prediction, side="right"), return_inverse=True)[1]
    residual = y - prediction
    order = np.argsort(codes, kind="stable")
    groups = np.split(residual[order], np.cumsum(np.bincount(codes))[:-1])
    counts = np.bincount(codes)
    series = _series(
        "residuals against predictions",
        np.bincount(codes, weights=prediction) / counts,
        np.bincount(codes, weights=residual) / counts,
        "predicted",
        "observed minus predicted",
    )
    low = tuple(float(np.quantile(g, 0.1)) for g in groups)
    high = tuple(float(np.quantile(g, 0.9)) for g in groups)
    return series.model_copy(update={"low": low, "high": high})


def _series(name: str, x: np.ndarray, y: np.ndarray, x_name: str, y_name: str) -> Series:
    xs, ys = tuple(float(v) for v in x), tuple(float(v) for v in y)
    return Series(name=name, x=xs, y=ys, x_name=x_name, y_name=y_name)
