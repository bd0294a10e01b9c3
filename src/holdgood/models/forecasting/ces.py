"""CES: complex exponential smoothing (Svetunkov, Kourentzes and Ord 2022), the kind of season chosen by AICc.

statsforecast fits; the complex states go on by the equations written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.local import LocalForecaster

_KINDS = "NSPF"
_HEAD = 6


class Ces(LocalForecaster):
    """Numbers a series: kind (0 none, 1 simple, 2 partial, 3 full), lag, alpha 0 and 1, beta 0 and 1; states (lag, 2 to 4), oldest first.

    Parameters: season; model, one of N, S, P, F, or Z for the best of them.
    """

    part: ClassVar[str] = "ces"
    shortest: ClassVar[int] = 6

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Numbers of one series."""
        from statsforecast.ces import auto_ces

        model = auto_ces(y, self.season, self.parameters["model"])
        kind, par, lag = _KINDS.index(model["seasontype"]), model["par"], int(model["m"])
        values = [0.0 if par[k] != par[k] else par[k] for k in ("alpha_0", "alpha_1", "beta_0", "beta_1")]
        last = np.asarray(model["states"], np.float64)[: lag + len(y)][-lag:]
        return np.concatenate([[kind, lag, *values], last.ravel()])

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The states after each value, the oldest left behind."""
        states = _states(numbers)
        for value in y.tolist():
            _step(numbers, states, value)
        return np.concatenate([numbers[:_HEAD], np.array(states).ravel()])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """The recursion without errors."""
        states = _states(numbers)
        return np.array([_step(numbers, states, np.nan) for _ in range(horizon)])


def _states(numbers: np.ndarray) -> list[list[float]]:
    rows: list[list[float]] = numbers[_HEAD:].reshape(int(numbers[1]), -1).tolist()
    return rows


def _step(numbers: np.ndarray, states: list[list[float]], value: float) -> float:
    """Move ``states`` on by one value (NaN: its own forecast, no error); the forecast that was made of it."""
    kind, _, a0, a1, b0, b1 = numbers[:_HEAD].tolist()
    old = states[0]
    from_ = old if kind == 1.0 else states[-1]
    expected = from_[0] + (old[2] if kind >= 2.0 else 0.0)
    error = 0.0 if value != value else value - expected
    new = [
        from_[0] - (1 - a1) * from_[1] + (a0 - a1) * error,
        from_[0] + (1 - a0) * from_[1] + (a0 + a1) * error,
    ]
    if kind == 2.0:
        new.append(old[2] + b0 * error)
    elif kind == 3.0:
        new.append(old[2] - (1 - b1) * old[3] + (b0 - b1) * error)
        new.append(old[2] + (1 - b0) * old[3] + (b0 + b1) * error)
    del states[0]
    states.append(new)
    return expected


class CesFamily:
    """Smoothing that sees trend without a trend's equation."""

    name: ClassVar[str] = "ces"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """All kinds of season, the best a series."""
        return [("ces", {"season": panel.season, "model": "Z"})]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Ces(parameters)


FAMILY = CesFamily
