"""AUD013: joins that would multiply rows of the main table, or leave open which of two facts holds."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.found import found, listed, percent
from holdgood.audit.rows import row_hashes
from holdgood.core import sql
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table


class FanOut:
    """Counts rows of joined tables that share a join key (and, where facts have a time, the same moment)."""

    code: ClassVar[str] = "AUD013"
    title: ClassVar[str] = "fan-out"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every declared join."""
        main = context.tables.get(context.declaration.main) if context.declaration.tables else None
        joins = [(t, context.spec(name)) for name, t in context.tables.items() if context.spec(name).join is not None]
        if main is None or not joins:
            raise NotApplicable("no join is declared")
        out: list[Finding] = []
        for table, spec in joins:
            assert spec.join is not None
            if table.rows:
                out += (
                    self._timed(table, spec.join.on, spec.time) if spec.time else self._plain(main, table, spec.join.on)
                )
        return out

    def _plain(self, main: Table, table: Table, on: dict[str, str]) -> list[Finding]:
        there = list(on.values())
        keys, keyed = _keys(table, there)
        shared, counts = np.unique(keys[keyed], return_counts=True)
        again = int((counts - 1).sum())
        if again == 0:
            return []
        here, main_keyed = _keys(main, list(on))
        several = shared[counts > 1]
        hit = int((np.isin(here, several) & main_keyed).sum())
        message = (
            f"the join by {listed(there)} is not unique in {table.name}: {again:,} rows repeat a key, "
            f"so {hit:,} of {main.rows:,} rows of {main.name} ({percent(hit, main.rows)}) would find more than one partner"
        )
        evidence = {"repeated": again, "main_rows": hit, "most_partners": int(counts.max())}
        level: Literal["issue", "tip"] = "issue" if hit else "tip"
        severity: Literal["high", "low"] = "high" if hit else "low"
        return [found(self, level, severity, table.name, there, message, rows=again, evidence=evidence)]

    def _timed(self, table: Table, on: dict[str, str], time: str) -> list[Finding]:
        there = list(on.values())
        keys, keyed = _keys(table, there)
        at = sql.evaluate(time, table.data, purpose=f"the time of {table.name}")
        dated = ~np.asarray(at.is_null().to_numpy())
        moment = np.asarray(
            pa.table({"at": at}).column(0).cast(pa.string()).combine_chunks().dictionary_encode().indices.fill_null(-1)
        )
        known = keyed & dated
        pairs = np.stack([keys[known].view(np.int64), moment[known].astype(np.int64)], axis=1)
        again = len(pairs) - len(np.unique(pairs, axis=0)) if len(pairs) else 0
        if again == 0:
            return []
        message = (
            f"{again:,} rows of {table.name} ({percent(again, table.rows)}) repeat the same key {listed(there)} at the same moment; "
            "which of them holds is not clear"
        )
        evidence = {"same_instant": again, "share": round(again / table.rows, 6)}
        return [found(self, "tip", "medium", table.name, there, message, rows=again, evidence=evidence)]


def _keys(table: Table, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of key columns (numbers compare as floats) and whether all of them are there."""
    present = np.ones(table.rows, dtype=bool)
    data = table.data.select(list(dict.fromkeys(names)))
    for position, name in enumerate(data.column_names):
        present &= ~columns.missing(table, name)
        if columns.is_numeric(table, name):
            data = data.set_column(position, name, data.column(name).cast(pa.float64(), safe=False))
    return row_hashes(table.with_data(data), tuple(names)), present


CHECK = FanOut()
