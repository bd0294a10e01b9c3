"""What the panel reader found: series, steps, roles of the columns, and everything that was not as it should be."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.envelope import Number, Part, Record


class PanelNote(Part):
    """One thing about the rows or series of a panel.

    ``rows``: some of the rows concerned, counted from 1 as they come in the source; ``series``: some of the ids concerned.
    ``count``: of rows or series, as ``message`` says.
    """

    code: str
    level: Literal["issue", "tip"]
    message: str
    count: int = 0
    rows: tuple[int, ...] = ()
    series: tuple[str, ...] = ()


class PanelReport(Record):
    """A table as a panel. ``roles``: what each column is used as, and why it is not used where it is not.

    ``shortest``, ``median``, ``longest``: steps a series. ``ended``: ids without a forecast since nothing was sold for long;
    ``new``: ids without any history. ``kinds``: series by kind of demand (smooth, erratic, intermittent, lumpy).
    """

    kind: ClassVar[str] = "panel-report"

    series: int
    rows: int
    steps: int
    frequency: str
    seasons: tuple[int, ...]
    horizon: int
    first: str = ""
    last: str = ""
    shortest: int = 0
    median: Number = float("nan")
    longest: int = 0
    filled: int = 0
    roles: dict[str, str] = {}
    kinds: dict[str, int] = {}
    hidden: int = 0
    ended: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    notes: tuple[PanelNote, ...] = ()

    @property
    def issues(self) -> list[PanelNote]:
        """Notes that should be dealt with."""
        return [n for n in self.notes if n.level == "issue"]
