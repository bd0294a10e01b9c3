"""AUD045: values in another column than their own: the state at the end of a city, fields that are shifted by one."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed
from holdgood.audit.strayed import Inside, Strays, inside, strays
from holdgood.audit.vocabulary import where
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

LEAST_ROWS = 30
"""Fewer rows have no usual values."""


class StrayedValues:
    """Takes another column's value out of a cell and puts it where it is missing; a cell that is nothing else becomes missing."""

    code: ClassVar[str] = "AUD045"
    title: ClassVar[str] = "values in the wrong column"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at each table by itself."""
        tables = [t for t in context.tables.values() if t.rows >= LEAST_ROWS and sum(columns.is_text(t, c) for c in t.names) >= 2]  # fmt: skip
        if not tables:
            raise NotApplicable(f"no table has two columns kept as text and {LEAST_ROWS} rows")
        out: list[Finding] = []
        for table in tables:
            for told in inside(table):
                out += self._inside(table, told)
            out += [self._strayed(table, told) for told in strays(table)]
        return out

    def _inside(self, table: Table, told: Inside) -> list[Finding]:
        """Two findings: the cells that hold too much, and those that lack it; each with a repair of its own."""
        examples = where(table, told.column, told.parts)
        holds = (
            f"{listed([told.column])} ends in a value of {listed([told.home])} in {counted(told.rows, 'cell')}; "
            f"{listed([told.home])} is empty in {told.empty:,} of these rows"
        )
        lacks = f"{listed([told.home])} is empty in {counted(told.empty, 'row')} whose {listed([told.column])} holds its value"
        by_text = {text: before for text, (before, _) in sorted(told.parts.items())}
        cut = Proposal(
            repair="replace-values",
            table=table.name,
            columns=(told.column,),
            parameters={"mapping": by_text},
            cells=told.rows,
            sentence=f"take the value of {told.home} off {counted(told.rows, 'cell')} of {told.column}",
        )
        values = {told.home: [[text, after] for text, (_, after) in sorted(told.parts.items())]}
        fill = Proposal(
            repair="set-by-key",
            table=table.name,
            columns=(told.home,),
            parameters={"key": [told.column], "values": values, "only": "empty"},
            cells=told.empty,
            sentence=f"fill {counted(told.empty, 'empty cell')} of {told.home} with the value that {told.column} holds",
        )
        evidence = {"cells": told.rows, "empty": told.empty, "texts": len(told.parts)}
        return [
            found(self, "issue", "medium", table.name, [column, other], message, rows=rows, evidence=evidence, proposal=one, sure="likely", examples=examples)
            for column, other, message, rows, one in (
                (told.column, told.home, holds, told.rows, cut),
                (told.home, told.column, lacks, told.empty, fill),
            )
        ]  # fmt: skip

    def _strayed(self, table: Table, told: Strays) -> Finding:
        message = (
            f"{listed([told.column])} holds values of {listed(told.homes)} in {counted(told.rows, 'cell')}, where these hold none "
            "of their own: the fields are shifted"
        )
        proposal = Proposal(
            repair="replace-values",
            table=table.name,
            columns=(told.column,),
            parameters={"missing": list(told.texts)},
            cells=told.rows,
            sentence=f"{counted(told.rows, 'cell')} of {told.column} become missing",
        )
        return found(
            self,
            "issue",
            "medium",
            table.name,
            [told.column, *told.homes],
            message,
            rows=told.rows,
            evidence={"cells": told.rows, "texts": len(told.texts)},
            proposal=proposal,
            sure="likely",
            examples=where(table, told.column, told.texts),
        )


CHECK = StrayedValues()
"""The check that is registered."""
