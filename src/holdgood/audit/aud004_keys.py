"""AUD004: a declared key that does not name one row."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import found, listed, percent
from holdgood.audit.rows import row_hashes
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table


class Keys:
    """Counts rows whose declared key is missing or comes again."""

    code: ClassVar[str] = "AUD004"
    title: ClassVar[str] = "keys"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table with a declared key."""
        keyed = [(t, list(context.spec(name).key)) for name, t in context.tables.items() if context.spec(name).key]
        if not keyed:
            raise NotApplicable("no key is declared")
        return [f for t, key in keyed for f in self._look(t, key)]

    def _look(self, table: Table, key: list[str]) -> list[Finding]:
        for name in key:
            table.type_of(name)
        gone = np.zeros(table.rows, dtype=bool)
        for name in key:
            gone |= columns.missing(table, name)
        present = row_hashes(table, tuple(key))[~gone]
        again = len(present) - len(np.unique(present))
        out = []
        if again:
            message = f"the key {listed(key)} is not unique: {again:,} of {table.rows:,} rows ({percent(again, table.rows)}) repeat a key"
            evidence = {"repeated": again, "share": round(again / table.rows, 6)}
            out.append(found(self, "issue", "high", table.name, key, message, rows=again, evidence=evidence))
        if gone.any():
            empty = int(gone.sum())
            message = (
                f"the key {listed(key)} is missing in {empty:,} of {table.rows:,} rows ({percent(empty, table.rows)})"
            )
            evidence = {"missing": empty, "share": round(empty / table.rows, 6)}
            out.append(found(self, "issue", "medium", table.name, key, message, rows=empty, evidence=evidence))
        return out


CHECK = Keys()
