"""AUD027: faults of sensors: stuck on one reading, single spikes, flat tops at a bound, one sensor creeping away from the others.

Needs rows in the order of a regular clock: a declared ``time``, or moments found in the data, one series or several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from holdgood.audit import columns, conditions
from holdgood.audit.beginning import by_the_beginning
from holdgood.audit.bench import bench
from holdgood.audit.breaks import breaks
from holdgood.audit.clock import Clock, clock
from holdgood.audit.creeping import BLOCKS, Creep, creeps, sisters, thinned
from holdgood.audit.found import counted, found, listed, number, percent
from holdgood.audit.profile import profile
from holdgood.audit.readings import Flat, Spikes, Stuck, distances, flat, leaping, spikes, stuck, usual_distance
from holdgood.audit.shifted import wrong_cells
from holdgood.audit.timeline import timeline
from holdgood.audit.traces import traces
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture, Proposal
from holdgood.core.sql import quote
from holdgood.core.table import Table

DISTINCT = 30
ROWS = 1_000_000
SAME = 0.3
TOGETHER = 0.5
TIED = 0.6
BEGINNING = 0.6
CREEPING_ROWS = 200_000
MOMENTS = 50
_NEAR = 6.0
_SOME = 20_000


@dataclass(frozen=True)
class _Column:
    """One column in the order of the clock, how far its readings usually are from their neighbours, and explained cells."""

    name: str
    values: np.ndarray
    usual: float
    explained: NDArray[np.bool_]


class SensorFaults:
    """Reads each column along time, one series after the other."""

    code: ClassVar[str] = "AUD027"
    title: ClassVar[str] = "faults of sensors"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every table that has a regular clock."""
        timed = [(t, c) for t in context.tables.values() if (c := clock(context, t)) is not None]
        if not timed:
            raise NotApplicable("no table has a regular order in time")
        return [f for table, ticking in timed for f in self._table(context, table, shortened(ticking))]

    def _table(self, context: AuditContext, table: Table, ticking: Clock) -> list[Finding]:
        read = list(_columns(context, table, ticking))
        out: list[Finding] = []
        leaps = [(c, s) for c in read if (s := _leaps(ticking, c)) is not None]
        for c in read:
            still = stuck(c.values, ticking)
            if still is not None:
                out.append(self._tell_stuck(table, ticking, c, still))
            out += [self._tell_flat(table, ticking, c, f) for f in flat(c.values, ticking)]
        out += [self._tell_spikes(table, ticking, c, s) for c, s in leaps if not _event(ticking, c, s, read)]
        return out + self._creeping(context, table, ticking, read)

    def _tell_stuck(self, table: Table, ticking: Clock, c: _Column, one: Stuck) -> Finding:
        rows = len(one.at)
        message = (
            f"{listed([c.name])} stands still in {one.runs:,} stretch{'es' if one.runs > 1 else ''} of together "
            f"{counted(rows, 'row')} ({percent(rows, table.rows)}): the same reading up to "
            f"{one.longest:,} times in a row, elsewhere never more than {counted(one.usual, 'time')}"
        )
        if one.resting > one.usual:
            message += f" (but for values at which it often rests: up to {one.resting:,})"
        evidence = {"rows": rows, "runs": one.runs, "longest_run": one.longest, "longest_elsewhere": one.usual}
        return self._tell(table, ticking, c, one.at, message, evidence, _stretches(table, ticking, c, one), "likely")

    def _tell_spikes(self, table: Table, ticking: Clock, c: _Column, one: Spikes) -> Finding:
        rows = len(one.at)
        message = (
            f"{counted(rows, 'reading')} of {listed([c.name])} ({percent(rows, table.rows)}) leap away from the readings before and "
            f"after and back, by more than {number(round(one.beyond))} times the usual distance; nothing lies between"
        )
        evidence = {"rows": rows, "beyond": round(one.beyond, 1), "usual_distance": float(f"{c.usual:.4g}")}
        at = one.at[np.argsort(-one.far, kind="stable")]
        return self._tell(table, ticking, c, at, message, evidence, _beyond(table, ticking, c, one), "likely")

    def _tell_flat(self, table: Table, ticking: Clock, c: _Column, one: Flat) -> Finding:
        rows = len(one.at)
        message = (
            f"{listed([c.name])} stands at its {'highest' if one.top else 'lowest'} value in {counted(rows, 'row')} "
            f"({percent(rows, table.rows)}), in flat {'tops' if one.top else 'bottoms'}; no value near it comes more than "
            f"{one.usual:,} times: the sensor reads no further, the truth lies beyond"
        )
        evidence = {"rows": rows, "bound": one.bound, "most_rows_near": one.usual}
        side = "high" if one.top else "low"
        inside = float(np.nextafter(one.bound, -np.inf if one.top else np.inf))
        proposal = Proposal(
            repair="out-of-range-to-missing",
            table=table.name,
            columns=(c.name,),
            parameters={side: inside},
            cells=rows,
            sentence=f"{rows:,} cells of {c.name} at its bound become missing",
        )
        return self._tell(table, ticking, c, one.at, message, evidence, proposal, "likely")

    def _tell(
        self,
        table: Table,
        ticking: Clock,
        c: _Column,
        at: np.ndarray,
        message: str,
        evidence: Mapping[str, float | int],
        proposal: Proposal | None,
        sure: Literal["likely", "possible"],
    ) -> Finding:
        return found(
            self,
            "issue",
            "medium",
            table.name,
            [c.name],
            message,
            rows=len(at),
            evidence={**evidence, "share": round(len(at) / table.rows, 6)},
            proposal=proposal,
            sure=sure,
            examples=(int(r) for r in ticking.order[at]),
        )

    def _creeping(self, context: AuditContext, table: Table, ticking: Clock, read: list[_Column]) -> list[Finding]:
        seen: list[tuple[bool, str, Creep]] = []
        left_of = _left_over(context, table, ticking)
        some = thinned(ticking, CREEPING_ROWS)
        broken = _breaks_somewhere(context, table)
        for c in read:
            wide = float(np.nanstd(np.where(c.explained, np.nan, c.values)))
            if not wide > 0:
                continue
            beside = sisters(np.where(c.explained, np.nan, c.values), ticking, some)
            if beside is not None:
                seen += [(True, c.name, s) for s in creeps(beside, ticking, wide)]
            # a wrong cell, or a break for good, of another column would be held against this one
            if c.name in left_of and not broken and not any(np.mean(o.explained) > 0.002 for o in read if o is not c):
                left = np.where(c.explained, np.nan, left_of[c.name])
                seen += [(False, c.name, s) for s in creeps(left, ticking, wide)]
        # a sister that stays behind tells who creeps; the other columns of a row only tell that one of them does
        seen.sort(key=lambda s: (not s[0], -s[2].clear, table.names.index(s[1]), int(s[2].at[0])))
        out: list[Finding] = []
        told: list[Creep] = []
        for certain, name, creep in seen:
            if any(_same_stretch(creep, t) for t in told):
                continue
            tied = [n for _, n, s in seen if n != name and _same_stretch(s, creep) and s.clear >= TIED * creep.clear]
            told.append(creep)
            out.append(self._tell_creep(table, ticking, [name] if certain else [name, *dict.fromkeys(tied)], creep))
        return out

    def _tell_creep(self, table: Table, ticking: Clock, names: list[str], creep: Creep) -> Finding:
        rows = creep.at[creep.at >= creep.begins]
        who = listed(names[:1]) if len(names) == 1 else f"one of {listed(names)}"
        message = (
            f"{who} creeps away from what the other readings say over {counted(len(rows), 'row')} "
            f"({percent(len(rows), table.rows)}) of one series, and ends {number(round(creep.clear))} times further off than it scatters"
        )
        evidence = {"rows": len(rows), "off_at_the_end": float(f"{creep.off:.4g}"), "clear": round(creep.clear, 1)}
        medians = tuple(float(f"{v:.6g}") for v in creep.medians)
        when = ticking.moments[creep.at[np.linspace(0, len(creep.at) - 1, BLOCKS).astype(int)]]
        picture = Picture(
            title=f"{names[0]}, less what the other readings say",
            form="line",
            x=tuple(float(w) for w in when),
            y=medians,
            marks=tuple(int(i) for i in np.flatnonzero(when >= ticking.moments[creep.begins])),
            x_is_time=True,
            x_name="time",
            y_name=names[0],
        )
        return found(
            self,
            "issue",
            "medium",
            table.name,
            names,
            message,
            rows=len(rows),
            evidence=evidence,
            sure="likely",
            examples=(int(r) for r in ticking.order[rows[::-1]]),
            picture=picture,
        )


def shortened(ticking: Clock) -> Clock:
    """The same clock with at most a million rows: ten stretches, evenly spaced."""
    n = len(ticking.order)
    if n <= ROWS:
        return ticking
    part = ROWS // 10
    at = np.concatenate([np.arange(part) + k * (n - part) // 9 for k in range(10)])
    # rows of two stretches must not meet: each stretch is a series of its own
    series = ticking.series[at] * 10 + np.repeat(np.arange(10), part)
    return Clock(ticking.order[at], ticking.moments[at], series, ticking.step, ticking.time, ticking.by)


def _columns(context: AuditContext, table: Table, ticking: Clock) -> Iterator[_Column]:
    """Numbers with enough different values that go up and down; one that only climbs is a counter."""
    for c in profile(table).columns:
        if not columns.is_numeric(table, c.name) or c.distinct < DISTINCT or c.name in ticking.by:
            continue
        values = columns.numbers(table, c.name)[ticking.order]
        some = np.arange(0, len(values) - 1, max(1, len(values) // _SOME))
        steps = (values[some + 1] - values[some])[ticking.series[some + 1] == ticking.series[some]]
        steps = steps[np.isfinite(steps) & (steps != 0)]
        if len(steps) < DISTINCT or max(np.mean(steps > 0), np.mean(steps < 0)) > 0.97:
            continue
        usual = usual_distance(values, ticking)
        yield _Column(c.name, values, usual, wrong_cells(context, table, c.name)[ticking.order])


def _leaps(ticking: Clock, c: _Column) -> Spikes | None:
    """Spikes, unless another unit, a slip of digits or an exchange explains a third of them: one cause is told once."""
    at = leaping(c.values, c.usual)
    one = spikes(at, distances(c.values, ticking, at), c.usual, len(c.values))
    return None if one is None or np.mean(c.explained[one.at]) > SAME else one


def _event(ticking: Clock, c: _Column, one: Spikes, read: list[_Column]) -> bool:
    """Whether the leaps happened: in another column of the same rows too, in many series at once, or always to one value."""
    for other in read:
        if other is not c and other.usual > 0:
            with np.errstate(invalid="ignore"):
                if np.mean(np.abs(distances(other.values, ticking, one.at)) > _NEAR * other.usual) > TOGETHER:
                    return True
    moments = len(np.unique(ticking.moments[one.at]))
    _, counts = np.unique(c.values[one.at], return_counts=True)
    return moments <= TOGETHER * len(one.at) or counts.max() > max(2, SAME * len(one.at))


def _breaks_somewhere(context: AuditContext, table: Table) -> bool:
    """Whether the level of some column moves for good at one moment, which is told as a break in time."""
    line = timeline(context, table)
    t = None if line is None else traces(line)
    return t is not None and any(b.kind == "level" for b in breaks(t))


def _left_over(context: AuditContext, table: Table, ticking: Clock) -> dict[str, np.ndarray]:
    """Each column less what the others and the season let expect as it began, in the clock's order; NaN outside of the sample."""
    made = bench(context, table)
    if made is None:
        return {}
    out = {}
    for i, guess in by_the_beginning(made, BEGINNING).items():
        left = np.full(table.rows, np.nan)
        left[made.rows] = made.values[i] - guess
        out[made.scales[i].name] = left[ticking.order]
    return out


def _same_stretch(one: Creep, other: Creep) -> bool:
    return bool(one.at[0] <= other.at[-1] and other.at[0] <= one.at[-1])


def _stretches(table: Table, ticking: Clock, c: _Column, one: Stuck) -> Proposal | None:
    """All but the first reading of each run become missing, by when they were read and of which series."""
    starts = one.at[np.flatnonzero(np.diff(one.at, prepend=one.at[0] - 2) != 1)]
    ends = np.append(one.at[np.flatnonzero(np.diff(one.at) != 1)], one.at[-1])
    parts = [
        f"{quote(ticking.time)} > {conditions.moment(ticking, int(s))} AND {quote(ticking.time)} <= {conditions.moment(ticking, int(e))}"
        + conditions.of_series(table, ticking, int(s))
        for s, e in zip(starts, ends, strict=True)
    ]
    return _where(table, ticking, c, parts, len(one.at) - one.runs)


def _beyond(table: Table, ticking: Clock, c: _Column, one: Spikes) -> Proposal | None:
    """A bound, where the leaps lie beyond all other readings; else their moments, where these are few."""
    marks = np.zeros(len(c.values), dtype=bool)
    marks[one.at] = True
    bound = conditions.bound(c.values, marks, covered=0.9)
    if bound is not None:
        ((side, at),) = bound.parameters.items()
        return Proposal(
            repair="out-of-range-to-missing",
            table=table.name,
            columns=(c.name,),
            parameters={"high" if side == "low" else "low": at},
            cells=bound.cells,
            sentence=f"{bound.cells:,} cells of {c.name} become missing",
        )
    if len(one.at) > MOMENTS:
        return None
    by_series: dict[str, list[str]] = {}
    for place in one.at:
        by_series.setdefault(conditions.of_series(table, ticking, int(place)), []).append(
            conditions.moment(ticking, int(place))
        )
    parts = [f"{quote(ticking.time)} IN ({', '.join(m)}){which}" for which, m in by_series.items()]
    return _where(table, ticking, c, parts, len(one.at))


def _where(table: Table, ticking: Clock, c: _Column, parts: list[str], cells: int) -> Proposal | None:
    if not ticking.time or not columns.is_moment(table, ticking.time):
        return None
    return Proposal(
        repair="where-to-missing",
        table=table.name,
        columns=(c.name,),
        parameters={"where": " OR ".join(f"({p})" for p in parts)},
        cells=cells,
        sentence=f"{cells:,} cells of {c.name} become missing",
    )


CHECK = SensorFaults()
