"""AUD003: columns that say the same in (almost) every row."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow.compute as pc

from holdgood.audit.found import found, is_are, listed, percent
from holdgood.audit.profile import profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ALMOST = 0.999
ROWS = 20
EVENTS = 20


class Constant:
    """Finds columns with one value, and columns where one value takes at least 99.9% of the rows.

    A mark that only ever says yes or no and says the rarer one in 20 rows or more is left alone: rare events are told that way.
    """

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
        constant, almost, rare = [], [], 0
        for c in profile(table).columns:
            if c.distinct == 1 and c.missing == 0:
                constant.append(c.name)
            elif c.type != "other" and (odd := _odd_rows(table, c)):
                almost.append(c.name)
                rare += odd
        out = []
        if constant:
            message = (
                f"{listed(constant)} {is_are(constant)} the same in all {table.rows:,} rows and can explain nothing"
            )
            drop = None
            if len(constant) < len(table.columns):
                drop = Proposal(
                    repair="drop-columns",
                    table=table.name,
                    columns=tuple(constant),
                    cells=len(constant) * table.rows,
                    sentence=f"take out {listed(constant)}",
                )
            evidence = {"columns": len(constant)}
            out.append(
                found(
                    self, "tip", "low", table.name, constant, message, rows=table.rows, evidence=evidence, proposal=drop
                )
            )
        if almost:
            message = (
                f"{listed(almost)}: one value takes at least {percent(ALMOST, 1.0)} of the {table.rows:,} rows; see "
                "whether the few others are meant"
            )
            out.append(
                found(
                    self,
                    "tip",
                    "low",
                    table.name,
                    almost,
                    message,
                    rows=table.rows,
                    evidence={"columns": len(almost), "other_rows": rare},
                    examples=_others(table, almost[0]),
                )
            )
        return out


def _odd_rows(table: Table, c: ColumnProfile) -> int:
    """Rows (missing ones among them) that are not the commonest value, where they are few; else 0."""
    room = (1 - ALMOST) * table.rows
    if not 1 < c.distinct + (c.missing > 0) <= 1 + room or c.missing > room:
        return 0
    counts = np.asarray(pc.value_counts(table.data.column(c.name)).field("counts"))
    odd = table.rows - int(counts.max())
    if odd > room or (len(counts) == 2 and odd >= EVENTS):
        return 0
    return odd


def _others(table: Table, name: str) -> np.ndarray:
    """Positions of rows that do not hold the commonest value."""
    counted = pc.value_counts(table.data.column(name))
    commonest = counted.field("values")[int(np.asarray(counted.field("counts")).argmax())]
    same = pc.fill_null(pc.equal(table.data.column(name), commonest), False)
    return np.flatnonzero(~np.asarray(same))


CHECK = Constant()
