"""AUD034: data that are not up to date: older than declared, feeds, series and columns that stop long before the others do.

Only where ``fresh`` is declared is the clock asked, once a run of the check, and the moment stands in the evidence. All else
is measured against the newest moments of the tables themselves. Moments that lie in the future make nothing fresh.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed
from holdgood.audit.grid import grid
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.audit.timeline import DAY, MICRO, Timeline, duration, timelines, when
from holdgood.core.budget import seconds_of
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding

Moment = int


def clock() -> Moment:
    """Microseconds since the epoch, now."""
    return time.time_ns() // 1000


ALIKE = 0.5  # of either table's time that both share, to be compared
LATE_SHARE = 0.015  # of a table's time that it ends before the others
GAPS = 10  # or so many of its usual gaps
TOGETHER = 0.8  # share of series that end with the table
SERIES_STEPS = 10
SERIES_SHARE = 0.05
COLUMN_ROWS = 50
COLUMN_SHARE = 0.02


class Stale:
    """Compares ends: of tables with the clock or each other, of series with their table, of columns with their rows."""

    code: ClassVar[str] = "AUD034"
    title: ClassVar[str] = "stale data"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def __init__(self, now: Callable[[], Moment] = clock) -> None:
        self.now = now

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at the end of every timeline."""
        lines = [t for t in timelines(context) if t.there.any()]
        if not lines:
            raise NotApplicable("no table has a time")
        out = self._declared(context, lines)
        told = {f.table for f in out}
        out += [f for f in self._feeds(lines) if f.table not in told]
        for line in lines:
            out += self._series(line) + self._columns(line)
        return out

    def _declared(self, context: AuditContext, lines: list[Timeline]) -> list[Finding]:
        asked = [(t, context.spec(t.table.name).fresh) for t in lines]
        declared = [(t, fresh) for t, fresh in asked if fresh is not None]
        if not declared:
            return []
        now, out = self.now(), []
        for line, fresh in declared:
            past = line.at[line.there & (line.at <= now)]
            newest = int(past.max()) if len(past) else None
            allowed = seconds_of(fresh) * MICRO
            if newest is not None and now - newest <= allowed:
                continue
            message = (
                f"the newest row by {listed(line.columns)} is of {when(newest)}, {duration(now - newest)} before the audit at {when(now)}; "
                f"{fresh} are allowed"
                if newest is not None
                else f"no row by {listed(line.columns)} is of the past, as of the audit at {when(now)}"
            )
            evidence = {
                "audit_at": when(now),
                "newest": when(newest) if newest is not None else None,
                "age_seconds": (now - newest) // MICRO if newest is not None else None,
                "allowed_seconds": allowed / MICRO,
            }
            out.append(found(self, "issue", "high", line.table.name, line.columns, message, evidence=evidence))
        return out

    def _feeds(self, lines: list[Timeline]) -> list[Finding]:
        ends = {t.table.name: _span(t) for t in lines}
        out = []
        for line in lines:
            low, high = ends[line.table.name]
            others = [
                (ends[o.table.name][1], o.table.name)
                for o in lines
                if o is not line and _alike((low, high), ends[o.table.name])
            ]
            if not others:
                continue
            newest, other = max(others, key=lambda o: o[0])
            late = newest - high
            usual, longest = _gaps(line)
            if late <= max(GAPS * usual, 2 * longest, LATE_SHARE * (high - low)):
                continue
            message = (
                f"{listed(line.columns)} ends at {when(high)}, {duration(late)} before the table {other!r} does ({when(newest)}), "
                f"with never more than {duration(longest)} between its rows"
            )
            evidence = {
                "late_seconds": late // MICRO,
                "usual_gap_seconds": usual / MICRO,
                "longest_gap_seconds": longest / MICRO,
            }
            share = late / max(1, newest - low)
            out.append(
                found(
                    self,
                    "issue",
                    "high" if share >= 0.1 else "medium",
                    line.table.name,
                    line.columns,
                    message,
                    evidence=evidence,
                    sure="likely",
                    examples=np.flatnonzero(line.there & (line.at == high)),
                )
            )
        return out

    def _series(self, line: Timeline) -> list[Finding]:
        """Few series that end long before all others of their table."""
        if line.count < 2 or not line.step:
            return []
        g = grid(line)
        last = np.full(line.count, np.iinfo(np.int64).min)
        np.maximum.at(last, g.series, g.tick)
        first, end = int(g.tick.min()), int(last.max())
        early = (end - last) > max(SERIES_STEPS * line.step, SERIES_SHARE * (end - first))
        if not early.any() or (end - last <= 2 * line.step).mean() < TOGETHER:
            return []
        n = int(early.sum())
        worst = int(np.argmin(last))
        stop = int(line.at[g.rows[np.flatnonzero((g.series == worst) & (g.tick == last[worst]))[0]]])
        message = (
            f"{n} of {line.count} series of {listed(line.series_columns)} {'ends' if n == 1 else 'end'} before the others, the first "
            f"at {when(stop)}; the table goes on to {when(int(line.at[line.there].max()))}"
        )
        ends = np.flatnonzero(early[g.series] & (g.tick == last[g.series]))
        return [
            found(
                self,
                "tip",
                "low",
                line.table.name,
                [*line.columns, *line.series_columns],
                message,
                evidence={"series": line.count, "series_early": n},
                examples=g.rows[ends[np.argsort(g.tick[ends], kind="stable")]],
            )
        ]

    def _columns(self, line: Timeline) -> list[Finding]:
        """Columns that hold nothing, or one value, from some moment to the end."""
        table = line.table
        rows = sample(table)
        rows = rows[line.there[rows]]
        if len(rows) < 5 * COLUMN_ROWS:
            return []
        rows = rows[np.argsort(line.at[rows], kind="stable")]
        moments = line.at[rows]
        empty, stuck = [], []
        for c in profile(table).columns:
            if c.name in line.columns or c.distinct < 2:
                continue
            if 0.01 * c.rows <= c.missing <= 0.98 * c.rows:
                start = _stops(columns.missing(table, c.name)[rows], moments)
                if start is not None:
                    empty.append((c.name, start))
            if c.distinct >= 10 and line.count == 1 and columns.is_numeric(table, c.name) and c.missing < 0.5 * c.rows:
                values = columns.numbers(table, c.name)[rows]
                there = ~np.isnan(values)
                start = (
                    _stops(values[there] == values[there][-1], moments[there]) if there.sum() > COLUMN_ROWS else None
                )
                if start is not None and _longest_run(values[there]) * 5 < (moments[there] >= start).sum():
                    stuck.append((c.name, start))
        told = []
        if empty:
            told.append(self._stopped(line, empty, "is empty" if len(empty) == 1 else "are empty"))
        if stuck:
            told.append(self._stopped(line, stuck, "stands still" if len(stuck) == 1 else "stand still"))
        return told

    def _stopped(self, line: Timeline, names: list[tuple[str, int]], verb: str) -> Finding:
        start = min(s for _, s in names)
        rows = int((line.there & (line.at >= start)).sum())
        shown = [n for n, _ in names]
        message = (
            f"{listed(shown)} {verb} from {when(start)} to the end ({counted(rows, 'row')}), while {listed(line.columns)} goes on: "
            "the source has stopped"
        )
        first = np.flatnonzero(line.there & (line.at >= start))
        return found(
            self,
            "issue",
            "high" if rows >= 0.05 * line.table.rows else "medium",
            line.table.name,
            shown,
            message,
            rows=rows,
            evidence={"rows": rows, "columns": len(shown), "share": round(rows / line.table.rows, 6)},
            sure="likely",
            examples=first[np.argsort(line.at[first], kind="stable")],
        )


def _span(line: Timeline) -> tuple[int, int]:
    """First and last moment; a few strays far beyond all others do not count."""
    at = line.at[line.there]
    low, high = np.quantile(at, [0.001, 0.999])
    room = 0.1 * (high - low) + DAY
    inside = at[(at >= low - room) & (at <= high + room)]
    return int(inside.min()), int(inside.max())


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Both share at least half of either's time."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared > 0 and shared >= ALIKE * max(one[1] - one[0], other[1] - other[0])


def _gaps(line: Timeline) -> tuple[float, float]:
    """The 99.9% quantile of the differences between moments at which the table has rows, and the longest one."""
    at = np.unique(line.at[line.there])
    low, high = _span(line)
    gaps = np.diff(at[(at >= low) & (at <= high)])
    if len(gaps) == 0:
        return 0.0, 0.0
    return float(np.quantile(gaps, 0.999)), float(gaps.max())


def _stops(marks: np.ndarray, moments: np.ndarray) -> int | None:
    """The moment from which all rows are marked to the end, where the stretch is long and nothing like it was before."""
    clear = np.flatnonzero(~marks)
    if len(clear) == 0 or clear[-1] == len(marks) - 1:
        return None
    start = int(np.searchsorted(moments, moments[clear[-1]], side="right"))
    length, before = len(marks) - start, marks[:start]
    if length < max(COLUMN_ROWS, COLUMN_SHARE * len(marks)) or start < COLUMN_ROWS or before.mean() > 0.5:
        return None
    inner = int(np.diff(np.r_[-1, clear]).max()) - 1
    return int(moments[start]) if length > 3 * inner else None


def _longest_run(values: np.ndarray) -> int:
    """The longest run of equal values before the last one."""
    edges = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    runs = np.diff(np.r_[edges, len(values)])
    return int(runs[:-1].max()) if len(runs) > 1 else 0


CHECK = Stale()
