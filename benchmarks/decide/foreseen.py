"""Forecasts of the order sheet, each learned before a window and answering from what a policy has seen since: ours, and ETS as textbooks have it.

Ours is what the product's ladder delivers, in small: means of windows first, then a blend of them with LightGBM on lags, which is taken only where
it is proven better at past origins on series that its weights were not learned on. Where nothing can be foreseen the mean of a window stands: what a
learned level adds there is the noise of its own estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdgood.core.inventory import Observation
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import PanelContext
from holdgood.metrics.compare import paired
from holdgood.models.forecasting.lightgbm_lags import LightgbmLags
from holdgood.models.forecasting.window_average import WindowAverage
from holdgood.training.panels.censored import CensoredDemand, How
from holdgood.training.panels.combine import Blend, blended, learned, losses
from holdgood.training.panels.combined import segments, spread
from holdgood.training.panels.errors import Sizes, Trajectories, traits

ORIGINS, SAMPLES = 8, 200
"""Past origins whose errors spread a forecast, each a lead time and a review before the next; paths."""
RECENT = 730
"""Steps that ETS is fitted on, at most."""
WINDOWS = (4, 8, 13, 26, 52)
"""Means of so many of the last values of each phase of the season."""
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
class Raced:
    """``members``: means of windows, then LightGBM; ``blend``: how they are put together."""

    members: tuple[WindowAverage | LightgbmLags, ...]
    blend: Blend

    @classmethod
    def fitted(cls, panel: Panel, context: PanelContext, blend: Blend) -> Raced:
        """Only those that have a weight."""
        members = _members(panel)
        return cls(tuple(m.fit(panel, context) if k in blend.members else m for k, m in enumerate(members)), blend)

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """(n, horizon)."""
        none = np.full((len(panel), future.horizon), np.nan)
        every = [m.predict(panel, future) if k in self.blend.members else none for k, m in enumerate(self.members)]
        return blended(np.stack(every), self.blend)


def _members(panel: Panel) -> tuple[WindowAverage | LightgbmLags, ...]:
    return (*(WindowAverage(w, panel.seasons[0] if panel.seasons[0] <= 7 else 1) for w in WINDOWS), LightgbmLags(**FIT))


def raced(points: np.ndarray, came: np.ndarray, scale: np.ndarray) -> Blend:
    """What is delivered; points (members, origins, n, steps), came (origins, n, steps), scale (origins, n). The best window stands unless the
    blend is better on the other half of the series, paired by series at 5%.
    """
    count, origins, n = points.shape[:3]

    def rows(of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return (
            points[:, :, of].reshape(count, -1, points.shape[3]),
            came[:, of].reshape(-1, came.shape[2]),
            scale[:, of].ravel(),
        )

    half = np.arange(n) % 2 == 0
    loss = np.empty((2, n))
    for here in (half, ~half):
        p, y, s = rows(~here)
        single, blend = _best_window(losses(p, y, s)), _greedy(p, y, s)
        p, y, s = rows(here)
        loss[0, here] = losses(p[single], y, s).reshape(origins, -1).mean(axis=0)
        loss[1, here] = losses(blended(p, blend), y, s).reshape(origins, -1).mean(axis=0)
    p, y, s = rows(np.ones(n, bool))
    if paired(loss[1], loss[0], first="blend", second="window").verdict == "better":
        return _greedy(p, y, s)
    return Blend("window", np.eye(count)[_best_window(losses(p, y, s))])


def _best_window(loss: np.ndarray) -> int:
    return int(np.argmin(loss[: len(WINDOWS)].mean(axis=1)))


def _greedy(points: np.ndarray, y: np.ndarray, scale: np.ndarray) -> Blend:
    return next(b for b in learned(points, y, scale, None, 0) if b.name == "mean by greedy selection")


@dataclass(frozen=True, eq=False)
class Ours:
    """``Raced`` over all items; paths by whole trajectories of its errors at past origins. ``sigma`` (n,): of a step's error.

    ``start``: the step that follows the history it learned from. ``how``: what is done with steps that a stock-out hid.
    """

    items: Items
    start: int
    how: How
    model: Raced
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
        before, context = demand.completed(whole.until(back)), PanelContext(span, seed=seed)
        early = [m.fit(before, context) for m in _members(before)]
        likely = whole.with_y(demand.drawn(whole, seed) if how == "impute" else whole.y)
        past, came, points = [], [], []
        for dropped in range(back, 0, -span):
            past.append(demand.completed(whole.until(dropped)))
            true, ahead = likely.ahead(span, dropped)
            came.append(true)
            points.append(np.stack([m.predict(past[-1], ahead) for m in early]))
        rate = np.maximum(np.stack([np.array([np.nanmean(np.abs(y)) for y in p.series()]) for p in past]), 1e-9)
        blend = raced(np.stack(points, axis=1), np.stack(came), rate)
        point = [blended(p, blend) for p in points]
        error = [c - p for c, p in zip(came, point, strict=True)]
        known = [traits(h, p) for h, p in zip(past, point, strict=True)]
        kind = [segments(h) for h in past]
        errors, seen = np.concatenate(error), np.concatenate(known)
        sizes = Sizes.learned(seen, errors)
        origin = np.repeat(np.arange(ORIGINS), len(items.ids))
        kept = Trajectories.kept(errors, sizes.of(seen), np.concatenate(kind), origin, seed)
        model = Raced.fitted(demand.completed(whole), context, blend)
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
