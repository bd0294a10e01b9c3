"""AUD013: joins, declared or found, that would multiply rows, or leave open which of two facts holds."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.links import Link, key_hash, links, need_two
from holdgood.core import sql
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.table import Table


class FanOut:
    """Counts rows of joined tables that share a join key (and, where facts have a time, the same moment)."""

    code: ClassVar[str] = "AUD013"
    title: ClassVar[str] = "fan-out"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every join, declared or found, between two tables that are here."""
        need_two(context)
        out: list[Finding] = []
        for link in links(context):
            child, parent = context.tables[link.child], context.tables[link.parent]
            if parent.rows:
                time = context.spec(link.parent).time
                timed = link.declared and time is not None
                out += self._timed(parent, link, str(time)) if timed else self._plain(child, parent, link)
        return out

    def _plain(self, child: Table, parent: Table, link: Link) -> list[Finding]:
        there = list(link.there)
        keys, keyed = _keys(parent, link.there)
        shared, counts = np.unique(keys[keyed], return_counts=True)
        again = int((counts - 1).sum())
        if again == 0:
            return []
        here, child_keyed = _keys(child, link.here)
        several = shared[counts > 1]
        hit = int((np.isin(here, several) & child_keyed).sum())
        if hit == 0 and not link.declared:
            return []
        how = "the join" if link.declared else f"a join of {child.name} ({listed(link.here)}, found in the data)"
        message = (
            f"{how} by {listed(there)} is not unique in {parent.name}: {counted(again, 'row')} {'repeats' if again == 1 else 'repeat'} a key, "
            f"so {hit:,} of {child.rows:,} rows of {child.name} ({percent(hit, child.rows)}) would find more than one partner"
        )
        evidence = {"repeated": again, "main_rows": hit, "most_partners": int(counts.max())}
        level: Literal["issue", "tip"] = "issue" if hit else "tip"
        severity: Literal["high", "low"] = "high" if hit else "low"
        return [
            found(
                self,
                level,
                severity,
                parent.name,
                there,
                message,
                rows=again,
                evidence=evidence,
                sure="certain" if link.declared else "likely",
                examples=np.flatnonzero(np.isin(keys, several) & keyed),
            )
        ]

    def _timed(self, table: Table, link: Link, time: str) -> list[Finding]:
        there = list(link.there)
        keys, keyed = _keys(table, link.there)
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


def _keys(table: Table, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of key columns (numbers compare as floats) and whether all of them are there."""
    present = np.ones(table.rows, dtype=bool)
    for name in names:
        table.type_of(name)
        present &= ~columns.missing(table, name)
    return key_hash(table, names), present


CHECK = FanOut()
