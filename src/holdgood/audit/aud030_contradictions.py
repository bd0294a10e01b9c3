"""AUD030: copies of one fact that contradict each other, within a table and between tables that share a key."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.aud029_near_duplicates import mostly_near
from holdgood.audit.doubles import entered_twice
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.links import Link, links
from holdgood.audit.same_facts import SameFact, same_facts
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table

MANY = 0.01


class Contradictions:
    """Finds rows that are copies of one another, or facts told in two tables, that state different values."""

    code: ClassVar[str] = "AUD030"
    title: ClassVar[str] = "contradicting copies"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table with two rows and two columns, and at every link between two tables."""
        tables = [(n, t) for n, t in context.tables.items() if t.rows > 1 and len(t.columns) > 1]
        if not tables:
            raise NotApplicable("no table has two rows and two columns")
        out = [f for name, t in tables for f in self._within(t, tuple(context.spec(name).key))]
        for link in links(context):
            child, parent = context.tables[link.child], context.tables[link.parent]
            out += [
                self._between(child, parent, link, fact)
                for fact in same_facts(child, parent, link.on)
                if fact.kind == "same" and fact.wrong
            ]
        return out

    def _within(self, table: Table, declared: tuple[str, ...]) -> list[Finding]:
        pairs = entered_twice(table, declared)
        if len(pairs.first) == 0 or mostly_near(pairs):
            return []
        rows, where = pairs.rows, pairs.often()
        about = "about " if pairs.share < 1.0 else "at least "
        message = (
            f"{about}{counted(rows, 'row')} of {table.rows:,} ({percent(rows, table.rows)}) "
            + (
                "is a copy of another row that contradicts it "
                if rows == 1
                else "are copies of another row that contradict it "
            )
            + f"in {listed(where, 4)}: both cannot hold"
        )
        many = rows >= MANY * table.rows
        order = np.lexsort((pairs.first, pairs.differ.sum(axis=1)))
        return [
            found(
                self,
                "issue" if many else "tip",
                "high" if many else "medium",
                table.name,
                where,
                message,
                rows=rows,
                evidence={"rows": rows, "share": round(rows / table.rows, 6), "columns_that_differ": len(where)},
                sure="likely",
                examples=[int(p) for i in order[:10] for p in (pairs.first[i], pairs.second[i])],
            )
        ]

    def _between(self, child: Table, parent: Table, link: Link, fact: SameFact) -> Finding:
        wrong = len(fact.wrong)
        message = (
            f"`{fact.here}` of {child.name} and `{fact.there}` of {parent.name} say the same in "
            f"{percent(fact.compared - wrong, fact.compared)} of {counted(fact.compared, 'row')} that meet by {listed(link.here)}, "
            f"and contradict each other in {wrong:,}"
        )
        many = wrong >= MANY * fact.compared
        return found(
            self,
            "issue" if many else "tip",
            "high" if many else "medium",
            child.name,
            (fact.here,),
            message,
            rows=wrong,
            evidence={"contradicting": wrong, "compared": fact.compared, "share": round(wrong / fact.compared, 6)},
            sure="likely",
            examples=fact.wrong,
        )


CHECK = Contradictions()
