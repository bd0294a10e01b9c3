"""Pairs of rows that agree in (almost) all columns, and how many of them chance would bring.

Blocking: the columns are dealt into four groups of about equal information; two rows that differ in one or two columns
agree in full on at least two of the groups. Rows are hashed by each pair of groups, and in large tables only hashes below
a bar are kept: rows that agree are kept or left out together, so that what is seen can be scaled up. The pairs that meet
are compared column by column.

Which of these pairs mean anything is judged in ``doubles``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash
from holdgood.audit.sample import sample
from holdgood.core.table import Table

ROWS_KEPT = 60_000
PAIRS_KEPT = 60_000
CROWD = 40
FURTHEST = 5
_GROUPS = 4
_COLUMNS = 48


@dataclass(frozen=True)
class Twins:
    """Pairs of rows seen that differ in at most five of the ``compared`` columns.

    ``first`` < ``second``: positions; ``differ``: boolean, pair by compared column; ``weight``: how many pairs of the whole
    table each stands for; ``share``: of the rows that were looked at (1 = all).
    """

    compared: tuple[str, ...]
    first: np.ndarray
    second: np.ndarray
    differ: np.ndarray
    weight: np.ndarray
    share: float

    def level(self, k: int) -> float:
        """Estimated number of pairs that differ in exactly ``k`` of the compared columns."""
        return float(self.weight[self.differ.sum(axis=1) == k].sum())


_found: Memory[Twins] = Memory()


def twins(table: Table) -> Twins:
    """Pairs of nearly equal rows; remembered while the table's data lives.

    Not compared: columns of type ``other``, constant ones and those that are different in every row. Wide tables are
    compared in 48 columns, the most telling ones. Fewer than four columns tell too little: no pairs.
    """
    return _found.get(table.data, table.columns, lambda: _twins(table))


def _nothing(compared: tuple[str, ...]) -> Twins:
    none = np.empty(0, dtype=np.int64)
    return Twins(compared, none, none, np.empty((0, len(compared)), dtype=bool), np.empty(0), 1.0)


def _twins(table: Table) -> Twins:
    compared, information = _telling(table)
    if table.rows < 2 or len(compared) < _GROUPS:
        return _nothing(compared)
    groups = _dealt(information)
    parts = []
    for group in groups:
        part = np.zeros(table.rows, dtype=np.uint64)
        for k in group:
            part += column_hash(table, compared[k], k)
        parts.append(part)
    share = min(1.0, ROWS_KEPT / table.rows)
    met = [_meeting(parts[i] + parts[j], share) for i, j in combinations(range(_GROUPS), 2)]
    one, two = np.concatenate([m[0] for m in met]), np.concatenate([m[1] for m in met])
    if len(one) == 0:
        return _nothing(compared)
    seen = np.repeat([m[2] for m in met], [len(m[0]) for m in met])
    first, second = np.minimum(one, two), np.maximum(one, two)
    differ = _differ(table, compared, first, second)
    touched = np.stack([differ[:, list(g)].any(axis=1) for g in groups], axis=1).sum(axis=1)
    blocks = (_GROUPS - touched) * (_GROUPS - touched - 1) / 2.0  # how often such a pair is met
    weight = 1.0 / (blocks * seen)
    _, at, back = np.unique(first * np.int64(table.rows) + second, return_index=True, return_inverse=True)
    total = np.bincount(back, weights=weight)
    near = differ[at].sum(axis=1) <= FURTHEST
    at, total = at[near], total[near]
    return Twins(compared, first[at], second[at], differ[at], total, float(seen.min()))


def _telling(table: Table) -> tuple[tuple[str, ...], np.ndarray]:
    """Columns worth comparing, and of each the information in an agreement: -log of the chance that two rows agree."""
    described = [
        c
        for c in profile(table).columns
        if c.type != "other" and c.distinct + (c.missing > 0) > 1 and c.distinct < c.rows
    ]
    if len(described) > _COLUMNS:
        described = [described[i] for i in np.unique(np.linspace(0, len(described) - 1, _COLUMNS).astype(int))]
    if table.rows < 2 or not described:
        return (), np.empty(0)
    positions = sample(table)
    some = table.drop([n for n in table.names if n not in {c.name for c in described}])
    some = some.take(positions) if len(positions) < table.rows else some
    information = []
    for k, c in enumerate(described):
        counts = np.unique(column_hash(some, c.name, k), return_counts=True)[1].astype(np.float64)
        meet = (counts * (counts - 1.0)).sum() / (len(positions) * (len(positions) - 1.0))
        information.append(-np.log(max(meet, 1e-9)))
    return tuple(c.name for c in described), np.array(information)


def _dealt(information: np.ndarray) -> list[tuple[int, ...]]:
    """Columns dealt into four groups: the most telling first, each to the group that has least so far."""
    load = np.zeros(_GROUPS)
    groups: list[list[int]] = [[] for _ in range(_GROUPS)]
    for k in np.argsort(-information, kind="stable"):
        g = int(np.argmin(load))
        groups[g].append(int(k))
        load[g] += information[k]
    return [tuple(g) for g in groups]


def _meeting(hashes: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Positions of pairs with equal hashes, and the share of all hashes that was looked at; crowds are left out."""
    mixed = hashes * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    kept = np.arange(len(mixed)) if share >= 1.0 else np.flatnonzero(mixed < np.uint64(share * 2.0**64))
    order = kept[np.argsort(mixed[kept], kind="stable")]
    values = mixed[order]
    start = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.empty(0, int)
    size = np.diff(np.append(start, len(values)))
    several = np.flatnonzero((size > 1) & (size <= CROWD))
    reach = np.cumsum(size[several] * (size[several] - 1) // 2)
    if len(reach) and reach[-1] > PAIRS_KEPT:
        several = several[: max(1, int(np.searchsorted(reach, PAIRS_KEPT)))]
        share = (float(values[start[several[-1]]]) + 1.0) / 2.0**64
    first, second = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for length in np.unique(size[several]):
        begin = start[several][size[several] == length][:, None]
        i, j = np.triu_indices(int(length), 1)
        first.append(order[(begin + i).ravel()])
        second.append(order[(begin + j).ravel()])
    return np.concatenate(first), np.concatenate(second), share


def _differ(table: Table, compared: tuple[str, ...], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Boolean, pair by column: the two rows have different cells."""
    rows, back = np.unique(np.concatenate([first, second]), return_inverse=True)
    some = table.take(rows)
    here, there = back[: len(first)], back[len(first) :]
    out = np.empty((len(first), len(compared)), dtype=bool)
    for k, name in enumerate(compared):
        hashes = column_hash(some, name, k)
        out[:, k] = hashes[here] != hashes[there]
    return out
