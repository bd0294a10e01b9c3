"""AUD029: the same row entered again with a cell or two slightly different: rounded, mistyped, left blank."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.doubles import Doubles, entered_twice
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.keys import repeats
from holdgood.audit.rows import row_hashes
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

MANY = 0.01
MOSTLY = 0.5


class NearDuplicates:
    """Finds pairs of rows that agree in all but one or two columns, and there differ by little, beyond chance."""

    code: ClassVar[str] = "AUD029"
    title: ClassVar[str] = "near duplicates"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table with at least two rows and two columns."""
        tables = [(n, t) for n, t in context.tables.items() if t.rows > 1 and len(t.columns) > 1]
        if not tables:
            raise NotApplicable("no table has two rows and two columns")
        return [f for name, t in tables for f in self._look(t, tuple(context.spec(name).key))]

    def _look(self, table: Table, declared: tuple[str, ...]) -> list[Finding]:
        pairs = entered_twice(table, declared)
        if not mostly_near(pairs):
            return []
        rows, where = pairs.rows, pairs.often()
        near = float(pairs.weight[pairs.near].sum() / pairs.weight.sum())
        about = "about " if pairs.share < 1.0 else "at least "
        message = (
            f"{about}{counted(rows, 'row')} of {table.rows:,} ({percent(rows, table.rows)}) say the same as another row but for "
            f"a cell or two ({listed(where, 4)}), and there they differ by little: "
            "probably the same thing entered twice. Decide which of the two holds"
        )
        many = rows >= MANY * table.rows
        return [
            found(
                self,
                "issue" if many else "tip",
                "medium" if many else "low",
                table.name,
                where,
                message,
                rows=rows,
                evidence={
                    "rows": rows,
                    "share": round(rows / table.rows, 6),
                    "columns_that_differ": len(where),
                    "differ_by_little": round(near, 4),
                },
                sure="likely",
                examples=_examples(pairs),
                proposal=_safe(table, pairs),
            )
        ]


def mostly_near(pairs: Doubles) -> bool:
    """Whether most of the pairs differ by little: then they are one cause, and told here; else they contradict each other."""
    total = float(pairs.weight.sum())
    return total > 0 and float(pairs.weight[pairs.near].sum()) >= MOSTLY * total


def _examples(pairs: Doubles) -> list[int]:
    """Both rows of a pair side by side, those that differ least first."""
    order = np.lexsort((pairs.first, pairs.differ.sum(axis=1)))
    return [int(p) for i in order[:10] for p in (pairs.first[i], pairs.second[i])]


def _safe(table: Table, pairs: Doubles) -> Proposal | None:
    """Keep the first of each by the columns in which no pair differs, if exactly these rows go and no other."""
    if pairs.share < 1.0:
        return None
    apart = np.asarray(pairs.differ.any(axis=0))
    agree = [c for c, differs in zip(pairs.compared, apart, strict=True) if not differs]
    if not agree or repeats(row_hashes(table, agree)) != pairs.rows:
        return None
    return Proposal(
        repair="drop-duplicate-rows",
        table=table.name,
        columns=tuple(agree),
        cells=pairs.rows * len(table.columns),
        sentence=f"of rows that agree in {listed(agree, 4)} keep the first, {pairs.rows:,} rows fewer",
    )


CHECK = NearDuplicates()
