"""Numbers as JSON has them."""

from __future__ import annotations

import math


def finite(value: float) -> float | None:
    """The number, or None where it is none.

    >>> finite(2), finite(float("nan"))
    (2.0, None)
    """
    return float(value) if math.isfinite(value) else None
