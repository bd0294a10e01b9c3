"""AUD002: the same row twice. In tables of few values equal rows are expected by chance, and are left alone."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit.found import found, percent
from holdgood.audit.profile import profile
from holdgood.audit.rows import copies
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

MANY = 0.01
TELLING = 0.9


class DuplicateRows:
    """Counts rows that are equal in every column to an earlier one."""

    code: ClassVar[str] = "AUD002"
    title: ClassVar[str] = "duplicate rows"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table with at least two rows and one column."""
        tables = [t for t in context.tables.values() if t.rows > 1 and t.columns]
        if not tables:
            raise NotApplicable("no table has two rows")
        return [f for t in tables for f in self._look(t, bool(context.spec(t.name).key))]

    def _look(self, table: Table, keyed: bool) -> list[Finding]:
        if any(c.distinct == table.rows for c in profile(table).columns):
            return []
        seen = copies(table, table.names)
        # Rows that agree even in a column that hardly ever repeats did not meet by chance.
        telling = any(c.distinct >= TELLING * table.rows for c in profile(table).columns)
        if seen.again == 0 or (seen.by_chance and not keyed and not telling):
            return []
        share = percent(seen.again, table.rows)
        message = (
            f"{seen.again:,} of {table.rows:,} rows ({share}) repeat another row in all {len(table.columns)} columns"
        )
        if keyed:
            message += ", although a key is declared"
        evidence = {
            "rows": seen.again,
            "share": round(seen.again / table.rows, 6),
            "nearly_equal_pairs": round(seen.near, 1),
        }
        many = keyed or seen.again >= MANY * table.rows
        drop = Proposal(
            repair="drop-duplicate-rows",
            table=table.name,
            cells=seen.again * len(table.columns),
            sentence=f"keep the first of each, {seen.again:,} rows fewer",
        )
        return [
            found(
                self,
                "issue" if many else "tip",
                "high" if keyed else "medium" if many else "low",
                table.name,
                (),
                message,
                rows=seen.again,
                evidence=evidence,
                proposal=drop,
            )
        ]


CHECK = DuplicateRows()
