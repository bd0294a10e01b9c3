"""Attributes of series from a table of their own, one row a series; it may hold items without any history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError
from holdgood.core.table import Table
from holdgood.features.panels.plan import coded, levels_of
from holdgood.features.panels.series import matched, names_of

_USABLE = ("number", "boolean", "category")


@dataclass(frozen=True)
class Attributes:
    """``columns``: (items,) float64 by name; ``keys``: the id columns that the table has, in row order; ``types``, ``levels`` as frozen."""

    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    keys: pa.Table | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def with_new(self, keys: pa.Table, ids: Sequence[str], future: Table | None) -> tuple[pa.Table, np.ndarray]:
        """The keys of all series, those that only this table or ``future`` names last; and each one's row here, -1 for none."""
        if not ids:
            return keys, np.full(1, -1)
        tables = [t for t in (self.keys, None if future is None else _keys(future, ids)) if t is not None]
        for table in tables:
            if set(ids) <= set(table.column_names):
                more = table.select(list(ids)).filter(pa.array(matched(keys, table, ids) < 0))
                more = more.filter(_whole(more))
                keys = pa.concat_tables([keys, _as(_distinct(more), keys.schema)])
        if self.keys is None:
            return keys, np.full(keys.num_rows, -1)
        return keys, matched(self.keys, keys, self.keys.column_names)


def _keys(table: Table, ids: Sequence[str]) -> pa.Table:
    return table.data.select([c for c in ids if c in table.names])


def _whole(keys: pa.Table) -> pa.Array:
    there = np.ones(keys.num_rows, bool)
    for column in keys.columns:
        there &= pc.is_valid(column).to_numpy()
    return pa.array(there)


def _distinct(keys: pa.Table) -> pa.Table:
    _, first = np.unique(names_of(keys), return_index=True) if keys.num_rows else (None, np.zeros(0, np.int64))
    return keys.take(pa.array(np.sort(first)))


def _as(keys: pa.Table, schema: pa.Schema) -> pa.Table:
    try:
        return keys.cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise DataError(
            "the ids in the table of items or of the future are of another kind than those in the history",
            ", ".join(f"{f.name}: {f.type}" for f in schema),
            "write them the same way in all tables",
        ) from error


def attributes_of(
    items: Table | None,
    ids: Sequence[str],
    static: Sequence[str] = (),
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> Attributes:
    """Read the table of items; ``static`` limits its columns, none: every usable one. ``levels``: frozen ones, to code by."""
    if items is None:
        return Attributes()
    found = [c for c in ids if c in items.names]
    if not found:
        raise DataError(
            f"the table of items {items.name!r} has none of the id columns",
            "one of: " + ", ".join(ids),
            "add the column, or rename it",
        )
    keys = items.data.select(found)
    names = names_of(keys)
    if len(np.unique(names)) != len(names):
        seen, counts = np.unique(names, return_counts=True)
        raise DataError(
            f"the table of items {items.name!r} has several rows for {str(seen[np.argmax(counts)])!r}",
            "one row an item",
            "keep one of them",
        )
    wanted = [
        c.name for c in items.columns if c.name not in ids and c.type in _USABLE and (not static or c.name in static)
    ]
    types = {n: items.type_of(n) for n in wanted}
    own = (
        levels if levels is not None else {n: levels_of(items.data.column(n)) for n in wanted if types[n] == "category"}
    )
    columns = {n: coded(items.data.column(n), own.get(n)) for n in wanted}
    return Attributes(columns, keys, types, {n: own[n] for n in wanted if n in own})
