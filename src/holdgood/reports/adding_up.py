"""Amounts rounded so that what is shown adds up to the total that is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence


def adding_up(values: Sequence[float], total: float, places: int, *, rest: bool = False) -> list[float]:
    """``values`` rounded to ``places``, so that they sum to the rounded ``total``, which they sum to before up to float error.

    Those are rounded the other way that lie nearest to it (largest remainder): each stays within one unit of the last place. ``rest``: the last
    is what is not shown one by one; it takes what rounding leaves, and all others are rounded as usual.

    >>> adding_up([0.4, 0.4, 0.4, -0.2], 1.0, 0), adding_up([0.4, 0.4, 0.4, -0.2], 1.0, 0, rest=True)
    ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0])
    """
    if rest:
        shown = [round(v, places) for v in values[:-1]]
        return [*shown, round(round(total, places) - math.fsum(shown), places)]
    unit = 10.0**-places
    low = [math.floor(v / unit) for v in values]
    missing = round(total / unit) - sum(low)
    by_rest = sorted(range(len(values)), key=lambda k: low[k] - values[k] / unit)
    raised = set(by_rest[: max(missing, 0)])
    return [round((n + (k in raised)) * unit, max(places, 0)) for k, n in enumerate(low)]
