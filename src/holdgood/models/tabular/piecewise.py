"""Pieces: a number written as how far it has come through each of several stretches, so that a line in the pieces bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import BundleError

_FEWEST_VALUES = 4
_LEARN_ROWS = 50_000


def some_of(rows: np.ndarray) -> np.ndarray:
    """At most as many rows as pieces are learned from, evenly spread."""
    return rows if len(rows) <= _LEARN_ROWS else rows[np.linspace(0, len(rows) - 1, _LEARN_ROWS).astype(np.int64)]


@dataclass(frozen=True)
class Pieces:
    """Piecewise-linear encoding (Gorishniy 2022): piece p is 0 below ``low[p]``, 1 above ``low[p] + width[p]``, and rises
    in a straight line between; it looks at column ``column[p]``. All arrays have shape (pieces,).
    """

    column: np.ndarray
    low: np.ndarray
    width: np.ndarray

    @classmethod
    def none(cls) -> Pieces:
        """No pieces at all."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0))

    @classmethod
    def learn(cls, z: np.ndarray, most: int, total: int) -> Pieces:
        """Stretches of about equally many rows: up to ``most`` a column, about ``total`` together.

        Columns of fewer than four values (flags, constants) have none. ``z``: finite, (rows, columns).
        """
        rows = some_of(z)
        levels = [np.unique(rows[:, j]) for j in range(z.shape[1])]
        bent = [j for j, own in enumerate(levels) if len(own) >= _FEWEST_VALUES]
        each = min(most, total // max(1, len(bent)))
        if each < 2:
            return cls.none()
        column, low, width = [], [], []
        for j in bent:
            if len(levels[j]) <= each:
                edges = levels[j]
            else:
                edges = np.unique(np.quantile(rows[:, j], np.linspace(0.0, 1.0, each + 1)))
            if len(edges) > 2:
                column.append(np.full(len(edges) - 1, j))
                low.append(edges[:-1])
                width.append(np.diff(edges))
        if not column:
            return cls.none()
        return cls(np.concatenate(column), np.concatenate(low), np.concatenate(width))

    def __len__(self) -> int:
        return len(self.column)

    def of(self, z: np.ndarray) -> np.ndarray:
        """The pieces of each row, (rows, columns) → (rows, pieces), between 0 and 1. C-contiguous."""
        found: np.ndarray = (z[:, self.column] - self.low) / self.width
        np.clip(found, 0.0, 1.0, out=found)
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Three arrays under ``piece_*``."""
        return {"piece_column": self.column, "piece_low": self.low, "piece_width": self.width}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], columns: int) -> Pieces:
        """Rebuild; none where there are no such arrays, BundleError where they do not fit ``columns`` columns."""
        if "piece_column" not in arrays:
            return cls.none()
        column, low, width = (arrays.get(f"piece_{n}", np.empty(0)) for n in ("column", "low", "width"))
        fits = column.dtype == np.int64 and column.ndim == 1 and low.shape == width.shape == column.shape
        fits = fits and low.dtype == width.dtype == np.float64
        if fits and len(column):
            fits = bool(column.min() >= 0 and column.max() < columns and (width > 0).all())
            fits = fits and bool(np.isfinite(low).all() and np.isfinite(width).all())
        if not fits:
            raise BundleError(
                f"pieces of shapes {column.shape}, {low.shape}, {width.shape} for {columns} columns",
                "three arrays that fit together",
                "the bundle is damaged",
            )
        return cls(column, np.ascontiguousarray(low), np.ascontiguousarray(width))
