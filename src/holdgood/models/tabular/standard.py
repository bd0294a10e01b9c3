"""Standard units: columns as numbers of spreads from their middle, with nothing missing and nothing wild."""

from __future__ import annotations

import numpy as np

FURTHEST = 10.0
"""A standardised input beyond this counts as this: one wild cell cannot decide alone."""


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column's finite values; 0 and 1 where there is none or no spread."""
    center, unit = np.zeros(values.shape[1]), np.ones(values.shape[1])
    for j in range(values.shape[1]):
        column = values[:, j]
        column = column[np.isfinite(column)]
        if len(column):
            center[j] = column.mean()
            spread = column.std()
            # Below this the spread of a constant column is rounding error.
            unit[j] = spread if np.isfinite(spread) and spread > 1e-12 * max(1.0, abs(center[j])) else 1.0
    return np.where(np.isfinite(center), center, 0.0), unit


def standardised(values: np.ndarray, center: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Columns in units of their spread, cut at ten; what is missing or infinite counts as the mean. C-contiguous."""
    z: np.ndarray = (np.where(np.isfinite(values), values, center) - center) / unit
    np.clip(z, -FURTHEST, FURTHEST, out=z)
    return z
