"""Greedy selection of an ensemble, with replacement (Caruana et al. 2004), judged on rows that chose no weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.core.task import Task
from holdgood.metrics.score import loss_rows

STEPS = 25
MOST_ROWS = 20_000
"""Weights are chosen on at most this many rows, evenly spread: a few weights need no more."""
SMALLEST_WEIGHT = 0.04


@dataclass(frozen=True)
class Blend:
    """Weights (one a trial, zero for those left out) and what they predict out of fold, cross-fitted."""

    weights: np.ndarray
    prediction: np.ndarray


def greedy(task: Task, y: np.ndarray, predictions: Sequence[np.ndarray], steps: int = STEPS) -> np.ndarray:
    """Weights of sum one: begin with the best, add the one that gives the lowest mean loss, keep the best number of steps.

    Not stopped at the first step that gains nothing: small weights are reached only through such steps.
    """
    counts = np.zeros(len(predictions))
    total = np.zeros_like(predictions[0])
    picked, best = counts, np.inf
    for step in range(1, steps + 1):
        losses = [float(np.mean(loss_rows(task, y, (total + p) / step))) for p in predictions]
        winner = int(np.argmin(losses))
        counts = counts.copy()
        counts[winner] += 1
        total = total + predictions[winner]
        # more steps for less than a hundred-thousandth of the loss are noise that costs members
        if losses[winner] < best * (1 - 1e-5):
            picked, best = counts, losses[winner]
    weights: np.ndarray = picked / picked.sum()
    weights[weights < SMALLEST_WEIGHT] = 0.0
    weights /= weights.sum()
    return weights


def blend(
    task: Task,
    y: np.ndarray,
    predictions: Sequence[np.ndarray],
    parts: np.ndarray,
    affordable: Callable[[Sequence[int]], Sequence[int]],
) -> Blend:
    """Choose members and weights on all rows; predict each part's rows with those chosen on the other parts.

    ``parts``: two or more, see ``Judge.parts``. ``affordable`` cuts positions, best first, to those that may take part:
    ranking and cut thus sit inside the resampling as the weights do.
    """
    crossed = np.empty_like(predictions[0])
    for part in np.unique(parts):
        inside = parts == part
        weights = _chosen(task, y, predictions, np.flatnonzero(~inside), affordable)
        crossed[inside] = mix(weights, [p[inside] for p in predictions])
    return Blend(_chosen(task, y, predictions, np.arange(len(y)), affordable), crossed)


def mix(weights: np.ndarray, predictions: Sequence[np.ndarray]) -> np.ndarray:
    """The weighted mean."""
    total = np.zeros_like(predictions[0])
    for weight, prediction in zip(weights, predictions, strict=True):
        if weight > 0:
            total += weight * prediction
    return total


def _chosen(
    task: Task,
    y: np.ndarray,
    predictions: Sequence[np.ndarray],
    rows: np.ndarray,
    affordable: Callable[[Sequence[int]], Sequence[int]],
) -> np.ndarray:
    """Weights (one a prediction) chosen on some rows: rank, cut, then greedy."""
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]
    here = [p[rows] for p in predictions]
    losses = [float(np.mean(loss_rows(task, y[rows], p))) for p in here]
    members = affordable(sorted(range(len(here)), key=lambda i: (losses[i], i)))
    weights = np.zeros(len(predictions))
    weights[list(members)] = greedy(task, y[rows], [here[i] for i in members])
    return weights
