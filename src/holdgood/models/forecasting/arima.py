"""ARIMA: autoregression and moving averages of a differenced series; which, is ``arima_search``'s answer.

The state (Harvey's form, as in R's ``arima``) goes on by the Kalman filter written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json
from holdgood.models.forecasting.arima_search import Chosen, search
from holdgood.models.forecasting.local import LocalForecaster

LONGEST_SEASON = 24
"""Longer ones make the state too large: see ``mstl``."""
_HEAD = 7
_KNOWN = 1e-8


class Filtered(NamedTuple):
    """The state after ``seen`` steps: what was seen is state + intercept + drift × step; delta are the weights of past values."""

    seen: int
    intercept: float
    drift: float
    phi: np.ndarray
    theta: np.ndarray
    delta: np.ndarray
    state: np.ndarray
    spread: np.ndarray
    """Covariance of the state in units of the error variance; empty where the state is known (any long history)."""


class Arima(LocalForecaster):
    """Numbers a series: AR and MA lags, differenced lags, state known (0, 1), steps, intercept, drift; coefficients; state; covariance.

    Parameters: season; orders, the largest p, q, P, Q; models, how many are tried at most; exact, whether the orders found
    by conditional sums of squares are fitted again by exact maximum likelihood.
    """

    part: ClassVar[str] = "arima"
    shortest: ClassVar[int] = 8

    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Search, fit, filter the series once."""
        largest, tried, exact = (self.parameters[k] for k in ("orders", "models", "exact"))
        return packed(filtered(search(y, self.season, tuple(largest), int(tried), bool(exact)), y))

    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """One step of the Kalman filter a value."""
        now = unpacked(numbers)
        move, noise = _transition(now), _noise(now)
        state, spread, seen = now.state, now.spread if now.spread.size else np.zeros_like(move), now.seen
        look = _look(now)
        for value in y.tolist():
            seen += 1
            state = move @ state
            spread = move @ spread @ move.T + noise
            if value == value:
                gain = spread @ look
                size = float(look @ gain)
                state = state + gain * ((value - now.intercept - now.drift * seen - float(look @ state)) / size)
                spread = spread - np.outer(gain, gain) / size
        return packed(now._replace(seen=seen, state=state, spread=spread))

    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """The state moved on without errors."""
        now = unpacked(numbers)
        wide = max(len(now.phi), len(now.theta) + 1)
        phi = np.concatenate([now.phi, np.zeros(wide - len(now.phi))])
        arma, past = now.state[:wide], now.state[wide:]
        out = np.empty(horizon)
        for i in range(horizon):
            if len(past):
                past = np.concatenate([[arma[0] + float(now.delta @ past)], past[:-1]])
            arma = phi * arma[0] + np.concatenate([arma[1:], [0.0]])
            out[i] = arma[0] + float(now.delta @ past)
        return out + now.intercept + now.drift * (now.seen + np.arange(1, horizon + 1))


def filtered(model: Chosen, y: np.ndarray) -> Filtered:
    """The state after the whole series, from a diffuse start (statsforecast's filter)."""
    from statsforecast.arima import arima_like, make_arima

    form = make_arima(model.phi, model.theta, model.delta)
    plain = y - model.intercept - model.drift * np.arange(1, len(y) + 1)
    arima_like(plain, model.phi, model.theta, model.delta, form["a"], form["P"], form["Pn"], 0, False)
    return Filtered(len(y), *model, form["a"], form["P"])


def _look(now: Filtered) -> np.ndarray:
    wide = len(now.state) - len(now.delta)
    return np.concatenate([[1.0], np.zeros(wide - 1), now.delta])


def _transition(now: Filtered) -> np.ndarray:
    size, wide = len(now.state), len(now.state) - len(now.delta)
    move = np.zeros((size, size))
    move[: len(now.phi), 0] = now.phi
    move[np.arange(wide - 1), np.arange(1, wide)] = 1.0
    if len(now.delta):
        move[wide] = _look(now)
        rows = np.arange(wide + 1, size)
        move[rows, rows - 1] = 1.0
    return move


def _noise(now: Filtered) -> np.ndarray:
    enter = np.zeros(len(now.state))
    enter[0], enter[1 : 1 + len(now.theta)] = 1.0, now.theta
    return np.outer(enter, enter)


def packed(now: Filtered) -> np.ndarray:
    """The numbers of a state; its covariance only where it is not known."""
    wide = len(now.state) - len(now.delta)
    inner = now.spread[1:wide, 1:wide]
    known = not inner.size or float(np.abs(inner).max()) < _KNOWN
    head = [len(now.phi), len(now.theta), len(now.delta), float(known), now.seen, now.intercept, now.drift]
    rest = [] if known else [inner[np.triu_indices(wide - 1)]]
    return np.concatenate([head, now.phi, now.theta, now.delta, now.state, *rest])


def unpacked(numbers: np.ndarray) -> Filtered:
    """The state of numbers."""
    p, q, d = (int(v) for v in numbers[:3])
    wide = max(p, q + 1)
    phi, theta, delta, state, inner = np.split(numbers[_HEAD:], np.cumsum([p, q, d, wide + d]))
    spread = np.empty((0, 0))
    if not numbers[3]:
        spread = np.zeros((wide + d, wide + d))
        rows, columns = np.triu_indices(wide - 1)
        spread[rows + 1, columns + 1] = spread[columns + 1, rows + 1] = inner
    seen, intercept, drift = int(numbers[4]), float(numbers[5]), float(numbers[6])
    return Filtered(seen, intercept, drift, phi, theta, delta, state, spread)


class ArimaFamily:
    """Differences, autoregression, moving averages."""

    name: ClassVar[str] = "arima"
    rung: ClassVar[int] = 3
    local: ClassVar[bool] = True
    library: ClassVar[str] = "statsforecast"
    extra: ClassVar[str] = "forecast"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Seasonal orders where some series hold two seasons of at most 24 steps."""
        season = panel.season
        if season > LONGEST_SEASON or not bool((panel.lengths > 2 * season).any()):
            season = 1
        seasonal = 1 if season > 1 else 0
        return [("arima", {"season": season, "orders": [2, 2, seasonal, seasonal], "models": 24, "exact": False})]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return Arima(parameters)


FAMILY = ArimaFamily
