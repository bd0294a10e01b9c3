"""AUD011: columns that only name the row: a running number, or a text that never repeats."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa

from holdgood.audit.found import found, is_are, listed
from holdgood.audit.profile import profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ROWS = 50


class Identifiers:
    """Finds columns without repetition that are whole numbers in sequence, or codes in text."""

    code: ClassVar[str] = "AUD011"
    title: ClassVar[str] = "identifiers"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at tables of at least 50 rows; declared keys and ids are known already."""
        tables = [(n, t) for n, t in context.tables.items() if t.rows >= ROWS]
        if not tables:
            raise NotApplicable(f"no table has {ROWS} rows")
        out = []
        for name, table in tables:
            spec = context.spec(name)
            join = list(spec.join.on.values()) if spec.join else []
            names = identifiers(table, known=[*spec.key, *spec.ids, *join])
            if names:
                message = f"{listed(names)} {is_are(names)} different in every row: it names the row and is not used as a feature"
                if len(names) > 1:
                    message = (
                        f"{listed(names)} are different in every row: they name the row and are not used as features"
                    )
                out.append(
                    found(self, "tip", "low", name, names, message, rows=table.rows, evidence={"columns": len(names)})
                )
        return out


def identifiers(table: Table, known: list[str] | tuple[str, ...] = ()) -> list[str]:
    """Columns of a table that only name the row, without those already known."""
    return [c.name for c in profile(table).columns if c.name not in known and _names_the_row(table, c)]


def _names_the_row(table: Table, c: ColumnProfile) -> bool:
    if c.missing or c.distinct != c.rows or c.rows < ROWS:
        return False
    kind = table.data.schema.field(c.name).type
    if pa.types.is_integer(kind):
        return c.high - c.low + 1 <= 1.5 * c.rows
    return pa.types.is_string(kind) and c.type == "category"


CHECK = Identifiers()
