"""AUD005: rows that name a row of another table which is not there: by declared joins, and by foreign keys found in the data."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import Evidence, found, listed, percent
from holdgood.audit.links import Link, links, matched, need_two
from holdgood.audit.names_between import written_otherwise
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity
from holdgood.core.table import Table

MANY = 0.5
SOME = 0.05


class Orphans:
    """For each declared or discovered join, counts rows whose key is not in the other table.

    Rows that would find a partner if both tables wrote the key in one way are told by AUD037 and not counted here.
    """

    code: ClassVar[str] = "AUD005"
    title: ClassVar[str] = "orphans"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every pair of tables that have rows."""
        need_two(context)
        out = []
        for link in links(context):
            child, parent = context.tables[link.child], context.tables[link.parent]
            if child.rows:
                out += self._look(child, parent, link)
        return out

    def _look(self, child: Table, parent: Table, link: Link) -> list[Finding]:
        here = list(link.here)
        unlike = [(a, b) for a, b in link.on if _family(child, a) != _family(parent, b)]
        if unlike:
            a, b = unlike[0]
            message = (
                f"the join to {parent.name} compares `{a}` ({child.type_of(a)}) with `{b}` ({parent.type_of(b)}); "
                "values of different types never meet: declare the same type for both"
            )
            evidence: Evidence = {"columns_of_unlike_type": len(unlike)}
            return [found(self, "issue", "high", child.name, here, message, rows=child.rows, evidence=evidence)]
        met, keyed = matched(child, parent, link.on)
        alone_mask = keyed & ~met
        for written in written_otherwise(child, parent):
            if (written.here, written.there) in link.on:
                alone_mask[np.asarray(written.rows, dtype=np.int64)] = False
        alone = int(alone_mask.sum())
        empty = int((~keyed).sum())
        if alone == 0 and (empty == 0 or not link.declared):
            return []
        n = alone + empty if link.declared else alone
        share = n / child.rows
        message = (
            f"{percent(n, child.rows)} of the rows find no partner in {parent.name} by {listed(here)}: "
            if link.declared
            else f"{listed(here)} of {child.name} {'name' if len(here) > 1 else 'names'} rows of {parent.name} "
            f"({listed(link.there)}; found in the data), but {percent(n, child.rows)} of the rows find none there: "
        )
        parts = [f"{alone:,} with a key that is not there"] * (alone > 0)
        parts += [f"{empty:,} without a key"] * (empty > 0 and link.declared)
        evidence = {"unmatched": alone, "without_key": empty, "share": round(share, 6)}
        severity: Severity = (
            "high" if share >= MANY else "medium" if share >= (0.2 if link.declared else SOME) else "low"
        )
        return [
            found(
                self,
                "issue" if share >= MANY else "tip",
                severity,
                child.name,
                here,
                message + ", ".join(parts),
                rows=n,
                evidence=evidence,
                sure="certain" if link.declared else "likely",
                examples=np.flatnonzero(alone_mask),
            )
        ]


def _family(table: Table, column: str) -> str:
    table.type_of(column)
    if columns.is_numeric(table, column):
        return "number"
    return str(table.data.schema.field(column).type)


CHECK = Orphans()
