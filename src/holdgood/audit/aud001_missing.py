"""AUD001: cells that are not there: empty columns, mostly empty ones, columns missing together, stretches of time."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import found, is_are, listed, percent
from holdgood.audit.profile import profile
from holdgood.core import sql
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

MOSTLY = 0.5
BLOCK_ROWS = 20
BLOCK_SHARE = 0.005
STRETCH = 20


class Missing:
    """Counts missing cells and says where they come together."""

    code: ClassVar[str] = "AUD001"
    title: ClassVar[str] = "missing values"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table that has rows."""
        tables = [t for t in context.tables.values() if t.rows]
        if not tables:
            raise NotApplicable("no table has a row")
        out: list[Finding] = []
        for name, table in context.tables.items():
            if table.rows:
                out += self._empty(table) + self._mostly(table) + self._blocks(table)
                out += self._stretch(table, context.spec(name).time)
        return out

    def _empty(self, table: Table) -> list[Finding]:
        empty = [c.name for c in profile(table).columns if c.missing == c.rows]
        if not empty:
            return []
        message = f"{listed(empty)} {is_are(empty)} empty in all {table.rows:,} rows"
        drop = Proposal(
            repair="drop-columns", table=table.name, columns=tuple(empty), sentence=f"take out {listed(empty)}"
        )
        evidence = {"columns": len(empty), "share": 1.0}
        return [
            found(
                self, "issue", "medium", table.name, empty, message, rows=table.rows, evidence=evidence, proposal=drop
            )
        ]

    def _mostly(self, table: Table) -> list[Finding]:
        mostly = [c for c in profile(table).columns if MOSTLY * c.rows <= c.missing < c.rows]
        if not mostly:
            return []
        mostly.sort(key=lambda c: -c.missing)
        told = ", ".join(f"`{c.name}` in {percent(c.missing, c.rows)}" for c in mostly[:6])
        more = f" and {len(mostly) - 6:,} more columns" if len(mostly) > 6 else ""
        worst = mostly[0].missing
        return [
            found(
                self,
                "tip",
                "low",
                table.name,
                [c.name for c in mostly],
                f"at least half of the values are missing: {told}{more}",
                rows=worst,
                evidence={"columns": len(mostly), "largest_share": round(worst / table.rows, 6)},
            )
        ]

    def _blocks(self, table: Table) -> list[Finding]:
        enough = max(BLOCK_ROWS, BLOCK_SHARE * table.rows)
        candidates = [c for c in profile(table).columns if enough <= c.missing < c.rows]
        together: dict[bytes, list[str]] = {}
        rows: dict[bytes, int] = {}
        for c in candidates:
            mark = hashlib.blake2b(np.packbits(columns.missing(table, c.name)).tobytes(), digest_size=16).digest()
            together.setdefault(mark, []).append(c.name)
            rows[mark] = c.missing
        blocks = sorted(
            ((names, rows[m]) for m, names in together.items() if len(names) > 1), key=lambda b: -len(b[0]) * b[1]
        )
        if not blocks:
            return []
        told = "; ".join(f"{listed(n)} in the same {r:,} rows ({percent(r, table.rows)})" for n, r in blocks[:3])
        more = f"; and {len(blocks) - 3} more groups of columns" if len(blocks) > 3 else ""
        evidence = {"groups": len(blocks), "rows_of_largest": blocks[0][1], "columns_of_largest": len(blocks[0][0])}
        every = [n for names, _ in blocks for n in names]
        message = f"missing together: {told}{more}; one cause may be behind it"
        return [found(self, "tip", "low", table.name, every, message, rows=blocks[0][1], evidence=evidence)]

    def _stretch(self, table: Table, time: str | None) -> list[Finding]:
        """Long stretches of time without a value. An instant counts as missing where all of its rows are."""
        if time is None:
            return []
        at = sql.evaluate(time, table.data, purpose=f"the time of {table.name}")
        _, instant = np.unique(np.asarray(at.to_numpy()), return_inverse=True)
        size = np.bincount(instant)
        told: list[tuple[str, int, int]] = []
        for c in profile(table).columns:
            if not STRETCH <= c.missing <= MOSTLY * c.rows:
                continue
            gone = np.bincount(instant, weights=columns.missing(table, c.name)) == size
            longest = _longest_run(gone)
            share = gone.mean()
            # expected number of runs this long if instants were missing independently (union bound)
            expected = len(gone) * share**longest if share < 1 else 0.0
            if longest >= STRETCH and expected < 1e-6 and longest >= 0.3 * gone.sum():
                told.append((c.name, longest, int(gone.sum())))
        if not told:
            return []
        text = "; ".join(
            f"`{n}` for {run:,} moments in a row ({percent(run, total)} of its gaps)" for n, run, total in told[:3]
        )
        evidence = {"columns": len(told), "longest": max(run for _, run, _ in told)}
        names = [n for n, _, _ in told]
        return [
            found(
                self,
                "tip",
                "medium",
                table.name,
                names,
                f"a stretch of time without a value: {text}",
                evidence=evidence,
            )
        ]


def _longest_run(marks: np.ndarray) -> int:
    edges = np.diff(np.concatenate([[0], marks.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return int((ends - starts).max()) if len(starts) else 0


CHECK = Missing()
