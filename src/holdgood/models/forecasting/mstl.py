"""MSTL: several or long seasons taken out by repeated STL (Bandara, Hyndman and Bergmeir 2021), the rest forecast without a season.

statsforecast decomposes. Each seasonal figure stays as it was in the last season of the fit; the rest goes on by its own family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting import arima, ets, theta
from holdgood.models.forecasting.local import LocalForecaster

_REST: dict[str, Callable[[Mapping[str, Json]], LocalForecaster]] = {
    "arima": arima.Arima,
    "ets": ets.Ets,
    "theta": theta.Theta,
}
_OFFERED: dict[str, dict[str, Json]] = {
    "ets": {"season": 1, "forms": ["ANN", "AAND"]},
    "arima": {"season": 1, "orders": [2, 2, 0, 0], "models": 16, "exact": True},
}


class Mstl(LocalForecaster):
    """Numbers a series: log taken (0, 1), number of seasons, their lengths; figures of each, next step first; numbers of the rest.

    Parameters: season (of the naive); seasons; rest, the family that forecasts what is left, and rest_parameters; log,
    whether positive series are decomposed in logs (seasons that grow with the level).
    """

    part: ClassVar[str] = "mstl"
    shortest: ClassVar[int] = 8

    def __init__(self, parameters: Mapping[str, Json]) -> None:
        super().__init__(parameters)
        self.rest: LocalForecaster = _REST[parameters["rest"]](parameters["rest_parameters"])

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Seasons of which the series holds two are taken out; a series that holds none keeps only the rest's family."""
        from statsforecast.mstl import mstl

        in_log = bool(self.parameters["log"]) and bool(y.min() > 0)
        plain = np.log(y) if in_log else y
        lengths = [int(s) for s in sorted(self.parameters["seasons"]) if len(y) >= 2 * s + 1]
        figures: list[np.ndarray] = []
        if lengths:
            table = mstl(plain, lengths)
            names = ["seasonal"] if len(lengths) == 1 else [f"seasonal{s}" for s in lengths]
            columns = [table[n].to_numpy(np.float64) for n in names]
            figures = [c[len(c) - s :] for c, s in zip(columns, lengths, strict=True)]
            plain = plain - np.sum(columns, axis=0)
        return np.concatenate([[in_log, len(lengths), *lengths], *figures, self.rest.learn(plain, horizon)])

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The rest moves on by what its seasons leave of each value. In logs a value that is not positive counts as missing."""
        in_log, lengths, figures, rest = _read(numbers)
        plain = np.log(np.where(y > 0, y, np.nan)) if in_log else y
        for cycle in figures:
            plain = plain - np.resize(cycle, len(y))
        turned = [np.roll(c, -len(y)) for c in figures]
        return np.concatenate([[in_log, len(lengths), *lengths], *turned, self.rest.advance(rest, plain)])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """The rest's forecast plus every season."""
        in_log, _, figures, rest = _read(numbers)
        out = self.rest.ahead(rest, horizon)
        for cycle in figures:
            out = out + np.resize(cycle, horizon)
        return np.exp(out) if in_log else out


def _read(numbers: np.ndarray) -> tuple[float, list[int], list[np.ndarray], np.ndarray]:
    count = int(numbers[1])
    lengths = [int(s) for s in numbers[2 : 2 + count]]
    *figures, rest = np.split(numbers[2 + count :], np.cumsum(lengths)) if lengths else [numbers[2:]]
    return float(numbers[0]), lengths, figures, rest


class MstlFamily:
    """For daily, hourly and weekly data: what the others cannot hold in their states."""

    name: ClassVar[str] = "mstl"
    rung: ClassVar[int] = 3
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Smoothing or ARIMA of what the seasons leave; in logs too where all is positive. Nothing without two seasons of data."""
        longest = int(panel.lengths.max(initial=0))
        seasons = [s for s in panel.seasons if s > 1 and longest > 2 * s]
        if not seasons:
            return []
        offered = [("mstl", "ets", False), ("mstl-arima", "arima", False)]
        if not bool((panel.y <= 0).any()):
            offered = [("mstl-log", "ets", True), *offered]
        return [
            (name, {"season": seasons[0], "seasons": seasons, "rest": r, "rest_parameters": _OFFERED[r], "log": log})
            for name, r, log in offered
        ]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Mstl(parameters)


FAMILY = MstlFamily
