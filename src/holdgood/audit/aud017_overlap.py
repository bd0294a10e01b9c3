"""AUD017: development rows that come again in the holdout, and entities that stand on both sides."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.rows import meetings, row_hashes
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Severity
from holdgood.core.table import Table

MANY = 0.01


class Overlap:
    """Compares development and holdout by content; looks at no outcome of the holdout."""

    code: ClassVar[str] = "AUD017"
    title: ClassVar[str] = "overlap with the holdout"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at both sides of the split."""
        main, holdout = context.main, context.holdout
        if main is None or holdout is None or main.rows == 0 or holdout.rows == 0:
            raise NotApplicable("there is no holdout")
        spec = context.spec(main.name)
        out = []
        if spec.key and all(n in main.names and n in holdout.names for n in spec.key):
            out += self._entities(main, holdout, list(spec.key), "the same key")
        by = [n for n in context.declaration.split.by if n in main.names and n in holdout.names]
        for name in by:
            out += self._entities(main, holdout, [name], "values that were to stay together")
        return out + self._rows(context, main, holdout)

    def _entities(self, main: Table, holdout: Table, names: list[str], what: str) -> list[Finding]:
        there = np.ones(holdout.rows, dtype=bool)
        for name in names:
            there &= ~columns.missing(holdout, name)
        rows = int((np.isin(row_hashes(holdout, tuple(names)), row_hashes(main, tuple(names))) & there).sum())
        if rows == 0:
            return []
        message = (
            f"{counted(rows, 'row')} of the holdout ({percent(rows, holdout.rows)}) have {what} as development rows, by {listed(names)}: "
            "the holdout is not new to the model"
        )
        evidence = {"rows": rows, "share": round(rows / holdout.rows, 6)}
        return [found(self, "issue", "high", main.name, names, message, rows=rows, evidence=evidence)]

    def _rows(self, context: AuditContext, main: Table, holdout: Table) -> list[Finding]:
        """Whole rows, without what only names them: declared keys and ids, running numbers, texts that never repeat."""
        spec = context.spec(main.name)
        gone = {*spec.key, *spec.ids, *context.target_columns, *identifiers(main)}
        shared = set(holdout.names) - gone
        names = tuple(n for n in main.names if n in shared)
        if not names:
            return []
        met = meetings(main, holdout, names)
        if met.rows == 0 or met.by_chance:
            return []
        many = met.rows >= MANY * holdout.rows
        message = (
            f"{counted(met.rows, 'row')} of the holdout ({percent(met.rows, holdout.rows)}) equal a development row in all {len(names)} columns: "
            "copies make the holdout look easier than new data"
        )
        evidence = {"rows": met.rows, "share": round(met.rows / holdout.rows, 6), "nearly_equal": round(met.near, 1)}
        level: Literal["issue", "tip"] = "issue" if many else "tip"
        severity: Severity = "medium" if many else "low"
        return [found(self, level, severity, main.name, (), message, rows=met.rows, evidence=evidence)]


CHECK = Overlap()
