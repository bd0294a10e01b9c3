"""What each group gets, and how far groups lie apart."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Interval
from holdgood.core.records.envelope import Part, Record


class GroupResult(Part):
    """One group's measures; a thin group has none, and says how many rows would tell."""

    name: str
    n: int
    positives: int = 0
    thin: bool = False
    rows_needed: int = 0
    measures: dict[str, Interval] = {}


class Gap(Part):
    """The largest difference of one measure between groups, with a simultaneous interval."""

    measure: str
    largest: Interval
    between: tuple[str, str] = ("", "")
    verdict: Literal["within", "gap", "cannot tell"] = "cannot tell"
    limit: float = 0.1
    sentence: str = ""


class GroupReport(Part):
    """One attribute: its groups and gaps."""

    attribute: str
    groups: tuple[GroupResult, ...]
    gaps: tuple[Gap, ...]


class FairnessReport(Record):
    """All attributes. ``measure`` is the one that the gate looks at."""

    kind: ClassVar[str] = "fairness-report"

    attributes: tuple[GroupReport, ...] = ()
    measure: str = ""
    rows: int = 0
    sentence: str = ""
