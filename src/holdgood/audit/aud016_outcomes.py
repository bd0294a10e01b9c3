"""AUD016: the outcome itself: rows without one, rare classes."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.found import Evidence, counted, found, percent
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity
from holdgood.core.task import Task

FEW = 50
VERY_FEW = 5
RARE = 0.01
HALF = 0.5


class Outcomes:
    """Counts development rows by outcome."""

    code: ClassVar[str] = "AUD016"
    title: ClassVar[str] = "outcomes"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the target of the development rows."""
        if context.main is None or context.y is None or context.task is None or len(context.y) == 0:
            raise NotApplicable("no rows with a target")
        out = self._none(context.main.name, context.y)
        if context.task.kind in ("binary", "multiclass"):
            out += self._classes(context.main.name, context.y, context.task)
        return out

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

    def _classes(self, table: str, y: np.ndarray, task: Task) -> list[Finding]:
        known = y[~np.isnan(y)].astype(np.int64)
        counts = np.bincount(known, minlength=max(2, task.n_classes))
        if len(known) == 0:
            return []
        fewest = int(counts.min())
        if len(counts) > 2:
            thin = [int(k) for k in np.flatnonzero(counts < FEW)]
            if not thin:
                return []
            rows = int(counts[thin].sum())
            hopeless = int((counts < VERY_FEW).sum())
            message = (
                f"{len(thin)} of {len(counts)} classes have fewer than {FEW} rows each ({counted(rows, 'row')} in all)"
            )
            message += f", {hopeless} of them fewer than {VERY_FEW}: no fold can hold them" if hopeless else ""
            evidence: Evidence = {"thin_classes": len(thin), "hopeless_classes": hopeless, "fewest": fewest}
            level: Literal["issue", "tip"] = "issue" if hopeless else "tip"
            severity: Severity = "medium" if hopeless else "low"
            return [found(self, level, severity, table, (), message, rows=rows, evidence=evidence)]
        share = percent(fewest, len(known))
        evidence = {"minority_rows": fewest, "minority_share": round(fewest / len(known), 6)}
        if fewest < FEW:
            message = f"the rarer class has only {counted(fewest, 'row')} ({share}): too few to learn from and to judge a model by"
            severity = "high" if fewest < VERY_FEW else "medium"
            return [found(self, "issue", severity, table, (), message, rows=fewest, evidence=evidence)]
        if fewest < RARE * len(known):
            message = f"the rarer class is {share} of the rows ({fewest:,}): accuracy says nothing here, look at money and ranking"
            return [found(self, "tip", "low", table, (), message, rows=fewest, evidence=evidence)]
        return []


CHECK = Outcomes()
