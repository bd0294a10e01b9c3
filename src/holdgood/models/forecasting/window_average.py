"""Window average: the mean of the last values, or of the last values of the same phase of the season."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, Json, PanelContext, Parts
from holdgood.models.forecasting.naive import repeated


class WindowAverage:
    """Step h is the mean of the last ``window`` values that were seen a whole number of seasons before it.

    With a season of one that is the mean of the last ``window`` values. A phase without a value gets the naive.
    """

    part: ClassVar[str] = "window-average"

    def __init__(self, window: int, season: int = 1) -> None:
        self.window, self.season = window, season
        self.failed: Mapping[str, str] = {}

    def fit(self, panel: Panel, context: PanelContext) -> WindowAverage:
        """Nothing to learn."""
        return self

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """(series, horizon); NaN for a series without any observation."""
        out = np.empty((len(panel), future.horizon))
        for i, y in enumerate(panel.series()):
            out[i] = averaged(y, self.window, self.season, future.horizon)
        return out

    def to_parts(self) -> Parts:
        """Window and season."""
        return Parts({"window": self.window, "season": self.season})

    @classmethod
    def from_parts(cls, parts: Parts) -> WindowAverage:
        """Rebuild; BundleError for a window or a season that is none."""
        window, season = parts.json.get("window"), parts.json.get("season")
        if not isinstance(window, int) or not isinstance(season, int) or min(window, season) < 1:
            raise BundleError(
                f"a window of {window!r} with season {season!r}", "whole numbers from 1", "the bundle is damaged"
            )
        return cls(window, season)


def averaged(y: np.ndarray, window: int, season: int, horizon: int) -> np.ndarray:
    """Means of the last ``window`` values seen a phase, again and again.

    >>> averaged(np.array([9.0, 1.0, 2.0, 3.0, 6.0]), 2, 2, 3).tolist()
    [2.0, 4.0, 2.0]
    """
    cycle = repeated(y, season, season)
    for phase in range(min(season, len(y))):
        same = y[len(y) - season + phase :: -season] if len(y) >= season - phase else np.empty(0)
        seen = same[~np.isnan(same)][:window]
        if len(seen):
            cycle[phase] = seen.mean()
    return np.resize(cycle, horizon)


class WindowAverageFamily:
    """The mean that a planner keeps in a spreadsheet."""

    name: ClassVar[str] = "window-average"
    rung: ClassVar[int] = 1
    local: ClassVar[bool] = True

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Short and long windows; by phase where there is a season of which some series hold two."""
        seasonal = [s for s in panel.seasons if s > 1 and bool((panel.lengths > 2 * s).any())]
        long = max(12, 2 * min(seasonal, default=1))
        return [
            *[(f"window-average-4-season-{s}", {"window": 4, "season": s}) for s in seasonal],
            ("window-average-4", {"window": 4, "season": 1}),
            (f"window-average-{long}", {"window": long, "season": 1}),
        ]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return WindowAverage(int(parameters["window"]), int(parameters["season"]))


FAMILY = WindowAverageFamily
