"""Penalised linear fits: ridge, logistic and elastic net on standardised columns, the strength chosen inside the rows.

Coefficients may be held to a sign, so that what is predicted moves one way only along a column.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from holdgood.core.task import Task
from holdgood.models.tabular.links import sigmoid, softmax
from holdgood.models.tabular.training_rows import class_shares

# Strengths tried, as scikit-learn's C (classification) or 1 / alpha (ridge): a prior on coefficients, so it does not
# scale with rows.
GRID = (1.0, 0.1, 0.01, 10.0, 0.001)
_GRID_ROWS = 10_000
_STEPS = 40  # L-BFGS steps between two looks at the clock
_ROUNDS_OF_STEPS = 10
_ELASTIC_STEPS = 300


@dataclass(frozen=True)
class Penalty:
    """``strength`` as scikit-learn's C, or 1 / alpha of ridge; ``l1``: the share of absolute values in it, 0 to 1.

    ``signs``: 1, -1 or 0 a column: its coefficient is never below zero, never above, or as it likes; empty: all as they
    like. For one output: with several classes no coefficient has a direction.
    """

    strength: float
    l1: float = 0.0
    signs: tuple[int, ...] = ()


def choose(
    z: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None,
    task: Task,
    l1: float,
    signs: tuple[int, ...],
    stop_rows: np.ndarray | None,
    deadline: float,
) -> float:
    """The strength with the least loss on rows that were not fitted; the first of the grid where there are too few
    rows or no time.
    """
    held = np.zeros(len(y), dtype=bool)
    if stop_rows is not None and 0 < len(stop_rows) < len(y):
        held[stop_rows] = True
    else:
        held[::5] = True
    if len(y) < 20:
        return GRID[0]
    fit_rows, test_rows = (_thinned(np.flatnonzero(m)) for m in (~held, held))
    best, lowest, pace = GRID[0], np.inf, 0.0
    for strength in GRID:
        started = time.monotonic()
        # The fit on all rows must still find its time afterwards.
        if pace and started + pace * (1 + len(y) / len(fit_rows)) > deadline:
            break
        fit_weight = None if weight is None else weight[fit_rows]
        coefficients, intercept = solve(
            z[fit_rows], y[fit_rows], fit_weight, task, Penalty(strength, l1, signs), deadline
        )
        raw = z[test_rows] @ coefficients.T + intercept
        loss = _loss(raw, y[test_rows], None if weight is None else weight[test_rows], task)
        pace = max(pace, time.monotonic() - started)
        if loss < lowest:
            best, lowest = strength, loss
    return best


def solve(
    z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, task: Task, penalty: Penalty, deadline: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (outputs, columns) and intercepts (outputs,). A class without rows gets the lowest intercept, so
    next to no share.
    """
    if task.kind == "regression":
        middle, spread = float(y.mean()), float(y.std()) or 1.0
        standard = (y - middle) / spread
        if penalty.l1 or any(penalty.signs):
            slopes, level = _elastic_net(z, standard, weight, 0, penalty, deadline)
        else:
            solver = "cholesky" if min(z.shape) <= 2_000 else "lsqr"
            ridge = Ridge(alpha=1.0 / penalty.strength, solver=solver).fit(z, standard, sample_weight=weight)
            slopes, level = np.atleast_2d(ridge.coef_), np.atleast_1d(ridge.intercept_)
        return slopes * spread, level * spread + middle
    outputs = 1 if task.kind == "binary" else task.n_classes
    coefficients, intercept = np.zeros((outputs, z.shape[1])), np.full(outputs, -30.0)
    present = np.flatnonzero(class_shares(y, weight, task.n_classes) > 0)
    if len(present) < 2:
        intercept[present[0] if outputs > 1 else 0] = 30.0 if outputs > 1 or present[0] == 1 else -30.0
        return coefficients, intercept
    used = slice(None) if weight is None else weight > 0
    fit_weight = None if weight is None else weight[used]
    if penalty.l1 or any(penalty.signs):
        codes = np.searchsorted(present, y[used]).astype(np.float64)
        slopes, level = _elastic_net(z[used], codes, fit_weight, len(present), penalty, deadline)
    else:
        fitted = _logistic(z[used], y[used], fit_weight, penalty.strength, deadline)
        slopes, level = fitted.coef_, fitted.intercept_
    if len(present) > 2:
        coefficients[present], intercept[present] = slopes, level
        intercept[np.setdiff1d(np.arange(outputs), present)] += level.min()
    elif outputs == 1:
        coefficients, intercept = slopes.copy(), level.copy()
    else:  # two of several classes seen: one column of scores, the other class at zero
        coefficients[present[1]], intercept[present] = slopes[0], [0.0, level[0]]
    return coefficients, intercept


def _logistic(z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, strength: float, deadline: float) -> Any:
    """L-BFGS in pieces of 40 steps, each going on where the last one stopped, until it converges or the time is up."""
    model = LogisticRegression(C=strength, max_iter=_STEPS, warm_start=True, tol=1e-4)
    pace = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(_ROUNDS_OF_STEPS):
            started = time.monotonic()
            if pace and started + pace > deadline:
                break
            model.fit(z, y, sample_weight=weight)
            pace = time.monotonic() - started
            if int(np.max(model.n_iter_)) < _STEPS:
                break
    return model


def _elastic_net(
    z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, classes: int, penalty: Penalty, deadline: float
) -> tuple[np.ndarray, np.ndarray]:
    """Elastic net (Zou, Hastie 2005): sum of losses + (l1 |b| + (1 - l1) b² / 2) / strength; ``classes`` 0: half the squared error.

    Each coefficient is the difference of two that are not negative, so that the penalty is smooth and L-BFGS-B gives
    exact zeros; one that is held to a sign has one of the two. scikit-learn's saga, the only solver that it has for this,
    needs many more passes over the rows and knows no signs.
    """
    outputs, columns = (classes if classes > 2 else 1), z.shape[1]
    slopes = outputs * columns
    w = np.ones(len(y)) if weight is None else weight
    hit = np.eye(max(classes, 2))[y.astype(np.int64)] if classes > 2 else y[:, None]
    per_row = 1.0 / w.sum()  # a mean keeps the solver's tolerances meaningful
    absolute, square = per_row * penalty.l1 / penalty.strength, per_row * (1.0 - penalty.l1) / penalty.strength

    def both(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        up, down = parameters[:slopes], parameters[slopes : 2 * slopes]
        b = up - down
        raw = z @ b.reshape(outputs, columns).T + parameters[2 * slopes :]
        if classes > 2:
            answers = softmax(raw)
            losses = -np.log(np.maximum((answers * hit).sum(axis=1), 1e-300))
        elif classes == 2:
            answers = sigmoid(raw[:, 0])[:, None]
            losses = np.logaddexp(0.0, raw[:, 0]) - y * raw[:, 0]
        else:
            answers = raw
            losses = 0.5 * (raw[:, 0] - y) ** 2
        off = (answers - hit) * (per_row * w)[:, None]
        slope = (off.T @ z).ravel() + square * b
        value = (
            per_row * float(losses @ w) + absolute * float(parameters[: 2 * slopes].sum()) + square / 2 * float(b @ b)
        )
        return value, np.concatenate([slope + absolute, absolute - slope, off.sum(axis=0)])

    def look_at_the_clock(_: np.ndarray) -> None:
        if time.monotonic() > deadline:
            raise StopIteration

    start = np.zeros(2 * slopes + outputs)
    share = (hit * w[:, None]).sum(axis=0) * per_row
    start[2 * slopes :] = np.log(share) if classes > 2 else np.log(share / (1 - share)) if classes else share
    free = np.ones((2, outputs, columns), bool)
    if penalty.signs and outputs == 1:
        signs = np.array(penalty.signs)
        free[0, 0], free[1, 0] = signs >= 0, signs <= 0
    bounds: list[tuple[float | None, float | None]] = [(0.0, None if f else 0.0) for f in free.ravel()]
    found = minimize(
        both,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds + [(None, None)] * outputs,
        callback=look_at_the_clock,
        options={"maxiter": _ELASTIC_STEPS, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-6},
    ).x
    return (found[:slopes] - found[slopes : 2 * slopes]).reshape(outputs, columns), found[2 * slopes :]


def _thinned(rows: np.ndarray) -> np.ndarray:
    """At most 10,000 of the rows, evenly spaced."""
    return rows if len(rows) <= _GRID_ROWS else rows[np.linspace(0, len(rows) - 1, _GRID_ROWS).astype(np.int64)]


def _loss(raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None, task: Task) -> float:
    if task.kind == "regression":
        losses = (raw[:, 0] - y) ** 2
    else:
        answers = sigmoid(raw[:, 0]) if task.kind == "binary" else softmax(raw)
        hit = (
            np.where(y == 1, answers, 1 - answers)
            if task.kind == "binary"
            else answers[np.arange(len(y)), y.astype(np.int64)]
        )
        losses = -np.log(np.maximum(hit, 1e-15))
    total = losses.sum() if weight is None else (losses * weight).sum() / max(weight.sum(), 1e-300) * len(y)
    return float(total) / len(y)
