"""The contract: what a bundle expects of the tables it is given, taken from the development rows."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.declaration import Declaration
from holdgood.core.records import ColumnRule, Contract, TableContract
from holdgood.core.sql import columns_in
from holdgood.core.table import Table
from holdgood.features.builders.plan import FeaturePlan

# Levels are kept for vocabularies, not for values of rows: each at least so often, and not too many.
_LEVEL_ROWS, _LEVELS = 10, 200


def contract_of(
    declaration: Declaration, raw: Mapping[str, Table], tables: Mapping[str, Table], plan: FeaturePlan
) -> Contract:
    """Rules of the columns that the plan reads; the others are not asked for.

    Types are those of the tables as read (``raw``): what comes to be scored is read first and repaired then.
    """
    needed = columns_needed(declaration, plan, {n: t.names for n, t in tables.items()})
    rules = []
    for name, table in tables.items():
        wanted = needed.get(name, ())
        if not wanted and name != declaration.main:
            continue
        columns = tuple(_rule(table, c, raw[name]) for c in table.names if c in wanted)
        rules.append(TableContract(name=name, columns=columns, key=tuple(declaration.tables[name].key)))
    return Contract(tables=tuple(rules))


def columns_needed(
    declaration: Declaration, plan: FeaturePlan, names: Mapping[str, tuple[str, ...]]
) -> dict[str, set[str]]:
    """Columns that features, joins and moments are computed from, by table."""
    main = declaration.main
    expressions = [*plan.expressions.values(), plan.decision or "", *(c.known or "" for c in plan.inputs)]
    found = {main: {c.name for c in plan.inputs} | {a for j in plan.joins for a, _ in j.on}}
    found[main] |= {c for e in expressions if e for c in columns_in(e, names[main])}
    for join in plan.joins:
        moments = [join.time or "", *(c.known or "" for c in join.columns)]
        found[join.table] = {b for _, b in join.on} | {c.name for c in join.columns}
        found[join.table] |= {c for e in moments if e for c in columns_in(e, names[join.table])}
    return found


def _rule(table: Table, name: str, raw: Table) -> ColumnRule:
    column, type_ = table.data.column(name), table.type_of(name)
    share = column.null_count / table.rows if table.rows else 0.0
    low = high = float("nan")
    levels: tuple[str, ...] = ()
    if type_ == "number" and column.null_count < table.rows:
        finite = column.cast(pa.float64()).drop_null()
        finite = finite.filter(pc.is_finite(finite))
        if len(finite):
            bounds = pc.min_max(finite).as_py()
            low, high = float(bounds["min"]), float(bounds["max"])
    elif type_ == "category":
        counts = pc.value_counts(column.drop_null()).to_pylist()
        kept = sorted(str(c["values"]) for c in counts if c["counts"] >= _LEVEL_ROWS)
        levels = tuple(kept) if len(kept) <= _LEVELS else ()
    return ColumnRule(
        name=name, type=raw.type_of(name), missing_share=round(share, 6), low=low, high=high, levels=levels
    )
