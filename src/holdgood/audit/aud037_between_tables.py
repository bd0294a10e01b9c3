"""AUD037: two tables that speak of the same things in other units, other time zones or another way of writing names."""

from __future__ import annotations

from itertools import permutations
from typing import ClassVar, Literal

from holdgood.audit.found import counted, found, listed, number, percent
from holdgood.audit.links import Link, links, need_two
from holdgood.audit.names_between import Written, written_otherwise
from holdgood.audit.same_facts import SameFact, same_facts
from holdgood.audit.shifted_key import shifted_key
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table


class BetweenTables:
    """Compares what two tables say about rows that share a key, and how they write the key."""

    code: ClassVar[str] = "AUD037"
    title: ClassVar[str] = "units, zones and names between tables"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every pair of tables with rows."""
        need_two(context)
        out: list[Finding] = []
        seen: set[tuple[str, str]] = set()
        for link in links(context):
            child, parent = context.tables[link.child], context.tables[link.parent]
            if child.rows == 0 or parent.rows == 0 or (link.parent, link.child) in seen:
                continue
            seen.add((link.child, link.parent))
            hours = shifted_key(child, parent, link.on)
            if hours:
                out.append(self._shifted(child, parent, link, hours))
                continue
            for fact in same_facts(child, parent, link.on):
                if fact.kind != "same":
                    out.append(self._fact(child, parent, link, fact))
        tables = [t for t in context.tables.values() if t.rows and t.columns]
        for child, parent in permutations(tables, 2):
            out += [self._written(child, parent, w) for w in written_otherwise(child, parent)]
        return out

    def _fact(self, child: Table, parent: Table, link: Link, fact: SameFact) -> Finding:
        pair = f"`{fact.here}` of {child.name} and `{fact.there}` of {parent.name}"
        met = f"{counted(fact.compared, 'row')} that meet by {listed(link.here)}"
        rows = fact.compared
        if fact.kind == "unit":
            message = (
                f"{pair} are the same quantity in different units, {fact.named} apart, in {met}: bring both to one unit"
            )
        elif fact.kind == "units mixed":
            rows = len(fact.wrong)
            message = (
                f"{pair} agree in most of {met}, but in {rows:,} ({percent(rows, fact.compared)}) they are "
                f"{fact.named} apart: two units are mixed in one of them"
            )
        elif fact.kind == "shift":
            message = f"{pair} are the same moment {_hours(fact.hours)} apart in {met}: the two tables keep different time zones"
        else:
            rows = len(fact.wrong)
            message = (
                f"{pair} are the same moment in most of {met}, but in {rows:,} ({percent(rows, fact.compared)}) they lie whole "
                f"hours apart ({_hours(fact.hours)}): time zones, or summer and winter time, are mixed"
            )
        shift = fact.kind.startswith("shift")
        apart = {"hours": fact.hours} if shift else {"factor": round(fact.factor, 6)}
        return found(
            self,
            "issue",
            "high",
            child.name,
            (fact.here,),
            message,
            rows=rows,
            evidence={"compared": fact.compared, "rows": rows, **apart},
            sure="likely",
            examples=fact.wrong,
        )

    def _shifted(self, child: Table, parent: Table, link: Link, hours: float) -> Finding:
        message = (
            f"{child.name} and {parent.name} meet by {listed(link.here)}, but what they state agrees only when the times of "
            f"{parent.name} are moved by {_hours(hours)}: the two tables keep different time zones"
        )
        evidence = {"hours": hours}
        return found(
            self, "issue", "high", child.name, link.here, message, rows=child.rows, evidence=evidence, sure="likely"
        )

    def _written(self, child: Table, parent: Table, written: Written) -> Finding:
        n = len(written.rows)
        message = (
            f"`{written.here}` of {child.name} names rows of {parent.name} (`{written.there}`), but {counted(n, 'row')} "
            f"({percent(n, child.rows)}) find them only when both are written in one way: {written.how}"
        )
        return found(
            self,
            "issue",
            "high" if n >= 0.2 * child.rows else "medium",
            child.name,
            (written.here,),
            message,
            rows=n,
            evidence={"rows": n, "met_as_they_are": written.exact, "share": round(n / child.rows, 6)},
            examples=written.rows,
            proposal=_as_there(child, parent, written),
        )


def _as_there(child: Table, parent: Table, written: Written) -> Proposal | None:
    if not written.mapping:
        return None
    return Proposal(
        repair="unify-spellings",
        table=child.name,
        columns=(written.here,),
        parameters={"mapping": dict(written.mapping)},
        cells=len(written.rows),
        sentence=f"write `{written.here}` as {parent.name} does, {counted(len(written.rows), 'cell')}",
    )


def _hours(hours: float) -> str:
    return f"{number(abs(hours))} hour{'' if abs(hours) == 1 else 's'}"


CHECK = BetweenTables()
