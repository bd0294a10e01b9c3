"""AUD026: cells that contradict what the other rows of the same key agree on: a zip code in another city, sources that disagree."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from holdgood.audit.broken_rules import Contradiction, contradictions
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.sources import Sources, sources
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture, Proposal
from holdgood.core.table import Table

LEAST_ROWS = 30
"""Fewer rows settle nothing."""


class Dependencies:
    """Finds columns that settle others in nearly all rows, and counts the cells that break the rule or lack what it knows."""

    code: ClassVar[str] = "AUD026"
    title: ClassVar[str] = "broken dependencies"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at each table by itself."""
        tables = [t for t in context.tables.values() if t.rows >= LEAST_ROWS and len(t.columns) >= 2]
        if not tables:
            raise NotApplicable(f"no table has two columns and {LEAST_ROWS} rows")
        out: list[Finding] = []
        for table in tables:
            told = sources(table)
            if told is not None:
                out.append(self._disagreeing(table, told))
            taken = set(told.columns) if told is not None else set()
            broken = [c for c in contradictions(table) if not taken & {*c.columns, *c.key}]
            out += [self._contradicting(table, c) for c in broken]
        return out

    def _contradicting(self, table: Table, told: Contradiction) -> Finding:
        wrong, empty = int(told.wrong.sum()), int(told.empty.sum())
        parts = []
        if wrong:
            hold = "holds" if wrong == 1 else "hold"
            parts.append(
                f"{counted(wrong, 'cell')} {hold} something else than the other rows of the same {listed(told.key)}"
            )
        if empty:
            parts.append(f"{counted(empty, 'empty cell')} could be filled from them")
        settle = "settles" if len(told.key) == 1 else "settle"
        share = percent(told.rows - wrong, told.rows)
        message = f"{listed(told.key)} {settle} {listed(told.columns)} in {share} of the rows; {' and '.join(parts)}"
        if told.key_wrong:
            message += (
                f"; in {counted(told.key_wrong, 'row')} several contradict at once, so that the key itself is suspect"
            )
        if told.either:
            message += "; which of the two columns is wrong cannot be told from them"
        evidence = {
            "cells": wrong,
            "empty": empty,
            "rows": told.rows,
            "keys": told.keys,
            "agreement": round(told.kappa, 4),
        }
        named = (*told.columns, *told.key) if told.either or told.key_wrong else told.columns
        sure = wrong >= 3 and (told.share_broken <= 0.05 or wrong >= 50)
        at = np.flatnonzero((told.wrong > 0) | ((told.empty > 0) & (wrong == 0)))
        return found(
            self,
            "issue" if sure else "tip",
            "medium" if sure else "low",
            table.name,
            named,
            message,
            rows=int(((told.wrong > 0) | (told.empty > 0)).sum()),
            evidence=evidence,
            sure="likely" if sure else "possible",
            examples=at[np.argsort(-told.wrong[at], kind="stable")],
            proposal=_proposal(table, told.key, told.columns, told.values, told.cells) if told.values else None,
        )

    def _disagreeing(self, table: Table, told: Sources) -> Finding:
        message = (
            f"rows tell {listed(told.columns)} of the same {listed([told.key])} from several {listed([told.source])}, and they "
            f"disagree: {counted(told.cells, 'cell')} differ from what most reliable rows say, {counted(told.empty, 'cell')} "
            "lack it"
        )
        order = np.argsort([-d for d in told.disagreement], kind="stable")[:12]
        picture = Picture(
            title="cells that differ from what is believed, by source",
            form="bars",
            y=tuple(float(told.disagreement[i]) for i in order),
            labels=tuple(str(told.names[i]) for i in order),
            y_name="share",
        )
        evidence = {"cells": told.cells, "empty": told.empty, "sources": len(told.names), "keys": told.keys}
        values = told.values
        return found(
            self,
            "issue",
            "high" if told.cells >= 0.02 * told.told else "medium",
            table.name,
            told.columns,
            message,
            rows=told.rows,
            evidence=evidence,
            sure="likely",
            examples=told.examples,
            picture=picture,
            proposal=_proposal(table, (told.key,), told.columns, values, told.set),
        )


def _proposal(
    table: Table, key: tuple[str, ...], names: tuple[str, ...], values: dict[str, list[list[Any]]], cells: int
) -> Proposal:
    said = f"set {', '.join(names)} to what most rows of the same {' and '.join(key)} hold, {counted(cells, 'cell')}"
    return Proposal(
        repair="set-by-key",
        table=table.name,
        columns=tuple(n for n in names if n in values),
        parameters={"key": list(key), "values": values},
        cells=cells,
        sentence=said,
    )


CHECK = Dependencies()
"""The check that is registered."""
