"""Where past outcomes fell among their joint paths, and what that costs: PIT values a step and a lead time, CRPS, quantile loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdgood.evaluation.item_cover import ItemCount
from holdgood.metrics.series import crps, quantile_loss

LEVELS = np.array([0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975])
"""Of the quantile loss."""


class PathScores:
    """``pit``, ``crps``, ``quantile_loss``: (origins, series, horizon); ``lead_pits``: (origins, series) by steps; NaN where not judged."""

    def __init__(self, shape: tuple[int, int, int], leads: Sequence[int]) -> None:
        self.pit, self.crps, self.quantile_loss = (np.full(shape, np.nan) for _ in range(3))
        self.lead_pits = {n: np.full(shape[:2], np.nan) for n in leads}
        self.items = ItemCount(shape[1])

    def add(
        self, origin: int, series: np.ndarray, y: np.ndarray, paths: np.ndarray, random: np.random.Generator
    ) -> None:
        """Outcomes of some series (n, horizon) at an origin among their paths (n, samples, horizon)."""
        pit = np.empty(y.shape)
        for h in range(y.shape[1]):
            pit[:, h] = randomised_pit(y[:, h], paths[:, :, h], random.random(len(y)))
        self.pit[origin, series] = pit
        for n, found in self.lead_pits.items():
            total = paths[:, :, :n].sum(axis=2)
            found[origin, series] = randomised_pit(y[:, :n].sum(axis=1), total, random.random(len(y)))
        by_step = np.swapaxes(paths, 1, 2)
        self.crps[origin, series] = crps(y, by_step)
        self.quantile_loss[origin, series] = quantile_loss(y, by_step, LEVELS)
        self.items.add(series, pit, paths, random)


def randomised_pit(y: np.ndarray, samples: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Where outcomes (n,) fell among samples (n, m), in [0, 1]; ``draw`` (n,) in [0, 1] parts ties. NaN without an outcome.

    >>> randomised_pit(np.array([2.0]), np.array([[1.0, 2.0, 2.0, 3.0]]), np.array([0.5])).tolist()
    [0.5]
    """
    below, at = (samples < y[:, None]).sum(axis=1), (samples == y[:, None]).sum(axis=1)
    m = samples.shape[1]
    # an outcome among m samples has m + 1 places, each as likely as another
    rank = (below + draw * (at + 1)) / (m + 1)
    return np.where(np.isnan(y), np.nan, rank)
