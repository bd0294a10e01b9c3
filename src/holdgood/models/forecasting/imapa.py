"""IMAPA: the mean over all bucket sizes up to the mean interval of demand (Petropoulos and Kourentzes 2015)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.aggregated import Aggregated, mean_interval
from holdgood.models.forecasting.intermittent import is_intermittent

_LARGEST = 24


class Imapa(Aggregated):
    """Bucket sizes 1 to the mean interval between demands, rounded, at most 24; no parameters."""

    part: ClassVar[str] = "imapa"
    shortest: ClassVar[int] = 2

    def sizes(self, y: np.ndarray) -> Sequence[int]:
        """All sizes up to the mean interval."""
        return range(1, min(round(mean_interval(y)), len(y), _LARGEST) + 1)


class ImapaFamily:
    """No bucket size has to be right."""

    name: ClassVar[str] = "imapa"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """One; nothing where no series is intermittent."""
        return [("imapa", {})] if is_intermittent(panel) else []

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Imapa(parameters)


FAMILY = ImapaFamily
