"""The part of a loss that a model did not expect: what stays when rows merely have become harder or easier."""

from __future__ import annotations

import numpy as np

from holdgood.core.task import Task


def unexpected(task: Task, prediction: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Log losses of a classification less what the model's own probabilities say that they should be, (n,).

    A calibrated model's log loss is, on average, the entropy of its probabilities, whatever rows are asked about: a season, or other
    rows, move both alike. What is left rises where the probabilities have become wrong. Losses of a regression stay as they are: a
    point says nothing about its own error.
    """
    if task.kind == "regression":
        return loss
    p = np.stack([1.0 - prediction, prediction], axis=1) if prediction.ndim == 1 else prediction
    inside = np.clip(p, 1e-15, 1.0)
    found: np.ndarray = loss + np.sum(p * np.log(inside), axis=1)
    return found
