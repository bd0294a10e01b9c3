"""Hierarchies: which series add up to which, from declared levels, and the sums as series of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from holdgood.core.errors import DataError
from holdgood.core.panel import Panel

TOTAL = "total"
BOTTOM = "bottom"
_LEAST = 2
"""A sum of one series is that series; such nodes are left out."""


@dataclass(frozen=True)
class Hierarchy:
    """Sums over a panel's series, from the top down, then the series themselves.

    sums: (nodes - series, series) of zeros and ones, the members of each sum. ids: (nodes,) str, sums first.
    levels: (nodes,) str, the level each belongs to (``total``, the columns joined by ``/``, ``bottom``).
    """

    sums: sparse.csr_matrix
    ids: np.ndarray
    levels: np.ndarray

    def __len__(self) -> int:
        """Number of nodes: sums and series."""
        return len(self.ids)

    @property
    def names(self) -> tuple[str, ...]:
        """The levels, from the top down."""
        return tuple(dict.fromkeys(self.levels.tolist()))

    def added(self, values: np.ndarray) -> np.ndarray:
        """Values of the series (series, …) with those of all sums above them: (nodes, …)."""
        flat = values.reshape(len(values), -1)
        return np.concatenate([self.sums @ flat, flat]).reshape(len(self), *values.shape[1:])


def declared(
    panel: Panel, levels: Sequence[Sequence[str]], labels: Mapping[str, Sequence[str]] | None = None
) -> Hierarchy:
    """The hierarchy over a panel whose levels are named by static columns, from the top down.

    Each level gives a sum a combination of its columns' values; the total stands above all. Sums with one member, and
    sums with the members of one above, are left out. labels: the texts behind a column's codes, to name sums by.
    DataError for a column that is not static in the panel, and for a series that has the name of a sum.
    """
    rows: list[np.ndarray] = [np.arange(len(panel))]
    ids, names = [TOTAL], [TOTAL]
    for columns in levels:
        unknown = [c for c in columns if c not in panel.static]
        if unknown or not columns:
            raise DataError(
                f"a level of {', '.join(map(repr, unknown)) or 'no columns'}",
                "levels by static columns, one of: " + (", ".join(panel.static) or "none is declared"),
                "declare the column under static, or take it out of the hierarchy",
            )
        values = np.stack([panel.static[c] for c in columns], axis=1)
        kinds, of = np.unique(values, axis=0, return_inverse=True)
        for k, kind in enumerate(kinds):
            rows.append(np.flatnonzero(of.ravel() == k))
            ids.append("/".join(f"{c}={_label(v, (labels or {}).get(c))}" for c, v in zip(columns, kind, strict=True)))
            names.append("/".join(columns))
    kept, seen = [], set()
    for i, members in enumerate(rows):
        if len(members) >= _LEAST and members.tobytes() not in seen:
            seen.add(members.tobytes())
            kept.append(i)
    indptr = np.concatenate([[0], np.cumsum([len(rows[i]) for i in kept])]).astype(np.int64)
    places = np.concatenate([np.empty(0, np.int64), *[rows[i] for i in kept]])
    sums = sparse.csr_matrix((np.ones(len(places)), places, indptr), shape=(len(kept), len(panel)))
    both = sorted({ids[i] for i in kept} & set(panel.ids.tolist()))
    if both:
        raise DataError(f"a series named {both[0]!r}, as a sum is", "names of their own", "rename the series")
    return Hierarchy(
        sums,
        np.array([*[ids[i] for i in kept], *panel.ids.tolist()]),
        np.array([*[names[i] for i in kept], *[BOTTOM] * len(panel)]),
    )


def _label(code: float, texts: Sequence[str] | None) -> str:
    return texts[int(code)] if texts is not None and 0 <= code < len(texts) else f"{code:g}"


def summed(panel: Panel, hierarchy: Hierarchy) -> Panel:
    """The panel of all nodes: each sum over the steps from its first member's first to its last member's last.

    A member counts as nothing before its first and after its last step; a sum is missing where a member in between is.
    Known columns stay where all members agree, and are missing elsewhere; static and past columns stay with the series themselves.
    A stock-out of one member hides demand of the sum.
    """
    steps, at = np.unique(panel.ds, return_inverse=True)
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    pieces_y, pieces_ds, lengths = [], [], []
    known: dict[str, list[np.ndarray]] = {k: [] for k in panel.known}
    whole: list[np.ndarray] = []
    for node in range(hierarchy.sums.shape[0]):
        members = np.zeros(len(panel), bool)
        members[hierarchy.sums.indices[hierarchy.sums.indptr[node] : hierarchy.sums.indptr[node + 1]]] = True
        mine = members[owner]
        place = at[mine]
        first, last = int(place.min()), int(place.max())
        size = last - first + 1
        pieces_y.append(np.bincount(place - first, panel.y[mine], size))
        if panel.available is not None:
            whole.append(np.bincount(place - first, ~panel.available[mine], size) == 0)
        pieces_ds.append(steps[first : last + 1])
        lengths.append(size)
        for name, column in panel.known.items():
            known[name].append(_agreed(column[mine], place - first, size))
    total = int(np.sum(lengths, dtype=np.int64))
    unknown = np.full(total, np.nan)
    return replace(
        panel,
        ids=hierarchy.ids,
        indptr=np.concatenate([[0], np.cumsum(lengths), total + panel.indptr[1:]]).astype(np.int64),
        ds=np.concatenate([*pieces_ds, panel.ds]),
        y=np.concatenate([*pieces_y, panel.y]),
        known={k: np.concatenate([*v, panel.known[k]]) for k, v in known.items()},
        past={k: np.concatenate([unknown, v]) for k, v in panel.past.items()},
        static={k: np.concatenate([np.full(len(lengths), np.nan), v]) for k, v in panel.static.items()},
        available=None if panel.available is None else np.concatenate([*whole, panel.available]),
    )


def _agreed(values: np.ndarray, place: np.ndarray, size: int) -> np.ndarray:
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, place, values)
    np.maximum.at(high, place, values)
    return np.where(low == high, low, np.nan)
