"""Model: what a bundle answers with. The forecaster, how new items begin, and how a hierarchy adds up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Future, Panel, Paths
from holdgood.core.table import as_text
from holdgood.features.panels.reader import ReadPanel
from holdgood.models.forecasting.beginnings import Beginnings
from holdgood.models.forecasting.coherent import Coherent
from holdgood.models.forecasting.hierarchy import Hierarchy
from holdgood.training.panels.censored import KEEP, CensoredDemand
from holdgood.training.panels.combined import Combined


@dataclass(frozen=True, eq=False)
class Sums:
    """The levels above the series: ``paths`` of the sums, ``levels`` (sums,) the name of the level of each."""

    paths: Paths
    levels: np.ndarray


@dataclass(frozen=True, eq=False)
class Model:
    """``coherent``: None where no hierarchy is declared. ``demand``: what is done with demand that stock-outs hid."""

    forecaster: Combined
    beginnings: Beginnings
    coherent: Coherent | None = None
    demand: CensoredDemand = KEEP

    def paths(self, read: ReadPanel, samples: int, seed: int) -> Paths:
        """Point forecasts and joint paths; a series without history begins as those most like it did."""
        if self.coherent is None:
            return self._base(self.demand.completed(read.panel), read.future, samples, seed)
        whole, nodes = self._whole(self.coherent, read, samples, seed)
        return whole.take(np.arange(nodes.sums.shape[0], len(nodes)))

    def sums(self, read: ReadPanel, samples: int, seed: int) -> Sums | None:
        """The levels of the hierarchy, coherent with ``paths``; None where there is none."""
        if self.coherent is None:
            return None
        whole, nodes = self._whole(self.coherent, read, samples, seed)
        above = np.arange(nodes.sums.shape[0])
        return Sums(whole.take(above), nodes.levels[above])

    def _base(self, panel: Panel, future: Future, samples: int, seed: int) -> Paths:
        if not len(panel.y):  # new items alone
            y = self.beginnings.sample(panel, future, samples, seed)
            never = np.full(len(panel), np.datetime64("NaT", "us"))
            return Paths(panel.ids, never, future.ds, y, y.mean(axis=1))
        paths = self.forecaster.paths(panel, future, samples, seed)
        none = np.flatnonzero(np.isnan(paths.point).any(axis=1))
        if not len(none):
            return paths
        y, point = paths.y.copy(), paths.point.copy()
        y[none] = self.beginnings.sample(panel.take(none), future.take(none), samples, seed)
        point[none] = y[none].mean(axis=1)
        return Paths(paths.ids, paths.cutoff, paths.ds, y, point)

    def _whole(self, coherent: Coherent, read: ReadPanel, samples: int, seed: int) -> tuple[Paths, Hierarchy]:
        """Paths of all nodes that add up."""
        nodes = coherent.nodes(read.panel, words_of(read, coherent.levels))
        panel = coherent.panel(self.demand.completed(read.panel), nodes)
        base = self._base(panel, coherent.future(read.future, nodes), samples, seed)
        y = _coupled(np.nan_to_num(base.y), nodes)
        above_zero = self.forecaster.nonnegative
        point = coherent.added_up(nodes, np.nan_to_num(base.point), above_zero)
        return Paths(base.ids, base.cutoff, base.ds, coherent.added_up(nodes, y, above_zero), point), nodes


def words_of(read: ReadPanel, levels: tuple[tuple[str, ...], ...]) -> dict[str, list[str]]:
    """The words of the columns that name levels, one a series: from the ids, or from what is static."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(c for level in levels for c in level):
        if name in read.keys.column_names:
            found[name] = [str(v) for v in as_text(read.keys.column(name)).to_pylist()]
            continue
        values, words = read.panel.static[name], read.plan.levels.get(name)
        found[name] = ["unknown" if np.isnan(v) else words[int(v)] if words else f"{v:g}" for v in values]
    return found


def _coupled(y: np.ndarray, nodes: Hierarchy) -> np.ndarray:
    """Paths (nodes, samples, horizon), those of a sum put in the order of its members' totals: high goes with high.

    Drawn apart, a sum's paths and those of its members would average each other's spread away when they are made to agree.
    """
    above = nodes.sums.shape[0]
    members = (nodes.sums @ y[above:].sum(axis=2)).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    own = y[:above].sum(axis=2).argsort(axis=1, kind="stable")
    out = y.copy()
    for k in range(above):
        out[k] = y[k][own[k]][members[k]]
    return out
