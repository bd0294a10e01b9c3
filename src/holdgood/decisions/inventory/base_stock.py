"""Order-up-to levels from joint sample paths, for the position alone: what is on hand and on the way, against demand until the next order arrives.

Exact where demand waits, for any number of steps between orders. Where sales are lost it holds too much, as not all demand on the
way is served: see ``projected``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.gain import gain_of_sale
from holdgood.decisions.inventory.projected import project


def base_stock_levels(
    paths: np.ndarray,
    terms: Terms,
    *,
    review: np.ndarray | int = 1,
    service: float | None = None,
    leads: np.ndarray | None = None,
) -> np.ndarray:
    """Levels (n,) of the cheapest position, or (``service``) the smallest with which that share of windows never runs short.

    paths, review, leads: as ``projected.project`` has them. Packs and bounds are the policy's matter.
    """
    n = len(terms)
    waits = replace(terms, lost_sales=False, shortage=gain_of_sale(terms))
    empty = Stock(np.zeros(n), np.zeros((n, 0)), np.zeros(n))
    projection = project(paths, empty, waits, review=review, leads=leads)
    if service is None:
        return projection.curve.lowest()
    if not 0.0 < service < 1.0:
        raise DeclarationError(f"a service level of {service:g}", "a share between 0 and 1", "correct it")
    need = np.sort(np.where(projection.window > 0, projection.need, 0.0), axis=1)
    return np.asarray(need[:, max(0, int(np.ceil(service * need.shape[1] - 1e-9)) - 1)])
