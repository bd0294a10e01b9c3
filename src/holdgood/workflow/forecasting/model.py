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

    def hierarchy(self, read: ReadPanel) -> Hierarchy | None:
        """Which series each sum holds; None where no hierarchy is declared."""
        return None if self.coherent is None else self.coherent.nodes(read.panel, words_of(read, self.coherent.levels))

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
        above, seed_of_whole = nodes.sums.shape[0], [seed, 6]
        point, y = base.point.copy(), base.y.copy()
        for some in (point, y):  # a series that nobody has a forecast for adds nothing
            some[above:] = np.nan_to_num(some[above:])
        nonnegative = self.forecaster.nonnegative
        point = coherent.added_up(nodes, point, nonnegative)
        y = coherent.added_up(nodes, coherent.coupled(nodes, y, seed), nonnegative)
        if self.forecaster.whole:
            floor = np.floor(y[above:])
            y = nodes.added(floor + (np.random.default_rng(seed_of_whole).random(floor.shape) < y[above:] - floor))
        return Paths(base.ids, base.cutoff, base.ds, y, point), nodes


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
