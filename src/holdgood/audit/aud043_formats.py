"""AUD043: a column that writes its times, codes or lists in one way, and cells that are written otherwise."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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
_ZEROS = 0.01
_LOST = 3
_LISTS = 0.5
_OF_NUMBERS = 0.6
_DECIMALS = re.compile(r"(\d+)\.0+")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_SPREADSHEET = re.compile(rf"(?:{_MONTHS})-\d{{1,4}}|\d{{1,2}}-(?:{_MONTHS})", re.IGNORECASE)
_PAIR = re.compile(r"[A-Za-z]?\d+ ?[-–/] ?[A-Za-z]?\d+")
_PARTING = re.compile(r"(?<=[^\W_])(?: ?[;|] ?|, ?| ?/ ?)(?=[^\W_])")
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
    told = _times(rows) or _codes(rows) or _ranges(rows) or _lists(rows)
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
    zeros = sum(rows[t] for t in same if t.startswith("0")) >= max(LEAST_CELLS, _ZEROS * count)
    meant: dict[str, str] = {}
    for text in rows:
        signs = _SIGNS.sub("", text)
        if bare.strip("9") == "":
            signs = _whole(text) or signs
            if zeros and len(bare) - _LOST <= len(signs) < len(bare) and signs.isdigit():
                signs = signs.zfill(len(bare))
        if shape(text) == usual or shape(signs) != bare:
            continue
        cased = signs.upper() if upper else signs.lower() if lower else signs
        out = iter(cased)
        meant[text] = "".join(next(out) if c in "a9" else c for c in usual)
    return Written("codes", meant, ()) if meant else None


def _whole(text: str) -> str:
    """The digits before a point and nothing but zeros, as a spreadsheet leaves them of a code: 35233 of 35233.0."""
    found = _DECIMALS.fullmatch(text.strip())
    return found.group(1) if found else ""


def _ranges(rows: dict[str, int]) -> Written | None:
    """Pairs of numbers such as 12-15, of which a spreadsheet has made days: Dec-15 or 15-Dec. What stood there is lost."""
    spoiled = [t for t in rows if _SPREADSHEET.fullmatch(t)]
    if not spoiled:
        return None
    pairs = sum(n for t, n in rows.items() if _PAIR.fullmatch(t))
    lost = sum(rows[t] for t in spoiled)
    if pairs < _OF_NUMBERS * (sum(rows.values()) - lost) or lost > pairs:
        return None
    return Written("pairs of numbers", {}, tuple(spoiled))


def _lists(rows: dict[str, int]) -> Written | None:
    """Several values in a cell, parted by one sign in most cells; by another in some, where the parts are known ones."""
    parted: dict[str, int] = defaultdict(int)
    for text, n in rows.items():
        for sign in {m.group().strip() for m in _PARTING.finditer(text)}:
            parted[sign] += n
    usual = max(parted, key=lambda x: (parted[x], x), default="")
    others = [x for x in parted if x != usual]
    if not others or parted[usual] < _LISTS * sum(rows.values()):
        return None
    known: Counter[str] = Counter()
    between: Counter[str] = Counter()
    mixed = 0
    for text, n in rows.items():
        signs = {m.group().strip() for m in _PARTING.finditer(text)}
        if signs == {usual}:
            known.update(p.strip() for p in text.split(usual))
            between.update(m.group() for m in _PARTING.finditer(text))
        elif usual in signs:
            mixed += n
    joint = between.most_common(1)[0][0] if between else usual
    meant: dict[str, str] = {}
    for text in rows:
        signs = {m.group().strip() for m in _PARTING.finditer(text)}
        if len(signs) != 1 or usual in signs:
            continue
        parts = [p.strip() for p in text.split(signs.pop())]
        if all(parts) and 2 * sum(p in known for p in parts) >= len(parts):
            meant[text] = joint.join(parts)
    odd = sum(rows[t] for t in meant)
    looked_at = sum(
        n for t, n in rows.items() if (s := {m.group().strip() for m in _PARTING.finditer(t)}) and usual not in s
    )
    # where cells hold both signs, or most of the others hold no known part, the signs say different things
    return Written("lists of values", meant, ()) if meant and mixed <= odd and 2 * odd >= looked_at else None


def _example(rows: dict[str, int], usual: str) -> str:
    return next(t for t in rows if shape(t) == usual)


CHECK = Formats()
"""The check that is registered."""
