"""ADIDA: demand summed over buckets of its mean interval, then smoothed (Nikolopoulos, Syntetos, Boylan, Petropoulos and Assimakopoulos 2011)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.aggregated import Aggregated, mean_interval
from holdgood.models.forecasting.intermittent import is_intermittent


class Adida(Aggregated):
    """Buckets of the mean interval between demands, rounded; no parameters."""

    part: ClassVar[str] = "adida"
    shortest: ClassVar[int] = 2

    def sizes(self, y: np.ndarray) -> Sequence[int]:
        """One size, at most the length."""
        return [max(1, min(round(mean_interval(y)), len(y)))]


class AdidaFamily:
    """One bucket size that has few zeros."""

    name: ClassVar[str] = "adida"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """One; nothing where no series is intermittent."""
        return [("adida", {})] if is_intermittent(panel) else []

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Adida(parameters)


FAMILY = AdidaFamily
