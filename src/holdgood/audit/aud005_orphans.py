"""AUD005: rows of the main table that find no partner in a joined table."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.found import Evidence, found, listed, percent
from holdgood.audit.rows import row_hashes
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

MANY = 0.5


class Orphans:
    """For each declared join, counts main rows whose key is not in the other table."""

    code: ClassVar[str] = "AUD005"
    title: ClassVar[str] = "orphans"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every declared join whose two tables are here."""
        main = context.tables.get(context.declaration.main) if context.declaration.tables else None
        joins = [(t, join) for name, t in context.tables.items() if (join := context.spec(name).join) is not None]
        if main is None or not joins:
            raise NotApplicable("no join is declared")
        if main.rows == 0:
            raise NotApplicable("the main table has no rows")
        return [f for t, join in joins for f in self._look(main, t, join.on)]

    def _look(self, main: Table, other: Table, on: dict[str, str]) -> list[Finding]:
        here, there = list(on), list(on.values())
        unlike = [(a, b) for a, b in on.items() if _family(main, a) != _family(other, b)]
        if unlike:
            a, b = unlike[0]
            message = (
                f"the join to {other.name} compares `{a}` ({main.type_of(a)}) with `{b}` ({other.type_of(b)}); "
                "values of different types never meet: declare the same type for both"
            )
            evidence: Evidence = {"columns_of_unlike_type": len(unlike)}
            return [found(self, "issue", "high", main.name, here, message, rows=main.rows, evidence=evidence)]
        keyed = np.ones(main.rows, dtype=bool)
        for name in here:
            keyed &= ~columns.missing(main, name)
        partners = row_hashes(_as_family(other, there), tuple(there))
        met = np.isin(row_hashes(_as_family(main, here), tuple(here)), partners)
        alone = int((keyed & ~met).sum())
        empty = int((~keyed).sum())
        if alone == 0 and empty == 0:
            return []
        share = (alone + empty) / main.rows
        message = f"{percent(alone + empty, main.rows)} of the rows find no partner in {other.name} by {listed(here)}: "
        parts = [f"{alone:,} with a key that is not there"] * (alone > 0) + [f"{empty:,} without a key"] * (empty > 0)
        evidence = {"unmatched": alone, "without_key": empty, "share": round(share, 6)}
        return [
            found(
                self,
                "issue" if share >= MANY else "tip",
                "high" if share >= MANY else "medium" if share >= 0.2 else "low",
                main.name,
                here,
                message + ", ".join(parts),
                rows=alone + empty,
                evidence=evidence,
            )
        ]


def _family(table: Table, column: str) -> str:
    table.type_of(column)
    if columns.is_numeric(table, column):
        return "number"
    return str(table.data.schema.field(column).type)


def _as_family(table: Table, names: list[str]) -> Table:
    """Key columns of whole numbers and of floats meet as floats; 1 equals 1.0."""
    data = table.data.select(list(dict.fromkeys(names)))
    for position, name in enumerate(data.column_names):
        if columns.is_numeric(table, name):
            data = data.set_column(position, name, data.column(name).cast(pa.float64(), safe=False))
    return table.with_data(data)


CHECK = Orphans()
