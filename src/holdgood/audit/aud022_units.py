"""AUD022: part of a column is in another unit: thousands, inches among millimetres, Fahrenheit among Celsius."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns, conditions
from holdgood.audit.found import counted, found, listed, number, percent
from holdgood.audit.shifted import SLIPS, Shift, shifts
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture, Proposal
from holdgood.core.table import Table

BINS = 40
GRAVE = 0.01
HUNDREDS = 0.005
_READS = {
    1000.0: "as thousandths among whole units (grams among kilograms, cents among tens)",
    0.001: "as thousands among whole units (kilograms among grams)",
    25.4: "as millimetres among inches",
    1 / 25.4: "as inches among millimetres",
    2.54: "as centimetres among inches",
    1 / 2.54: "as inches among centimetres",
    1 / 0.45359237: "as pounds among kilograms",
    0.45359237: "as kilograms among pounds",
    1.609344: "as kilometres among miles",
    1 / 1.609344: "as miles among kilometres",
    1 / 0.3048: "as feet among metres",
    0.3048: "as metres among feet",
    3.6: "as km/h among m/s",
    1 / 3.6: "as m/s among km/h",
    60.0: "as seconds among minutes, or minutes among hours",
    1 / 60: "as minutes among seconds, or hours among minutes",
    3600.0: "as seconds among hours",
    1 / 3600: "as hours among seconds",
    12.0: "as inches among feet, or years' amounts among months'",
    1 / 12: "as feet among inches, or months' amounts among years'",
    100.0: "as percent among shares, or centimetres among metres",
    0.01: "as shares among percent, or metres among centimetres",
}


def units_of(context: AuditContext, table: Table) -> list[Shift]:
    """Shifts that read as another unit; slips of a digit are another check's.

    A hundred is a unit only where nothing else in the column slipped, and where it is no rarity.
    """
    all_shifts = shifts(context, table)
    slipped = {s.column for s in all_shifts if s.slip and not _hundred(s)}
    return [
        s
        for s in all_shifts
        if not s.slip or (_hundred(s) and s.column not in slipped and s.rows >= HUNDREDS * table.rows)
    ]


def _hundred(shift: Shift) -> bool:
    return shift.slip and any(math.isclose(shift.slope, s) for s in SLIPS[2:])


class Units:
    """A second hill in a column, at exactly a unit's factor from where each value is expected, and of the same shape."""

    code: ClassVar[str] = "AUD022"
    title: ClassVar[str] = "rows in another unit"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column of numbers."""
        if not any(columns.is_numeric(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column of numbers")
        return [self._tell(context, t, s) for t in context.tables.values() for s in units_of(context, t)]

    def _tell(self, context: AuditContext, table: Table, shift: Shift) -> Finding:
        values = columns.numbers(table, shift.column)
        rows = shift.rows
        if shift.affine is not None:
            what = f"read as {shift.affine.name}"
        else:
            how = f"{number(shift.slope)} times" if shift.slope > 1 else f"1/{number(1 / shift.slope)} of"
            known = next((w for f, w in _READS.items() if math.isclose(f, shift.slope)), "")
            what = f"are {how} what they should be{', ' + known if known else ''}"
        road = {"alone": "the rest of the column", "others": "the other columns", "time": "their neighbours in time"}
        message = (
            f"{counted(rows, 'value')} of {listed([shift.column])} ({percent(rows, table.rows)}) {what}: "
            f"put right, they agree with {road[shift.view.road]}"
        )
        residual = np.abs(shift.view.residual)
        order = np.flatnonzero(shift.marks)
        order = order[np.argsort(-residual[order], kind="stable")]
        evidence = {
            "rows": rows,
            "share": round(rows / table.rows, 6),
            "slope": round(shift.slope, 8),
            "offset": round(shift.offset, 6),
            "chance_log10": round(-shift.surprise, 1),
        }
        return found(
            self,
            "issue",
            "high" if rows >= GRAVE * table.rows else "medium",
            table.name,
            [shift.column],
            message,
            rows=rows,
            evidence=evidence,
            proposal=proposal_for(context, table, shift),
            sure="likely",
            examples=(int(r) for r in order),
            picture=_picture(shift, values),
        )


def proposal_for(context: AuditContext, table: Table, shift: Shift) -> Proposal | None:
    """Scale the rows back, where a bound on the column, or on its ratio to another, singles them out; else None."""
    values = columns.numbers(table, shift.column)
    condition = conditions.bound(values, shift.marks, covered=0.9)
    condition = condition or conditions.ratio(context, table, shift.view, shift.marks)
    if condition is None and shift.by == "ends":
        condition = conditions.stretches(context, table, shift.marks)
    condition = condition or conditions.bound(values, shift.marks)
    if condition is None:
        return None
    factor = 1.0 / shift.slope
    parameters = {"factor": _exact(factor), **({"offset": -shift.offset * factor} if shift.offset else {})}
    told = f"{counted(condition.cells, 'cell')} of {shift.column} multiplied by {number(_exact(factor))}"
    return Proposal(
        repair="scale-values",
        table=table.name,
        columns=(shift.column,),
        parameters={**parameters, **condition.parameters},
        cells=condition.cells,
        sentence=told + (f" after taking {number(shift.offset)} off" if shift.offset else ""),
    )


def _exact(factor: float) -> float:
    """A factor as a person would write it, where that is the same number."""
    short = float(f"{factor:.12g}")
    return short if math.isclose(short, factor, rel_tol=1e-12) else factor


def _picture(shift: Shift, values: np.ndarray) -> Picture | None:
    """Rows over the values (over their logarithms where they span far), the wrong ones' place marked."""
    there = np.isfinite(values) & (values != 0)
    if not there.any():
        return None
    wide = shift.view.scale.log
    x = np.log10(np.abs(values[there])) if wide else values[there]
    counts, edges = np.histogram(x, bins=BINS)
    inside = x[shift.marks[there]]
    hit = np.histogram(inside, bins=edges)[0] > 0.5 * counts
    marks = tuple(int(i) for i in np.flatnonzero(hit & (counts > 0)))
    x_name = f"log10 of {shift.column}" if wide else shift.column
    return Picture(
        title=f"where the values of {shift.column} lie",
        form="bars",
        x=tuple(round(float(e), 6) for e in edges[:-1]),
        y=tuple(float(c) for c in counts),
        marks=marks,
        x_name=x_name,
        y_name="rows",
    )


CHECK = Units()
