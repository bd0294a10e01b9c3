"""How far predictions lie from the truth: totals, and every row's loss. ``y`` is (n,), predictions as in Task."""

from __future__ import annotations

import math

import numpy as np

SMALLEST = 1e-15
"""Chances are clipped to [SMALLEST, 1 - SMALLEST], so that one sure mistake costs 34.5 nats, not infinity."""


def log_loss_rows(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Minus the log of the chance given to what happened; (n,) nats.

    ``prediction`` is (n,) for binary or (n, k) for multiclass. A class code outside 0…k-1 was never seen in
    development: it was given no chance, and is charged the clipped maximum.
    """
    chance = stated(y, prediction)
    return -np.log(np.clip(chance, SMALLEST, 1.0 - SMALLEST))


def stated(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """The chance that was given to each row's outcome."""
    if prediction.ndim == 1:
        return np.where(y == 1, prediction, 1.0 - prediction)
    codes = y.astype(np.int64)
    known = (codes >= 0) & (codes < prediction.shape[1])
    rows = np.arange(len(codes))
    return np.where(known, prediction[rows, np.where(known, codes, 0)], 0.0)


def brier_rows(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Squared distance between stated chances and what happened; summed over the classes for (n, k)."""
    if prediction.ndim == 1:
        return np.square(prediction - y)
    chance = stated(y, prediction)
    # sum_k p_k^2 - p_y^2 + (1 - p_y)^2, which also charges a class that no column stands for
    return np.einsum("ij,ij->i", prediction, prediction) - np.square(chance) + np.square(1.0 - chance)


def squared_error_rows(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Squared residual a row, in squared units of the target."""
    return np.square(prediction - y)


def absolute_error_rows(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Absolute residual a row, in units of the target."""
    return np.abs(prediction - y)


def mean(rows: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean of per-row losses, weighted where rows count differently; NaN of no rows."""
    if not len(rows):
        return math.nan
    return float(np.mean(rows)) if weight is None else float(np.average(rows, weights=weight))


def log_loss(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean log loss in nats."""
    return mean(log_loss_rows(y, prediction), weight)


def brier(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean Brier score."""
    return mean(brier_rows(y, prediction), weight)


def rmse(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Root of the mean squared error, in units of the target.

    >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.4142135623730951
    """
    return math.sqrt(mean(squared_error_rows(y, prediction), weight))


def mae(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean absolute error, in units of the target."""
    return mean(absolute_error_rows(y, prediction), weight)


def r2(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Share of the variance explained; NaN below two rows. Of a constant truth: 1 where it is met exactly, else 0."""
    if len(y) < 2:
        return math.nan
    around = mean(np.square(y - mean(y, weight)), weight)
    left = mean(squared_error_rows(y, prediction), weight)
    if around == 0.0:
        return 1.0 if left == 0.0 else 0.0
    return 1.0 - left / around
