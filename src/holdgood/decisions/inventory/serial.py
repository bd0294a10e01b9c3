"""Stock in a line of stages, each supplied by the one before: echelon base stock levels that are best together.

Clark and Scarf (1960), in the form of Chen and Zheng (1994): from the customer upwards, each stage's cost counts what it makes the stage below it
wait. Continuous review, demand that waits, normal demand. Exact but for the grid on which the expectations are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal, stats

from holdgood.core.errors import DeclarationError

_WIDE = 8.0
"""Standard deviations of the whole line's demand that the grid reaches to either side."""


@dataclass(frozen=True, eq=False)
class SerialLevels:
    """``levels`` (stages,): echelon base stock, a stage's own stock and all below it; the customer's stage first. ``cost``: expected, a time unit."""

    levels: np.ndarray
    cost: float


def serial_levels(
    mean: float, sd: float, holding: np.ndarray, leads: np.ndarray, shortage: float, *, step: float = 0.01
) -> SerialLevels:
    """Best levels of a line. mean, sd: of demand in a time unit. holding, leads (stages,): cost of a unit in stock at a stage (dearer nearer to the
    customer) and time from the stage before, the customer's stage first. shortage: of a unit that waits, a time unit.

    DeclarationError for stages that are cheaper nearer to the customer, or numbers that are not above zero.
    """
    holding, leads = np.asarray(holding, float), np.asarray(leads, float)
    added = holding - np.append(holding[1:], 0.0)
    if (
        not (added > 0).all()
        or not (leads > 0).all()
        or not min(mean, sd, shortage, step) > 0
        or len(leads) != len(holding)
    ):
        raise DeclarationError(
            f"holding {holding.tolist()}, lead times {leads.tolist()}, mean {mean:g}, sd {sd:g}, shortage {shortage:g}",
            "numbers above zero, one of each a stage, and stock dearer the nearer it is to the customer",
            "correct them, the customer's stage first",
        )
    reach = mean * leads.sum() + _WIDE * sd * np.sqrt(leads.sum())
    at = np.arange(-round(reach / step), round(reach / step) + 1) * step
    owed = (shortage + holding[0]) * np.maximum(-at, 0.0)
    levels, cost = [], 0.0
    for extra, lead in zip(added, leads, strict=True):
        expected = _after_demand(at, extra * at + owed, mean * lead, sd * np.sqrt(lead))
        best = int(np.argmin(expected))
        levels.append(float(at[best]))
        cost = float(expected[best])
        # a stage that has less than its level passes on what that costs, beside its best
        owed = expected[np.minimum(np.arange(len(at)), best)]
    return SerialLevels(np.array(levels), cost)


def _after_demand(at: np.ndarray, cost: np.ndarray, mean: float, sd: float) -> np.ndarray:
    """Expected cost at each stock level once demand has been taken from it; beyond the grid cost goes on as it ends."""
    step = at[1] - at[0]
    half = round((mean + _WIDE * sd) / step)
    asked = np.arange(-half, half + 1) * step
    chance = np.diff(stats.norm.cdf(np.append(asked - step / 2, asked[-1] + step / 2), mean, sd))
    chance /= chance.sum()
    slope_low, slope_high = cost[1] - cost[0], cost[-1] - cost[-2]
    low = cost[0] + slope_low * np.arange(-half, 0)
    high = cost[-1] + slope_high * np.arange(1, half + 1)
    return np.asarray(signal.fftconvolve(np.concatenate([low, cost, high]), chance, mode="valid"))
