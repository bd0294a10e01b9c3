"""What forecasters see of a panel from each origin: its history, with hidden demand completed by what was known then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.panel import Panel
from holdgood.training.panels.censored import Demand


@dataclass(frozen=True, eq=False)
class Seen:
    """``panel``: as it is seen from its end; ``values``: by steps before the end, values (n,) as they are seen from there.

    Values after an origin are what was sold: they are cut off before anybody sees them. Without stock-outs all are one array.
    """

    panel: Panel
    values: Mapping[int, np.ndarray]

    @classmethod
    def of(cls, panel: Panel, demand: Demand, dropped: Iterable[int]) -> Seen:
        """Complete hidden demand anew before each origin."""
        whole = demand.completed(panel)
        if panel.available is None:
            return cls(whole, dict.fromkeys(dropped, whole.y))
        return cls(whole, {d: values_seen(panel, demand, d) for d in dropped})

    def before(self, rows: np.ndarray, dropped: int) -> Panel:
        """The histories of some series up to an origin."""
        return self.panel.with_y(self.values[dropped]).take(rows).until(dropped)


def values_seen(panel: Panel, demand: Demand, dropped: np.ndarray | int) -> np.ndarray:
    """Values (n,) as they are seen from ``dropped`` steps before the end (one number, or one a series)."""
    ends = np.maximum(panel.indptr[:-1], panel.indptr[1:] - dropped)
    inside = np.arange(len(panel.y)) < np.repeat(ends, panel.lengths)
    out = panel.y.copy()
    out[inside] = demand.completed(panel.until(dropped)).y
    return out


def without_flags(panel: Panel) -> Panel:
    """The panel without word of stock-outs, which are dealt with."""
    return replace(panel, available=None)
