"""Columns whose cells are missing in the same rows, or one exactly where the other is there: patterns that have one cause.

Counted on the sample; two columns go together where they are missing together far more often than chance would have it, and where
that is most of what is missing in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.core.table import Table

LOOKED_AT = 300
ROWS = 20
LIFT = 3.0
MOST = 0.5
DEVIATIONS = 8.0
ALMOST = 0.98


@dataclass(frozen=True)
class Together:
    """``columns`` are missing together in ``rows`` rows; ``same``: in exactly the same rows."""

    columns: tuple[str, ...]
    rows: int
    same: bool


@dataclass(frozen=True)
class Instead:
    """``first`` is there where ``second`` is missing, and the other way round, but for few rows."""

    first: str
    second: str


def missing_together(table: Table) -> tuple[list[Together], list[Instead]]:
    """Groups of columns, the largest first; and pairs of which one stands in for the other."""
    some = [c for c in profile(table).columns if ROWS <= c.missing < c.rows]
    some = sorted(some, key=lambda c: -c.missing)[:LOOKED_AT]
    if len(some) < 2:
        return [], []
    at = {c.name: i for i, c in enumerate(profile(table).columns)}
    names = sorted((c.name for c in some), key=lambda n: at[n])
    rows = sample(table)
    gone = np.stack([columns.missing(table, n)[rows] for n in names]).astype(np.float32)
    joint = (gone @ gone.T).astype(np.float64)
    alone = np.diag(joint).copy()
    n = float(len(rows))
    expected = np.outer(alone, alone) / n
    fewer = np.minimum.outer(alone, alone)
    surplus = joint - expected >= DEVIATIONS * np.sqrt(expected + 1.0)
    equal = (joint == alone[:, None]) & (joint == alone[None, :]) & surplus
    groups = [_told(table, [names[i] for i in group]) for group in _groups(equal)]
    first = [i for i in range(len(names)) if not equal[i, :i].any()]  # one column for each of those that are equal
    # columns that are missing in most rows overlap anyway: there, only what is nearly the same counts
    linked = ((joint >= LIFT * expected) & (joint >= MOST * fewer)) | (joint >= ALMOST * np.maximum.outer(alone, alone))
    linked = (linked & surplus)[np.ix_(first, first)]
    groups += [_told(table, [names[first[i]] for i in group]) for group in _groups(linked)]
    groups = [g for g in groups if g.rows >= ROWS]
    either = alone[:, None] + alone[None, :] - joint
    apart = (joint <= (1 - ALMOST) * n) & (either >= ALMOST * n) & (fewer >= 0.05 * n)
    pairs = [Instead(names[i], names[j]) for i, j in np.argwhere(np.triu(apart, 1))]
    order = {c: i for i, c in enumerate(names)}
    groups.sort(key=lambda g: (-g.rows * len(g.columns), order[g.columns[0]]))
    return groups, pairs


def _told(table: Table, chosen: list[str]) -> Together:
    """Count a group on all rows."""
    gone = [columns.missing(table, c) for c in chosen]
    count = int(np.logical_and.reduce(gone).sum())
    return Together(tuple(chosen), count, all(int(g.sum()) == count for g in gone))


def _groups(linked: np.ndarray) -> list[list[int]]:
    """Disjoint groups in which everyone is linked to everyone, grown greedily from the most linked column."""
    linked = linked & ~np.eye(len(linked), dtype=bool)
    left = [int(i) for i in np.argsort(-linked.sum(1), kind="stable") if linked[i].any()]
    out = []
    while left:
        group = [left[0]]
        for other in left[1:]:
            if all(linked[other, member] for member in group):
                group.append(other)
        if len(group) > 1:
            out.append(sorted(group))
        left = [i for i in left if i not in group]
    return out
