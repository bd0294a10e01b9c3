"""AUD011: columns that only name the row: a running number, or a text that (nearly) never repeats."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa

from holdgood.audit.found import found, listed
from holdgood.audit.keys import amount_like, code_like, whole
from holdgood.audit.links import links
from holdgood.audit.profile import profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ROWS = 50
NEARLY = 0.95


class Identifiers:
    """Finds columns without repetition that are whole numbers in sequence, or codes in text; codes may repeat in a few rows."""

    code: ClassVar[str] = "AUD011"
    title: ClassVar[str] = "identifiers"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at tables of at least 50 rows; declared keys and ids, and keys that other tables point to, are known already."""
        tables = [(n, t) for n, t in context.tables.items() if t.rows >= ROWS]
        if not tables:
            raise NotApplicable(f"no table has {ROWS} rows")
        pointed = {(link.parent, b) for link in links(context) for b in link.there}
        out = []
        for name, table in tables:
            spec = context.spec(name)
            names = identifiers(table, known=[*spec.key, *spec.ids, *(b for p, b in pointed if p == name)])
            if names:
                out.append(self._told(table, names))
        return out

    def _told(self, table: Table, names: list[str]) -> Finding:
        repeats = max(c.rows - c.distinct for c in profile(table).columns if c.name in names)
        nearly = " (nearly)" if repeats else ""
        if len(names) == 1:
            message = f"{listed(names)} is different in{nearly} every row: it names the row and tells a model nothing"
        else:
            message = f"{listed(names)} are different in{nearly} every row: they name the row and tell a model nothing"
        evidence = {"columns": len(names), "repeats": repeats}
        return found(self, "tip", "low", table.name, names, message, rows=table.rows, evidence=evidence)


def identifiers(table: Table, known: list[str] | tuple[str, ...] = ()) -> list[str]:
    """Columns of a table that only name the row, without those already known."""
    return [c.name for c in profile(table).columns if c.name not in known and _names_the_row(table, c)]


def _names_the_row(table: Table, c: ColumnProfile) -> bool:
    if c.missing or c.rows < ROWS or c.distinct < NEARLY * c.rows:
        return False
    kind = table.data.schema.field(c.name).type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return c.high - c.low + 1 <= 1.5 * c.rows and c.infinite == 0 and whole(table, c.name)
    if not pa.types.is_string(kind) or c.type != "category":
        return False
    return not amount_like(table, c.name) if c.distinct == c.rows else code_like(table, c.name)


CHECK = Identifiers()
