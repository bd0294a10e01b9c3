"""Theta: the dynamic optimised theta model (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler 2016) on deseasonalised data.

statsforecast fits and tests for a season (classical decomposition); the state goes on by the model's recursions written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.local import LocalForecaster

_DYNAMIC = ("DSTM", "DOTM")


class Theta(LocalForecaster):
    """Numbers a series: dynamic (0, 1), season code (0 none, 1 plus, 2 times), alpha, theta, steps seen, level, mean, A, B; season.

    The seasonal figures, next step first, stay as they were at the fit. Parameters: season; model, one of STM, OTM, DSTM
    and DOTM, or null for the best of the four in-sample; decomposition, ``multiplicative`` (positive data) or ``additive``.
    """

    part: ClassVar[str] = "theta"
    shortest: ClassVar[int] = 5

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Numbers of one series."""
        from statsforecast.theta import auto_theta

        model = auto_theta(
            y, self.season, self.parameters["model"], decomposition_type=self.parameters["decomposition"]
        )
        code, figures = 0.0, np.empty(0)
        if model.get("decompose", False):
            code = 2.0 if model["decomposition_type"] == "multiplicative" else 1.0
            figures = np.asarray(model["seas_forecast"]["mean"], np.float64)
        par, last = model["par"], model["states"][-1]
        dynamic = float(model["modeltype"] in _DYNAMIC)
        return np.concatenate([[dynamic, code, par["alpha"], par["theta"], len(y)], last[:4], figures])

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Level, mean and line after each value, its season taken out."""
        dynamic, code, alpha, theta, seen, *state = (float(v) for v in numbers[:9])
        figures = numbers[9:]
        for value in y.tolist():
            if code:
                value = value / figures[0] if code == 2.0 else value - figures[0]
                figures = np.roll(figures, -1)
            state = _step(state, seen, dynamic, alpha, theta, value)
            seen += 1
        return np.array([dynamic, code, alpha, theta, seen, *state, *figures])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """The recursion on its own forecasts, the season put back."""
        dynamic, code, alpha, theta, seen, *state = (float(v) for v in numbers[:9])
        out = np.empty(horizon)
        for i in range(horizon):
            out[i] = _expected(state, seen, alpha, theta)
            state = _step(state, seen, dynamic, alpha, theta, out[i])
            seen += 1
        if code:
            cycle = np.resize(numbers[9:], horizon)
            out = out * cycle if code == 2.0 else out + cycle
        return out


def _expected(state: list[float], seen: float, alpha: float, theta: float) -> float:
    level, _, a, b = state
    keep = (1 - alpha) ** seen
    forecast: float = level + (1 - 1 / theta) * (a * keep + b * (1 - keep * (1 - alpha)) / alpha)
    return forecast


def _step(state: list[float], seen: float, dynamic: float, alpha: float, theta: float, value: float) -> list[float]:
    level, mean, a, b = state
    if value != value:
        value = _expected(state, seen, alpha, theta)
    average = (seen * mean + value) / (seen + 1)
    if dynamic:
        b = ((seen - 1) * b + 6 * (value - mean) / (seen + 1)) / (seen + 2)
        a = average - b * (seen + 2) / 2
    return [alpha * value + (1 - alpha) * level, average, a, b]


class ThetaFamily:
    """The winner of the M3 competition, in its dynamic form."""

    name: ClassVar[str] = "theta"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """The dynamic optimised model, and the standard one (as in the M3 competition)."""
        return [
            (name, {"season": panel.season, "model": model, "decomposition": "multiplicative"})
            for name, model in (("theta", "DOTM"), ("theta-standard", "STM"))
        ]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Theta(parameters)


FAMILY = ThetaFamily
