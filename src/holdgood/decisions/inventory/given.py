"""What comes in before an order is computed: stock, terms and sample paths that cannot be used are refused, by item."""

from __future__ import annotations

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Stock, Terms


def whole_steps(values: np.ndarray, what: str) -> np.ndarray:
    """Whole numbers (n,) int64 of steps; a half step has no place on the clock."""
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        at = int(np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))[0])
        raise DataError(
            f"{what} of item {at} is {values[at]:g}", "a whole number of steps", "round it to the step of the data"
        )
    return np.asarray(values, np.int64)


def checked_stock(stock: Stock, terms: Terms) -> None:
    """Refuse stock that is negative or unknown, and open orders that are."""
    n = len(terms)
    for name, values in (("on_hand", stock.on_hand), ("arriving", stock.arriving), ("waiting", stock.waiting)):
        if len(values) != n or values.ndim != (2 if name == "arriving" else 1):
            raise DataError(f"{name} of shape {values.shape}", f"one row for each of {n} items", "pass as many")
        unknown = ~np.isfinite(values) | (values < 0)
        if unknown.any():
            at = int(np.argwhere(unknown)[0][0])
            bad = float(values[unknown].flat[0])
            raise DataError(
                f"{name} of item {at} is {bad:g}",
                "a number of zero or more; demand that waits stands in waiting, an item without open orders has zeros",
                "correct it, or leave the item out",
            )


def checked_paths(paths: np.ndarray, terms: Terms) -> None:
    """Refuse sample paths of another number of items, or with holes."""
    if paths.ndim != 3 or len(paths) != len(terms) or 0 in paths.shape[1:]:
        raise DataError(
            f"sample paths of shape {paths.shape}",
            f"({len(terms)} items, samples, steps)",
            "pass a path for every item",
        )
    if not np.isfinite(paths).all():
        at = int(np.flatnonzero(~np.isfinite(paths).all((1, 2)))[0])
        raise DataError(
            f"item {at} has a sample path with holes", "demand at every step", "forecast the item, or leave it out"
        )
