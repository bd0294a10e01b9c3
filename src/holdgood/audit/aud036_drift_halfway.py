"""AUD036: columns that drift away in the second half of the time, bit by bit and beyond their season; ranked.

Along a table's time or, where it has none, along a running number. What moves at one moment is AUD035's; straight trends over
all of the time are growth. See drifts.py for the rules.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.breaks import breaks
from holdgood.audit.drifts import Drift, drifts
from holdgood.audit.found import found, listed, number
from holdgood.audit.profile import profile
from holdgood.audit.timeline import timeline, when
from holdgood.audit.traces import Traces, along, traces
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture
from holdgood.core.table import Table

POINTS = 80
DENSE = 1.5  # a running number's range a row


class DriftHalfway:
    """One finding a table, its columns ranked by how far they have gone."""

    code: ClassVar[str] = "AUD036"
    title: ClassVar[str] = "drift halfway"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look along time, else along a running number, of every table that is long enough."""
        looked, out = False, []
        for table in context.tables.values():
            line = timeline(context, table)
            t, axis = (traces(line), line.columns) if line is not None else _running(table)
            if t is not None:
                looked = True
                out += self._look(table, t, axis, line is not None)
        if not looked:
            raise NotApplicable("no table has a time or a running number that is long enough")
        return out

    def _look(self, table: Table, t: Traces, axis: tuple[str, ...], timed: bool) -> list[Finding]:
        gone = drifts(t, breaks(t))
        if not gone:
            return []
        best: dict[str, Drift] = {}
        for d in gone:
            best.setdefault(t.labels[d.trace][0], d)
        told = ", ".join(_says(t, d) for d in list(best.values())[:3])
        told += f" and {len(best) - 3} more" if len(best) > 3 else ""
        partners = [t.labels[i][0] for d in gone for i in d.partners]
        names = list(dict.fromkeys([*best, *partners]))
        start = float(t.edges[len(t.mean) // 2])
        late = t.there & (t.at >= start)
        since = f"since about {when(start)}" if timed else f"in the upper half of {listed(axis)}"
        message = (
            f"{told}: bit by bit {since}, along {listed(axis)}, beyond what the first half and its seasons show; "
            "what is learned from the first half will not hold for the last rows"
        )
        top = gone[0]
        evidence = {
            "columns": len(best),
            "size": round(top.size * float(t.unit[top.trace]), 6),
            "effect": round(top.effect, 3),
            "bend": round(top.bend, 2),
            "rows_after": int(late.sum()),
        }
        return [
            found(
                self,
                "issue" if top.effect >= 1 else "tip",
                "medium" if top.effect >= 1 else "low",
                table.name,
                names,
                message,
                rows=int(late.sum()),
                evidence=evidence,
                sure="likely",
                picture=_picture(t, top, timed),
            )
        ]


def _running(table: Table) -> tuple[Traces | None, tuple[str, ...]]:
    """Traces along the first column of whole numbers that names rows one after the other."""
    for c in profile(table).columns:
        if (
            columns.is_numeric(table, c.name)
            and c.missing == 0
            and c.distinct == c.rows >= 1000
            and c.high - c.low < DENSE * c.rows
            and all(float(q).is_integer() for q in (c.low, c.high))
        ):
            return along(table, c.name), (c.name,)
    return None, ()


def _says(t: Traces, d: Drift) -> str:
    name, level = t.labels[d.trace]
    moved = abs(d.size * float(t.unit[d.trace]))
    way = "more" if d.size > 0 else "less"
    if d.partners:
        others = listed([t.labels[i][0] for i in d.partners])
        return f"`{name}` is {number(float(f'{moved:.3g}'))} {way} at the end than {others} let expect (one of them drifts)"
    if level is None:
        return f"`{name}` is {number(float(f'{moved:.3g}'))} {way} at the end ({d.effect:.1f} standard deviations)"
    return f"`{level}` in `{name}` is {100 * moved:.0f} points of a hundred {way} frequent at the end"


def _picture(t: Traces, d: Drift, timed: bool) -> Picture:
    step = max(1, -(-len(t.mean) // POINTS))
    name, level = t.labels[d.trace]
    values = t.mean[::step, d.trace]
    return Picture(
        title=f"{name}: level over time" if timed else f"{name}: level along the rows",
        form="line",
        x=tuple(float(e) for e in t.edges[:-1:step]),
        y=tuple(float(v) for v in values),
        marks=tuple(int(i) for i in np.arange(len(values) // 2, len(values))),
        x_is_time=timed,
        y_name="standard deviations" if level is None else f"share of {level}, standardised",
    )


CHECK = DriftHalfway()
