"""Hidden demand in a hierarchy: that of the series is completed, and their sums gain what the series gained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.panel import Panel
from holdgood.models.forecasting.hierarchy import Hierarchy
from holdgood.training.panels.censored import Demand


@dataclass(frozen=True)
class DemandOfLevels:
    """For panels of all nodes of ``hierarchy``, sums first; ``series`` says what becomes of the series themselves."""

    series: Demand
    hierarchy: Hierarchy

    def completed(self, panel: Panel) -> Panel:
        """Series completed, each from itself alone, and added up."""
        if panel.available is None:
            return panel
        done = self.series.completed(panel.take(self._bottom))
        return replace(panel, y=self._added(panel, done.y), available=None)

    def drawn(self, panel: Panel, seed: int) -> np.ndarray:
        """Likely values of the series, and their sums."""
        return self._added(panel, self.series.drawn(panel.take(self._bottom), seed))

    @property
    def _bottom(self) -> np.ndarray:
        return np.arange(self.hierarchy.sums.shape[0], len(self.hierarchy))

    def _added(self, panel: Panel, bottom: np.ndarray) -> np.ndarray:
        """Values of all nodes (n,) after those of the series have become ``bottom``."""
        above = self.hierarchy.sums.shape[0]
        first = int(panel.indptr[above])
        gained = np.nan_to_num(bottom - panel.y[first:])
        _, at = np.unique(panel.ds, return_inverse=True)
        steps = int(at.max()) + 1 if len(at) else 0
        owner = np.repeat(np.arange(len(panel)), panel.lengths)
        own = np.zeros((len(panel) - above, steps))
        own[owner[first:] - above, at[first:]] = gained
        more = self.hierarchy.sums @ own
        return np.concatenate([panel.y[:first] + more[owner[:first], at[:first]], bottom])
