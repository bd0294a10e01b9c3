"""Naive: the last value that was seen, or the one a season ago. What every other forecaster must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, Json, PanelContext, Parts


class Naive:
    """Repeats the last ``season`` values that were seen; a season of one repeats the last value.

    Where a value a season ago is missing, the season before that one, and in the end the last value that was seen, stands in.
    """

    part: ClassVar[str] = "naive"

    def __init__(self, season: int = 1) -> None:
        self.season = season
        self.failed: Mapping[str, str] = {}

    def fit(self, panel: Panel, context: PanelContext) -> Naive:
        """Nothing to learn."""
        return self

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """(series, horizon); NaN for a series without any observation."""
        out = np.full((len(panel), future.horizon), np.nan)
        for i, y in enumerate(panel.series()):
            out[i] = repeated(y, self.season, future.horizon)
        return out

    def to_parts(self) -> Parts:
        """The season."""
        return Parts({"season": self.season})

    @classmethod
    def from_parts(cls, parts: Parts) -> Naive:
        """Rebuild; BundleError for a season that is none."""
        season = parts.json.get("season")
        if not isinstance(season, int) or season < 1:
            raise BundleError(
                f"a naive forecaster with season {season!r}", "a whole number from 1", "the bundle is damaged"
            )
        return cls(season)


def repeated(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The last season of ``y``, again and again.

    >>> repeated(np.array([1.0, 2.0, 3.0, np.nan]), 2, 3).tolist()
    [3.0, 2.0, 3.0]
    """
    seen = np.flatnonzero(~np.isnan(y))
    if not len(seen):
        return np.full(horizon, np.nan)
    cycle = np.full(season, y[seen[-1]])
    for phase in range(season):
        same = y[len(y) - season + phase :: -season] if len(y) - season + phase >= 0 else np.empty(0)
        known = same[~np.isnan(same)]
        if len(known):
            cycle[phase] = known[0]
    return np.resize(cycle, horizon)


class NaiveFamily:
    """The lowest rung."""

    name: ClassVar[str] = "naive"
    rung: ClassVar[int] = 0
    local: ClassVar[bool] = True

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """The last value, and the last season where there is one."""
        seasonal = [(f"naive-season-{s}", {"season": s}) for s in panel.seasons if s > 1]
        return [("naive", {"season": 1}), *seasonal]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Naive(int(parameters["season"]))


FAMILY = NaiveFamily
