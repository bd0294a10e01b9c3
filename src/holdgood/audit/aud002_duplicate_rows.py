"""AUD002: the same row twice. In tables of few values equal rows are expected by chance, and are left alone."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.doubles import exact_by_chance
from holdgood.audit.found import found, percent
from holdgood.audit.neighbours import met_by_chance
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash, copies, row_hashes
from holdgood.audit.twins import twins
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

MANY = 0.01
TELLING = 0.9
_FIRST = 4


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
        described = profile(table).columns
        if any(c.distinct == table.rows for c in described):
            return []
        first, again, pairs = equal_rows(table)
        n = len(again)
        # Rows that agree even in a column that hardly ever repeats did not meet by chance, unless it repeats as rounded numbers do.
        telling = n > 0 and any(
            c.distinct >= TELLING * table.rows and not met_by_chance(table, c.name, n) for c in described
        )
        if n == 0 or (not (keyed or telling) and _by_chance(table, pairs)):
            return []
        share = percent(n, table.rows)
        message = f"{n:,} of {table.rows:,} rows ({share}) repeat another row in all {len(table.columns)} columns"
        if keyed:
            message += ", although a key is declared"
        evidence = {
            "rows": n,
            "share": round(n / table.rows, 6),
            "pairs": pairs,
        }
        many = keyed or n >= MANY * table.rows
        drop = Proposal(
            repair="drop-duplicate-rows",
            table=table.name,
            cells=n * len(table.columns),
            sentence=f"keep the first of each, {n:,} rows fewer",
        )
        return [
            found(
                self,
                "issue" if many else "tip",
                "high" if keyed else "medium" if many else "low",
                table.name,
                (),
                message,
                rows=n,
                evidence=evidence,
                proposal=drop,
                sure="certain" if keyed or telling else "likely",
                examples=np.stack([first, again], axis=1)[:10].ravel(),
            )
        ]


def equal_rows(table: Table) -> tuple[np.ndarray, np.ndarray, float]:
    """Positions of first rows and of the rows equal to them (by position of the latter), and the number of equal pairs.

    Rows that differ in the most telling columns are not looked at any further.
    """
    if table.rows < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 0.0
    described = sorted(enumerate(profile(table).columns), key=lambda p: (-p[1].distinct, p[0]))
    part = np.zeros(table.rows, dtype=np.uint64)
    for position, c in described[:_FIRST]:
        part += column_hash(table, c.name, position)
    order = np.argsort(part, kind="stable")
    same = part[order[1:]] == part[order[:-1]]
    rows = np.sort(order[np.concatenate([[False], same]) | np.concatenate([same, [False]])])
    if len(rows) == 0:
        return rows, rows, 0.0
    some = table if len(rows) == table.rows else table.take(rows)
    whole = row_hashes(some, table.names)
    _, start, back, counts = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
    again = np.flatnonzero(start[back] != np.arange(len(rows)))
    return rows[start[back[again]]], rows[again], float((counts * (counts - 1.0) / 2.0).sum())


def _by_chance(table: Table, pairs: float) -> bool:
    if len(twins(table).first) == 0:
        return copies(table, table.names).by_chance
    return exact_by_chance(table, pairs)


CHECK = DuplicateRows()
