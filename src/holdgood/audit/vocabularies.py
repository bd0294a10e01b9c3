"""Rows in which two columns of categories hold each other's words, known by whose words they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.core.table import Table

ROWS = 3
LARGEST = 0.3
OWN = 2.0
SHARED = 0.3
ALIKE = 4.0
TOGETHER = 0.8
_MOST_LEVELS = 200
_MOST_COLUMNS = 60


@dataclass(frozen=True)
class Crossing:
    """Two columns, the rows (positions) where both hold a word of the other, and those words."""

    first: str
    second: str
    rows: np.ndarray
    strangers_in_first: tuple[str, ...]
    strangers_in_second: tuple[str, ...]


def crossings(table: Table) -> list[Crossing]:
    """Pairs of columns that share words, where in some rows both hold what is mostly the other's."""
    some = [
        c.name
        for c in profile(table).columns
        if c.type == "category" and columns.is_text(table, c.name) and 2 <= c.distinct <= _MOST_LEVELS
    ][:_MOST_COLUMNS]
    counts = {name: dict(columns.levels(table, name)) for name in some}
    out = []
    for n, first in enumerate(some):
        for second in some[n + 1 :]:
            one = _crossing(table, first, second, counts[first], counts[second])
            if one is not None:
                out.append(one)
    return out


def _crossing(
    table: Table, first: str, second: str, in_first: dict[str, int], in_second: dict[str, int]
) -> Crossing | None:
    common = sorted(w for w in in_first if w in in_second)
    if len(common) < 2:
        return None
    # a word is a column's own where it is more common there; words that are as common in both are nobody's
    strange_first = [w for w in common if in_second[w] >= OWN * in_first[w]]
    strange_second = [w for w in common if in_first[w] >= OWN * in_second[w]]
    if not strange_first or not strange_second:
        return None
    if not _alike(strange_first, in_first, in_second) or not _alike(strange_second, in_second, in_first):
        return None
    neutral = [w for w in common if w not in strange_first and w not in strange_second]
    shares = (sum(in_first[w] for w in neutral), sum(in_second[w] for w in neutral))
    if max(shares) > SHARED * table.rows:
        return None  # one scale for two questions
    a, b = table.data.column(first).to_numpy(), table.data.column(second).to_numpy()
    one, two = np.isin(a.astype(object), strange_first), np.isin(b.astype(object), strange_second)
    both = one & two
    rows = int(both.sum())
    # where words merely stray, they do so one at a time
    if rows < ROWS or rows > LARGEST * table.rows or rows < TOGETHER * max(int(one.sum()), int(two.sum())):
        return None
    by_chance = one.mean() * two.mean() * table.rows
    if rows < 5 * by_chance:
        return None
    return Crossing(first, second, np.flatnonzero(both), tuple(strange_first), tuple(strange_second))


def _alike(words: list[str], here: dict[str, int], at_home: dict[str, int]) -> bool:
    """Whether all words stray from home equally often, as they do where rows are exchanged whatever they hold.

    Where two columns answer on one scale, some words are shared by both more than others.
    """
    strays = np.array([here[w] for w in words], dtype=float)
    whole = strays + np.array([at_home[w] for w in words])
    share = strays.sum() / whole.sum()
    if share > LARGEST:
        return False
    spread = float((np.square(strays - share * whole) / (whole * share * (1 - share))).sum())
    return spread <= ALIKE * max(1, len(words) - 1)
