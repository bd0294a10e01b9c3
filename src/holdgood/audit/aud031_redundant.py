"""AUD031: columns that say what another column says already: copies, other units, other codes."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit.found import found, listed
from holdgood.audit.redundancy import Redundant, redundant
from holdgood.core import sql
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

ROWS = 30
_SHOWN = 4
_WORDS = {
    "copy": "the same in every row",
    "linear": "the same number in another unit (one is a constant times the other plus a constant)",
    "codes": "the same facts under other codes (each value of one stands for one value of the other)",
    "nearly": "nearly the same",
    "correlated": "nearly on one line",
}


class RedundantColumns:
    """Finds columns of which another column tells every value, up to unit or code."""

    code: ClassVar[str] = "AUD031"
    title: ClassVar[str] = "redundant columns"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table of at least 30 rows with two columns."""
        tables = [(n, t) for n, t in context.tables.items() if t.rows >= ROWS and len(t.columns) > 1]
        if not tables:
            raise NotApplicable(f"no table has {ROWS} rows and two columns")
        return [f for name, t in tables for f in self._look(t, _needed(context, name, t))]

    def _look(self, table: Table, needed: set[str]) -> list[Finding]:
        groups = redundant(table)
        out = []
        for kind, words in _WORDS.items():
            some = [g for g in groups if g.kind == kind]
            if some:
                out.append(self._told(table, some, words, needed))
        return out

    def _told(self, table: Table, groups: list[Redundant], words: str, needed: set[str]) -> Finding:
        shown = "; ".join(listed(g.columns) for g in groups[:_SHOWN])
        more = f"; and {len(groups) - _SHOWN:,} more groups" if len(groups) > _SHOWN else ""
        agree = min(g.agree for g in groups)
        share = (
            f"with a correlation of {agree:.4f}"
            if groups[0].kind == "correlated"
            else f"in {100 * agree:.2f}% of the rows"
        )
        exactly = f" ({share})" if agree < 1.0 else ""
        # what only nearly agrees may hold the errors that another check asks about, and a time is what the rest stands on
        exact = [g for g in groups if g.agree >= 1.0 - 1e-9]
        spare = [c for g in exact for c in _spare(g, needed) if table.type_of(c) != "datetime"]
        columns = [c for g in groups for c in g.columns]
        message = f"{shown}{more}: {words}{exactly}. One of each is enough"
        proposal = None
        if spare:
            proposal = Proposal(
                repair="drop-columns",
                table=table.name,
                columns=tuple(spare),
                cells=len(spare) * table.rows,
                sentence=f"take out {listed(spare)}",
            )
        return found(
            self,
            "tip",
            "low",
            table.name,
            columns,
            message,
            rows=table.rows,
            evidence={"groups": len(groups), "columns": len(columns), "agree": round(agree, 6)},
            sure="certain" if agree == 1.0 else "likely",
            proposal=proposal,
        )


def _spare(group: Redundant, needed: set[str]) -> list[str]:
    """All but one column of a group, none that something else stands on; the first in the table's order is kept."""
    free = [c for c in group.columns if c not in needed]
    return free if len(free) < len(group.columns) else free[1:]


def _needed(context: AuditContext, name: str, table: Table) -> set[str]:
    """Columns that the declaration builds on: the target, keys, times, joins, groups."""
    declared, spec = context.declaration, context.spec(name)
    out = {*spec.key, *spec.ids, *spec.series, *declared.fairness.groups, *declared.split.by}
    joins = [s.join for s in declared.tables.values() if s.join is not None]
    out |= {c for j in joins for c in (*j.on, *j.on.values())}
    texts = [
        spec.time,
        *spec.known.values(),
        declared.task.target,
        declared.task.decision_time,
        *declared.features.values(),
    ]
    for text in texts:
        out |= set(sql.columns_in(text, table.names)) if text else set()
    return out


CHECK = RedundantColumns()
