"""Levels written in full in most cells and abbreviated in some, or the other way round: Female and F, eng and English.

One pair proves nothing (S and Small may be two levels). What gives it away is a whole second writing: every rare level is the
abbreviation of one frequent level, or is abbreviated by it, one to one, in at least two pairs, and nothing else is rare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from holdgood.audit.memory import Memory
from holdgood.audit.vocabulary import Vocabulary, vocabulary
from holdgood.core.table import Table
from holdgood.core.text import mend, plain

LEAST_PAIRS = 2
MOST_LEVELS = 80
RARE = 0.35
"""A level of the second writing has at most this share of the rows of the first."""
EXPLAINED = 0.7
COVERED = 0.5
SHORT = 5
LONG = 4
_WORDS = re.compile(r"[^\W\d_]+")

_abbreviated: Memory[dict[str, str]] = Memory()


def abbreviated(table: Table, column: str) -> dict[str, str]:
    """Each level in the rarer writing, with the level that is meant; remembered while the data lives."""
    return _abbreviated.get(table.data, column, lambda: _look(vocabulary(table, column)))


def rank(short: str, long: str) -> int:
    """How well a text abbreviates another: 1 its beginning, 2 the initials of its words, 3 letters of it in their order; 0 not at all.

    >>> rank("eng", "english"), rank("ny", "new york"), rank("gk", "goalkeeper"), rank("a", "english")
    (1, 2, 3, 0)
    """
    return _rank(_Form.of(short), _Form.of(long))


@dataclass(frozen=True)
class _Form:
    """A text taken apart once, since each is compared with all others: its words, and these written as one."""

    text: str
    words: list[str]
    bare: str
    digits: bool

    @classmethod
    def of(cls, text: str) -> _Form:
        words = _WORDS.findall(text)
        return cls(text, words, "".join(words), any(c.isdigit() for c in text))


def _rank(short: _Form, long: _Form) -> int:
    bare, words = short.bare, long.words
    if not bare or not words or len(bare) >= len(long.text) or len(long.text) < LONG or short.digits or long.digits:
        return 0
    if len(words) == 1 and long.text.startswith(bare):
        return 1
    if len(words) > 1 and bare == "".join(w[0] for w in words):
        return 2
    left = iter(long.bare)
    return 3 if bare[0] == words[0][0] and len(bare) >= 2 and all(c in left for c in bare) else 0


def _look(words: Vocabulary | None) -> dict[str, str]:
    if words is None or not 4 <= len(words.texts) <= 4 * MOST_LEVELS:
        return {}
    rows: dict[str, int] = {}
    spelled: dict[str, list[str]] = {}
    for text in words.texts:
        form = plain(mend(text)).strip()
        rows[form] = rows.get(form, 0) + words.rows_of[text]
        spelled.setdefault(form, []).append(text)
    if len(rows) > MOST_LEVELS:
        return {}
    for long_ones_are_rare in (False, True):
        pairs = _paired(rows, long_ones_are_rare)
        if pairs:
            return {t: spelled[to][0] for form, to in pairs.items() for t in spelled[form]}
    return {}


def _paired(rows: dict[str, int], turned: bool) -> dict[str, str]:
    """Rare forms with the frequent ones they stand for. ``turned``: the rare ones are the words in full."""
    forms = {text: _Form.of(text) for text in rows}
    best: dict[str, tuple[int, list[str]]] = {}
    for one in rows:
        found: dict[int, list[str]] = {}
        for other in rows:
            how = _rank(forms[other], forms[one]) if turned else _rank(forms[one], forms[other])
            if how and rows[one] <= RARE * rows[other]:
                found.setdefault(how, []).append(other)
        if found:
            best[one] = min(found.items())
    pairs = {one: others[0] for one, (_, others) in best.items() if len(others) == 1}
    meant = list(pairs.values())
    pairs = {a: b for a, b in pairs.items() if meant.count(b) == 1 and b not in pairs}
    short = [min(len(a), len(b)) for a, b in pairs.items()]
    if len(pairs) < LEAST_PAIRS or max(short) > SHORT or max(short) - min(short) > 2:
        return {}
    # the second writing is all there is beside the first, and says most of what the first says
    others = [f for f in rows if f not in pairs]
    strays = sum(_like(f, pairs) for f in others if f not in pairs.values())
    said = sum(rows[f] for f in pairs.values())
    if len(pairs) < EXPLAINED * (len(pairs) + strays) or said < COVERED * sum(rows[f] for f in others):
        return {}
    return pairs


def _like(form: str, pairs: dict[str, str]) -> bool:
    """Whether a level is as long as those of the second writing."""
    lengths = [len(a) for a in pairs]
    return min(lengths) <= len(form) <= max(lengths)
