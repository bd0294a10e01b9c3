"""Service against stock: what every level of service would take of each item, beside the plan's own orders."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from holdgood.core.records import ServiceStock
from holdgood.decisions.inventory.service import orders_for_service, served_by
from holdgood.workflow.ordering.quantities import Quantities, written_amount
from holdgood.workflow.ordering.terms import Conditions

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, eq=False)
class ByLevel:
    """Of m items, (m, levels + 1) each, the plan itself last: ``units`` ordered, ``left`` on hand when the next order can arrive, ``unmet`` demand,
    ``cost`` in money; ``demand`` (m,) of the same steps.
    """

    units: np.ndarray
    left: np.ndarray
    unmet: np.ndarray
    cost: np.ndarray
    demand: np.ndarray

    def joined(self, others: list[ByLevel]) -> ByLevel:
        """Those of further items behind these."""
        return ByLevel(*(np.concatenate([getattr(b, f.name) for b in (self, *others)]) for f in fields(ByLevel)))


def by_level(made: Quantities, conditions: Conditions, whole: np.ndarray) -> ByLevel:
    """Orders by each of ``LEVELS`` alone, whatever was declared, without what binds items together; ``whole`` as in ``decided``."""
    projection, terms = made.best.projection, made.terms
    orders = [written_amount(orders_for_service(projection, terms, level), terms, whole) for level in LEVELS]
    units, left, unmet, cost = [], [], [], []
    for quantity in (*orders, made.quantity):
        on_hand, missing = served_by(projection, quantity)
        units.append(quantity)
        left.append(on_hand)
        unmet.append(missing)
        cost.append(projection.curve.at(quantity) + np.where(quantity > 0, terms.fixed, 0.0))
    known = ~conditions.assumed
    money = np.where(known[:, None], np.stack(cost, axis=1), np.nan)
    return ByLevel(
        np.stack(units, axis=1), np.stack(left, axis=1), np.stack(unmet, axis=1), money, projection.demand.mean(axis=1)
    )  # fmt: skip


def points(service: ByLevel, unit_cost: np.ndarray) -> tuple[ServiceStock, ...]:
    """Sums over all items, a point a level, the plan last. Money is NaN where it is not known of every item."""
    out = []
    demand = float(service.demand.sum())
    for k in range(service.units.shape[1]):
        out.append(
            ServiceStock(
                level=LEVELS[k] if k < len(LEVELS) else float("nan"), units=float(service.units[:, k].sum()),
                worth=float(unit_cost @ service.units[:, k]), left=float(service.left[:, k].sum()),
                left_worth=float(unit_cost @ service.left[:, k]), met=1.0 - float(service.unmet[:, k].sum()) / demand if demand else 1.0,
                cost=float(service.cost[:, k].sum()),
            )
        )  # fmt: skip
    return tuple(out)
