"""AUD035: a moment from which on a column lies higher or lower, spreads wider or narrower, or a level comes or goes for good.

See breaks.py for what a break is, and levels_in_time.py for levels that are there in every part of one side of a moment and never on
the other.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.breaks import Break, breaks
from holdgood.audit.found import Evidence, found, listed, number, percent
from holdgood.audit.levels_in_time import turns
from holdgood.audit.timeline import Timeline, timelines, when
from holdgood.audit.traces import Traces, traces
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture

POINTS = 80
ROWS = 200


class RegimeBreaks:
    """Breaks at the same moment are one finding."""

    code: ClassVar[str] = "AUD035"
    title: ClassVar[str] = "breaks in time"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look along the timeline of every table that has one long enough."""
        lines = [line for line in timelines(context) if line.table.rows >= ROWS]
        if not lines:
            raise NotApplicable("no table has a time that is long enough")
        return [f for line in lines for f in self._look(line, traces(line))]

    def _look(self, line: Timeline, t: Traces | None) -> list[Finding]:
        if t is None:
            return self._turns(line, set())
        groups: list[list[Break]] = []
        broken = breaks(t)
        for b in sorted(broken, key=lambda b: (b.kind == "spread", b.at, b.trace)):
            near = [g for g in groups if (g[-1].kind == "spread") == (b.kind == "spread") and abs(g[-1].at - b.at) <= 2]
            if near:
                near[0].append(b)
            else:
                groups.append([b])
        told = {t.labels[b.trace][0] for b in broken}
        return [self._tell(line, t, group) for group in groups] + self._turns(line, told)

    def _turns(self, line: Timeline, told: set[str]) -> list[Finding]:
        out = []
        every = [turn for turn in turns(line) if turn.column not in told]
        for name in dict.fromkeys(turn.column for turn in every):
            mine = [turn for turn in every if turn.column == name]
            said = ", ".join(
                f"`{m.level}` {'is there only from' if m.appears else 'is gone from'} about {when(m.at)} on"
                for m in mine[:3]
            )
            message = f"`{name}`: {said} ({percent(mine[0].share, 1.0)} of all rows); in the other time it never occurs"
            evidence: Evidence = {"levels": len(mine), "share": round(mine[0].share, 6), "from": when(mine[0].at)}
            out.append(found(self, "tip", "low", line.table.name, [name], message, evidence=evidence, sure="likely"))
        return out

    def _tell(self, line: Timeline, t: Traces, group: list[Break]) -> Finding:
        group = sorted(group, key=lambda b: (b.kind == "relation", -b.score, b.trace))
        names = list(dict.fromkeys(t.labels[b.trace][0] for b in group))
        start = float(t.edges[group[0].at])
        after = line.there & (line.at >= start)
        rows = int(after.sum())
        first_kind = group[0].kind
        says = {"level": self._level, "spread": self._spread, "relation": self._relation}
        told = ", ".join(says[b.kind](t, b) for b in group[:3]) + (
            f" and {len(group) - 3} more" if len(group) > 3 else ""
        )
        message = f"from about {when(start)} on, {told}: far more than it moves elsewhere along {listed(line.columns)}, at once and for good"
        first = np.flatnonzero(after)
        evidence: Evidence = {
            "from": when(start),
            "rows_after": rows,
            "columns": len(names),
            "size": round(group[0].size * float(t.unit[group[0].trace]), 6)
            if first_kind != "spread"
            else round(math.exp(group[0].size), 4),
            "effect": round(group[0].effect, 3),
            "score": round(max(b.score for b in group), 2),
        }
        return found(
            self,
            "issue",
            "high" if group[0].effect >= 2 else "medium",
            line.table.name,
            names,
            message,
            rows=rows,
            evidence=evidence,
            sure="likely",
            examples=first[np.argsort(line.at[first], kind="stable")[:5]],
            picture=_picture(t, group[0]),
        )

    @staticmethod
    def _level(t: Traces, b: Break) -> str:
        name, level = t.labels[b.trace]
        moved = abs(b.size * float(t.unit[b.trace]))
        way = "more" if b.size > 0 else "less"
        if level is None:
            return f"`{name}` is {number(float(f'{moved:.3g}'))} {way} ({b.effect:.1f} standard deviations)"
        return f"`{level}` in `{name}` is {100 * moved:.0f} points of a hundred {way} frequent"

    @staticmethod
    def _relation(t: Traces, b: Break) -> str:
        name, _ = t.labels[b.trace]
        moved = abs(b.size * float(t.unit[b.trace]))
        return f"`{name}` is {number(float(f'{moved:.3g}'))} {'more' if b.size > 0 else 'less'} than the other columns let expect"

    @staticmethod
    def _spread(t: Traces, b: Break) -> str:
        factor = math.exp(abs(b.size))
        return f"`{t.labels[b.trace][0]}` spreads {factor:.1f} times as {'wide' if b.size > 0 else 'narrow'}"


def _picture(t: Traces, b: Break) -> Picture:
    """The trace around its break."""
    values = t.mean[:, b.trace] if b.kind != "spread" else np.sqrt(t.spread[:, b.trace])
    step = max(1, -(-len(values) // POINTS))
    name, level = t.labels[b.trace]
    return Picture(
        title=f"{name}: {'spread' if b.kind == 'spread' else 'level'} over time",
        form="line",
        x=tuple(float(e) for e in t.edges[:-1:step]),
        y=tuple(float(v) for v in values[::step]),
        marks=(b.at // step,),
        x_is_time=True,
        y_name="standard deviations" if level is None else f"share of {level}, standardised",
    )


CHECK = RegimeBreaks()
