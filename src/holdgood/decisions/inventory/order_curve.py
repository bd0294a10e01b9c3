"""What an order costs on average, as a convex, piecewise linear function of its size: exact for the sample paths it is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class OrderCurve:
    """Expected cost of n items by the quantity ordered now, from 0 on; money of the window that the order decides.

    knots (n, k): where the slope changes, ascending, zero or more. start (n,): the slope before the first knot. slope (n, k): the
    slope after each knot. none (n,): the cost of ordering nothing. at_knot (n, k): the cost at each knot.
    """

    knots: np.ndarray
    start: np.ndarray
    slope: np.ndarray
    none: np.ndarray
    at_knot: np.ndarray

    @classmethod
    def of(cls, breaks: np.ndarray, jumps: np.ndarray, start: np.ndarray, none: np.ndarray) -> OrderCurve:
        """From where the slope jumps, by how much (both (n, k), any order), its value before all of them, and the cost at 0.

        A break below zero has happened before the first unit: it counts at zero.
        """
        order = np.argsort(breaks, axis=1)
        knots = np.maximum(np.take_along_axis(breaks, order, 1), 0.0)
        slope = start[:, None] + np.cumsum(np.take_along_axis(jumps, order, 1), axis=1)
        before = np.concatenate([start[:, None], slope[:, :-1]], axis=1)
        return cls(
            knots, start, slope, none, none[:, None] + np.cumsum(before * np.diff(knots, axis=1, prepend=0.0), axis=1)
        )

    def __len__(self) -> int:
        return len(self.none)

    def at(self, quantity: np.ndarray) -> np.ndarray:
        """Expected cost of quantities (n,) or (n, g); the same shape."""
        asked = quantity.reshape(len(self), -1)
        out = np.empty(asked.shape)
        for i, (knots, row) in enumerate(zip(self.knots, asked, strict=True)):
            left = np.searchsorted(knots, row, side="right") - 1
            inner = np.maximum(left, 0)
            after = self.at_knot[i, inner] + self.slope[i, inner] * (row - knots[inner])
            out[i] = np.where(left < 0, self.none[i] + self.start[i] * row, after)
        return out.reshape(quantity.shape)

    def lowest(self) -> np.ndarray:
        """The smallest quantity (n,) from which the cost no longer falls, packs and bounds aside."""
        scale = np.maximum(np.abs(self.start), np.abs(self.slope[:, -1])) * 1e-12
        rising = self.slope >= -scale[:, None]
        # the last slope is that of stock nobody asks for: where even that falls, holding costs nothing and the last knot is enough
        first = np.where(rising.any(1), rising.argmax(1), self.knots.shape[1] - 1)
        return np.where(self.start >= -scale, 0.0, np.take_along_axis(self.knots, first[:, None], 1)[:, 0])

    def take(self, rows: np.ndarray) -> OrderCurve:
        """The curves of some items, in that order."""
        return OrderCurve(self.knots[rows], self.start[rows], self.slope[rows], self.none[rows], self.at_knot[rows])
