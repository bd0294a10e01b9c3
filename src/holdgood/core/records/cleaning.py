"""The clean log: every changed cell is counted, with the reason."""

from __future__ import annotations

from typing import Any, ClassVar

from holdgood.core.records.envelope import Part, Record


class RepairEntry(Part):
    """What one repair did."""

    repair: str
    table: str
    columns: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    why: str = ""
    cells_changed: int = 0
    rows_removed: int = 0
    sentence: str = ""


class CleanLog(Record):
    """All repairs in order, with the fingerprints of the tables before and after; ``written``: SHA-256 of the file made."""

    kind: ClassVar[str] = "clean-log"

    entries: tuple[RepairEntry, ...] = ()
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    written: str = ""

    @property
    def cells_changed(self) -> int:
        """Cells changed by all repairs."""
        return sum(e.cells_changed for e in self.entries)
