"""AUD007: what stands for "no value": -999, 9999, a zero where none can be, "?", "n/a", the first of January 1900."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.codes_for_missing import Code, codes_for_missing
from holdgood.audit.far_off import DAY, bulk, day, iso, piles
from holdgood.audit.found import counted, found, listed, number, percent
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.audit.words_for_missing import words_for_missing
from holdgood.audit.written import rows_with
from holdgood.audit.zeros import impossible_zeros
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal, Severity
from holdgood.core.table import Table


class Sentinels:
    """A code is apart from all other values or far more frequent than its neighbours; a word is one of a short list."""

    code: ClassVar[str] = "AUD007"
    title: ClassVar[str] = "values that stand for missing"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at columns of numbers, of texts and of moments."""
        if not any(t.of_type("number", "category", "text", "datetime") for t in context.tables.values()):
            raise NotApplicable("no column of numbers, texts or dates")
        return [
            f
            for t in context.tables.values()
            if t.rows
            for f in self._numbers(t) + self._zeros(t) + self._words(t) + self._days(t)
        ]

    def _numbers(self, table: Table) -> list[Finding]:
        """One finding for each code, over all columns that hold it."""
        holding: dict[tuple[float, bool], list[tuple[str, Code]]] = defaultdict(list)
        for c in profile(table).columns:
            if columns.is_numeric(table, c.name):
                for code in codes_for_missing(table, c):
                    holding[(code.value, code.certain)].append((c.name, code))
        return [
            self._tell(table, value, certain, where)
            for (value, certain), where in sorted(
                holding.items(), key=lambda h: (not h[0][1], -sum(c.rows for _, c in h[1]), h[0][0])
            )
        ]

    def _tell(self, table: Table, value: float, certain: bool, where: list[tuple[str, Code]]) -> Finding:
        names, rows = [n for n, _ in where], sum(c.rows for _, c in where)
        first = where[0][1]
        message = f"{listed(names)} {'hold' if len(names) > 1 else 'holds'} {number(value)} in {counted(rows, 'cell')}"
        if len(names) == 1:
            message += f" ({percent(rows, table.rows)}), {first.why}"
        message += "; it reads as a code for missing" if certain else "; it may be a code for missing"
        proposal = Proposal(
            repair="sentinel-to-missing",
            table=table.name,
            columns=tuple(names),
            parameters={"values": [int(value) if value == int(value) and abs(value) < 2**53 else value]},
            cells=rows,
            sentence=f"{number(value)} in {listed(names)} becomes missing, {counted(rows, 'cell')}",
        )
        evidence = {
            "value": value,
            "rows": rows,
            "columns": len(names),
            "share": round(rows / table.rows / len(names), 6),
            "next_value": first.next,
        }
        level: Literal["issue", "tip"] = "issue" if certain else "tip"
        severity: Severity = "medium" if certain else "low"
        examples = np.flatnonzero(columns.numbers(table, names[0]) == value)
        return found(
            self,
            level,
            severity,
            table.name,
            names,
            message,
            rows=rows,
            evidence=evidence,
            proposal=proposal,
            sure="likely" if certain else "possible",
            examples=examples,
        )

    def _zeros(self, table: Table) -> list[Finding]:
        """One finding for all columns in which a zero is hard to believe."""
        where = impossible_zeros(table)
        if not where:
            return []
        names, rows = [n for n, _ in where], sum(r for _, r in where)
        told = ", ".join(f"`{n}` in {counted(r, 'row')} ({percent(r, table.rows)})" for n, r in where[:6])
        more = f" and {len(where) - 6:,} more columns" if len(where) > 6 else ""
        message = f"zeros apart from all other values, which are positive: {told}{more}; they may stand for missing"
        proposal = Proposal(
            repair="sentinel-to-missing",
            table=table.name,
            columns=tuple(names),
            parameters={"values": [0]},
            cells=rows,
            sentence=f"0 in {listed(names)} becomes missing, {counted(rows, 'cell')}",
        )
        examples = np.flatnonzero(columns.numbers(table, names[0]) == 0)
        return [
            found(
                self,
                "tip",
                "low",
                table.name,
                names,
                message,
                rows=rows,
                evidence={"value": 0.0, "rows": rows, "columns": len(names)},
                proposal=proposal,
                sure="possible",
                examples=examples,
            )
        ]

    def _words(self, table: Table) -> list[Finding]:
        """One finding for each set of words, over all columns that hold the same ones."""
        holding: dict[tuple[bool, tuple[str, ...]], list[tuple[str, int]]] = defaultdict(list)
        for name in table.names:
            if columns.is_text(table, name) and table.type_of(name) != "other":
                for certain, texts, cells in words_for_missing(table, name):
                    holding[(certain, texts)].append((name, cells))
        out = []
        for (certain, texts), where in sorted(
            holding.items(), key=lambda h: (not h[0][0], -sum(r for _, r in h[1]), h[0])
        ):
            names, cells = [n for n, _ in where], sum(r for _, r in where)
            shown = ", ".join(repr(t) if t.strip() else "blank text" for t in texts[:6])
            shown += f" and {len(texts) - 6} more" if len(texts) > 6 else ""
            message = f"{listed(names)} {'hold' if len(names) > 1 else 'holds'} {shown} in {counted(cells, 'cell')}"
            message += ", which reads as missing" if certain else ", which may mean missing"
            proposal = Proposal(
                repair="sentinel-to-missing",
                table=table.name,
                columns=tuple(names),
                parameters={"values": list(texts)},
                cells=cells,
                sentence=f"{shown} becomes missing, {counted(cells, 'cell')}",
            )
            out.append(
                found(
                    self,
                    "issue" if certain else "tip",
                    "low",
                    table.name,
                    names,
                    message,
                    rows=cells,
                    evidence={"cells": cells, "columns": len(names), "words": len(texts)},
                    proposal=proposal,
                    sure="likely" if certain else "possible",
                    examples=rows_with(table, names[0], list(texts)),
                )
            )
        return out

    def _days(self, table: Table) -> list[Finding]:
        """Days within the others that hold far more cells than any: those outside of all others are told by AUD008."""
        out = []
        for c in table.columns:
            if not columns.is_moment(table, c.name):
                continue
            at, there = columns.moments(table, c.name)
            some = sample(table)
            if not piles(*np.unique(at[some][there[some]], return_counts=True)):
                continue
            moments, cells = np.unique(at[there], return_counts=True)
            inside = bulk(moments, cells)
            for start, rows in piles(moments, cells):
                if not inside.low <= start * DAY <= inside.high:
                    continue
                on_it = there & (np.floor_divide(at, int(DAY)) == start)
                exact = np.unique(at[on_it])
                message = (
                    f"{listed([c.name])} lies on {day(start * DAY)} in {counted(rows, 'row')} "
                    f"({percent(rows, table.rows)}), at least 5 times as many as on any other day; it reads as missing"
                )
                proposal = Proposal(
                    repair="sentinel-to-missing",
                    table=table.name,
                    columns=(c.name,),
                    parameters={"values": [iso(float(m)) for m in exact[:50]]},
                    cells=int(np.isin(at[on_it], exact[:50]).sum()),
                    sentence=f"{day(start * DAY)} in {c.name} becomes missing, {counted(rows, 'cell')}",
                )
                out.append(
                    found(
                        self,
                        "issue",
                        "medium",
                        table.name,
                        [c.name],
                        message,
                        rows=rows,
                        evidence={"rows": rows, "share": round(rows / table.rows, 6)},
                        proposal=proposal,
                        sure="likely",
                        examples=np.flatnonzero(on_it),
                    )
                )
        return out


CHECK = Sentinels()
