"""One order for one span of demand: too much costs holding, too little shortage. Normal, Poisson, any distribution, or samples.

A lead time makes the span longer: order up to the level for the demand of lead + 1 steps (backorders). Snyder and Shen 4.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from holdgood.core.errors import DeclarationError


@dataclass(frozen=True)
class Level:
    """level: units to have, on hand and on the way. cost: expected money of a step."""

    level: float
    cost: float


def normal_level(mean: float, sd: float, holding: float, shortage: float, lead: float = 0.0) -> Level:
    """Demand of a step is normal, steps are independent.

    >>> best = normal_level(50, 8, holding=0.18, shortage=0.70)
    >>> round(best.level, 4), round(best.cost, 5)
    (56.604, 1.99761)
    """
    ratio = critical_ratio(holding, shortage)
    if not sd > 0 or lead < 0:
        raise DeclarationError(f"sd {sd:g}, lead {lead:g}", "sd above zero, lead of zero or more", "correct them")
    z, spread = float(stats.norm.ppf(ratio)), sd * math.sqrt(lead + 1.0)
    return Level(mean * (lead + 1.0) + z * spread, (holding + shortage) * float(stats.norm.pdf(z)) * spread)


def poisson_level(mean: float, holding: float, shortage: float, lead: float = 0.0) -> Level:
    """Demand of a step is Poisson, steps are independent.

    >>> best = poisson_level(20, holding=1, shortage=4)
    >>> best.level, round(best.cost, 5)
    (24.0, 6.438)
    """
    over = mean * (lead + 1.0)
    if not over > 0:
        raise DeclarationError(f"a mean of {mean:g} with lead {lead:g}", "demand above zero", "correct them")
    level = float(stats.poisson.ppf(critical_ratio(holding, shortage), over))
    # E(D - S)+ = mean P(D >= S) - S P(D > S)
    short = over * float(stats.poisson.sf(level - 1.0, over)) - level * float(stats.poisson.sf(level, over))
    return Level(level, holding * (level - over) + (holding + shortage) * short)


def sampled_levels(demand: np.ndarray, holding: np.ndarray | float, shortage: np.ndarray | float) -> np.ndarray:
    """Levels (n,) from samples (n, samples) of the demand of the whole span: the smallest sample that enough samples do not exceed.

    >>> sampled_levels(np.array([[1.0, 2, 3, 4, 5]]), holding=1, shortage=4)
    array([4.])
    """
    ordered = np.sort(demand, axis=1)
    holding, shortage = (np.broadcast_to(np.asarray(x, float), (len(demand),)) for x in (holding, shortage))
    ratio = np.array([critical_ratio(h, p) for h, p in zip(holding, shortage, strict=True)])
    at = np.ceil(ratio * demand.shape[1] - 1e-9).astype(int) - 1
    return np.take_along_axis(ordered, np.maximum(at, 0)[:, None], axis=1)[:, 0]


def critical_ratio(holding: float, shortage: float) -> float:
    """The share of cases in which stock should do: shortage / (holding + shortage)."""
    if not (holding > 0 and shortage > 0):
        raise DeclarationError(f"holding {holding:g}, shortage {shortage:g}", "numbers above zero", "correct them")
    return float(shortage / (holding + shortage))
