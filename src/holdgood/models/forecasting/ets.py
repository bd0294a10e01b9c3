"""ETS: exponential smoothing in state space form (Hyndman, Koehler, Ord and Snyder 2008), the form chosen by AICc.

statsforecast fits; level, trend and seasonal states go on by the equations of error correction form written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.local import LocalForecaster

LONGEST_SEASON = 24
"""Longer ones have too many states to fit: see ``mstl``."""
DAMPED = ("ANN", "AAND", "MNN", "MAND"), ("ANA", "AAAD", "MNM", "MAMD")
"""Forms without and with a season whose trend, if any, fades: the safer choice far ahead."""
LASTING = ("ANN", "AAN", "MNN", "MAN"), ("ANA", "AAA", "MNM", "MAM")
"""The same with trends that go on."""
_CODES = {"N": 0.0, "A": 1.0, "M": 2.0}
_HEAD = 6


class Ets(LocalForecaster):
    """Numbers a series: trend code, season code, alpha, beta, gamma, phi; then level, trend (if any), newest to oldest season.

    Parameters: season; forms, those tried, each error, trend, season and D for a damped trend (``MAMD``).
    """

    part: ClassVar[str] = "ets"
    shortest: ClassVar[int] = 7

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """The form of the lowest AICc among those that the length and the sign of the data allow."""
        best = fitted(y, self.season, self.parameters["forms"])
        trend, season, damped = best["components"][1:4]
        alpha, beta, gamma, phi = (float(v) for v in best["par"][:4])
        head = [
            _CODES[trend],
            _CODES[season],
            alpha,
            beta if trend != "N" else 0.0,
            gamma if season != "N" else 0.0,
            phi if damped == "D" else 1.0,
        ]
        return np.concatenate([head, best["states"][-1]])

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Error correction, one step a value."""
        trend, season, alpha, beta, gamma, phi = (float(v) for v in numbers[:_HEAD])
        state = numbers[_HEAD:].tolist()
        level, slope, seasons = state[0], state[1] if trend else 0.0, state[1 + bool(trend) :]
        for value in y.tolist():
            expected = level + phi * slope
            old = seasons.pop() if season else 0.0
            if value != value:
                value = expected * old if season == 2.0 else expected + old
            bare = _ratio(value, old) if season == 2.0 else value - old
            before, level = level, expected + alpha * (bare - expected)
            slope = phi * slope + beta / alpha * (level - before - phi * slope)
            if season:
                new = _ratio(value, expected) if season == 2.0 else value - expected
                seasons.insert(0, old + gamma * (new - old))
        return np.array([*numbers[:_HEAD], level, *([slope] if trend else []), *seasons])

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """Level plus the damped sum of the trend, plus or times the season."""
        trend, season, phi = float(numbers[0]), float(numbers[1]), float(numbers[5])
        state = numbers[_HEAD:]
        out = np.full(horizon, state[0])
        if trend:
            out = out + np.cumsum(phi ** np.arange(1, horizon + 1)) * state[1]
        if season:
            cycle = np.resize(state[1 + bool(trend) :][::-1], horizon)
            out = out * cycle if season == 2.0 else out + cycle
        return out


def _ratio(value: float, by: float) -> float:
    return value / by if abs(by) > 1e-10 else 1e10


def fitted(y: np.ndarray, season: int, forms: Sequence[str]) -> Any:
    """The model of statsforecast of the form with the lowest AICc.

    Forms with a season need two of them, multiplicative ones positive data. RuntimeError where none can be fitted.
    """
    from statsforecast.ets import ets_f

    best, lowest, positive, why = None, np.inf, bool(y.min() > 0), ""
    for form in forms:
        if (form[2] != "N" and len(y) < 2 * season + 1) or ("M" in form and not positive):
            continue
        try:
            model = ets_f(y, season if form[2] != "N" else 1, form[:3], damped=form.endswith("D"))
        except Exception as error:  # a form that cannot be fitted (too few values, a singular start) is left out
            why = str(error)
            continue
        if model["aicc"] < lowest:
            best, lowest = model, model["aicc"]
    if best is None:
        raise RuntimeError(f"none of {', '.join(forms)} could be fitted to {len(y)} values {why}")
    return best


class EtsFamily:
    """Level, trend and season that move: the workhorse."""

    name: ClassVar[str] = "ets"
    rung: ClassVar[int] = 2
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Damped and undamped trends; seasonal forms where some series hold two seasons of at most 24 steps."""
        season = panel.season
        if season > LONGEST_SEASON or not bool((panel.lengths > 2 * season).any()):
            season = 1
        return [
            (name, {"season": season, "forms": [*plain, *(seasonal if season > 1 else ())]})
            for name, (plain, seasonal) in (("ets", DAMPED), ("ets-undamped", LASTING))
        ]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Ets(parameters)


FAMILY = EtsFamily
