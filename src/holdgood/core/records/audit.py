"""What the audit hands on: findings inside outcomes inside a report. Silence is never ambiguous."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from holdgood.core.records.envelope import Number, Part, Record

Status = Literal["issue", "tip", "passed", "not applicable", "skipped", "ignored"]
Severity = Literal["high", "medium", "low"]
Scope = Literal["tables", "target"]
Sure = Literal["certain", "likely", "possible"]

EXAMPLES = 20
"""How many rows a finding points at, at most."""


class Proposal(Part):
    """A repair that a finding proposes: a name under ``holdgood.repairs`` and what it would do."""

    repair: str
    table: str
    columns: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    cells: int = 0
    sentence: str = ""


class Picture(Part):
    """A small plot, where a picture says it: aggregates only, never values of single rows.

    ``bars``: one value a label (or, with numbers in ``x``, a histogram over those left edges). ``line``: ``y`` over ``x``;
    moments are microseconds since the epoch with ``x_is_time``. ``marks``: positions within ``y`` that the finding is about.
    """

    title: str
    form: Literal["bars", "line"]
    x: tuple[Number, ...] = ()
    y: tuple[Number, ...]
    labels: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()
    x_is_time: bool = False
    x_name: str = ""
    y_name: str = ""


class Finding(Part):
    """One thing that was found. ``level`` issue or tip; ``evidence`` in numbers; ``message`` in plain words.

    ``sure``: *certain* is counted fact, *likely* stands on a test at a stated level, *possible* asks a person to look.
    ``examples``: positions of rows concerned in the table that was looked at, most telling first, at most 20; never values.
    ``late``: the finding proves that the columns are known only after the moment of decision.
    """

    code: str
    title: str
    level: Literal["issue", "tip"]
    severity: Severity
    table: str
    columns: tuple[str, ...] = ()
    message: str
    evidence: dict[str, float | int | str | None] = {}
    rows: int = 0
    sure: Sure = "certain"
    examples: tuple[int, ...] = ()
    picture: Picture | None = None
    proposal: Proposal | None = None
    late: bool = False


class Outcome(Part):
    """How one check ended: exactly one status, with the reason where it is not plain.

    ``ignored_by``: who decided about findings of this check, wholly or in part. ``accepted_late``: pairs (table, column) that
    are known too late and accepted as such; they stay out of the features.
    """

    code: str
    title: str
    scope: Scope
    status: Status
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    ignored_by: str = ""
    accepted_late: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0


class TableSummary(Part):
    """One line about a table."""

    name: str
    source: str = ""
    rows: int
    columns: int
    megabytes: float = 0.0


class AuditReport(Record):
    """All outcomes of one pass over some tables."""

    kind: ClassVar[str] = "audit-report"

    scope: Scope
    tables: tuple[TableSummary, ...]
    outcomes: tuple[Outcome, ...]
    seconds: float = 0.0

    def _found(self, level: str) -> list[Finding]:
        rank = {"high": 0, "medium": 1, "low": 2}
        live = [f for o in self.outcomes if o.status in ("issue", "tip") for f in o.findings if f.level == level]
        return sorted(live, key=lambda f: (rank[f.severity], f.code, -f.rows, f.table, f.columns))

    @property
    def issues(self) -> list[Finding]:
        """Findings that should be dealt with, gravest first."""
        return self._found("issue")

    @property
    def tips(self) -> list[Finding]:
        """Findings worth a thought."""
        return self._found("tip")

    @property
    def late(self) -> tuple[tuple[str, str], ...]:
        """Pairs (table, column) proven to be known too late."""
        open_ones = [(f.table, c) for f in self.issues if f.late for c in f.columns]
        return tuple(dict.fromkeys([*open_ones, *(pair for o in self.outcomes for pair in o.accepted_late)]))

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return sum(o.status == status for o in self.outcomes)
