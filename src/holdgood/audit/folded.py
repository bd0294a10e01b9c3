"""Texts that are one level in several spellings: equal but for case, accents, punctuation, spaces or the order of words."""

from __future__ import annotations

import re
from collections import defaultdict

from holdgood.audit.memory import Memory
from holdgood.audit.vocabulary import Vocabulary, vocabulary
from holdgood.core.table import Table
from holdgood.core.text import mend, plain

REPEATED = 0.9
SHORT = 2
SHORT_RATIO = 0.12
LEVEL_ROWS = 10
ORDER_ROWS = 10
ORDER_RATIO = 0.1
_AND = re.compile(r"\s*&\s*|\s+and\s+")
_SEPARATOR = re.compile(r"(?<=[^\W_])[\s_\-./\\,;:'`()\"\[\]]+(?=[^\W_])")
_OUTER = re.compile(r"^[\s_\-./\\,;:'`()\"\[\]]+(?=[^\W\d_])|(?<=[^\W_])[\s_./\\,;:'`()\"\[\]]+$|(?<=[^\W_]{2})-+$")
_WORD = re.compile(r"[^\W\d_]+")

_variants: Memory[dict[str, str]] = Memory()


def folded(text: str) -> str:
    """What is left when case, accents and punctuation beside letters are taken away; signs between digits stay.

    >>> folded("Very_Good"), folded("very good."), folded("A+"), folded("AB 1-2"), folded("R&D")
    ('verygood', 'verygood', 'a+', 'ab1-2', 'r&d')
    """
    form = _AND.sub("&", plain(mend(text)))
    form = _OUTER.sub("", form)
    out, last = [], 0
    for m in _SEPARATOR.finditer(form):
        out.append(form[last : m.start()])
        if form[m.start() - 1].isdigit() and form[m.end()].isdigit():
            out.append(m.group().strip() or " ")
        last = m.end()
    return "".join([*out, form[last:]])


def variants(table: Table, column: str) -> dict[str, str]:
    """Each rarer spelling of a level, with the most frequent one; remembered while the data lives.

    Spellings that differ in damage alone (spaces at the ends, broken encoding) are among them.
    """
    return _variants.get(table.data, column, lambda: _look(vocabulary(table, column)))


def _look(words: Vocabulary | None) -> dict[str, str]:
    if words is None or len(words.texts) < 2 or len(words.texts) > REPEATED * words.present:
        return {}
    by_form: dict[str, list[str]] = defaultdict(list)
    for text in words.texts:  # most frequent first
        form = folded(text)
        if any(c.isalpha() for c in form):
            by_form[form].append(text)
    out: dict[str, str] = {}
    one_case = _one_case([group[0] for group in by_form.values()])
    for form, group in by_form.items():
        rows = words.rows_of[group[0]]
        to = mend(group[0])
        for text in group[1:]:
            # pp and PP, m and M may be codes: only a rare one beside a frequent one is a slip
            honest = len(form) <= SHORT and mend(text) != to
            if honest and not (one_case and words.rows_of[text] <= SHORT_RATIO * rows):
                continue
            # Ann-Marie and Annmarie are two people; a level that comes again and again is one level
            if rows < LEVEL_ROWS and plain(mend(text)) != plain(to):
                continue
            out[text] = to
        if to != group[0] and group[0] not in out and len(group) > 1:
            out[group[0]] = to
    return out | _orders(words, by_form, out)


def _one_case(texts: list[str]) -> bool:
    """Whether all are in capitals, in small letters, or begin with the only capital of their first word."""
    ways = (str.upper, str.lower, lambda t: t[:1].upper() + t[1:].lower())
    return any(all(t == way(t) for t in texts) for way in ways)


def _orders(words: Vocabulary, by_form: dict[str, list[str]], known: dict[str, str]) -> dict[str, str]:
    """The same words in another order: "Smith, John" beside "John Smith", or three words and more, one way rare."""
    by_words: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group in by_form.values():
        said = tuple(_WORD.findall(plain(group[0])))
        if 2 <= len(said) <= 8 and not any(c.isdigit() for c in group[0]):
            by_words[tuple(sorted(said))].append(group[0])
    out: dict[str, str] = {}
    for said, group in by_words.items():
        main = max(group, key=lambda t: (words.rows_of[t], t))
        for text in group:
            turned = (text.count(",") == 1) != (main.count(",") == 1) and len(said) >= 2
            rare = words.rows_of[main] >= ORDER_ROWS and words.rows_of[text] <= ORDER_RATIO * words.rows_of[main]
            if text != main and (turned or (rare and len(said) >= 3)) and text not in known:
                out[text] = main
    return out
