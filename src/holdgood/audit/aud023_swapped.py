"""AUD023: in some rows two columns hold each other's values: latitude and longitude, length and width, two codes."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns, conditions
from holdgood.audit.exchanged import Exchange, exchanges
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.vocabularies import Crossing, crossings
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.sql import literal, quote
from holdgood.core.table import Table

GRAVE = 0.01


class Swapped:
    """Rows that are odd as they stand and ordinary once two of their values change places."""

    code: ClassVar[str] = "AUD023"
    title: ClassVar[str] = "swapped columns"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at pairs of numbers and at pairs of vocabularies."""
        pairs = [t for t in context.tables.values() if _pairs(t)]
        if not pairs:
            raise NotApplicable("no table has two columns of numbers or two of categories")
        out: list[Finding] = []
        for table in pairs:
            out += [self._numbers(context, table, e) for e in exchanges(context, table)]
            out += [self._words(table, c) for c in crossings(table)]
        return out

    def _numbers(self, context: AuditContext, table: Table, one: Exchange) -> Finding:
        evidence: dict[str, float | int] = {"chance_log10": round(-one.surprise, 1)}
        return self._tell(
            table, one.first, one.second, np.flatnonzero(one.marks), evidence, _repair(table, one), "likely"
        )

    def _words(self, table: Table, one: Crossing) -> Finding:
        where = (
            f"{quote(one.first)} IN ({', '.join(literal(w) for w in one.strangers_in_first)}) AND "
            f"{quote(one.second)} IN ({', '.join(literal(w) for w in one.strangers_in_second)})"
        )
        rows = len(one.rows)
        proposal = _proposal(table, one.first, one.second, where, rows)
        evidence: dict[str, float | int] = {"levels": len(one.strangers_in_first) + len(one.strangers_in_second)}
        return self._tell(table, one.first, one.second, one.rows, evidence, proposal, "certain")

    def _tell(
        self,
        table: Table,
        first: str,
        second: str,
        rows: np.ndarray,
        evidence: dict[str, float | int],
        proposal: Proposal | None,
        sure: Literal["certain", "likely"],
    ) -> Finding:
        message = (
            f"in {counted(len(rows), 'row')} ({percent(len(rows), table.rows)}) {listed([first, second])} hold each other's "
            "values: exchanged, they are what they are in all other rows"
        )
        return found(
            self,
            "issue",
            "high" if len(rows) >= GRAVE * table.rows else "medium",
            table.name,
            [first, second],
            message,
            rows=len(rows),
            evidence={"rows": len(rows), "share": round(len(rows) / table.rows, 6), **evidence},
            proposal=proposal,
            sure=sure,
            examples=(int(r) for r in rows),
        )


def _pairs(table: Table) -> bool:
    numbers = sum(columns.is_numeric(table, c) for c in table.names)
    words = sum(c.type == "category" and columns.is_text(table, c.name) for c in table.columns)
    return table.rows > 0 and (numbers >= 2 or words >= 2)


def _proposal(table: Table, first: str, second: str, where: str, rows: int) -> Proposal:
    return Proposal(
        repair="swap-columns",
        table=table.name,
        columns=(first, second),
        parameters={"where": where},
        cells=2 * rows,
        sentence=f"{first} and {second} change places in {rows:,} rows",
    )


def _repair(table: Table, one: Exchange) -> Proposal | None:
    """A bound on the ratio of the two, or on one of them, that singles the rows out; None where there is none."""
    a, b = columns.numbers(table, one.first), columns.numbers(table, one.second)
    if one.ratio is not None:
        at, below = one.ratio
        short = conditions.rounded(at, up=not below)
        where = f"abs({quote(one.first)}) {'<=' if below else '>='} {short!r} * abs({quote(one.second)})"
        with np.errstate(invalid="ignore"):
            hits = np.abs(a) <= short * np.abs(b) if below else np.abs(a) >= short * np.abs(b)
        return _proposal(table, one.first, one.second, where, int(hits.sum()))
    for name, values in ((one.first, a), (one.second, b)):
        bound = conditions.bound(values, one.marks, covered=0.9)
        if bound is not None:
            ((side, limit),) = bound.parameters.items()
            where = f"{quote(name)} {'>=' if side == 'low' else '<='} {limit!r}"
            return _proposal(table, one.first, one.second, where, bound.cells)
    return None


CHECK = Swapped()
