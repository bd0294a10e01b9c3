"""AUD016: rows without an outcome. Rare classes are told by AUD042."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.found import counted, found, percent
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity

HALF = 0.5


class Outcomes:
    """Counts development rows without an outcome."""

    code: ClassVar[str] = "AUD016"
    title: ClassVar[str] = "outcomes"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the target of the development rows."""
        if context.main is None or context.y is None or context.task is None or len(context.y) == 0:
            raise NotApplicable("no rows with a target")
        return self._none(context.main.name, context.y)

    def _none(self, table: str, y: np.ndarray) -> list[Finding]:
        none = int(np.isnan(y).sum())
        if none == 0:
            return []
        message = f"{counted(none, 'row')} of {len(y):,} ({percent(none, len(y))}) have no outcome and teach nothing; they are left out and counted"
        many = none >= HALF * len(y)
        evidence = {"rows": none, "share": round(none / len(y), 6)}
        level: Literal["issue", "tip"] = "issue" if many else "tip"
        severity: Severity = "high" if many else "low"
        return [found(self, level, severity, table, (), message, rows=none, evidence=evidence)]


CHECK = Outcomes()
