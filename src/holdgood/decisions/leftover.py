"""What is left over when the next order arrives costs until it is sold."""

from __future__ import annotations

import numpy as np


def cost_of_leftover(left: np.ndarray, holding: np.ndarray, rate: np.ndarray, longest: float) -> np.ndarray:
    """Holding cost of units sold off at ``rate`` a step: half the steps that it takes, on average; at most ``longest`` steps.

    ``left``, ``holding`` (a unit and step) and ``rate`` broadcast against each other.

    >>> cost_of_leftover(np.array([20.0, 20.0]), np.array(0.5), np.array([2.0, 0.0]), 30.0)
    array([ 50., 300.])
    """
    steps = np.minimum(left / np.maximum(2.0 * rate, 1e-12), longest)
    return np.asarray(holding * left * steps)
