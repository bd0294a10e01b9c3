"""Frame: the features of some rows as plain NumPy columns. One row and a million rows take the same road."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from holdgood.core.errors import DataError

FeatureType: TypeAlias = Literal["number", "category", "text"]


@dataclass(frozen=True)
class Feature:
    """One feature: its name, its type, and the raw columns it came from (``table.column``).

    ``monotone``: 1 or -1 where predictions may only rise, or only fall, with this number; 0: as they like.
    """

    name: str
    type: FeatureType
    origin: tuple[str, ...] = ()
    monotone: int = 0


@dataclass(frozen=True)
class Frame:
    """Feature columns of equal length. ``number``: float64 with NaN for missing; ``category`` and ``text``: object, str or None."""

    features: tuple[Feature, ...]
    arrays: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        if len(self.features) != len(self.arrays):
            raise DataError(
                f"{len(self.features)} features and {len(self.arrays)} columns", "as many of one as of the other"
            )
        lengths = {len(a) for a in self.arrays}
        if len(lengths) > 1:
            raise DataError(f"feature columns of {sorted(lengths)} rows", "columns of equal length")

    def __len__(self) -> int:
        return len(self.arrays[0]) if self.arrays else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return tuple(f.name for f in self.features)

    def column(self, name: str) -> np.ndarray:
        """One column by name."""
        return self.arrays[self.names.index(name)]

    def take(self, rows: np.ndarray) -> Frame:
        """The rows at the given positions."""
        return Frame(self.features, tuple(a[rows] for a in self.arrays))

    def select(self, names: Iterable[str]) -> Frame:
        """Some of the features, in the order given."""
        where = {n: i for i, n in enumerate(self.names)}
        picked = [where[n] for n in names]
        return Frame(tuple(self.features[i] for i in picked), tuple(self.arrays[i] for i in picked))

    def with_column(self, name: str, values: np.ndarray) -> Frame:
        """The same frame with one column's values replaced."""
        at = self.names.index(name)
        return Frame(self.features, (*self.arrays[:at], values, *self.arrays[at + 1 :]))

    def constrained(self, signs: Mapping[str, int]) -> Frame:
        """The same frame with features declared monotone, by name."""
        return Frame(tuple(replace(f, monotone=signs.get(f.name, 0)) for f in self.features), self.arrays)

    def beside(self, other: Frame) -> Frame:
        """The features of both, of the same rows."""
        return Frame(self.features + other.features, self.arrays + other.arrays)


@dataclass(frozen=True)
class Matrix:
    """What a model learns from: float64, C-contiguous, shape (rows, columns); ``categorical`` are positions of code columns.

    Codes are 0, 1, 2 … as floats, NaN for missing or unseen levels. ``monotone``: a sign a column, 0 for none (training
    only); empty: none at all.
    """

    values: np.ndarray
    names: tuple[str, ...]
    categorical: tuple[int, ...] = ()
    monotone: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Matrix:
        """The rows at the given positions."""
        return Matrix(np.ascontiguousarray(self.values[rows]), self.names, self.categorical, self.monotone)


def frame_of(columns: Sequence[tuple[Feature, np.ndarray]]) -> Frame:
    """Build a frame from pairs of feature and values."""
    return Frame(tuple(f for f, _ in columns), tuple(a for _, a in columns))
