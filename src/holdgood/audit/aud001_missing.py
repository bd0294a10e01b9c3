"""AUD001: cells that are not there: empty columns, stretches of time without a value, and one tip with all other missing values."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.far_off import iso
from holdgood.audit.found import counted, found, is_are, listed, percent
from holdgood.audit.missing_stretch import Stretch, stretches
from holdgood.audit.missing_together import missing_together
from holdgood.audit.profile import profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture, Proposal, Severity
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

MOSTLY = 0.5
LEAST = 5
LEAST_SHARE = 0.0005
OTHERWISE_FULL = 0.05
_BINS = 60
_BARS = 30


class Missing:
    """Counts missing cells and says where they come together."""

    code: ClassVar[str] = "AUD001"
    title: ClassVar[str] = "missing values"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table that has rows."""
        if not any(t.rows for t in context.tables.values()):
            raise NotApplicable("no table has a row")
        out: list[Finding] = []
        for name, table in context.tables.items():
            if table.rows:
                out += self._empty(table)
                out += self._stretches(table, stretches(table, context.spec(name)))
                out += self._missing(table)
        return out

    def _empty(self, table: Table) -> list[Finding]:
        empty = [c.name for c in profile(table).columns if c.missing == c.rows]
        if not empty:
            return []
        message = f"{listed(empty)} {is_are(empty)} empty in all {table.rows:,} rows"
        drop = Proposal(
            repair="drop-columns", table=table.name, columns=tuple(empty), sentence=f"take out {listed(empty)}"
        )
        repair = drop if len(empty) < len(table.names) else None  # no table is left without columns
        evidence = {"columns": len(empty), "share": 1.0}
        return [
            found(
                self, "issue", "medium", table.name, empty, message, rows=table.rows, evidence=evidence, proposal=repair
            )
        ]

    def _stretches(self, table: Table, seen: list[Stretch]) -> list[Finding]:
        """One finding for the columns that have no value in the same stretch."""
        together: dict[tuple[str, float, float, bool], list[Stretch]] = defaultdict(list)
        for one in seen:
            together[(one.time, one.start, one.end, one.inside)].append(one)
        return [
            self._stretch(table, group)
            for group in sorted(together.values(), key=lambda g: (-len(g) * g[0].rows, g[0].start))
        ]

    def _stretch(self, table: Table, group: list[Stretch]) -> Finding:
        first = group[0]
        names = [s.column for s in group]
        # a feed that begins later or ends earlier is a fact of life; a hole in a column that is full otherwise is not
        hole = first.inside and any(s.others <= OTHERWISE_FULL * table.rows for s in group)
        level: Literal["issue", "tip"] = "issue" if hole else "tip"
        severity: Severity = "medium" if hole else "low"
        message = (
            f"{listed(names)} {'have' if len(names) > 1 else 'has'} no value from {iso(first.start)} to {iso(first.end)}: "
            f"{counted(first.moments, 'moment')} in a row, {counted(first.rows, 'row')} ({percent(first.rows, table.rows)})"
        )
        message += " of one series" if first.per_series else ""
        message += "" if first.inside else ", at the edge of the time covered"
        evidence = {
            "columns": len(names),
            "longest": first.moments,
            "rows": first.rows,
            "missing_elsewhere": first.others,
        }
        return found(
            self,
            level,
            severity,
            table.name,
            names,
            message,
            rows=first.rows,
            evidence=evidence,
            sure="likely",
            examples=first.positions,
            picture=_over_time(table, first),
        )

    def _missing(self, table: Table) -> list[Finding]:
        """Every column that misses values, in one tip: how much, and which of them together."""
        least = max(LEAST, LEAST_SHARE * table.rows)
        some = [c for c in profile(table).columns if least <= c.missing < c.rows]
        if not some:
            return []
        some.sort(key=lambda c: -c.missing)
        told = ", ".join(f"`{c.name}` in {percent(c.missing, c.rows)}" for c in some[:6])
        more = f" and {len(some) - 6:,} more columns" if len(some) > 6 else ""
        message = f"values are missing: {told}{more}"
        groups, pairs = missing_together(table)
        if groups:
            parts = [
                f"{listed(g.columns)} in {'the same ' if g.same else ''}{g.rows:,} rows ({percent(g.rows, table.rows)})"
                for g in groups[:3]
            ]
            rest = f"; and {len(groups) - 3} more groups" if len(groups) > 3 else ""
            message += f". Together: {'; '.join(parts)}{rest}; one cause may be behind it"
        if pairs:
            message += f". One instead of the other: {'; '.join(listed([p.first, p.second]) for p in pairs[:3])}"
        evidence = {
            "columns": len(some),
            "largest_share": round(some[0].missing / table.rows, 6),
            "mostly_missing": sum(c.missing >= MOSTLY * c.rows for c in some),
            "groups": len(groups),
            "rows_of_largest": groups[0].rows if groups else 0,
            "columns_of_largest": len(groups[0].columns) if groups else 0,
        }
        return [
            found(
                self,
                "tip",
                "low",
                table.name,
                [c.name for c in some],
                message,
                rows=some[0].missing,
                evidence=evidence,
                picture=_shares(some) if len(some) > 1 else None,
            )
        ]


def _shares(some: list[ColumnProfile]) -> Picture:
    return Picture(
        title="Share of missing values",
        form="bars",
        y=tuple(c.missing / c.rows for c in some[:_BARS]),
        labels=tuple(c.name for c in some[:_BARS]),
        y_name="share missing",
    )


def _over_time(table: Table, seen: Stretch) -> Picture | None:
    """The share of missing cells over time; None where the time is an expression or all within a moment."""
    if not seen.time or not columns.is_moment(table, seen.time):
        return None
    at = columns.numbers(table, seen.time)
    there = ~np.isnan(at)
    low, high = float(at[there].min()), float(at[there].max())
    if low >= high:
        return None
    edges = np.linspace(low, high, _BINS + 1)
    gone = columns.missing(table, seen.column)[there].astype(np.float64)
    rows = np.histogram(at[there], edges)[0]
    share = np.histogram(at[there], edges, weights=gone)[0] / np.maximum(rows, 1)
    marks = [i for i in range(_BINS) if edges[i + 1] > seen.start and edges[i] < seen.end and share[i] > 0]
    return Picture(
        title=f"Missing values of {seen.column} over time",
        form="line",
        x=tuple(float(e) for e in edges[:-1]),
        y=tuple(float(s) for s in share),
        marks=tuple(marks),
        x_is_time=True,
        y_name="share missing",
    )


CHECK = Missing()
