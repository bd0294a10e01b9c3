"""AUD006: numbers kept as text because of a few cells that are not numbers, and columns that mix types."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from holdgood.audit import columns
from holdgood.audit.found import found, listed, percent
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

MOST = 0.8
DISTINCT = 10
# the two ways of writing that the repair can be told: 1,234.5 and 1.234,5
_WRITTEN = {
    ".": re.compile(r"\s*[+-]?(?=[\d.])(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?\s*"),
    ",": re.compile(r"\s*[+-]?(?=[\d,])(\d{1,3}(\.\d{3})+|\d+)?(,\d*)?\s*"),
}
_DIGIT = re.compile(r"\d")
_LEADING_ZERO = re.compile(r"\s*0\d")
_FRACTION = re.compile(r"\d[.,]\d")


class MixedTypes:
    """Counts the cells that keep a column of numbers from being one. Codes written in digits are left alone."""

    code: ClassVar[str] = "AUD006"
    title: ClassVar[str] = "numbers kept as text"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column that is kept as text."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column is kept as text")
        return [f for t in context.tables.values() for f in self._noted(t) + self._look(t)]

    def _noted(self, table: Table) -> list[Finding]:
        return [
            found(
                self,
                "issue",
                "medium",
                table.name,
                note.columns,
                note.message,
                rows=note.count,
                evidence={"cells": note.count},
            )
            for note in table.notes
            if note.code == "mixed-types"
        ]

    def _look(self, table: Table) -> list[Finding]:
        noted = [c for n in table.notes if n.code == "mixed-types" for c in n.columns]
        out = []
        for name in table.names:
            if not columns.is_text(table, name) or name in noted or table.type_of(name) == "text":
                continue
            levels = columns.levels(table, name)
            present = sum(rows for _, rows in levels)
            if not _promising(levels):
                continue
            decimal = _decimal(levels)
            numeric = [(v, rows) for v, rows in levels if _is_number(v, decimal)]
            parsed = sum(rows for _, rows in numeric)
            odd = len(levels) - len(numeric)
            fractions = sum(rows for v, rows in numeric if _FRACTION.search(v))
            if len(numeric) < DISTINCT or parsed < MOST * present or any(_LEADING_ZERO.match(v) for v, _ in numeric):
                continue
            # Whole numbers in text are as a rule codes that somebody made text on purpose; fractions never are.
            if fractions == 0 and (odd == 0 or odd > 2 or len(numeric) < 0.05 * present):
                continue
            out.append(self._tell(table, name, parsed, present - parsed, fractions, decimal))
        return out

    def _tell(self, table: Table, name: str, parsed: int, rest: int, fractions: int, decimal: str) -> Finding:
        total = parsed + rest
        message = f"{listed([name])} is kept as text, though {percent(parsed, total)} of its values are numbers"
        message += f"; {rest:,} cells are not" if rest else ""
        evidence = {"numbers": parsed, "not_numbers": rest, "share": round(parsed / total, 6)}
        sentence = f"read {name} as numbers; {rest:,} cells that are none become missing"
        proposal = Proposal(
            repair="to-number",
            table=table.name,
            columns=(name,),
            parameters={"decimal": ","} if decimal == "," else {},
            cells=total,
            sentence=sentence,
        )
        level: Literal["issue", "tip"] = "issue" if fractions and rest else "tip"
        severity: Literal["medium", "low"] = "medium" if level == "issue" else "low"
        return found(
            self, level, severity, table.name, [name], message, rows=rest, evidence=evidence, proposal=proposal
        )


def _promising(levels: list[tuple[str, int]]) -> bool:
    """A cheap first look, so that columns of words cost nothing: are most of the frequent levels numbers?"""
    head = levels[:20]
    return len(levels) >= DISTINCT and sum(_is_number(v, ".") or _is_number(v, ",") for v, _ in head) >= 0.5 * len(head)


def _decimal(levels: list[tuple[str, int]]) -> str:
    """The decimal sign under which more cells are numbers; the point where it is all the same."""
    rows = {sign: sum(r for v, r in levels if _is_number(v, sign)) for sign in _WRITTEN}
    return "," if rows[","] > rows["."] else "."


def _is_number(text: str, decimal: str) -> bool:
    return _WRITTEN[decimal].fullmatch(text) is not None and _DIGIT.search(text) is not None


CHECK = MixedTypes()
