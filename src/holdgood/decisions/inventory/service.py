"""Orders by a service level instead of a shortage cost, and what each level of service costs in stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.allowed import allowed_at_least
from holdgood.decisions.inventory.projected import Projection

Kind = Literal["cycle", "fill"]
"""cycle: the share of windows in which nothing runs short. fill: the share of demand that is met."""


def orders_for_service(projection: Projection, terms: Terms, level: float, kind: Kind = "cycle") -> np.ndarray:
    """The smallest order allowed of each item that reaches the level, or the largest allowed; (n,)."""
    return allowed_at_least(needed_for_service(projection, level, kind), terms)


def needed_for_service(projection: Projection, level: float, kind: Kind = "cycle") -> np.ndarray:
    """The smallest quantity (n,) that reaches the level on the sample paths, packs and bounds aside: a sample, never between two."""
    if not 0.0 < level < 1.0:
        raise DeclarationError(
            f"a service level of {level:g}", "a share between 0 and 1", "correct it; 1 would take stock without end"
        )
    need = np.where(projection.window > 0, projection.need, -np.inf)
    ordered = np.sort(need, axis=1)
    samples = need.shape[1]
    if kind == "cycle":
        wanted = ordered[:, max(0, int(np.ceil(level * samples - 1e-9)) - 1)]
    else:
        wanted = _filled(np.maximum(ordered, 0.0), (1.0 - level) * projection.demand.sum(axis=1))
    return np.asarray(np.maximum(wanted, 0.0))


def _filled(need: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The smallest q (n,) at which the sum of (need - q)+ over samples, need ascending, is at most ``missing`` (n,)."""
    above = np.cumsum(need[:, ::-1], axis=1)
    count = np.arange(1, need.shape[1] + 1)
    # with q just at the k-th largest need: what the larger ones lack
    q = np.maximum((above - missing[:, None]) / count, 0.0)
    return np.asarray(q.max(axis=1))


@dataclass(frozen=True)
class ServicePoint:
    """What a level of service takes over all items. units: ordered. left: expected units on hand at the end of the windows. met: expected
    share of demand that is met. cost: expected money, by the declared holding and shortage.
    """

    level: float
    units: float
    left: float
    met: float
    cost: float


def served_by(projection: Projection, quantity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What orders leave on hand at the end of their windows, and how much demand of the windows they do not meet: expected units, (n,) each."""
    gap = np.where(projection.window > 0, projection.need - quantity[:, None], 0.0)
    return np.maximum(-gap, 0.0).mean(axis=1), np.maximum(gap, 0.0).mean(axis=1)


def service_curve(
    projection: Projection,
    terms: Terms,
    levels: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99),
    kind: Kind = "cycle",
) -> list[ServicePoint]:
    """Service against stock, a point a level."""
    out = []
    demand = float(projection.demand.mean(axis=1).sum())
    for level in levels:
        quantity = orders_for_service(projection, terms, level, kind)
        left, short = (float(v.sum()) for v in served_by(projection, quantity))
        cost = float(projection.curve.at(quantity).sum() + terms.fixed[quantity > 0].sum())
        out.append(ServicePoint(level, float(quantity.sum()), left, 1.0 - short / demand if demand else 1.0, cost))
    return out
