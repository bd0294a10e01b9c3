"""AUD008: moments that cannot be right: before 1900, decades away from all others, piles on a computer's zero day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import found, listed, percent
from holdgood.audit.profile import QUANTILES, profile
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR = 365.25 * 86400e6
PILES = tuple(
    datetime(*day, tzinfo=UTC)
    for day in ((1970, 1, 1), (1900, 1, 1), (1899, 12, 30), (1899, 12, 31), (1904, 1, 1), (1, 1, 1), (9999, 12, 31))
)
PILE_ROWS = 5


class Dates:
    """Counts moments out of range, measured against where the bulk of the column lies (never against today)."""

    code: ClassVar[str] = "AUD008"
    title: ClassVar[str] = "dates out of range"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column of moments."""
        if not any(columns.is_moment(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column of dates")
        out: list[Finding] = []
        for table in context.tables.values():
            for c in profile(table).columns:
                if columns.is_moment(table, c.name):
                    out += self._look(table, c)
        return out

    def _look(self, table: Table, c: ColumnProfile) -> list[Finding]:
        if not c.quantiles or c.rows - c.missing < 10:
            return []
        name = c.name
        q05, q95 = c.quantiles[QUANTILES.index(0.05)], c.quantiles[QUANTILES.index(0.95)]
        middle = c.quantiles[QUANTILES.index(0.5)]
        room = max(20 * _YEAR, 5 * (q95 - q05))
        low = max(q05 - room, _micros(datetime(1900, 1, 1, tzinfo=UTC)) if middle > 0 else -np.inf)
        high = q95 + room
        at, there = columns.moments(table, name)
        early, late = there & (at < low), there & (at > high)
        pile = self._pile(at, there & ~early & ~late, middle)
        if pile is not None:
            low = max(low, pile + 1.0)
            early = there & (at < low)
        rows = int(early.sum() + late.sum())
        if rows == 0:
            return []
        parts = []
        if early.any():
            parts.append(f"{int(early.sum()):,} before {_day(max(low, _micros(datetime(1, 1, 2, tzinfo=UTC))))}")
        if late.any():
            parts.append(f"{int(late.sum()):,} after {_day(high)}")
        message = (
            f"{listed([name])} has {' and '.join(parts)} ({percent(rows, table.rows)} of the rows), "
            f"while most lie between {_day(q05)} and {_day(q95)}"
        )
        limits = {"low": _iso(low) if early.any() else None, "high": _iso(high) if late.any() else None}
        proposal = Proposal(
            repair="out-of-range-to-missing",
            table=table.name,
            columns=(name,),
            parameters={k: v for k, v in limits.items() if v is not None},
            cells=rows,
            sentence=f"{rows:,} dates of {name} become missing",
        )
        evidence = {"early": int(early.sum()), "late": int(late.sum()), "share": round(rows / table.rows, 6)}
        return [
            found(self, "issue", "medium", table.name, [name], message, rows=rows, evidence=evidence, proposal=proposal)
        ]

    @staticmethod
    def _pile(at: np.ndarray, inside: np.ndarray, middle: float) -> float | None:
        """A zero day on which several rows lie while the next moment is more than a year later."""
        for day in PILES:
            zero = _micros(day)
            on_it = inside & (at == zero)
            if zero < middle and on_it.sum() >= PILE_ROWS and not (inside & (at < zero)).any():
                later = at[inside & (at > zero)]
                if len(later) and later.min() - zero > _YEAR:
                    return zero
        return None


def _micros(moment: datetime) -> float:
    return (moment - _EPOCH) / timedelta(microseconds=1)


def _day(micros: float) -> str:
    return _iso(micros)[:10]


def _iso(micros: float) -> str:
    """ISO text of a moment; what lies outside the calendar is cut to its edges."""
    lowest, highest = _micros(datetime(1, 1, 2, tzinfo=UTC)), _micros(datetime(9999, 12, 30, tzinfo=UTC))
    moment = _EPOCH + timedelta(microseconds=float(min(max(micros, lowest), highest)))
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


CHECK = Dates()
