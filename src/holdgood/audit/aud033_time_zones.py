"""AUD033: times in another zone: rows that are off by whole hours, local clocks without a zone, feeds that run behind others.

Five traces, the surest first: hours missing in spring and doubled in autumn; a second clock in the table that disagrees; hours
that come twice here and are missing there; a daily profile that jumps when clocks change; a series that runs behind
its siblings. A table is told of the first two kinds as issues, of the rest as they are certain.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.clock_runs import (
    REGIONS,
    Changes,
    Run,
    Stretch,
    daylight,
    doubles,
    holes,
    scattered,
    stretches,
    sundays,
)
from holdgood.audit.daily import Days, daily, sibling_lags
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.grid import Grid, grid
from holdgood.audit.other_clock import Disagreement, disagreements
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.audit.timeline import DAY, HOUR, Timeline, timelines, when
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal

CHANCE = 0.01  # of so many hours on change days by chance, over all regions
SIBLINGS = (3, 60)
SIBLING_COLUMNS = 5
SIBLING_CELLS = 5_000_000
FEW_HOLES = 10


class TimeZones:
    """Looks at every timeline that tells hours; at most one issue and one tip a table."""

    code: ClassVar[str] = "AUD033"
    title: ClassVar[str] = "time zones and daylight saving"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look along the timeline of every table that has one with hours."""
        lines = [t for t in timelines(context) if _tells_hours(t)]
        if not lines:
            raise NotApplicable("no table has a time with hours")
        return [f for line in lines for f in self._look(context, line)]

    def _look(self, context: AuditContext, line: Timeline) -> list[Finding]:
        zone = context.spec(line.table.name).timezone
        days = daily(line)
        if not line.step:
            return self._second_clock(line) or self._profile(line, days)
        g = grid(line)
        twice, missing = doubles(g), holes(g)
        changes = daylight(g, twice, missing)
        if changes is not None and changes.chance <= CHANCE:
            return [self._daylight(g, changes, zone)]
        return (
            self._second_clock(line)
            or self._stretch(g, twice, missing)
            or self._jump(g, days, missing)
            or self._scattered(g)
            or self._siblings(g)
            or self._profile(line, days)
        )

    def _daylight(self, g: Grid, changes: Changes, zone: str | None) -> Finding:
        line, n = g.line, len(changes.spring) + len(changes.autumn)
        parts = []
        if changes.spring:
            parts.append(f"an hour is missing on {counted(len(changes.spring), 'night')} in spring")
        if changes.autumn:
            parts.append(f"an hour comes twice on {counted(len(changes.autumn), 'night')} in autumn")
        message = (
            f"{listed(line.columns)} follows a local clock with daylight-saving time: {' and '.join(parts)}, when clocks change in "
            f"{changes.region}; differences across these nights are an hour wrong and the doubled hour cannot be told apart; "
            + ("it is declared to be in " + zone if zone else "declare `timezone`, or write times in UTC")
        )
        near = np.flatnonzero(np.isin(g.tick // HOUR * HOUR, [*changes.autumn, *(t - HOUR for t in changes.spring)]))
        evidence = {
            "nights": n,
            "hours_missing": len(changes.spring),
            "hours_twice": len(changes.autumn),
            "change_days": changes.days,
            "chance": changes.chance,
        }
        return found(
            self,
            "tip" if zone else "issue",
            "low" if zone else "medium",
            line.table.name,
            line.columns,
            message,
            rows=int(line.there.sum()),
            evidence=evidence,
            sure="certain" if n > 1 else "likely",
            examples=g.rows[near],
        )

    def _second_clock(self, line: Timeline) -> list[Finding]:
        other = disagreements(line)
        if other is None:
            return []
        table, rows = line.table, len(other.rows)
        message = (
            f"{counted(rows, 'row')} ({percent(rows, table.rows)}): {listed(line.columns)} is {_hours(other.hours)} "
            f"{'later' if other.hours > 0 else 'earlier'} than `{other.column}` says on all other rows, as if written in another time zone"
        )
        order = np.argsort(line.at[other.rows], kind="stable")
        return [
            found(
                self,
                "issue",
                _severity(rows, table.rows),
                table.name,
                [*line.columns, other.column],
                message,
                rows=rows,
                evidence={"rows": rows, "hours": other.hours, "agree": round(other.agree, 4)},
                examples=other.rows[order],
                proposal=self._proposal(line, other),
            )
        ]

    def _proposal(self, line: Timeline, other: Disagreement) -> Proposal | None:
        if not other.where:
            return None
        return Proposal(
            repair="shift-time",
            table=line.table.name,
            columns=line.columns,
            parameters={"hours": -other.hours, "where": other.where},
            cells=len(other.rows),
            sentence=f"{len(other.rows):,} moments of {line.columns[0]} move by {-other.hours:g} hours",
        )

    def _stretch(self, g: Grid, twice: list[Run], missing: list[Run]) -> list[Finding]:
        every = stretches(g, twice, missing)
        if not every:
            return []
        line = g.line
        sized: dict[float, list[Stretch]] = {}
        for s in every:
            sized.setdefault(s.hours, []).append(s)
        hours, same = max(sized.items(), key=lambda kv: (sum(s.rows for s in kv[1]), len(kv[1]), -abs(kv[0]), kv[0]))
        rows = sum(s.rows for s in same)
        whole = [s for s in same if s.missing is not None]
        first = min(min(s.twice, s.missing if s.missing is not None else s.twice) for s in same)
        last = max(max(s.twice, s.missing if s.missing is not None else s.twice) for s in same)
        in_series = f" in {len({s.series for s in same})} of {line.count} series" if line.count > 1 else ""
        message = (
            f"{listed(line.columns)}: about {counted(rows, 'row')} between {when(first)} and {when(last)}{in_series} look {_hours(hours)} "
            f"too {'late' if hours > 0 else 'early'}: at one end {_hours(hours)} come twice, at the other they are missing"
            if whole
            else f"{listed(line.columns)}: {_hours(hours)} come twice at {when(first)}{in_series}, with other content: the clock was set back there"
        )
        evidence = {"hours": hours, "rows": rows, "stretches": len(same), "series": len({s.series for s in same})}
        return [
            found(
                self,
                "issue",
                _severity(rows, line.table.rows),
                line.table.name,
                line.columns,
                message,
                rows=rows,
                evidence=evidence,
                sure="likely" if whole else "possible",
                examples=g.rows[sorted(s.entry for s in same)],
            )
        ]

    def _jump(self, g: Grid, days: list[Days], missing: list[Run]) -> list[Finding]:
        """A hole of whole hours after which the daily profile comes later by as much: the clock was set forward for good."""
        line = g.line
        ticks, counts = np.unique([r.tick for r in missing], return_counts=True)
        size = {r.tick: r.length * int(g.steps[r.entry]) / HOUR for r in missing}
        common = [int(t) for t, n in zip(ticks, counts, strict=True) if n == counts.max()]
        if not common or len(common) > FEW_HOLES:
            return []
        for tick in common:
            hours = size[tick]
            if hours < 2 or hours % 1:
                continue
            day = tick // DAY
            sure = [d for d in days if d.lag(int(day)) is not None and abs(float(d.lag(int(day)) or 0) - hours) <= 0.5]
            if any(d.quiet([int(day)]) for d in sure):
                message = (
                    f"{listed(line.columns)}: from {when(tick)} on the clock is {_hours(hours)} ahead: {_hours(hours)} are missing there, and "
                    f"the daily profile of {listed([d.name for d in sure])} comes as much later"
                )
                rows = int((line.there & (line.at >= tick)).sum())
                evidence = {"hours": hours, "rows": rows}
                return [
                    found(
                        self,
                        "issue",
                        _severity(rows, line.table.rows),
                        line.table.name,
                        line.columns,
                        message,
                        rows=rows,
                        evidence=evidence,
                        sure="likely",
                    )
                ]
        return []

    def _scattered(self, g: Grid) -> list[Finding]:
        hit = scattered(g)
        if hit is None:
            return []
        hours, entries = hit
        line = g.line
        message = (
            f"{counted(len(entries), 'row')} ({percent(len(entries), line.table.rows)}) of {listed(line.columns)} look {_hours(hours)} too "
            f"{'late' if hours > 0 else 'early'}: their moments are taken by other rows, and those {_hours(hours)} "
            f"{'before' if hours > 0 else 'after'} are missing"
        )
        return [
            found(
                self,
                "issue",
                _severity(len(entries), line.table.rows),
                line.table.name,
                line.columns,
                message,
                rows=len(entries),
                evidence={"hours": hours, "rows": len(entries)},
                sure="likely",
                examples=g.rows[entries],
            )
        ]

    def _siblings(self, g: Grid) -> list[Finding]:
        """One series in five at most whose changes come hours after (or before) those of all others."""
        line = g.line
        if not SIBLINGS[0] <= line.count <= SIBLINGS[1] or HOUR % int(line.step) or line.series is None:
            return []
        if (int(np.ptp(g.tick)) // line.step + 1) * line.count > SIBLING_CELLS:
            return []
        votes: list[np.ndarray] = []
        for c in profile(line.table).columns:
            if columns.is_numeric(line.table, c.name) and c.distinct >= 20 and c.name not in line.series_columns:
                votes.append(sibling_lags(line, g.tick, g.series, columns.numbers(line.table, c.name)[g.rows]))
            if len(votes) == SIBLING_COLUMNS:
                break
        told = [v for v in votes if (v == 0).sum() >= 0.7 * line.count and (v == 0).sum() >= 2]
        if not told:
            return []
        behind = {}
        for s in range(line.count):
            lags = [float(v[s]) for v in told if not np.isnan(v[s])]
            if lags and len(set(lags)) == 1 and lags[0] != 0 and lags[0] % 1 == 0:
                behind[s] = lags[0]
        if not behind or len(behind) > max(1, 0.2 * line.count):
            return []
        hours = next(iter(behind.values()))
        rows = int(np.isin(line.series, list(behind)).sum())
        message = (
            f"{len(behind)} of {line.count} series of {listed(line.series_columns)} ({counted(rows, 'row')}) "
            f"{'runs' if len(behind) == 1 else 'run'} {_hours(hours)} {'behind' if hours > 0 else 'ahead of'} the others by {listed(line.columns)}: "
            "another time zone?"
        )
        return [
            found(
                self,
                "issue",
                _severity(rows, line.table.rows),
                line.table.name,
                [*line.columns, *line.series_columns],
                message,
                rows=rows,
                evidence={"hours": hours, "series": len(behind), "rows": rows},
                sure="possible",
            )
        ]

    def _profile(self, line: Timeline, days: list[Days]) -> list[Finding]:
        """What is measured follows clocks with daylight-saving time, the times do not."""
        for d in days:
            low, high = (d.first + 14) * DAY, (d.first + len(d.values) - 14) * DAY
            best: tuple[float, str, list[int]] | None = None
            for region, (forward, back) in REGIONS.items():
                springs, autumns = sundays(forward, low, high), sundays(back, low, high)
                lags = [(d.lag(t // DAY), -1.0) for t in springs] + [(d.lag(t // DAY), 1.0) for t in autumns]
                if not springs or not autumns or any(g is None or not 0.5 <= g * s <= 1.5 for g, s in lags):
                    continue
                error = sum(abs(float(g or 0) - s) for g, s in lags) / len(lags)
                if best is None or error < best[0]:
                    best = (error, region, [t // DAY for t in (*springs, *autumns)])
            if best is not None and d.quiet(best[2]):
                what = listed([d.name]) if d.name else "the number of rows"
                message = (
                    f"{listed(line.columns)} does not follow daylight-saving time, but what it times does: the daily profile of {what} jumps by an "
                    f"hour on {len(best[2])} of {len(best[2])} days on which clocks change in {best[1]}; take the hour of the day in local time"
                )
                evidence = {"change_days": len(best[2]), "mean_error_hours": round(best[0], 4)}
                names = [*line.columns, *([d.name] if d.name and d.name not in line.columns else [])]
                return [found(self, "tip", "low", line.table.name, names, message, evidence=evidence, sure="likely")]
        return []


def _tells_hours(line: Timeline) -> bool:
    """Moments at several times of the day."""
    some = sample(line.table)
    times = np.unique(line.at[some][line.there[some]] % DAY)
    return not line.months and (line.step == 0 or line.step < DAY) and len(times) >= 4


def _severity(rows: int, of: int) -> Literal["high", "medium", "low"]:
    return "high" if rows >= 0.05 * of else "medium"


def _hours(hours: float) -> str:
    shown = f"{abs(hours):g}"
    return f"{shown} hour" if shown == "1" else f"{shown} hours"


CHECK = TimeZones()
