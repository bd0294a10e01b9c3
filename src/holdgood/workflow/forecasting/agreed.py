"""Past forecasts of a hierarchy as they would have been delivered: adding up, by errors of the other origins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel
from holdgood.models.forecasting.coherent import Coherent
from holdgood.models.forecasting.hierarchy import Hierarchy


@dataclass(frozen=True, eq=False)
class AgreedPast:
    """``panel``: of all nodes; ``dropped``: how far before its end each origin lies; ``errors`` (nodes, origins, horizon).

    A node that was too short to be judged at an origin takes part with the mean of what it had last, and stays unjudged.
    """

    coherent: Coherent
    nodes: Hierarchy
    panel: Panel
    dropped: tuple[int, ...]
    errors: np.ndarray
    nonnegative: bool
    seed: int

    def points(self, points: np.ndarray) -> np.ndarray:
        """Point forecasts (origins, nodes, horizon)."""
        return np.stack([self._agreed(k, at) for k, at in enumerate(points)])

    def paths(self, origin: int, paths: np.ndarray) -> np.ndarray:
        """Joint paths (nodes, samples, horizon) at an origin."""
        return self._agreed(origin, paths, joint=True)

    def _agreed(self, origin: int, base: np.ndarray, joint: bool = False) -> np.ndarray:
        there = np.isfinite(base)
        if not there.any():
            return base
        others = np.delete(self.errors, origin, axis=1).reshape(len(self.errors), -1)
        coherent = self.coherent.learned(self.panel.ids, others)
        last = self.panel.until(self.dropped[origin]).tail(self.errors.shape[2])
        count = (~np.isnan(last)).sum(axis=1)
        mean = np.nan_to_num(last).sum(axis=1) / np.maximum(count, 1)
        filled = np.where(there, base, mean.reshape(-1, *[1] * (base.ndim - 1)))
        if joint:
            filled = coherent.coupled(self.nodes, filled, self.seed)
        return np.where(there, coherent.added_up(self.nodes, filled, self.nonnegative), base)
