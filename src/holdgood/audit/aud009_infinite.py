"""AUD009: infinite values, and magnitudes that no other value of the column comes near."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed, number, percent
from holdgood.audit.profile import QUANTILES, profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ABSURD = 1e6
RARE = 0.01
ROWS = 30


class Infinite:
    """Counts infinities, and values a million times further out than 99.8% (in short columns 98%) of their column is wide."""

    code: ClassVar[str] = "AUD009"
    title: ClassVar[str] = "infinite or absurd values"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column of numbers."""
        if not any(columns.is_numeric(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column of numbers")
        out: list[Finding] = []
        for table in context.tables.values():
            for c in profile(table).columns:
                if columns.is_numeric(table, c.name):
                    out += self._infinite(table, c) + self._absurd(table, c)
        return out

    def _infinite(self, table: Table, c: ColumnProfile) -> list[Finding]:
        if not c.infinite:
            return []
        message = f"{listed([c.name])} is infinite in {counted(c.infinite, 'row')} ({percent(c.infinite, c.rows)})"
        proposal = Proposal(
            repair="infinite-to-missing",
            table=table.name,
            columns=(c.name,),
            cells=c.infinite,
            sentence=f"{c.infinite:,} infinite cells of {c.name} become missing",
        )
        evidence = {"rows": c.infinite, "share": round(c.infinite / c.rows, 6)}
        return [
            found(
                self,
                "issue",
                "high",
                table.name,
                [c.name],
                message,
                rows=c.infinite,
                evidence=evidence,
                proposal=proposal,
                examples=np.flatnonzero(np.isinf(columns.numbers(table, c.name))),
            )
        ]

    def _absurd(self, table: Table, c: ColumnProfile) -> list[Finding]:
        present = c.rows - c.missing - c.infinite
        if present < ROWS:
            return []
        outer = 0.001 if present >= 10_000 else 0.01 if present >= 1_000 else 0.05
        low, high = c.quantiles[QUANTILES.index(outer)], c.quantiles[QUANTILES.index(round(1 - outer, 3))]
        width = high - low
        if not width > 0 or (c.high - high <= ABSURD * width and low - c.low <= ABSURD * width):
            return []
        values = columns.numbers(table, c.name)
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.isfinite(values) & ((values - high > ABSURD * width) | (low - values > ABSURD * width))
        rows = int(far.sum())
        if rows == 0 or rows > RARE * present:
            return []
        message = (
            f"{listed([c.name])} has {counted(rows, 'value')} more than a million times further out than the bulk of the column, "
            f"which lies between {number(low)} and {number(high)}"
        )
        limits = {"low": low - 10 * width, "high": high + 10 * width}
        proposal = Proposal(
            repair="out-of-range-to-missing",
            table=table.name,
            columns=(c.name,),
            parameters=limits,
            cells=rows,
            sentence=f"{rows:,} cells of {c.name} become missing",
        )
        evidence = {"rows": rows, "bulk_low": low, "bulk_high": high}
        return [
            found(
                self,
                "issue",
                "medium",
                table.name,
                [c.name],
                message,
                rows=rows,
                evidence=evidence,
                proposal=proposal,
                examples=np.flatnonzero(far),
            )
        ]


CHECK = Infinite()
