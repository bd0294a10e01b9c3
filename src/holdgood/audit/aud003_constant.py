"""AUD003: columns that say the same in (almost) every row."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow.compute as pc

from holdgood.audit.found import found, is_are, listed, percent
from holdgood.audit.profile import profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

ALMOST = 0.999
ROWS = 20


class Constant:
    """Finds columns with one value, and columns where one value takes at least 99.9% of the rows."""

    code: ClassVar[str] = "AUD003"
    title: ClassVar[str] = "constant columns"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at tables of at least 20 rows: in fewer, sameness says little."""
        tables = [t for t in context.tables.values() if t.rows >= ROWS]
        if not tables:
            raise NotApplicable(f"no table has {ROWS} rows")
        return [f for t in tables for f in self._look(t)]

    def _look(self, table: Table) -> list[Finding]:
        constant, almost = [], []
        for c in profile(table).columns:
            if c.distinct == 1 and c.missing == 0:
                constant.append(c.name)
            elif 1 < c.distinct <= 1 + (1 - ALMOST) * table.rows and c.missing <= (1 - ALMOST) * table.rows:
                counted = pc.value_counts(table.data.column(c.name).drop_null()).field("counts")
                if pc.max(counted).as_py() >= ALMOST * table.rows:
                    almost.append(c.name)
        out = []
        if constant:
            message = (
                f"{listed(constant)} {is_are(constant)} the same in all {table.rows:,} rows and can explain nothing"
            )
            drop = Proposal(
                repair="drop-columns",
                table=table.name,
                columns=tuple(constant),
                sentence=f"take out {listed(constant)}",
            )
            evidence = {"columns": len(constant)}
            out.append(
                found(
                    self, "tip", "low", table.name, constant, message, rows=table.rows, evidence=evidence, proposal=drop
                )
            )
        if almost:
            message = f"{listed(almost)}: one value takes at least {percent(ALMOST, 1.0)} of the {table.rows:,} rows"
            out.append(
                found(
                    self, "tip", "low", table.name, almost, message, rows=table.rows, evidence={"columns": len(almost)}
                )
            )
        return out


CHECK = Constant()
