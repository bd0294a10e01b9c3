"""Forecasts: what is handed to people who live in Python. Frames in the user's columns and kind; paths for whoever decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.core.panel import Paths
from holdgood.core.records import ForecastEvaluation, Leaderboard, PanelReport
from holdgood.core.table import FrameKind, give_back
from holdgood.features.panels.reader import ReadPanel
from holdgood.workflow.forecasting.explained import drivers_table, explained
from holdgood.workflow.forecasting.model import Model
from holdgood.workflow.forecasting.output import Answers, Collected, drawn

MOST_HELD = 20_000_000
"""Numbers of all paths up to which they are kept once the frame is asked for; beyond, they are drawn a piece at a time."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """``frame``: a row a series and step with the forecast and its quantiles; ``totals``: sums over the declared lead times.

    ``paths``: joint sample paths (see ``holdgood.core.panel.Paths``). ``panel``: what was read, ended and new items and notes
    among it. ``leaderboard`` and ``accuracy``: where it was trained here; None from a bundle.
    """

    model: Model
    read: ReadPanel
    panel: PanelReport
    levels: tuple[float, ...]
    leads: tuple[int, ...]
    samples: int
    seed: int
    native: FrameKind
    leaderboard: Leaderboard | None = None
    accuracy: ForecastEvaluation | None = None

    @cached_property
    def paths(self) -> Paths:
        """Joint paths of all series: (series, samples, horizon). All at once: a large panel's quantiles need no more than ``frame``."""
        return self.model.paths(self.read, self.samples, self.seed)

    @cached_property
    def answers(self) -> Answers:
        """Both frames as Arrow tables."""
        collected = Collected(self.read, self.levels, self.leads)
        held = "paths" in self.__dict__ or len(self.read.panel) * self.samples * self.read.plan.horizon <= MOST_HELD
        for some in [self.paths] if held else drawn(self.model, self.read, samples=self.samples, seed=self.seed):
            collected.add(some)
        return collected.answers(self.model.sums(self.read, self.samples, self.seed))

    @property
    def frame(self) -> Any:
        """Forecast and quantiles, in the kind of frame that came in."""
        return give_back(self.answers.steps, self.native)

    @property
    def totals(self) -> Any:
        """Sums over lead times, or None where none is declared."""
        return None if self.answers.totals is None else give_back(self.answers.totals, self.native)

    @property
    def sums(self) -> Any:
        """Forecasts of the declared levels, which add up; None where no level is declared."""
        return None if self.answers.levels is None else give_back(self.answers.levels, self.native)

    @cached_property
    def driven(self) -> pa.Table:
        """What drives the forecast, as an Arrow table: a row a series, step and driver, which add up to the forecast."""
        lead = len(self.read.keys.column_names) + 1
        return drivers_table(explained(self.model, self.read, self.paths.point), self.answers.steps, lead)

    @property
    def drivers(self) -> Any:
        """What drives the forecast (level, trend, season, recent values, calendar, each covariate), in the kind of frame that came in."""
        return give_back(self.driven, self.native)

    def quantile(self, level: float) -> np.ndarray:
        """A quantile a step, (series, horizon)."""
        if "paths" in self.__dict__:
            return np.asarray(self.paths.quantile(np.array([level]))[:, :, 0])
        pieces = drawn(self.model, self.read, samples=self.samples, seed=self.seed)
        return np.concatenate([some.quantile(np.array([level]))[:, :, 0] for some in pieces])

    def __repr__(self) -> str:
        method = f", {self.leaderboard.chosen}" if self.leaderboard else ""
        return f"Forecasts of {len(self.read.panel):,} series, {self.read.plan.horizon} steps of {self.panel.frequency}{method}"
