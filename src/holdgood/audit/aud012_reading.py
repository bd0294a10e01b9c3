"""AUD012: what the reader had to say about its source."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit.found import Evidence, found
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity
from holdgood.core.table import Note, Table

_RANK: dict[str, tuple[Literal["issue", "tip"], Severity]] = {
    "bad-lines": ("issue", "high"),
    "unparsed": ("issue", "medium"),
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
        return found(self, level, severity, table.name, note.columns, note.message, rows=note.count, evidence=evidence)


CHECK = Reading()
