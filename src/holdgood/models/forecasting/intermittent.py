"""Intermittent demand: how many zeros, and whether the families for it are worth their time on a panel."""

from __future__ import annotations

import numpy as np

from holdgood.core.panel import Panel

ZEROS = 0.2
"""Share of zeros from which a series counts as intermittent."""


def zero_shares(panel: Panel) -> np.ndarray:
    """Share of zeros among the observations of each series, (series,); 0 where there is none."""
    seen = np.isfinite(panel.y)
    before = np.concatenate([[0], np.cumsum(seen)])
    zeros = np.concatenate([[0], np.cumsum(panel.y == 0)])
    number = before[panel.indptr[1:]] - before[panel.indptr[:-1]]
    none = zeros[panel.indptr[1:]] - zeros[panel.indptr[:-1]]
    shares: np.ndarray = none / np.maximum(number, 1)
    return shares


def is_intermittent(panel: Panel) -> bool:
    """No negative value, and some series with more than a fifth of zeros (all zeros do not count).

    >>> p = Panel(np.array(["a"]), np.array([0, 4]), np.zeros(4, "M8[us]"), np.array([0.0, 2, 0, 3]), "D")
    >>> is_intermittent(p)
    True
    """
    share = zero_shares(panel)
    return bool(((share > ZEROS) & (share < 1)).any()) and not bool((panel.y < 0).any())
