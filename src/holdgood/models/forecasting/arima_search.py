"""Which ARIMA: differences by tests, then orders by a stepwise search on AICc (Hyndman and Khandakar 2008).

statsforecast gives the tests, the conditional sum of squares and the likelihood. The mean of the differenced series is taken
out beforehand, and the simplex is ours: its own search costs thirty times as much, nearly all of it in numerical gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

_OUTSIDE = 1e10
_ROOT = 1.01
"""Smallest modulus of a root, as in R's ``auto.arima``: closer to the unit circle is no stable model."""
_LONG = 600
"""Values from which the exact likelihood, dear then, tells nothing that the conditional one does not."""


class Orders(NamedTuple):
    """AR and MA lags, seasonal AR and MA lags, whether there is a constant."""

    p: int
    q: int
    seasonal_p: int
    seasonal_q: int
    constant: bool


class Chosen(NamedTuple):
    """An ARIMA: y = intercept + drift × step + noise; phi, theta of its noise after differencing; delta weighs past values."""

    intercept: float
    drift: float
    phi: np.ndarray
    theta: np.ndarray
    delta: np.ndarray


def search(y: np.ndarray, season: int, largest: tuple[int, int, int, int], tried: int, exact: bool) -> Chosen:
    """The model of the lowest AICc among at most ``tried`` of orders up to ``largest``, for a series (n,) without gaps.

    ``exact``: its coefficients are moved on to the maximum of the exact likelihood (not for long series).
    """
    from statsforecast.arima import diff, ndiffs, nsdiffs

    seasonal_d = int(nsdiffs(y, period=season)) if season > 1 and len(y) > 2 * season else 0
    plain = diff(y, season, seasonal_d)
    d = min(int(ndiffs(plain)), 2 - seasonal_d)
    w = diff(plain, 1, d)
    mean = float(w.mean()) if d + seasonal_d < 2 else 0.0
    best, coefficients = Orders(0, 0, 0, 0, mean != 0.0), np.empty(0)
    if len(w) > 4 and float(np.ptp(w)) > 1e-9 * float(np.abs(y).max()):
        best, coefficients = _stepwise(w, mean, season, _fitting(largest, len(w), season), tried)
        if exact and len(coefficients) and len(w) <= _LONG:
            coefficients = _exact(w - mean * best.constant, best, season, coefficients)
    mean *= best.constant
    phi, theta = _polynomials(coefficients, _arma(best, season))
    return Chosen(
        intercept=mean if d + seasonal_d == 0 else 0.0,
        drift=mean / (season if seasonal_d else 1) if d + seasonal_d == 1 else 0.0,
        phi=phi,
        theta=theta,
        delta=_delta(d, seasonal_d, season),
    )


def _fitting(largest: tuple[int, int, int, int], n: int, season: int) -> tuple[int, int, int, int]:
    p, q, seasonal_p, seasonal_q = largest
    whole = n // 3 // season if season > 1 else 0
    below = season - 1 if season > 1 else n
    return min(p, n // 3, below), min(q, n // 3, below), min(seasonal_p, whole), min(seasonal_q, whole)


def _stepwise(
    w: np.ndarray, mean: float, season: int, largest: tuple[int, int, int, int], tried: int
) -> tuple[Orders, np.ndarray]:
    constant = mean != 0.0
    p, q, seasonal_p, seasonal_q = (min(1, k) for k in largest)
    seen: dict[Orders, tuple[float, np.ndarray]] = {}

    def score(orders: Orders, start: Orders | None = None) -> float:
        if orders not in seen:
            first = np.zeros(sum(orders[:4])) if start is None else _moved(seen[start][1], start, orders)
            seen[orders] = _conditional(w - mean * orders.constant, orders, season, first)
        return seen[orders][0]

    starts = [
        Orders(p, q, 0, seasonal_q, constant),
        Orders(0, 0, 0, 0, constant),
        Orders(p, 0, seasonal_p, 0, constant),
        Orders(0, q, 0, seasonal_q, constant),
        Orders(0, 0, 0, 0, False),
    ]
    best = min(starts, key=score)
    moved = True
    while moved and len(seen) < tried:
        moved = False
        for near in _neighbours(best, largest, constant):
            if near not in seen and len(seen) < tried and score(near, best) < score(best):
                best, moved = near, True
                break
    return best, seen[best][1]


def _neighbours(at: Orders, largest: tuple[int, int, int, int], constant: bool) -> Iterator[Orders]:
    steps = [(0, 0, -1, 0), (0, 0, 0, -1), (0, 0, 1, 0), (0, 0, 0, 1), (-1, 0, 0, 0), (0, -1, 0, 0), (1, 0, 0, 0)]
    for step in [*steps, (0, 1, 0, 0), (-1, 1, 0, 0), (1, -1, 0, 0), (1, 1, 0, 0), (-1, -1, 0, 0)]:
        new = tuple(a + b for a, b in zip(at[:4], step, strict=True))
        if all(0 <= k <= most for k, most in zip(new, largest, strict=True)):
            yield Orders(new[0], new[1], new[2], new[3], at.constant)
    if constant:
        yield at._replace(constant=not at.constant)


def _moved(coefficients: np.ndarray, old: Orders, new: Orders) -> np.ndarray:
    """Coefficients of one model as a start for another: those that both have, zeros for the rest."""
    pieces = np.split(coefficients, np.cumsum(old[:3]))
    return np.concatenate([np.r_[c[:k], np.zeros(max(0, k - len(c)))] for c, k in zip(pieces, new[:4], strict=True)])


def _conditional(w: np.ndarray, orders: Orders, season: int, first: np.ndarray) -> tuple[float, np.ndarray]:
    """AICc by the conditional sum of squares, and the coefficients; infinite where they make no stable model."""
    from statsforecast.arima import arima_css

    arma = _arma(orders, season)

    def loss(coefficients: np.ndarray) -> float:
        phi, theta = _polynomials(coefficients, arma)
        value = float(arima_css(w, arma, phi, theta)[0])
        return np.log(value) if 0 < value < np.inf else _OUTSIDE

    k = len(first) + orders.constant + 1
    if len(w) - k - 1 <= 0 or len(w) <= arma[0] + arma[2] * season + 2:
        return np.inf, first
    coefficients = _simplex(loss, first)
    if not _stable(*_polynomials(coefficients, arma)):
        return np.inf, coefficients
    return len(w) * loss(coefficients) + 2 * k + 2 * k * (k + 1) / (len(w) - k - 1), coefficients


def _exact(w: np.ndarray, orders: Orders, season: int, first: np.ndarray) -> np.ndarray:
    """Coefficients of the highest exact likelihood among stable models."""
    from statsforecast.arima import arima_like, make_arima

    arma, none = _arma(orders, season), np.empty(0)

    def loss(coefficients: np.ndarray) -> float:
        phi, theta = _polynomials(coefficients, arma)
        if not _stable(phi, theta):
            return _OUTSIDE
        form = make_arima(phi, theta, none)
        squares, logs, number, _ = arima_like(w, phi, theta, none, form["a"], form["P"], form["Pn"], 0, False)
        return float(np.log(squares / number) + logs / number) if number and squares > 0 else _OUTSIDE

    return _simplex(loss, first)


def _simplex(loss: Callable[[np.ndarray], float], first: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize

    if not len(first):
        return first
    corners = np.vstack([first, first + 0.15 * np.eye(len(first))])
    options = {"xatol": 1e-3, "fatol": 1e-5, "maxfev": 80 * len(first), "initial_simplex": corners}
    return np.asarray(minimize(loss, first, method="Nelder-Mead", options=options).x, np.float64)


def _stable(phi: np.ndarray, theta: np.ndarray) -> bool:
    """Stationary and invertible, by a margin: all roots outside the circle of radius 1.01."""
    for polynomial in (np.r_[1.0, -phi], np.r_[1.0, theta]):
        used = np.flatnonzero(np.abs(polynomial) > 1e-8)[-1]
        # roots of the reversed polynomial are the reciprocals
        if used and float(np.abs(np.roots(polynomial[: used + 1])).max()) > 1 / _ROOT:
            return False
    return True


def _arma(orders: Orders, season: int) -> np.ndarray:
    return np.array([*orders[:4], max(season, 1), 0, 0], np.int32)


def _polynomials(coefficients: np.ndarray, arma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from statsforecast.arima import arima_transpar

    phi, theta = arima_transpar(np.asarray(coefficients, np.float64), arma, False)
    return np.asarray(phi, np.float64), np.asarray(theta, np.float64)


def _delta(d: int, seasonal_d: int, season: int) -> np.ndarray:
    weights = np.array([1.0])
    for lag in [1] * d + [season] * seasonal_d:
        weights = np.convolve(weights, np.r_[1.0, np.zeros(lag - 1), -1.0])
    return -weights[1:]
