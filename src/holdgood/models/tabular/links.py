"""Links: from scores to probabilities, the same bits for a row alone and among others."""

from __future__ import annotations

import numpy as np


def sigmoid(raw: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-raw)) without overflow; shape (n,)."""
    small = np.exp(-np.abs(raw))
    share: np.ndarray = np.where(raw >= 0, 1.0, small) / (1.0 + small)
    return share


def softmax(raw: np.ndarray) -> np.ndarray:
    """Shares that add up to one in each row; shape (n, k). Sums go class by class, the same in any batch."""
    grown = np.exp(raw - raw.max(axis=1, keepdims=True))
    total = np.zeros(len(raw))
    for k in range(raw.shape[1]):
        total += grown[:, k]
    shares: np.ndarray = grown / total[:, None]
    return shares
