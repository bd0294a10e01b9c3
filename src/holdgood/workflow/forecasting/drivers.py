"""What drives the forecasts of a combination: its members' own parts, weighed as the members are, adding up to the point forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Explained, Forecaster
from holdgood.models.forecasting.drivers import LEVEL, SEASON, TREND, parts_of_curve
from holdgood.training.panels.combined import Combined

REST = "combination and limits"
"""What members' parts do not say: a median of members, a forecast kept from falling below zero, the fallback of a member."""
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Drivers:
    """``names`` of the parts; ``values`` (series, horizon, names) in the target's units, NaN where there is no forecast."""

    names: tuple[str, ...]
    values: np.ndarray

    def take(self, rows: np.ndarray) -> Drivers:
        """Some series, in that order."""
        return Drivers(self.names, self.values[rows])

    def plus(self, name: str, values: np.ndarray) -> Drivers:
        """With one more part (series, horizon), left out where it is nothing anywhere."""
        size = np.nan_to_num(np.abs(self.values)).sum(axis=-1)
        if not (np.abs(np.nan_to_num(values)) > _TINY * (1.0 + size)).any():
            return self
        return Drivers((*self.names, name), np.concatenate([self.values, values[:, :, None]], axis=2))


def drivers(forecaster: Combined, panel: Panel, future: Future) -> Drivers:
    """Parts of the point forecasts from the end of each history."""
    shape = (len(panel), future.horizon)
    points = np.stack([m.predict(panel, future) for m in forecaster.members.values()])
    if forecaster.blend.median:
        weights = np.ones((len(panel), len(points)))
    else:
        weights = np.array(forecaster.blend.own(forecaster.losses_of(panel), len(panel)))
    share = np.where(np.isnan(points), 0.0, weights.T[:, :, None])
    total = share.sum(axis=0)
    share = share / np.where(total > 0, total, np.nan)
    found: dict[str, np.ndarray] = {}
    for member, part in zip(forecaster.members.values(), share, strict=True):
        names, values = _of_member(member, panel, future)
        for k, name in enumerate(names):
            found[name] = found.get(name, np.zeros(shape)) + part * np.nan_to_num(values[:, :, k])
    told = Drivers(tuple(found), np.stack(list(found.values()), axis=2))
    return told.plus(REST, forecaster.predict(panel, future) - told.values.sum(axis=2))


def _of_member(member: Forecaster, panel: Panel, future: Future) -> tuple[tuple[str, ...], np.ndarray]:
    if isinstance(member, Explained):
        return member.drivers(panel, future)
    # all others look at nothing but the series itself: asked for two seasons, they show theirs
    longest = max(future.horizon, 2 * panel.season, 2)
    further = Future(np.full((len(panel), longest), np.datetime64("NaT", "us")))
    return (LEVEL, TREND, SEASON), parts_of_curve(member.predict(panel, further), panel.season, future.horizon)
