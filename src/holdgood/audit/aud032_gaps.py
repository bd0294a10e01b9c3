"""AUD032: moments that are missing from a regular timeline, rows beside its clock, and stretches without any event.

The step is declared (``every``) or the usual difference between neighbours. Hours of the week that are hardly ever there (nights,
weekends) are closed, not missing; where weekends are closed, so are single days (holidays). Events without a step are
counted by the hour or the day, against what the same hour of the week usually has.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.grid import WEEK, Grid, Holes, grid
from holdgood.audit.timeline import DAY, HOUR, MICRO, Timeline, duration, timelines, when
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import EXAMPLES, Finding, Picture

ISSUE_MOMENTS = 10
OFTEN = 0.2  # share of missing moments from which rows may be written on purpose only now and then
BINS = 60
OPEN = 0.95  # an hour of the week in which events are to be expected has some in this share of weeks
EVENTS = 30  # expected events within a stretch that has none
EVENT_BINS = {HOUR: 3, DAY: 2}
EVENT_ROWS = 200


class Gaps:
    """Counts missing moments and tells them as stretches; each table has at most one finding of a kind."""

    code: ClassVar[str] = "AUD032"
    title: ClassVar[str] = "gaps in time"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look along the timeline of every table that has one."""
        lines = timelines(context)
        if not lines:
            raise NotApplicable("no table has a time")
        out: list[Finding] = []
        for line in lines:
            if line.step:
                g = grid(line)
                out += self._beside(g) + self._missing(g)
            else:
                out += self._silent(line)
        return out

    def _missing(self, g: Grid) -> list[Finding]:
        holes, line = g.holes, g.line
        lost = len(holes.tick)
        if lost == 0:
            return []
        longest = int(np.argmax(holes.length))
        affected = len(np.unique(g.series[holes.before]))
        often = lost > OFTEN * holes.expected and holes.length.max() < 0.2 * lost
        of = f" per {listed(line.series_columns)}" if line.series_columns else ""
        where = f", in {affected:,} of {holes.series:,} series" if line.count > 1 else ""
        message = (
            f"{listed(line.columns)}{of}: {counted(lost, 'moment')} of {holes.expected:,} ({percent(lost, holes.expected)}) "
            f"{'is' if lost == 1 else 'are'} missing at a step of {_step(line, line.step)}{where}, in "
            f"{_stretches(len(holes.length))}; "
            f"the longest is {counted(int(holes.length[longest]), 'moment')} after {_moment(g, int(holes.before[longest]))}"
        )
        if often:
            message += "; they are missing everywhere: perhaps rows are written only when something happened"
        if holes.closed:
            message += "; hours and days of the week that are never there are not counted"
        evidence = {
            "missing": lost,
            "expected": holes.expected,
            "share": round(lost / holes.expected, 6),
            "stretches": len(holes.length),
            "longest": int(holes.length[longest]),
            "series": holes.series,
            "series_affected": affected,
            "series_that_come_and_go": holes.sparse,
            ("step_months" if line.months else "step_seconds"): line.step if line.months else line.step / MICRO,
        }
        share = lost / holes.expected
        order = np.lexsort((g.tick[holes.before], -holes.length))[:EXAMPLES]
        return [
            found(
                self,
                "issue" if (lost >= ISSUE_MOMENTS or share >= 0.001) and not often else "tip",
                "high" if share >= 0.05 and not often else "medium" if share >= 0.005 and not often else "low",
                line.table.name,
                [*line.columns, *(c for c in line.series_columns if c not in line.columns)],
                message,
                evidence=evidence,
                sure="possible" if often else "certain",
                examples=g.rows[holes.before[order]],
                picture=None if line.months else _picture(g, holes),
            )
        ]

    def _beside(self, g: Grid) -> list[Finding]:
        line = g.line
        rows = int(g.copies[g.off].sum())
        if rows == 0:
            return []
        message = (
            f"{counted(rows, 'row')} ({percent(rows, line.table.rows)}) {'lies' if rows == 1 else 'lie'} beside the clock of "
            f"{listed(line.columns)}, which else runs in steps of {_step(line, line.step)}"
        )
        off = np.flatnonzero(g.off)
        beside = (g.tick[off] - _phase(g)[off]) % g.steps[off]
        beside = np.minimum(beside, g.steps[off] - beside)
        order = np.lexsort((g.tick[off], -beside))[:EXAMPLES]
        evidence = {
            "rows": rows,
            "share": round(rows / line.table.rows, 6),
            "step_seconds": line.step / MICRO,
            "seconds_beside_median": float(np.median(beside)) / MICRO,
        }
        share = rows / line.table.rows
        return [
            found(
                self,
                "issue",
                "medium" if share >= 0.01 else "low",
                line.table.name,
                [*line.columns],
                message,
                rows=rows,
                evidence=evidence,
                examples=g.rows[off[order]],
            )
        ]

    def _silent(self, line: Timeline) -> list[Finding]:
        at = line.at[line.there]
        if len(at) < EVENT_ROWS or line.months:
            return []
        for width in (HOUR, DAY):
            start = int(at.min()) // WEEK * WEEK
            bins = (int(at.max()) - start) // width + 1
            if bins > 5_000_000 or bins * width < 5 * WEEK:
                continue
            runs = _silences(np.bincount((at - start) // width, minlength=bins), width, first=int(at.min()) - start)
            if runs is None:
                continue
            return self._tell_silent(line, runs, width, start) if runs else []
        return []

    def _tell_silent(
        self, line: Timeline, runs: list[tuple[int, int, int, float]], width: int, start: int
    ) -> list[Finding]:
        first, last, bins, _ = max(runs, key=lambda r: r[3])
        word = "hour" if width == HOUR else "day"
        message = (
            f"{listed(line.columns)} has no row for {counted(bins, word)} in which rows are to be expected, "
            f"from {when(start + first * width)} to {when(start + (last + 1) * width)}"
            + (f" (and in {_stretches(len(runs) - 1)} more)" if len(runs) > 1 else "")
            + f"; about {counted(round(sum(r[3] for r in runs)), 'row')} may be missing"
        )
        evidence = {
            "stretches": len(runs),
            "longest": bins,
            "bin_seconds": width / MICRO,
            "rows_expected": round(sum(r[3] for r in runs)),
        }
        after = np.flatnonzero(line.there & (line.at >= start + (last + 1) * width))
        return [
            found(
                self,
                "issue",
                "medium",
                line.table.name,
                line.columns,
                message,
                evidence=evidence,
                sure="likely",
                examples=after[np.argsort(line.at[after], kind="stable")[:1]],
            )
        ]


def _silences(counts: np.ndarray, width: int, *, first: int) -> list[tuple[int, int, int, float]] | None:
    """Stretches (first bin, last bin, open bins, rows expected) without events; None where the width is too fine for them.

    ``counts``: events a bin, from the start of a week on; ``first``: when the first event was.
    """
    slots = WEEK // width
    padded = np.concatenate([counts, np.zeros(-len(counts) % slots, dtype=counts.dtype)]).reshape(-1, slots)
    weeks = padded.sum(1)
    inner = slice(1, -1) if len(weeks) > 3 else slice(None)  # the first and the last week are parts of weeks
    living = padded[inner][weeks[inner] >= 0.25 * np.median(weeks[weeks > 0])]
    if len(living) == 0:
        return None
    usual = np.median(living, axis=0)
    open_slots = ((living == 0).sum(0) <= 1 + (1 - OPEN) * len(living)) & (usual >= 3)
    if len(living) < 5 or living[:, open_slots].sum() < 0.5 * counts.sum():
        return None
    place = np.arange(len(counts))
    asked = np.flatnonzero(open_slots[place % slots] & (place * width >= first))
    empty = counts[asked] == 0
    edge = np.diff(np.r_[0, empty.astype(np.int8), 0])
    out = []
    for a, b in zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True):
        expected = float(usual[asked[a:b] % slots].sum())
        if expected >= EVENTS and b - a >= EVENT_BINS[width] and counts[asked[a] : asked[b - 1]].sum() == 0:
            out.append((int(asked[a]), int(asked[b - 1]), int(b - a), expected))
    return out


def _phase(g: Grid) -> np.ndarray:
    """The phase of each entry's own clock."""
    on = np.zeros(g.line.count, dtype=np.int64)
    on[g.series[~g.off]] = (g.tick % g.steps)[~g.off]
    return np.asarray(on[g.series])


def _stretches(n: int) -> str:
    return "1 stretch" if n == 1 else f"{n:,} stretches"


def _step(line: Timeline, step: int) -> str:
    return counted(step, "month") if line.months else duration(step)


def _moment(g: Grid, entry: int) -> str:
    return when(int(g.line.at[g.rows[entry]]))


def _picture(g: Grid, holes: Holes) -> Picture:
    """Missing moments over time."""
    low, high = int(g.tick.min()), int(g.tick.max())
    edges = np.linspace(low, high, BINS + 1)
    lost = np.histogram(holes.tick, edges)[0]
    return Picture(
        title="missing moments",
        form="line",
        x=tuple(float(e) for e in edges[:-1]),
        y=tuple(float(v) for v in lost),
        marks=tuple(int(i) for i in np.flatnonzero(lost)),
        x_is_time=True,
        x_name=g.line.columns[0] if g.line.columns else "",
        y_name="moments",
    )


CHECK = Gaps()
