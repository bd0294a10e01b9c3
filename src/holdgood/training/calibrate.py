"""Whether stated chances should be drawn to what was observed, and how: chosen and judged out of fold.

Temperature, Platt's line and isotonic regression each are fitted on the other folds and judged on the fold left out. One is
used only where its gain in log loss is proven, at a level shared by those that were tried. Where rows are weighted, fits
and proof count each row by its weight: stated chances then answer for the weighted rows, as the models do that learned
from them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression

from holdgood.core.records import Comparison
from holdgood.core.task import Task
from holdgood.metrics import loss_rows, paired, weighted
from holdgood.training.calibrated import METHODS, TINY, Recalibration, log_odds
from holdgood.training.score import Judge

LEVEL = 0.95
FEWEST_ROWS, MOST_ROWS = 200, 20_000
ROWS_A_KNOT = 20
"""Isotonic steps over fewer rows than this are joined with their neighbours: a chance of 0 or 1 is never stated for them.

Weighted rows count as so many equal ones as tell as much (``effective``), here and in FEWEST_ROWS."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The map to deliver, fitted on all rows; ``prediction`` is cross-fitted, ``gain`` what it was proven to bring."""

    recalibration: Recalibration
    prediction: np.ndarray
    gain: Comparison

    @property
    def words(self) -> str:
        """For the record."""
        g = self.gain
        return f"{self.recalibration.method}: log loss lower by {g.difference:.3g} ({g.low:.3g} to {g.high:.3g}) out of fold"


def calibrate(judge: Judge, prediction: np.ndarray) -> Calibration | None:
    """The best of those that are proven to help; None where none is, or where there is nothing to calibrate."""
    task, parts, weight = judge.task, judge.parts, judge.weight
    w = np.ones(len(judge.y)) if weight is None else weight
    if task.kind not in ("binary", "multiclass") or effective(w) < FEWEST_ROWS or len(np.unique(parts)) < 2:
        return None
    methods = METHODS if task.kind == "binary" else METHODS[:1]
    before = weighted(loss_rows(task, judge.y, prediction), weight)
    best: Calibration | None = None
    for method in methods:
        crossed = np.empty_like(prediction)
        for part in np.unique(parts):
            inside = parts == part
            learned = fitted(method, task, judge.y[~inside], prediction[~inside], w[~inside])
            crossed[inside] = learned(prediction[inside])
        gain = paired(
            weighted(loss_rows(task, judge.y, crossed), weight), before, first=method, second="as it is", clusters=judge.clusters,
            unit="log loss", level=1 - (1 - LEVEL) / len(methods),
        )  # fmt: skip
        if gain.verdict == "better" and (best is None or gain.difference > best.gain.difference):
            best = Calibration(fitted(method, task, judge.y, prediction, w), crossed, gain)
    return best


def effective(weight: np.ndarray) -> float:
    """How many equal rows tell as much as these do (Kish 1965): the square of the sum over the sum of squares.

    >>> effective(np.ones(4)), effective(np.array([1.0, 1.0, 0.0]))
    (4.0, 2.0)
    """
    squares = float(np.square(weight).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def fitted(method: str, task: Task, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None) -> Recalibration:
    """The map with the least weighted log loss on these rows, or on MOST_ROWS of them, evenly spread. Only ratios of
    weights matter; a row without weight is as if it were not there.
    """
    w = np.ones(len(y)) if weight is None else weight
    rows = np.flatnonzero(w > 0)
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]
    y, p, w = y[rows], p[rows], w[rows] / w[rows].mean()
    if method == "isotonic":
        return Recalibration(method, _isotonic(y, p, w))
    if method == "temperature":
        loss = lambda log_t: float(np.mean(w * loss_rows(task, y, Recalibration(method, np.exp([log_t]))(p))))  # noqa: E731
        return Recalibration(method, np.exp([minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x]))
    return Recalibration(method, _platt(y, log_odds(p), w))


def _platt(y: np.ndarray, odds: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Slope and intercept of logistic regression on the log odds; a slope that is not positive would turn the order round."""

    def loss(line: np.ndarray) -> tuple[float, np.ndarray]:
        z = line[0] * odds + line[1]
        gap = w * (1.0 / (1.0 + np.exp(-z)) - y)
        value = np.mean(w * (np.logaddexp(0.0, z) - y * z))
        return float(value), np.array([np.mean(gap * odds), np.mean(gap)])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 20.0), (-20.0, 20.0)])
    line: np.ndarray = found.x
    return line


def _isotonic(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Knots (from, to) of the rising steps that fit best, each of at least ROWS_A_KNOT rows and away from 0 and 1."""
    steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p, y, sample_weight=w).predict(p)
    order = np.argsort(p, kind="stable")
    bounds = np.flatnonzero(np.diff(steps[order]) > 0) + 1
    kept = [0]
    for b in [*bounds.tolist(), len(p)]:
        if effective(w[order[kept[-1] : b]]) >= ROWS_A_KNOT:
            kept.append(b)
    kept = [*(kept[:-1] or [0]), len(p)]
    groups = [order[a:b] for a, b in itertools.pairwise(kept) if b > a]
    # drawn to one half by one row's weight, so that no chance is ever certain
    at = np.array([float(np.average(p[g], weights=w[g])) for g in groups])
    counts, shares = [effective(w[g]) for g in groups], [float(np.average(y[g], weights=w[g])) for g in groups]
    to = np.maximum.accumulate([(n * share + 0.5) / (n + 1.0) for n, share in zip(counts, shares, strict=True)])
    distinct = np.r_[True, np.diff(at) > TINY]
    at, to = at[distinct], to[distinct]
    if len(at) < 2:
        return np.array([[0.0, 1.0], [to[0], to[0]]])
    return np.array([at, to])
