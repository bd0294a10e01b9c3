"""AUD043: a column that writes its times or codes in one way, and cells that are written otherwise."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar, Literal

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.memory import Memory
from holdgood.audit.slips import shape
from holdgood.audit.times_written import clock_of, minutes_in
from holdgood.audit.vocabulary import vocabulary, where
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

USUAL = 0.8
LEAST_ROWS = 20
LEAST_CELLS = 2
_CODE = 5
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_SIGNS = re.compile(r"[^0-9A-Za-z]")


@dataclass(frozen=True)
class Written:
    """``what`` the cells are; ``meant``: text to how the column writes it; ``empty``: texts that hold none of it."""

    what: str
    meant: dict[str, str]
    empty: tuple[str, ...]


_written: Memory[Written | None] = Memory()


class Formats:
    """Looks at the dominant way of writing; what says the same otherwise is rewritten, what says nothing becomes missing."""

    code: ClassVar[str] = "AUD043"
    title: ClassVar[str] = "mixed formats"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column kept as text."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column is kept as text")
        out = []
        for table in context.tables.values():
            for name in table.names:
                told = written(table, name)
                if told is not None:
                    out.append(self._tell(table, name, told))
        return out

    def _tell(self, table: Table, name: str, told: Written) -> Finding:
        words = vocabulary(table, name)
        assert words is not None
        odd = [*told.meant, *told.empty]
        rows = sum(words.rows_of[t] for t in odd)
        share = percent(words.present - rows, words.present)
        message = (
            f"{listed([name])} holds {told.what}, {share} of them written in one way; {counted(rows, 'cell')} are not"
        )
        parameters: dict[str, object] = {"mapping": dict(sorted(told.meant.items()))} if told.meant else {}
        if told.empty:
            parameters["missing"] = sorted(told.empty)
            lost = sum(words.rows_of[t] for t in told.empty)
            message += f", of which {lost:,} hold none that could be read"
        proposal = Proposal(
            repair="replace-values",
            table=table.name,
            columns=(name,),
            parameters=parameters,
            cells=rows,
            sentence=f"write {counted(rows, 'cell')} of {name} as the others are written",
        )
        evidence = {"cells": rows, "ways": len({shape(t) for t in odd}), "unreadable": len(told.empty)}
        return found(
            self,
            "issue",
            "medium" if rows >= 0.005 * words.present else "low",
            table.name,
            [name],
            message,
            rows=rows,
            evidence=evidence,
            proposal=proposal,
            examples=where(table, name, odd),
        )


def written(table: Table, column: str) -> Written | None:
    """What a column's cells are and which are written otherwise; None where there is nothing to say. Remembered."""
    return _written.get(table.data, column, lambda: _look(table, column))


def _look(table: Table, column: str) -> Written | None:
    words = vocabulary(table, column)
    if words is None or words.present < LEAST_ROWS or table.type_of(column) == "text":
        return None
    rows = words.rows_of
    told = _times(rows) or _codes(rows)
    if told is None or sum(rows[t] for t in (*told.meant, *told.empty)) < LEAST_CELLS:
        return None
    return told


def _times(rows: dict[str, int]) -> Written | None:
    """Times of day: cells that carry a date, a note or another clock beside the time, and cells without one."""
    clock = clock_of(rows, USUAL)
    if clock is None:
        return None
    meant: dict[str, str] = {}
    empty: list[str] = []
    for text in rows:
        minutes = minutes_in(text, clock)
        if minutes is None:
            empty.append(text)
        elif clock.write(minutes) != text and _differs(text, clock.write(minutes)):
            meant[text] = clock.write(minutes)
    return Written("times of day", meant, tuple(empty)) if meant or empty else None


def _differs(text: str, other: str) -> bool:
    """A leading zero or a second is no other way of writing."""
    return text.lstrip("0") != other.lstrip("0")


def _codes(rows: dict[str, int]) -> Written | None:
    """Codes of one length and shape, such as 555-123-4567: the same signs with other separators or in the other case."""
    total = sum(rows.values())
    by_shape: dict[str, int] = defaultdict(int)
    for text, count in rows.items():
        by_shape[shape(text)] += count
    usual, count = max(by_shape.items(), key=lambda p: (p[1], p[0]))
    bare = _SIGNS.sub("", usual)
    if count < USUAL * total or len(bare) < _CODE or "9" not in bare or _DATE.match(_example(rows, usual)):
        return None
    same = [t for t in rows if shape(t) == usual]
    upper = all(t == t.upper() for t in same)
    lower = all(t == t.lower() for t in same)
    meant: dict[str, str] = {}
    for text in rows:
        signs = _SIGNS.sub("", text)
        if shape(text) == usual or shape(signs) != bare:
            continue
        cased = signs.upper() if upper else signs.lower() if lower else signs
        out = iter(cased)
        meant[text] = "".join(next(out) if c in "a9" else c for c in usual)
    return Written("codes", meant, ()) if meant else None


def _example(rows: dict[str, int], usual: str) -> str:
    return next(t for t in rows if shape(t) == usual)


CHECK = Formats()
"""The check that is registered."""
