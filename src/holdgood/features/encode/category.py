"""Categories with few levels: one column of codes for trees, one column a level for linear models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.protocols import Parts
from holdgood.features.encode.block import Targets, damaged
from holdgood.features.encode.levels import MISSING, Levels

_RARE = "rare levels"
_GONE = "missing"


class LevelCodes:
    """One column of codes, flagged categorical; NaN for missing and unseen levels."""

    kind: ClassVar[str] = "level-codes"
    categorical: ClassVar[bool] = True

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ("",)
        self._levels = Levels(())

    def fit(self, values: np.ndarray, targets: Targets) -> None:
        """Learn the levels."""
        self._levels, _, _ = Levels.learn(values)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Codes as floats."""
        codes = self._levels.codes(values)
        out[:, 0] = np.where(codes < 0, np.nan, codes)

    def row(self, value: Any) -> Sequence[float]:
        """The code, or NaN."""
        code = self._levels.code(value)
        return (float(code) if code >= 0 else math.nan,)

    def to_parts(self) -> Parts:
        """The levels in code order."""
        return Parts({"levels": list(self._levels.levels)})

    @classmethod
    def from_parts(cls, parts: Parts) -> LevelCodes:
        """Rebuild."""
        block = cls()
        block._levels = read_levels(parts)
        return block


class OneHot:
    """A 0/1 column for each frequent level, one for rare ones together, one for missing; unseen levels are all zero.

    A level is rare with fewer than five training rows, or fewer than one in a thousand. Columns that would be constant
    in training are not made.
    """

    kind: ClassVar[str] = "one-hot"
    categorical: ClassVar[bool] = False

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._levels = Levels(())
        self._column = np.empty(0, np.int64)

    def fit(self, values: np.ndarray, targets: Targets) -> None:
        """Learn which levels have a column."""
        self._levels, codes, counts = Levels.learn(values)
        frequent = int((counts >= max(5, 0.001 * len(values))).sum())
        self._lay_out(frequent, bool((codes == MISSING).any()))

    def _lay_out(self, frequent: int, missing: bool) -> None:
        """The column of each code; the last two entries are for MISSING and UNSEEN, which count from the end."""
        names = [f"={level}" for level in self._levels.levels[:frequent]]
        column = np.full(len(self._levels) + 2, -1)
        column[:frequent] = np.arange(frequent)
        if frequent < len(self._levels):
            column[frequent : len(self._levels)] = len(names)
            names.append(f" ({_RARE})")
        if missing:
            column[MISSING] = len(names)
            names.append(f" ({_GONE})")
        # with two columns that add up to one, or a single constant one, the last says nothing
        if len(names) in (1, 2):
            column[column == len(names) - 1] = -1
            names.pop()
        self.names, self._column, self._frequent, self._missing = tuple(names), column, frequent, missing

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Zeros and ones."""
        out[:] = 0.0
        codes = self._levels.codes(values)
        column = self._column[codes]  # UNSEEN and MISSING count from the end
        rows = np.flatnonzero(column >= 0)
        out[rows, column[rows]] = 1.0

    def row(self, value: Any) -> Sequence[float]:
        """Zeros and at most one one."""
        found = [0.0] * len(self.names)
        column = int(self._column[self._levels.code(value)])
        if column >= 0:
            found[column] = 1.0
        return found

    def to_parts(self) -> Parts:
        """Levels, how many have a column of their own, and whether missing has."""
        return Parts({"levels": list(self._levels.levels), "frequent": self._frequent, "missing": self._missing})

    @classmethod
    def from_parts(cls, parts: Parts) -> OneHot:
        """Rebuild."""
        block = cls()
        block._levels = read_levels(parts)
        frequent = parts.json.get("frequent")
        if not isinstance(frequent, int) or not 0 <= frequent <= len(block._levels):
            raise damaged(f"{frequent!r} frequent levels of {len(block._levels)}")
        block._lay_out(frequent, bool(parts.json.get("missing")))
        return block


def read_levels(parts: Parts) -> Levels:
    """Levels from JSON: texts, each once."""
    levels = parts.json.get("levels")
    if not isinstance(levels, list) or not all(isinstance(v, str) for v in levels) or len(set(levels)) != len(levels):
        raise damaged("levels that are not distinct texts")
    return Levels(levels)
