"""Units that spoil, sold oldest first."""

from __future__ import annotations

import numpy as np

from holdgood.core.inventory import Terms


class Shelf:
    """Units that spoil. What came first goes first, so what is left of everything that came up to a step is a difference of two sums."""

    def __init__(self, terms: Terms, steps: int) -> None:
        life = terms.shelf_life
        self._life = np.where(np.isfinite(life), np.maximum(np.ceil(life), 1), steps + 2).astype(np.int64)
        self._came = np.zeros((steps + 1, len(terms)))
        self._out = np.zeros(len(terms))
        self._rows = np.arange(len(terms))

    def begin(self, on_hand: np.ndarray) -> None:
        """Units (rows,) that are there before the first step; they are fresh."""
        self._came[0] = on_hand

    def spoiled(self, step: int, came: np.ndarray, sold: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Units (rows,) too old at the end of ``step``; ``left`` on hand before they are taken away."""
        if step:
            self._came[step] = self._came[step - 1] + came
        else:
            self._came[0] += came
        self._out += sold
        oldest = step + 1 - self._life
        old = np.where(oldest >= 0, self._came[np.maximum(oldest, 0), self._rows], 0.0)
        # sums of fractions may differ in the last bit from what is on hand
        gone = np.clip(old - self._out, 0.0, left)
        self._out += gone
        return np.asarray(gone)
