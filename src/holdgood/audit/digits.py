"""Neighbouring digits exchanged: whether a far value, with two of its digits put back, is what its row lets expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdgood.audit.expected import View
from holdgood.audit.factors import decimals, tail

FAR = 3.5
NEAR = 1.5
_MOST_FAR = 2_000
_PAIRS = 4_000


def exchanged(values: np.ndarray, places: int) -> np.ndarray:
    """Every value with two neighbouring digits exchanged: (exchanges, n), NaN where nothing changes.

    Digits on the two sides of the point are no neighbours.

    >>> exchanged(np.array([1234.0]), 0).ravel().tolist()
    [1243.0, 1324.0, 2134.0]
    """
    whole = np.round(np.abs(values) * 10.0**places).astype(np.int64)
    width = len(str(int(whole.max(initial=0))))
    out = []
    for k in range(width - 1):
        if k == places - 1:
            continue
        low, high = (whole // 10**k) % 10, (whole // 10 ** (k + 1)) % 10
        other = whole + (low - high) * (10 ** (k + 1) - 10**k)
        seen = (low != high) & (whole >= 10 ** (k + 1))
        out.append(np.where(seen, np.sign(values) * other / 10.0**places, np.nan))
    return np.array(out).reshape(-1, len(values))


@dataclass(frozen=True)
class Exchanges:
    """Rows (mask over the view's) that fit once two digits are put back, and how many of them chance explains."""

    view: View
    marks: NDArray[np.bool_]
    rows: int
    far: int
    chance: float
    surprise: float


def exchanges(view: View, values: np.ndarray, skip: NDArray[np.bool_]) -> Exchanges | None:
    """Count far rows that an exchange explains, against pairs of ordinary rows and the same distances.

    ``values`` are the plain cells of the view's rows; ``skip`` marks cells that something else explains.
    """
    residual = view.residual
    with np.errstate(invalid="ignore"):
        far = np.flatnonzero((np.abs(residual) > FAR * view.spread) & ~skip)
        usual = np.flatnonzero(np.abs(residual) <= 2 * view.spread)
    if len(far) < 3 or len(usual) < 100:
        return None
    places = decimals(values[usual])
    if places is None:
        return None
    if len(far) > _MOST_FAR:  # the nearest: a digit's exchange moves a value less than a factor does
        far = np.sort(far[np.argsort(np.abs(residual[far]), kind="stable")[:_MOST_FAR]])
    fits = _fits(view, values[far], view.guess[far], places)
    rows = int(fits.sum())
    if rows < 3:
        return None
    rate = _by_chance(view, values, far, usual, places)
    marks = np.zeros(len(residual), dtype=bool)
    marks[far[fits]] = True
    return Exchanges(view, marks, rows, len(far), rate * len(far), tail(rows, len(far), min(rate, 1.0)))


def _by_chance(view: View, values: np.ndarray, far: np.ndarray, usual: np.ndarray, places: int) -> float:
    """How often an exchange would fit by chance, the more of two: ordinary values as far off as the far ones are, and the far
    ones with all but their first digit drawn from ordinary values.
    """
    turn = np.arange(_PAIRS) * 7919
    ordinary, strange = usual[turn % len(usual)], far[turn % len(far)]
    first = _fits(view, values[ordinary], view.value[ordinary] - view.residual[strange], places)
    whole = np.round(np.abs(values[strange]) * 10.0**places).astype(np.int64)
    tens = 10 ** np.maximum(np.floor(np.log10(np.maximum(whole, 1))), 0).astype(np.int64)
    others = np.round(np.abs(values[ordinary]) * 10.0**places).astype(np.int64)
    drawn = np.sign(values[strange]) * (whole // tens * tens + others % tens) / 10.0**places
    second = _fits(view, drawn, view.guess[strange], places)
    return float(max(first.mean(), second.mean())) + 1.0 / _PAIRS


def _fits(view: View, values: np.ndarray, guess: np.ndarray, places: int) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        others = exchanged(values, places)
        near = (
            np.abs(np.stack([view.scale.of(o) for o in others]) - guess) <= NEAR * view.spread if len(others) else None
        )
    return np.zeros(len(values), dtype=bool) if near is None else near.any(axis=0)
