"""Forecasts of the order sheet, each learned before a window and answering from what a policy has seen since: ours, and ETS as textbooks have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdgood.core.inventory import Observation
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import PanelContext
from holdgood.models.forecasting.lightgbm_lags import LightgbmLags
from holdgood.training.panels.censored import CensoredDemand, How
from holdgood.training.panels.combined import segments, spread
from holdgood.training.panels.errors import Sizes, Trajectories, traits

ORIGINS, SAMPLES = 8, 200
"""Past origins whose errors spread a forecast, each a lead time and a review before the next; paths."""
RECENT = 730
"""Steps that ETS is fitted on, at most."""
FIT = {"most_rows": 20_000, "learning_rate": 0.1}
"""Ours with less than its default effort, so that two fits a window end soon."""


@dataclass(frozen=True, eq=False)
class Items:
    """n items over T steps. demand (n, T); ds (T,) datetime64[us]; known (n, T) by name, known ahead; ``seasons`` and ``ets_season`` in steps."""

    ids: np.ndarray
    demand: np.ndarray
    ds: np.ndarray
    frequency: str
    seasons: tuple[int, ...] = (1,)
    ets_season: int = 1
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    categories: frozenset[str] = frozenset()

    def panel(self, sales: np.ndarray, in_stock: np.ndarray, last: int) -> Panel:
        """Sales (n, steps) that end before step ``last``."""
        n, steps = sales.shape
        first = last - steps
        return Panel(
            self.ids, np.arange(n + 1) * steps, np.tile(self.ds[first:last], n), sales.ravel(), self.frequency, self.seasons,
            {k: v[:, first:last].ravel() for k, v in self.known.items()}, categories=self.categories,
            available=in_stock.ravel(),
        )  # fmt: skip

    def future(self, first: int, steps: int) -> Future:
        """What is known of the steps from ``first`` on."""
        ahead = slice(first, first + steps)
        ds = np.tile(self.ds[ahead], (len(self.ids), 1))
        return Future(ds, {k: v[:, ahead] for k, v in self.known.items()})


@dataclass(frozen=True, eq=False)
class Ours:
    """LightGBM on lags over all items; paths by whole trajectories of its errors at past origins. ``sigma`` (n,): of a step's error.

    ``start``: the step that follows the history it learned from. ``how``: what is done with steps that a stock-out hid.
    """

    items: Items
    start: int
    how: How
    model: LightgbmLags
    sizes: Sizes
    kept: Trajectories
    sigma: np.ndarray

    @classmethod
    def learned(
        cls, items: Items, sales: np.ndarray, in_stock: np.ndarray, start: int, span: int, how: How, seed: int = 0
    ) -> Ours:
        """From sales (n, steps) that end before step ``start``. Errors are those of a fit that saw none of the origins."""
        demand, whole = CensoredDemand(how), items.panel(sales, in_stock, start)
        back = span * ORIGINS
        early = LightgbmLags(**FIT).fit(demand.completed(whole.until(back)), PanelContext(span, seed=seed))
        likely = whole.with_y(demand.drawn(whole, seed) if how == "impute" else whole.y)
        point, error, known, kind = [], [], [], []
        for dropped in range(back, 0, -span):
            past = demand.completed(whole.until(dropped))
            came, ahead = likely.ahead(span, dropped)
            point.append(early.predict(past, ahead))
            error.append(came - point[-1])
            known.append(traits(past, point[-1]))
            kind.append(segments(past))
        errors, seen = np.concatenate(error), np.concatenate(known)
        sizes = Sizes.learned(seen, errors)
        origin = np.repeat(np.arange(ORIGINS), len(items.ids))
        kept = Trajectories.kept(errors, sizes.of(seen), np.concatenate(kind), origin, seed)
        model = LightgbmLags(**FIT).fit(demand.completed(whole), PanelContext(span, seed=seed))
        return cls(items, start, how, model, sizes, kept, np.stack(error, axis=1).std(axis=(1, 2)))

    def paths(self, seen: Observation, steps: int) -> np.ndarray:
        """(n, SAMPLES, steps) of the steps after the last one seen."""
        now = self.start + seen.step + 1
        panel = CensoredDemand(self.how).completed(self.items.panel(seen.sales, seen.in_stock, now))
        point = self.model.predict(panel, self.items.future(now, steps))
        return spread(panel, point, self.sizes, self.kept, SAMPLES, now, nonnegative=True, whole=False)

    def mean(self, seen: Observation, steps: int) -> np.ndarray:
        """(n, steps): the mean of the paths."""
        return self.paths(seen, steps).mean(axis=1)


@dataclass(frozen=True, eq=False)
class Ets:
    """statsforecast's AutoETS an item, fitted once before the window, states carried on with sales as recorded. ``sigma`` (n,) as in ``Ours``."""

    models: list[Any]
    sigma: np.ndarray

    @classmethod
    def learned(cls, sales: np.ndarray, span: int, season: int) -> Ets:
        """Its errors at the past origins are those of parameters that have seen them: if anything in its favour."""
        from statsforecast.models import AutoETS

        models = [AutoETS(season_length=season).fit(y[-RECENT:]) for y in sales]
        ends = range(span * ORIGINS, 0, -span)
        errors = np.stack(
            [sales[:, sales.shape[1] - d :][:, :span] - _ahead(models, sales[:, :-d], span) for d in ends], axis=1
        )
        return cls(models, errors.std(axis=(1, 2)))

    def mean(self, seen: Observation, steps: int) -> np.ndarray:
        """(n, steps), zero or more."""
        return _ahead(self.models, seen.sales, steps)


def _ahead(models: list[Any], sales: np.ndarray, steps: int) -> np.ndarray:
    found = np.stack([m.forward(y[-RECENT:], h=steps)["mean"] for m, y in zip(models, sales, strict=True)])
    return np.maximum(np.nan_to_num(found), 0.0)
