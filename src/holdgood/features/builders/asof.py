"""Joins as of a moment: for each row the last fact of its key that was known at the decision, and how old it was.

One index a reference table, kept sorted by key and moment in NumPy, serves batches and single rows alike (a search, not
a query); DuckDB's ASOF JOIN is the other road that the tests compare it with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError
from holdgood.features.builders.expressions import NEVER
from holdgood.features.builders.keys import NO_KEY, KeyIndex

NO_FACT = -1


@dataclass(frozen=True)
class Facts:
    """Which fact each row takes: row numbers of the reference table (NO_FACT for none), and how many were too old."""

    rows: np.ndarray
    too_old: int


class FactIndex:
    """The facts of one reference table, found by key and moment.

    ``known``: when each row becomes known (int64 microseconds, NEVER: not known at any time), or None for a static
    table. ``happened``: the moment that a fact's age is counted from. Of facts that one key has at one instant the last
    by content wins (``content``, in the order of its columns), whatever the order of rows; ``same_instant`` counts the
    rows concerned.
    A static table with several different rows for a key is refused.
    """

    def __init__(
        self,
        key: KeyIndex,
        content: Sequence[pa.ChunkedArray],
        known: np.ndarray | None,
        happened: np.ndarray | None,
        where: str,
    ) -> None:
        self._static = known is None
        self.happened = happened
        self.known = known
        moments = np.zeros(len(key.codes), np.int64) if known is None else known
        usable = np.flatnonzero((key.codes != NO_KEY) & (moments != NEVER))
        order = usable[np.lexsort((moments[usable], key.codes[usable]))]
        order, self.same_instant = _by_content(order, key.codes, moments, content)
        if self._static and self.same_instant:
            raise DataError(
                f"{where}: {self.same_instant:,} rows share their key with another row that says something else",
                "one row a key in a table without a time",
                "see AUD013 in the audit; declare `time` (when a row is known), a longer key, or drop duplicates",
            )
        self._order = order
        self._instants = np.unique(moments[order])
        self._span = len(self._instants) + 1
        self._sorted_codes = key.codes[order]
        self._sorted = self._sorted_codes * self._span + np.searchsorted(self._instants, moments[order]) + 1

    @property
    def order(self) -> np.ndarray:
        """Rows of the reference table that can be found, by key, moment and content."""
        return self._order

    @property
    def codes_in_order(self) -> np.ndarray:
        """The key's code of each of them."""
        return self._sorted_codes

    @property
    def happened_in_order(self) -> np.ndarray:
        """When each of them happened, int64 microseconds; zeros for a static table."""
        return np.zeros(len(self._order), np.int64) if self.happened is None else self.happened[self._order]

    def span(self, codes: np.ndarray, decision: np.ndarray, length: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Of each row the first and one past the last place in ``order`` of the facts known at its decision.

        ``length``: only those that became known less than so many microseconds before it; None: all.
        """
        there = (codes != NO_KEY) & (decision != NEVER)
        base = np.where(there, codes, 0) * self._span
        end = np.searchsorted(
            self._sorted, base + np.searchsorted(self._instants, decision, side="right"), side="right"
        )
        since: np.ndarray | int = 0
        if length is not None:
            lowest = np.where(decision > NEVER + length, decision - length, NEVER)
            since = np.searchsorted(self._instants, lowest, side="right")
        start = np.searchsorted(self._sorted, base + since, side="right")
        return np.where(there, start, 0), np.where(there, np.maximum(start, end), 0)

    def find(self, codes: np.ndarray, decision: np.ndarray | None, tolerance: float | None) -> Facts:
        """The last fact known at or before each decision (int64 microseconds; ignored for a static table).

        ``tolerance``: how old a fact may be, in seconds.
        """
        if self._static:
            at = np.ones(len(codes), np.int64)
        else:
            assert decision is not None
            at = np.searchsorted(self._instants, decision, side="right")
        place = np.searchsorted(self._sorted, np.where(codes == NO_KEY, 0, codes) * self._span + at, side="right") - 1
        if len(self._order) == 0:
            return Facts(np.full(len(codes), NO_FACT), 0)
        found = (codes != NO_KEY) & (place >= 0) & (self._sorted_codes[place] == codes)
        rows = np.where(found, self._order[place], NO_FACT)
        if tolerance is None or self._static:
            return Facts(rows, 0)
        assert decision is not None
        assert self.happened is not None
        old = found & (decision - self.happened[rows] > round(tolerance * 1e6))
        return Facts(np.where(old, NO_FACT, rows), int(old.sum()))


def _by_content(
    order: np.ndarray, codes: np.ndarray, moments: np.ndarray, content: Sequence[pa.ChunkedArray]
) -> tuple[np.ndarray, int]:
    """Order facts of one key and instant by content; also how many rows share both with a row of other content."""
    if len(order) < 2:
        return order, 0
    same = (codes[order][1:] == codes[order][:-1]) & (moments[order][1:] == moments[order][:-1])
    tied = np.append(same, False) | np.append(False, same)
    if not tied.any() or not content:
        return order, 0
    places = np.flatnonzero(tied)
    rows = order[places]
    group = np.cumsum(np.append(True, ~same))[places]
    names = [f"c{i}" for i in range(len(content))]
    taken = pa.table([c.take(pa.array(rows)) for c in content], names=names)
    by = taken.append_column("group", pa.array(group))
    # descending and turned round: missing comes first, so that a fact that says something wins
    keys = [(name, "descending") for name in ("group", *names)]
    ranked = np.asarray(pc.sort_indices(by, sort_keys=keys))[::-1]
    order = order.copy()
    order[places] = rows[ranked]
    # rows that differ from a neighbour of their own group after sorting make the group ambiguous
    differs = np.zeros(len(rows), bool)
    for column in taken.columns:
        level = column.combine_chunks().dictionary_encode("encode").indices.to_numpy(zero_copy_only=False)[ranked]
        differs[1:] |= level[1:] != level[:-1]
    sorted_group = group[ranked]
    differs[1:] &= sorted_group[1:] == sorted_group[:-1]
    ambiguous = np.unique(sorted_group[differs])
    return order, int(np.isin(sorted_group, ambiguous).sum())
