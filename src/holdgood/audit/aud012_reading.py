"""AUD012: what the reader had to say about its source."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit import columns
from holdgood.audit.dates_written import dates, mostly_dates
from holdgood.audit.found import Evidence, found
from holdgood.audit.written import vocabulary
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal, Severity
from holdgood.core.table import Note, Table

_RANK: dict[str, tuple[Literal["issue", "tip"], Severity]] = {
    "bad-lines": ("issue", "high"),
    "unparsed": ("issue", "medium"),
    "zones": ("issue", "medium"),
    "changed-type": ("issue", "high"),
    "encoding": ("tip", "low"),
    "duplicate-names": ("tip", "medium"),
    "empty-names": ("tip", "low"),
    "title-lines": ("tip", "medium"),
    "unsupported-type": ("tip", "low"),
}


class Reading:
    """Turns the notes of the readers into findings; mixed types are told by AUD006."""

    code: ClassVar[str] = "AUD012"
    title: ClassVar[str] = "reading"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the notes of every table."""
        if not context.tables:
            raise NotApplicable("there is no table")
        return [self._tell(t, note) for t in context.tables.values() for note in t.notes if note.code != "mixed-types"]

    def _tell(self, table: Table, note: Note) -> Finding:
        level, severity = _RANK.get(note.code, ("tip", "low"))
        evidence: Evidence = {"note": note.code, "count": note.count}
        return found(
            self,
            level,
            severity,
            table.name,
            note.columns,
            note.message,
            rows=note.count,
            evidence=evidence,
            proposal=_as_dates(table, note.columns[0]) if note.code == "unparsed" and len(note.columns) == 1 else None,
        )


def _as_dates(table: Table, name: str) -> Proposal | None:
    """Read a column of texts as dates, where all of them are dates in one way of writing."""
    if name not in table.names or not columns.is_text(table, name) or not mostly_dates(vocabulary(table, name)):
        return None
    words = vocabulary(table, name)
    seen = dates(words)
    if len(seen.formats) != 1 or seen.open.any() or not (seen.valid | seen.absent).all():
        return None
    return Proposal(
        repair="parse-dates",
        table=table.name,
        columns=(name,),
        parameters={"formats": list(seen.formats)},
        cells=words.present,
        sentence=f"read {name} as dates, written as {seen.formats[0]}",
    )


CHECK = Reading()
