"""What is weighed where orders are bound: expected money of items ordered by cost, units short of their level for those ordered by service."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.order_curve import OrderCurve


def level_curve(
    need: np.ndarray, served: np.ndarray, quantity: np.ndarray, terms: Terms, review: np.ndarray | int, level: float
) -> OrderCurve:
    """What is missing below the service quantity, by the quantity ordered; falls up to ``served``, rises from ``quantity`` on.

    need (n, samples): units with which nothing runs short; served (n,): those that suffice at the level; quantity (n,): the same as it can be
    ordered. A missing unit counts what makes the level the cheapest one, holding times level / (1 - level): the newsvendor's ratio, so
    that a budget which is short lowers the level of all items alike.
    """
    samples = need.shape[1]
    holding = np.maximum(terms.holding, 1e-9) * review
    missing = holding * level / (1 - level)
    capped = np.minimum(need, served[:, None])
    breaks = np.concatenate([capped, np.maximum(quantity, served)[:, None]], axis=1)
    jumps = np.concatenate([np.repeat(missing[:, None] / samples, samples, axis=1), holding[:, None]], axis=1)
    return OrderCurve.of(breaks, jumps, -missing, missing * np.maximum(capped, 0.0).mean(axis=1))


def weighed(curve: OrderCurve, by_level: OrderCurve, service: np.ndarray) -> OrderCurve:
    """The curve of cost, of items ordered by service (n,) bool the other; all of the same n items."""
    wide = max(curve.knots.shape[1], by_level.knots.shape[1])
    return OrderCurve(
        *(
            np.where(service[:, None] if a.ndim == 2 else service, _wide(b, wide), _wide(a, wide))
            for a, b in (
                (curve.knots, by_level.knots),
                (curve.start, by_level.start),
                (curve.slope, by_level.slope),
                (curve.none, by_level.none),
                (curve.at_knot, by_level.at_knot),
            )
        )
    )


def _wide(values: np.ndarray, width: int) -> np.ndarray:
    """As many knots, the last one repeated."""
    if values.ndim == 1 or values.shape[1] == width:
        return values
    return np.concatenate([values, np.repeat(values[:, -1:], width - values.shape[1], axis=1)], axis=1)
