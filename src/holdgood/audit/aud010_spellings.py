"""AUD010: one level in several spellings: case, spaces, accents, or one letter off."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar, Literal

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table

VOCABULARY = 20_000
TYPO_LENGTH = 5
TYPO_FREQUENT = 10
TYPO_RATIO = 0.1
TYPO_ROWS = 5
TYPO_EXPLAINED = 0.5
TYPO_CERTAIN = 3
_WORD = re.compile(r"[^\W\d_]+(?:[ '\-][^\W\d_]+)*")


class Spellings:
    """Groups the levels of category columns that differ in nothing but spelling."""

    code: ClassVar[str] = "AUD010"
    title: ClassVar[str] = "spelling variants"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at columns of categories kept as text whose levels repeat."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.of_type("category")):
            raise NotApplicable("no column of categories")
        out: list[Finding] = []
        for table in context.tables.values():
            for name in table.of_type("category"):
                if not columns.is_text(table, name):
                    continue
                levels = columns.levels(table, name)
                present = sum(rows for _, rows in levels)
                if 2 <= len(levels) <= min(VOCABULARY, 0.5 * present):
                    out += self._look(table, name, levels)
        return out

    def _look(self, table: Table, name: str, levels: list[tuple[str, int]]) -> list[Finding]:
        folded = _folded(levels)
        out = [self._tell(table, name, levels, folded, "in case, spaces or accents only", True)] if folded else []
        rest = [(v, r) for v, r in levels if v not in folded]
        typed = _typos(rest)
        # Names differ by a letter as well (Brian, Bryan). Only where slips explain the rare levels are they slips.
        rare = sum(r <= TYPO_ROWS for _, r in rest)
        if typed and len(typed) >= TYPO_EXPLAINED * rare:
            certain = len(typed) >= TYPO_CERTAIN
            out.append(self._tell(table, name, rest, typed, "by one letter, and one form is rare", certain))
        return out

    def _tell(
        self, table: Table, name: str, levels: list[tuple[str, int]], mapping: dict[str, str], kind: str, certain: bool
    ) -> Finding:
        rows_of = dict(levels)
        rows, into = sum(rows_of[v] for v in mapping), len(set(mapping.values()))
        message = (
            f"{listed([name])} has {counted(len(mapping), 'spelling')} ({counted(rows, 'row')}) of "
            f"{counted(into, 'other level')}: they differ {kind}"
        )
        proposal = Proposal(
            repair="unify-spellings",
            table=table.name,
            columns=(name,),
            parameters={"mapping": mapping},
            cells=rows,
            sentence=f"each of them becomes the most frequent spelling, {counted(rows, 'cell')} of {name}",
        )
        evidence = {"spellings": len(mapping), "rows": rows, "levels": into}
        level: Literal["issue", "tip"] = "issue" if certain else "tip"
        severity: Literal["medium", "low"] = "medium" if certain else "low"
        return found(
            self, level, severity, table.name, [name], message, rows=rows, evidence=evidence, proposal=proposal
        )


def plain(text: str) -> str:
    """Lower case, single spaces, no accents.

    >>> plain("  São  PAULO ")
    'sao paulo'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(ch for ch in decomposed if not unicodedata.combining(ch))
    return " ".join(bare.casefold().split())


def _folded(levels: list[tuple[str, int]]) -> dict[str, str]:
    """Rare spelling to frequent one, for levels that are equal in plain form. Single letters may be codes: 'm' is not 'M'."""
    groups: dict[str, list[str]] = defaultdict(list)
    for text, _ in levels:  # most frequent first
        groups[plain(text)].append(text)
    return {v: group[0] for form, group in groups.items() if len(group) > 1 and len(form) > 1 for v in group[1:]}


def _typos(levels: list[tuple[str, int]]) -> dict[str, str]:
    """Rare level to the frequent one it is a slip of; both are words of letters, at least five of them.

    Neighbours are found through deletions (as SymSpell does): two words one edit apart share a form with one letter less.
    """
    words = [(v, r, plain(v)) for v, r in levels if _WORD.fullmatch(v.strip()) and len(v.strip()) >= TYPO_LENGTH]
    frequent = [(v, r, p) for v, r, p in words if r >= TYPO_FREQUENT]
    by_form: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for entry in frequent:
        for form in _deletions(entry[2]):
            by_form[form].append(entry)
    out: dict[str, str] = {}
    for text, rows, word in words:
        if rows > TYPO_ROWS:
            continue
        near = [
            entry
            for form in _deletions(word)
            for entry in by_form.get(form, ())
            if entry[0] != text and rows <= TYPO_RATIO * entry[1] and one_slip(word, entry[2])
        ]
        near = list(dict.fromkeys(near))
        if len(near) == 1:  # near two frequent levels: nobody can tell which was meant
            out[text] = near[0][0]
    return out


def _deletions(word: str) -> Iterable[str]:
    return dict.fromkeys([word, *(word[:i] + word[i + 1 :] for i in range(len(word)))])


def one_slip(a: str, b: str) -> bool:
    """Whether two words are one wrong, missing, doubled or swapped letter apart; a plural is not a slip.

    >>> one_slip("london", "londn"), one_slip("london", "lodnon"), one_slip("engine", "engines"), one_slip("london", "dublin")
    (True, True, False, False)
    """
    if a == b:
        return False
    short, long = sorted((a, b), key=len)
    if len(long) == len(short):
        unlike = [i for i in range(len(long)) if a[i] != b[i]]
        swapped = (
            len(unlike) == 2
            and unlike[1] == unlike[0] + 1
            and a[unlike[0]] == b[unlike[1]]
            and a[unlike[1]] == b[unlike[0]]
        )
        return len(unlike) == 1 or swapped
    if len(long) != len(short) + 1 or long[:-1] == short:
        return False
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


CHECK = Spellings()
