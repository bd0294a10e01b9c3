"""AUD028: entry errors: a digit too many, a point misplaced, digits exchanged, a sign lost; told apart from real events.

Only values that fit their row once the slip is undone are errors. What is far off and fits no slip may have happened; where
nothing leads up to it, a tip asks a person to look. Heavy tails, however long, lead up to their ends. For single values see
absurd.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from holdgood.audit import columns, conditions, expected
from holdgood.audit.absurd import absurd
from holdgood.audit.aud022_units import proposal_for, units_of
from holdgood.audit.clock import clock
from holdgood.audit.digits import Exchanges, exchanges
from holdgood.audit.exchanged import exchanges as exchanges_of
from holdgood.audit.expected import View
from holdgood.audit.found import counted, found, listed, number, percent
from holdgood.audit.profile import profile
from holdgood.audit.shifted import Shift, shifts, wrong_cells
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

SURPRISE = 6.0
BY_CHANCE = 2.5
EXCHANGED_ROWS = 5
STRAY_ROWS = 5
STRAY_SHARE = 0.05
_STEPS = tuple(8.0 * 1.25**k for k in range(24))
_VALLEY, _EMPTY = 2.5, 0.15
_SAME = 0.5


@dataclass(frozen=True)
class Strays:
    """Rows (positions) further from their guess than ``beyond`` spreads, how ``far``, with next to nothing leading up to them."""

    view: View
    rows: np.ndarray
    far: np.ndarray
    beyond: float


class Outliers:
    """Undoes each kind of slip and counts the rows that then fit, against how many would by chance."""

    code: ClassVar[str] = "AUD028"
    title: ClassVar[str] = "entry errors and outliers"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column of numbers."""
        if not any(columns.is_numeric(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column of numbers")
        out: list[Finding] = []
        for table in context.tables.values():
            certain = self._slips(context, table) + self._exchanged(context, table) + self._signs(context, table)
            out += (certain or self._strays(context, table)) + self._absurd(context, table, certain)
        return out

    def _slips(self, context: AuditContext, table: Table) -> list[Finding]:
        units = {id(s) for s in units_of(context, table)}
        by_column: dict[str, list[Shift]] = {}
        for s in shifts(context, table):
            if s.slip and id(s) not in units:
                by_column.setdefault(s.column, []).append(s)
        out = []
        for column, some in sorted(by_column.items(), key=lambda c: table.names.index(c[0])):
            some.sort(key=lambda s: (-s.rows, s.slope))
            marks = np.logical_or.reduce([s.marks for s in some])
            rows = int(marks.sum())
            ways = " or ".join(
                f"{number(s.slope)} times" if s.slope > 1 else f"1/{number(1 / s.slope)} of" for s in some
            )
            message = (
                f"{counted(rows, 'value')} of {listed([column])} ({percent(rows, table.rows)}) look like a slipped digit or "
                f"point: {ways} what they should be by {_road(some[0].view)}"
            )
            evidence = {
                "rows": rows,
                "share": round(rows / table.rows, 6),
                "factor": some[0].slope,
                "chance_log10": round(-some[0].surprise, 1),
            }
            out.append(
                found(
                    self,
                    "issue",
                    "medium",
                    table.name,
                    [column],
                    message,
                    rows=rows,
                    evidence=evidence,
                    proposal=proposal_for(context, table, some[0]),
                    sure="likely",
                    examples=_furthest(some[0].view, np.flatnonzero(some[0].marks)),
                )
            )
        return out

    def _exchanged(self, context: AuditContext, table: Table) -> list[Finding]:
        roads = expected.views(context, table)
        bar = SURPRISE + math.log10(max(1, 2 * len(roads)))
        found_in: list[tuple[int, Exchanges]] = []
        for i, views in roads.items():
            best: Exchanges | None = None
            for view in views:
                if view.road == "alone":
                    continue
                cells = columns.numbers(table, view.scale.name)
                skip = wrong_cells(context, table, view.scale.name)[view.rows]
                these = exchanges(view, cells[view.rows], skip)
                if these is None or these.surprise < bar or these.rows < max(EXCHANGED_ROWS, BY_CHANCE * these.chance):
                    continue
                if best is None or these.surprise > best.surprise:
                    best = these
            if best is not None:
                found_in.append((i, best))
        found_in.sort(key=lambda f: (-f[1].surprise, f[0]))
        kept: list[Exchanges] = []
        for _, one in found_in:  # a wrong cell pulls at its neighbours' guesses: the same rows are told once
            if all(np.mean(other.marks[one.marks]) <= _SAME for other in kept):
                kept.append(one)
        return [self._tell_exchanged(context, table, one) for one in kept]

    def _tell_exchanged(self, context: AuditContext, table: Table, one: Exchanges) -> Finding:
        column, view = one.view.scale.name, one.view
        rows = max(1, round((one.rows - one.chance) * table.rows / len(view.rows)))
        about = "about " if one.chance >= 1 or len(view.rows) < table.rows else ""
        message = (
            f"{about}{counted(rows, 'value')} of {listed([column])} ({percent(rows, table.rows)}) look like two neighbouring "
            f"digits exchanged: put back, they agree with {_road(view)}"
        )
        evidence = {
            "rows": rows,
            "fits": one.rows,
            "fits_by_chance": round(one.chance, 1),
            "far_values": one.far,
            "chance_log10": round(-one.surprise, 1),
        }
        positions = view.rows[one.marks]
        marks = np.zeros(table.rows, dtype=bool)
        marks[positions] = True
        return found(
            self,
            "issue",
            "medium",
            table.name,
            [column],
            message,
            rows=rows,
            evidence=evidence,
            proposal=_to_missing(context, table, view, marks),
            sure="likely",
            examples=_furthest(view, np.flatnonzero(one.marks)),
        )

    def _signs(self, context: AuditContext, table: Table) -> list[Finding]:
        out = []
        for c in profile(table).columns:
            if not columns.is_numeric(table, c.name) or not _may_have_lost_signs(c):
                continue
            values = columns.numbers(table, c.name)
            lost = _lost_signs(values)
            if lost is None:
                continue
            rows = int(lost.sum())
            side = "negative" if values[lost][0] < 0 else "positive"
            message = (
                f"{counted(rows, 'value')} of {listed([c.name])} ({percent(rows, table.rows)}) {'is' if rows == 1 else 'are'} "
                f"{side} while all others are not, and would be ordinary with the other sign"
            )
            limit = {"high": 0} if side == "negative" else {"low": 0}
            repair = Proposal(
                repair="scale-values",
                table=table.name,
                columns=(c.name,),
                parameters={"factor": -1.0, **limit},
                cells=rows,
                sentence=f"{rows:,} cells of {c.name} change their sign",
            )
            evidence = {"rows": rows, "share": round(rows / table.rows, 6)}
            out.append(
                found(
                    self,
                    "issue",
                    "medium",
                    table.name,
                    [c.name],
                    message,
                    rows=rows,
                    evidence=evidence,
                    proposal=repair,
                    sure="likely",
                    examples=(int(r) for r in np.flatnonzero(lost)[np.argsort(-np.abs(values[lost]), kind="stable")]),
                )
            )
        return out

    def _strays(self, context: AuditContext, table: Table) -> list[Finding]:
        if clock(context, table) is not None or shifts(context, table) or exchanges_of(context, table):
            return []  # spikes in time are faults of sensors; other units are told, and pull at what is expected
        seen = []
        for i, views in expected.views(context, table).items():
            some = [s for v in views if v.road == "alone" and (s := _strays_of(v)) is not None]
            seen += [(i, s) for s in some]
        out = []
        for i, one in seen:
            together = max((np.isin(one.rows, other.rows).mean() for j, other in seen if j != i), default=0.0)
            if together > _SAME:
                continue  # far off in several columns at once: something happened
            column, rows = one.view.scale.name, len(one.rows)
            message = (
                f"{counted(rows, 'value')} of {listed([column])} ({percent(rows, table.rows)}) lie far from all others, and "
                "nothing leads up to them: errors, or rows of another kind"
            )
            evidence = {"rows": rows, "share": round(rows / table.rows, 6), "beyond_spreads": round(one.beyond, 1)}
            far = np.argsort(-one.far, kind="stable")
            out.append(
                found(
                    self,
                    "tip",
                    "low",
                    table.name,
                    [column],
                    message,
                    rows=rows,
                    evidence=evidence,
                    sure="possible",
                    examples=(int(r) for r in one.rows[far]),
                )
            )
        return out

    def _absurd(self, context: AuditContext, table: Table, told: list[Finding]) -> list[Finding]:
        known = {c for f in told for c in f.columns}
        wrong = {s.column: wrong_cells(context, table, s.column) for s in shifts(context, table)}
        out = []
        for one in absurd(table, wrong):
            if one.column in known:
                continue
            rows = len(one.rows)
            message = (
                f"{counted(rows, 'value')} of {listed([one.column])} {'lies' if rows == 1 else 'lie'} at least "
                f"{number(float(f'{one.times:.2g}'))} times further from its middle than any other of {table.rows:,}"
            )
            marks = np.zeros(table.rows, dtype=bool)
            marks[one.rows] = True
            out.append(
                found(
                    self,
                    "tip",
                    "medium",
                    table.name,
                    [one.column],
                    message,
                    rows=rows,
                    evidence={"rows": rows, "times_further": float(f"{one.times:.3g}")},
                    proposal=_beyond_a_bound(table, one.column, marks),
                    sure="likely",
                    examples=(int(r) for r in one.rows),
                )
            )
        return out


def _road(view: View) -> str:
    return {
        "alone": "the rest of the column",
        "others": "the other columns of their rows",
        "time": "their neighbours in time",
    }[view.road]


def _furthest(view: View, at: np.ndarray) -> list[int]:
    """Rows of the table, those with the largest residuals first; ``at`` are positions within the view."""
    ranked = at[np.argsort(-np.abs(view.residual[at]), kind="stable")]
    return [int(r) for r in view.rows[ranked]]


def _to_missing(context: AuditContext, table: Table, view: View, marks: NDArray[np.bool_]) -> Proposal | None:
    """Make the rows' cells missing, where a bound singles them out; else None."""
    column = view.scale.name
    beyond = _beyond_a_bound(table, column, marks)
    if beyond is not None:
        return beyond
    one = conditions.ratio(context, table, view, marks)
    if one is None:
        return None
    return Proposal(
        repair="where-to-missing",
        table=table.name,
        columns=(column,),
        parameters=one.parameters,
        cells=one.cells,
        sentence=f"{one.cells:,} cells of {column} become missing",
    )


def _beyond_a_bound(table: Table, column: str, marks: NDArray[np.bool_]) -> Proposal | None:
    """Make cells missing that lie beyond a bound which singles out the marked rows; None where there is no such bound."""
    one = conditions.bound(columns.numbers(table, column), marks)
    if one is None:
        return None
    ((side, at),) = one.parameters.items()  # the bound takes what lies beyond it; the repair keeps what lies within
    return Proposal(
        repair="out-of-range-to-missing",
        table=table.name,
        columns=(column,),
        parameters={"high" if side == "low" else "low": at},
        cells=one.cells,
        sentence=f"{counted(one.cells, 'cell')} of {column} {'becomes' if one.cells == 1 else 'become'} missing",
    )


def _may_have_lost_signs(c: ColumnProfile) -> bool:
    """Nearly all on one side of zero, some on the other, with enough different values to tell."""
    if c.distinct < 20 or not c.low < 0 < c.high or not c.quantiles:
        return False
    return bool(c.quantiles[1] > 0 or c.quantiles[-2] < 0 or c.quantiles[2] > 0 or c.quantiles[-3] < 0)


def _lost_signs(values: np.ndarray) -> NDArray[np.bool_] | None:
    """The few cells on the wrong side of zero, where they mirror the rest and the neighbourhood of zero is empty."""
    there = np.isfinite(values)
    side = 1.0 if np.median(values[there]) > 0 else -1.0
    lost: NDArray[np.bool_] = there & (side * values < 0)
    rest = side * values[there & (side * values > 0)]
    mirrored = -side * values[lost]
    if len(mirrored) < 3 or len(mirrored) > 0.05 * len(rest) or len(np.unique(mirrored)) < 3:
        return None
    low, middle, high = np.quantile(rest, (0.005, 0.5, 0.995))
    if low < 0.1 * middle or np.mean((mirrored >= low) & (mirrored <= high)) < 0.9:
        return None
    # an honest tail that reaches below zero is fullest next to zero; a lost sign leaves that place empty
    beside_zero = int((mirrored < low).sum()) + int((rest < 0.5 * low).sum())
    return lost if beside_zero <= 0.1 * len(mirrored) else None


def _strays_of(view: View) -> Strays | None:
    residual = np.abs(view.residual) / view.spread
    there = np.isfinite(residual)
    ranked = np.sort(residual[there])
    edges = np.array(_STEPS)
    above = len(ranked) - np.searchsorted(ranked, edges)
    before = np.searchsorted(ranked, edges) - np.searchsorted(ranked, edges / _VALLEY)
    good = (above >= STRAY_ROWS) & (above <= STRAY_SHARE * len(ranked)) & (before <= _EMPTY * above)
    if not good.any():
        return None
    beyond = float(edges[np.flatnonzero(good)[0]])
    far = np.flatnonzero(there & (residual > beyond))
    _, counts = np.unique(view.value[far], return_counts=True)
    if len(counts) < 0.6 * len(far) or counts.max() > max(2, 0.2 * len(far)):
        return None  # a code that comes again and again
    return Strays(view, view.rows[far], residual[far], beyond)


CHECK = Outliers()
