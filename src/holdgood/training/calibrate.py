"""Whether stated chances should be drawn to what was observed, and how: chosen and judged out of fold.

Temperature, Platt's line and isotonic regression each are fitted on the other folds and judged on the fold left out. One is
used only where its gain in log loss is proven, at a level shared by those that were tried.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression

from holdgood.core.records import Comparison
from holdgood.core.task import Task
from holdgood.metrics import loss_rows, paired
from holdgood.training.calibrated import METHODS, TINY, Recalibration, log_odds
from holdgood.training.score import Judge

LEVEL = 0.95
FEWEST_ROWS, MOST_ROWS = 200, 20_000
ROWS_A_KNOT = 20
"""Isotonic steps over fewer rows than this are joined with their neighbours: a chance of 0 or 1 is never stated for them."""


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
    """The best of those that are proven to help; None where none is, or where there is nothing to calibrate.

    Chances learned under weights answer for the weighted rows: drawing them to what was observed would take the weights
    back, so they stay as they are.
    """
    task, parts = judge.task, judge.parts
    if judge.weight is not None:
        return None
    if task.kind not in ("binary", "multiclass") or len(judge.y) < FEWEST_ROWS or len(np.unique(parts)) < 2:
        return None
    methods = METHODS if task.kind == "binary" else METHODS[:1]
    before = loss_rows(task, judge.y, prediction)
    best: Calibration | None = None
    for method in methods:
        crossed = np.empty_like(prediction)
        for part in np.unique(parts):
            inside = parts == part
            crossed[inside] = fitted(method, task, judge.y[~inside], prediction[~inside])(prediction[inside])
        gain = paired(
            loss_rows(task, judge.y, crossed), before, first=method, second="as it is", clusters=judge.clusters,
            unit="log loss", level=1 - (1 - LEVEL) / len(methods),
        )  # fmt: skip
        if gain.verdict == "better" and (best is None or gain.difference > best.gain.difference):
            best = Calibration(fitted(method, task, judge.y, prediction), crossed, gain)
    return best


def fitted(method: str, task: Task, y: np.ndarray, p: np.ndarray) -> Recalibration:
    """The map with the least log loss on these rows, or on MOST_ROWS of them, evenly spread."""
    if len(y) > MOST_ROWS:
        rows = np.linspace(0, len(y) - 1, MOST_ROWS).astype(np.int64)
        y, p = y[rows], p[rows]
    if method == "isotonic":
        return Recalibration(method, _isotonic(y, p))
    if method == "temperature":
        loss = lambda log_t: float(np.mean(loss_rows(task, y, Recalibration(method, np.exp([log_t]))(p))))  # noqa: E731
        return Recalibration(method, np.exp([minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x]))
    return Recalibration(method, _platt(y, log_odds(p)))


def _platt(y: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Slope and intercept of logistic regression on the log odds; a slope that is not positive would turn the order round."""

    def loss(line: np.ndarray) -> tuple[float, np.ndarray]:
        z = line[0] * odds + line[1]
        gap = 1.0 / (1.0 + np.exp(-z)) - y
        value = np.mean(np.logaddexp(0.0, z) - y * z)
        return float(value), np.array([np.mean(gap * odds), np.mean(gap)])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 20.0), (-20.0, 20.0)])
    line: np.ndarray = found.x
    return line


def _isotonic(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Knots (from, to) of the rising steps that fit best, each of at least ROWS_A_KNOT rows and away from 0 and 1."""
    steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p, y).predict(p)
    order = np.argsort(p, kind="stable")
    bounds = np.flatnonzero(np.diff(steps[order]) > 0) + 1
    kept = [0]
    for b in [*bounds.tolist(), len(p)]:
        if b - kept[-1] >= ROWS_A_KNOT:
            kept.append(b)
    kept[-1] = len(p)
    groups = [order[a:b] for a, b in itertools.pairwise(kept) if b > a]
    # drawn to one half by one row's weight, so that no chance is ever certain
    at = np.array([float(p[g].mean()) for g in groups])
    to = np.maximum.accumulate([(float(y[g].sum()) + 0.5) / (len(g) + 1.0) for g in groups])
    distinct = np.r_[True, np.diff(at) > TINY]
    at, to = at[distinct], to[distinct]
    if len(at) < 2:
        return np.array([[0.0, 1.0], [to[0], to[0]]])
    return np.array([at, to])
