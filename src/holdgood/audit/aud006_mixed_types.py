"""AUD006: numbers kept as text because of words, units, signs or mixed writing; booleans spelled in several ways; mixed types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.dates_written import mostly_dates
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.units_written import among_bare, unit_of
from holdgood.audit.written import (
    SEPARATOR,
    STRONG,
    WEAK,
    Vocabulary,
    Writing,
    glimpse,
    is_word,
    reads_as_numbers,
    rows_with,
    vocabulary,
    writing,
)
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal, Severity
from holdgood.core.table import Table
from holdgood.core.text import signed

MOST = 0.8
DISTINCT = 8
ODD_WHOLE = 0.2
SPELLED = 0.95
ONE_LENGTH = 0.95
_LEADING_ZERO = r"^[+-]?0\d"
_FRACTION = r"\d[.,]\d"
_NEGATIVE = r"^-"
_PAIRS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("1", "0"), ("on", "off"), ("1.0", "0.0"))
_BOOLEAN = tuple(word for pair in _PAIRS for word in pair)
_FULL = ("true", "false", "yes", "no", "on", "off")


@dataclass(frozen=True)
class Numbers:
    """A column of numbers kept as text. ``lost``: cells that are no number even after the repair; ``absent`` of them read as missing.

    ``negative``: cells below zero as accountants write them; ``foreign``: a unit that is not the column's, and in how many cells.
    """

    column: str
    present: int
    plain: int
    swapped: int
    dressed: int
    negative: int
    foreign: tuple[str, int]
    lost: int
    absent: int
    quantity: bool
    parameters: dict[str, Any]
    examples: tuple[int, ...]

    @property
    def odd(self) -> int:
        """Cells that keep the column from being read as numbers."""
        return self.present - self.plain


class MixedTypes:
    """Counts the cells that keep a column of numbers from being one. Codes written in digits are left alone."""

    code: ClassVar[str] = "AUD006"
    title: ClassVar[str] = "numbers kept as text"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column that is kept as text."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column is kept as text")
        return [f for t in context.tables.values() if t.rows for f in self._look(t)]

    def _look(self, table: Table) -> list[Finding]:
        out, settled = [], []
        for name in table.names:
            if not columns.is_text(table, name) or table.type_of(name) in ("text", "other"):
                continue
            head = glimpse(table, name)
            if reads_as_numbers(head):
                numbers = _numbers(table, name)
                if numbers is not None or reads_as_numbers(head, MOST):
                    settled.append(name)
                if numbers is not None:
                    out.append(self._tell(table, numbers))
            elif mostly_dates(head):
                settled.append(name)  # told by AUD008
            elif len(head.values) <= 20 and (finding := self._booleans(table, name)) is not None:
                out.append(finding)
        return out + self._noted(table, settled)

    def _noted(self, table: Table, settled: list[str]) -> list[Finding]:
        """What a reader saw of mixed types, where nothing better is known."""
        notes = [n for n in table.notes if n.code == "mixed-types" and not all(c in settled for c in n.columns)]
        return [
            found(self, "issue", "medium", table.name, n.columns, n.message, rows=n.count, evidence={"cells": n.count})
            for n in notes
        ]

    def _tell(self, table: Table, it: Numbers) -> Finding:
        whole = it.odd == 0
        message = f"{listed([it.column])} is kept as text, though "
        message += (
            "all of its values are numbers"
            if whole
            else f"{percent(it.present - it.lost, it.present)} of its values are numbers"
        )
        lost = it.lost - it.foreign[1]
        parts = [
            f"{it.dressed:,} with a unit or sign beside them" if it.dressed else "",
            f"{it.swapped:,} with other decimal or thousands signs" if it.swapped else "",
            f"{it.negative:,} below zero, in brackets or with a minus of their own" if it.negative else "",
            f"{it.foreign[1]:,} in another unit, {it.foreign[0]!r}: not converted, they would become missing"
            if it.foreign[1]
            else "",
            f"{lost:,} {'is' if lost == 1 else 'are'} none" if lost else "",
        ]
        told = ", ".join(p for p in parts if p)
        message += f" ({told})" if told else ""
        if it.absent and it.absent == it.lost:
            message += "; those that are none read as missing"
        strip = it.parameters.get("strip")
        sentence = f"read {it.column} as numbers; {counted(it.lost, 'cell')} that are none become missing"
        sentence += f"; {listed(strip)} beside a number is taken off, nothing is converted" if strip else ""
        proposal = Proposal(
            repair="to-number",
            table=table.name,
            columns=(it.column,),
            parameters=it.parameters,
            cells=it.present,
            sentence=sentence,
        )
        evidence = {
            "numbers": it.plain,
            "not_numbers": it.odd,
            "dressed": it.dressed,
            "other_signs": it.swapped,
            "lost": it.lost,
            "share": round(it.plain / it.present, 6),
        }
        level: Literal["issue", "tip"] = (
            "tip" if whole or (it.plain == 0 and it.odd == it.dressed + it.absent) else "issue"
        )
        severity: Severity = "low" if level == "tip" or it.absent == it.odd else "medium"
        return found(
            self,
            level,
            severity,
            table.name,
            [it.column],
            message,
            rows=it.odd,
            evidence=evidence,
            proposal=proposal,
            sure="certain" if it.quantity else "likely",
            examples=it.examples,
        )

    def _booleans(self, table: Table, name: str) -> Finding | None:
        """Yes and no in more than one pair of words, of which at least one is written in full."""
        words = vocabulary(table, name)
        folded = [str(v) for v in words.folded().to_pylist()]
        boolean = is_word(words, _BOOLEAN)
        absent = is_word(words, STRONG) | is_word(words, WEAK)
        if words.cells(boolean) < SPELLED * (words.present - words.cells(absent & ~boolean)):
            return None
        rows: dict[str, int] = {}
        for word, n, is_boolean in zip(folded, words.rows.tolist(), boolean.tolist(), strict=True):
            if is_boolean:
                rows[word] = rows.get(word, 0) + n
        pairs = [p for p in _PAIRS if p[0] in rows or p[1] in rows]
        complete = [p for p in pairs if p[0] in rows and p[1] in rows]
        if len(pairs) < 2 or not complete or not any(w in rows for w in _FULL):
            return None
        main = max(complete, key=lambda p: (rows[p[0]] + rows[p[1]], p))
        into = {word: side for pair in pairs for word, side in zip(pair, (0, 1), strict=True)}
        spelled = {
            side: next(str(v) for v, f in zip(words.values.to_pylist(), folded, strict=True) if f == main[side])
            for side in (0, 1)
        }
        mapping = {
            str(v): spelled[into[f]]
            for v, f, b in zip(words.values.to_pylist(), folded, boolean.tolist(), strict=True)
            if b and str(v) != spelled[into[f]]
        }
        odd = [v for v in mapping if v.strip().lower() not in main]
        cells = words.cells(np.isin(np.array(words.values.to_pylist(), dtype=object), list(mapping)))
        message = (
            f"{listed([name])} says yes and no in {len(pairs)} ways: "
            + ", ".join(f"{a!r}/{b!r}" for a, b in pairs)
            + f"; {counted(cells, 'cell')} {'is' if cells == 1 else 'are'} spelled otherwise than {spelled[0]!r} and {spelled[1]!r}"
        )
        proposal = Proposal(
            repair="unify-spellings",
            table=table.name,
            columns=(name,),
            parameters={"mapping": mapping},
            cells=cells,
            sentence=f"{name} says {spelled[0]} and {spelled[1]} everywhere, {counted(cells, 'cell')}",
        )
        return found(
            self,
            "issue",
            "medium",
            table.name,
            [name],
            message,
            rows=cells,
            evidence={"ways": len(pairs), "cells": cells},
            proposal=proposal,
            examples=rows_with(table, name, odd),
        )


def _numbers(table: Table, name: str) -> Numbers | None:
    """What is to be said of a column whose sample is mostly numbers; None where it holds codes or too few numbers."""
    written = vocabulary(table, name)
    words, booked = _booked(written)
    seen = writing(words)
    strip, plain_dress, stripped = _strip(words, seen)
    absent = words.cells(seen.absent)
    plain, swapped, dressed = words.cells(seen.number), words.cells(seen.swapped), words.cells(plain_dress)
    readable, present = plain + swapped + dressed, words.present
    negative = words.cells(booked & (seen.number | seen.swapped | plain_dress))
    plain -= words.cells(booked & seen.number)
    if readable < MOST * (present - absent) or readable < 0.5 * present:
        return None
    if int((seen.number | seen.swapped | plain_dress).sum()) < DISTINCT:
        return None
    if words.cells(seen.number & words.matches(_LEADING_ZERO)) > 0.002 * present:
        return None
    fractions = (seen.number | seen.swapped) & (words.matches(_FRACTION) | words.matches(_NEGATIVE))
    quantity = words.cells(fractions) >= 0.005 * present or words.cells(plain_dress) >= 0.5 * present
    codes = (seen.code | (seen.dressed & words.matches(r"^\d+[A-Za-z]$"))) & ~plain_dress
    # V57 among 250.83 is a code of its kind; l57 among 0.57 is a slip
    capital = codes & words.matches(r"^[A-Z]{1,4}[ -]?\d") if quantity else codes
    odd_cells = words.cells(~seen.number & ~seen.swapped & ~plain_dress & ~seen.absent)
    many = int(capital.sum()) >= 5 and words.cells(capital) >= (0.9 if quantity else 0.5) * odd_cells
    if many:
        return None
    odd = present - plain
    lengths = np.asarray(pc.utf8_length(words.trimmed().filter(pa.array(seen.number))))
    if not quantity and _of_one_length(lengths, words.rows[seen.number]):
        return None
    # Whole numbers in text are as a rule codes that somebody made text on purpose; fractions never are.
    if not quantity and (odd == 0 or odd - absent > ODD_WHOLE * present):
        return None
    parameters: dict[str, Any] = {"decimal": ","} if seen.decimal == "," else {}
    if swapped or stripped:
        parameters["mixed"] = True
    if strip:
        parameters["strip"] = strip
    if negative:
        parameters["negatives"] = True
    telling = (seen.other | codes | seen.swapped | seen.dressed | booked) if absent < odd else seen.absent
    return Numbers(
        column=name,
        present=present,
        plain=plain,
        swapped=swapped,
        dressed=dressed,
        negative=negative,
        foreign=_foreign(words, seen, plain_dress),
        lost=present - readable,
        absent=absent,
        quantity=quantity,
        parameters=parameters,
        examples=tuple(rows_with(table, name, written.texts(telling, 200))) if odd else (),
    )


def _foreign(words: Vocabulary, seen: Writing, plain_dress: np.ndarray) -> tuple[str, int]:
    """What stands most often beside numbers that is not taken off them, since it may be another unit, and in how many cells."""
    rows: dict[str, int] = {}
    for at, dress in seen.dress_at.items():
        if not plain_dress[at]:
            word = dress.replace(SEPARATOR, " ").strip()
            rows[word] = rows.get(word, 0) + int(words.rows[at])
    most = max(rows, key=lambda w: (rows[w], w), default="")
    return most, rows.get(most, 0)


def _booked(written: Vocabulary) -> tuple[Vocabulary, np.ndarray]:
    """The texts with accountants' negatives signed as others sign them, and which these are.

    Brackets mean something else, an estimate for example, where other numbers of the column have a minus.
    """
    texts = [str(t) for t in written.values.to_pylist()]
    turned = [signed(t) for t in texts]
    minus = written.cells(written.matches(r"^-[\d.,$€£]")) > 0
    kept = [a if minus and a.strip().startswith("(") else b for a, b in zip(texts, turned, strict=True)]
    marks = np.array([a != b for a, b in zip(texts, kept, strict=True)], dtype=bool)
    return (Vocabulary(pa.array(kept, pa.string()), written.rows), marks) if marks.any() else (written, marks)


def _of_one_length(lengths: np.ndarray, rows: np.ndarray) -> bool:
    """Codes such as postal ones and telephone numbers: five digits or more, and nearly all of one length."""
    cells = np.bincount(lengths, weights=rows)
    return bool(cells.max(initial=0.0) >= ONE_LENGTH * rows.sum() and cells.argmax() >= 5)


def _strip(words: Vocabulary, seen: Writing) -> tuple[list[str], np.ndarray, bool]:
    """What to take off the numbers, which texts are numbers then, and whether some have spaces between thousands.

    One unit and one currency, however spelled: cells in another unit are another quantity and stay unread. A percent among
    bare numbers may mean a hundredth, so it is taken off only where nearly all have it, or where its numbers lie among the bare ones.
    """
    share = {dress: rows / max(1, words.cells(seen.dressed | seen.number)) for dress, rows in seen.dresses}
    letters = [d for d, _ in seen.dresses if len(d) == 2 and d[1].isascii() and d[1].isalpha()]
    if len(letters) > 1:  # 12a and 7b are numbers of houses
        share = {dress: part for dress, part in share.items() if dress not in letters}
    tokens: list[str] = []
    units: set[str] = set()
    for dress, _ in seen.dresses:
        parts = [p for p in dress.split(SEPARATOR) if p]
        if dress not in share:
            continue
        if any("%" in p or "‰" in p for p in parts) and share[dress] < MOST and not among_bare(words, seen, dress):
            continue
        named = {unit_of(p) for p in parts if p.strip("<>=~≈≤≥+* ")}
        if units and not named <= units:
            continue
        units |= named
        tokens += [p for p in parts if p not in tokens]
    marks = np.zeros(len(words.values), dtype=bool)
    for at, dress in seen.dress_at.items():
        marks[at] = all(p in tokens for p in dress.split(SEPARATOR) if p)
    spaced = any(dress == SEPARATOR for dress in seen.dress_at.values())
    return tokens, marks, spaced


CHECK = MixedTypes()
