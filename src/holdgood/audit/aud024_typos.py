"""AUD024: typos: rare texts a slip away from a frequent one, slips inside longer texts, and signs where they cannot be."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from holdgood.audit import columns
from holdgood.audit.folded import variants
from holdgood.audit.found import counted, found, listed
from holdgood.audit.memory import Memory
from holdgood.audit.slips import ESTABLISHED, cased_shape, kind_of, one_edit, shape, slips
from holdgood.audit.vocabulary import Vocabulary, vocabulary, where
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table
from holdgood.core.text import mend, plain

_WORD = re.compile(r"[^\W\d_]{4,}")
LEAST_ROWS = 20
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)? ?%?")
_SHAPE = 24
_WORDS_A_TEXT = 12
_TOKENS = 8_000
_LEVEL_ROWS = 20
_LEVEL_SHARE = 0.005
_FEW_LEVELS = 40
_STRAGGLERS = 5
_SHORT = 3.0
_MOST_SLIPS = 0.12
_CLOSED = 0.98  # of the rows are of a level
_LONG_ENOUGH = 4
_SINGLE_ROWS = 0.005  # of the level's rows that a slip may have
_SINGLE = ("letters", "swap", "more", "less")
_MARKED = 3
_MARK = re.compile(r"(?P<before>[*#~^|\\_]*)(?P<of>[^\W_].*?[^\W_])(?P<after>[-_ ]?[*#~^|\\_]+)?")


@dataclass(frozen=True)
class Typos:
    """``meant``: text to the text that was meant; ``unclear``: damaged texts that may mean several; ``certain``: beyond doubt."""

    meant: dict[str, str]
    unclear: tuple[str, ...]
    certain: bool


_typos: Memory[Typos] = Memory()


class MistypedLevels:
    """Looks for typos in the vocabulary of each column, in its words and in the shapes of its codes."""

    code: ClassVar[str] = "AUD024"
    title: ClassVar[str] = "typos"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column kept as text whose texts repeat."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column is kept as text")
        out = []
        for table in context.tables.values():
            for name in table.names:
                if not columns.is_text(table, name) or table.type_of(name) == "text":
                    continue
                told = typos(table, name)
                if told.meant or told.unclear:
                    out.append(self._tell(table, name, told))
        return out

    def _tell(self, table: Table, name: str, told: Typos) -> Finding:
        words = vocabulary(table, name)
        assert words is not None
        wrong = [*told.meant, *told.unclear]
        rows = sum(words.rows_of[t] for t in wrong)
        into = len(set(told.meant.values()))
        message = f"{listed([name])} has {counted(len(wrong), 'text')} ({counted(rows, 'row')}) with a typo"
        if told.meant:
            message += f": {len(told.meant):,} of them a slip away from {counted(into, 'frequent text')}"
        if told.unclear:
            message += f"; {len(told.unclear):,} of them could mean several texts and become missing"
        parameters: dict[str, object] = {"mapping": dict(sorted(told.meant.items()))} if told.meant else {}
        if told.unclear:
            parameters["missing"] = sorted(told.unclear)
        proposal = Proposal(
            repair="replace-values",
            table=table.name,
            columns=(name,),
            parameters=parameters,
            cells=rows,
            sentence=f"each becomes the text that was meant, {counted(rows, 'cell')} of {name}",
        )
        evidence = {"texts": len(wrong), "rows": rows, "levels": into, "unclear": len(told.unclear)}
        order = sorted(wrong, key=lambda t: (words.rows_of[t], t))
        return found(
            self,
            "issue" if told.certain else "tip",
            "medium" if told.certain else "low",
            table.name,
            [name],
            message,
            rows=rows,
            evidence=evidence,
            proposal=proposal,
            sure="likely" if told.certain else "possible",
            examples=where(table, name, order),
        )


def typos(table: Table, column: str) -> Typos:
    """The typos of one column; remembered while the data lives."""
    return _typos.get(table.data, column, lambda: _look(vocabulary(table, column), variants(table, column)))


def _look(words: Vocabulary | None, spelt: dict[str, str]) -> Typos:
    if words is None or len(words.texts) < 2 or words.present < LEAST_ROWS:
        return Typos({}, (), False)
    forms = _forms(words, spelt)
    meant, unclear, certain = _whole(words, forms)
    for look in (_marked, _closed, _single, _inside, _shapes):
        more, lost, sure = look(words, forms, {*meant, *unclear})
        meant |= more
        unclear += lost
        certain = certain or sure
    return Typos(meant, tuple(unclear), certain)


Found = tuple[dict[str, str], list[str], bool]


def _forms(words: Vocabulary, spelt: dict[str, str]) -> dict[str, list[str]]:
    """Texts by their folded form, so that case, accents and damaged spaces are nobody's typo; rare numbers are left out."""
    forms: dict[str, list[str]] = defaultdict(list)
    for text in words.texts:  # most frequent first
        form = plain(mend(spelt.get(text, text)))
        # a number is no typo of another, but "3595x" is one of a number
        if form and (words.rows_of[text] >= ESTABLISHED or not _NUMBER.fullmatch(form)):
            forms[form].append(text)
    return forms


def _rows(words: Vocabulary, forms: dict[str, list[str]]) -> dict[str, int]:
    return {form: sum(words.rows_of[t] for t in texts) for form, texts in forms.items()}


def _whole(words: Vocabulary, forms: dict[str, list[str]]) -> Found:
    """Whole texts that are slips of others."""
    rows = _rows(words, forms)
    order = sorted(rows, key=lambda f: (-rows[f], f))
    # where hardly anything repeats there is nothing established to slip from
    if not order or rows[order[0]] < 4:
        return {}, [], False
    told = slips(order, [rows[f] for f in order])
    meant = {t: forms[to][0] for f, to in told.meant.items() if not _NUMBER.fullmatch(f) for t in forms[f]}
    return meant, [t for f in told.unclear if not _NUMBER.fullmatch(f) for t in forms[f]], told.certain


def _marked(words: Vocabulary, forms: dict[str, list[str]], known: set[str]) -> Found:
    """Established texts with the same signs added to several of them: "Lyon-*" and "Brno-*" beside Lyon and Brno."""
    marked: dict[str, dict[str, str]] = defaultdict(dict)
    for text in words.texts:
        m = _MARK.fullmatch(text)
        if m is None or text in known or not (m.group("before") or m.group("after")):
            continue
        of = forms.get(plain(m.group("of")))
        if of and words.rows_of[of[0]] >= max(ESTABLISHED, 5 * words.rows_of[text]):
            marked[m.group("before") + "\0" + (m.group("after") or "")][text] = of[0]
    meant: dict[str, str] = {}
    for some in marked.values():
        # one text with a star may be a name of its own; of several the sign says nothing about the text
        if len(set(some.values())) >= _MARKED:
            meant |= some
    return meant, [], bool(meant)


def _closed(words: Vocabulary, forms: dict[str, list[str]], known: set[str]) -> Found:
    """Slips of short levels (yes and no, A to F), where a few levels hold nearly all rows.

    Short words are near each other by chance. What gives slips away is that many stragglers look unlike any level: "Yess", "eYs".
    """
    bar = max(_LEVEL_ROWS, _LEVEL_SHARE * words.present)
    levels = [t for t in words.texts if words.rows_of[t] >= bar and t not in known]
    left = [t for t in words.texts if words.rows_of[t] < bar and t not in known and not _NUMBER.fullmatch(t)]
    if not 2 <= len(levels) <= _FEW_LEVELS or len(left) < _STRAGGLERS or np.median([len(t) for t in levels]) > _SHORT:
        return {}, [], False
    looks = {cased_shape(t) for t in levels}
    near = {t: [u for u in levels if one_edit(t, u)] for t in left}
    odd = [t for t in left if near[t] and cased_shape(t) not in looks]
    rows = sum(words.rows_of[t] for t in odd)
    if len(odd) < _STRAGGLERS or 2 * len(odd) < len(left) or rows > _MOST_SLIPS * words.present:
        return {}, [], False
    most = 3.0 * float(np.median([words.rows_of[t] for t in odd]))
    meant: dict[str, str] = {}
    unclear: list[str] = []
    for text in left:
        if not near[text] or (cased_shape(text) in looks and words.rows_of[text] > most):
            continue
        if len(near[text]) == 1:
            meant[text] = near[text][0]
        else:
            unclear.append(text)
    return meant, unclear, True


def _single(words: Vocabulary, forms: dict[str, list[str]], known: set[str]) -> Found:
    """A slip or a few of them, where a few levels hold nearly all rows and none of these is near another.

    One rare word proves no damage, so that this is a tip; but where the levels lie far apart from each other and hardly anything
    else is rare, a word of a row or two that one slip makes of a frequent level is hardly a level of its own.
    """
    rows = _rows(words, forms)
    bar = max(_LEVEL_ROWS, _LEVEL_SHARE * words.present)
    levels = [f for f in rows if rows[f] >= bar]
    left = [f for f in rows if rows[f] < bar and not known.intersection(forms[f])]
    if not 2 <= len(levels) <= _FEW_LEVELS or not left or len(left) > _STRAGGLERS + len(levels):
        return {}, [], False
    if sum(rows[f] for f in levels) < _CLOSED * words.present:
        return {}, [], False
    if any(one_edit(a, b) for i, a in enumerate(levels) for b in levels[:i]):
        return {}, [], False
    near = {f: [u for u in levels if kind_of(f, u) in _SINGLE and one_edit(f, u)] for f in left}
    odd = [f for f in left if len(near[f]) == 1 and len(near[f][0]) >= _LONG_ENOUGH]
    odd = [f for f in odd if rows[f] <= max(2, _SINGLE_ROWS * rows[near[f][0]])]
    if 2 * len(odd) < len(left):
        return {}, [], False
    return {t: forms[near[f][0]][0] for f in odd for t in forms[f]}, [], False


def _inside(words: Vocabulary, forms: dict[str, list[str]], known: set[str]) -> Found:
    """Slips in single words of longer texts, such as "37 paxients" among "37 patients"."""
    rows: dict[str, int] = defaultdict(int)
    texts_of: dict[str, int] = defaultdict(int)
    longer = [(form, texts) for form, texts in forms.items() if " " in form or any(c.isdigit() for c in form)]
    if not longer:
        return {}, [], False
    for form, texts in longer:
        tokens = list(dict.fromkeys(_WORD.findall(form)))
        if len(tokens) > _WORDS_A_TEXT:
            return {}, [], False  # prose: its words are no vocabulary
        here = sum(words.rows_of[t] for t in texts)
        for token in tokens:
            rows[token] += here
            texts_of[token] += 1
    if not rows or len(rows) > _TOKENS:
        return {}, [], False
    order = sorted(rows, key=lambda t: (-rows[t], t))
    told = slips(order, [rows[t] for t in order], least=4)
    meant: dict[str, str] = {}
    # a word that stands in many texts is what these texts have in common; one that stands in few is a name
    fixed = {a: b for a, b in told.meant.items() if texts_of[b] >= 4}
    for _, texts in longer:
        for text in texts:
            if text in known:
                continue
            tokens = [m for m in _WORD.finditer(text) if plain(m.group()) in fixed]
            if not tokens:
                continue
            out = text
            for m in reversed(tokens):
                out = out[: m.start()] + _as_cased(m.group(), fixed[plain(m.group())]) + out[m.end() :]
            meant[text] = out
    return meant, [], told.certain and bool(meant)


def _as_cased(like: str, word: str) -> str:
    return word.upper() if like.isupper() else word.capitalize() if like[:1].isupper() else word


def _shapes(words: Vocabulary, forms: dict[str, list[str]], known: set[str]) -> Found:
    """Letters among digits (and the other way round) where the column's codes have none: "3595x" among zip codes.

    Honest codes may end in a letter now and then; slips strike in several places.
    """
    rows: dict[str, int] = defaultdict(int)
    by_shape: dict[str, list[str]] = defaultdict(list)
    looked_at = 0
    for text in words.texts:
        if len(text) <= _SHAPE and text not in known:
            form = shape(text)
            by_shape[form].append(text)
            rows[form] += words.rows_of[text]
            looked_at += words.rows_of[text]
    usual = [s for s in sorted(rows, key=lambda s: (-rows[s], s)) if rows[s] >= max(10, 0.01 * looked_at)]
    if not any("9" in s for s in usual) or sum(rows[s] for s in usual) < 0.85 * words.present:
        return {}, [], False
    if any(_broken(a, b) for a in usual for b in usual if "9" in b):
        return {}, [], False
    of = {s: [u for u in usual if "9" in u and _broken(s, u)] for s in rows if s not in usual}
    broken = sorted(s for s, near in of.items() if near)
    places = {i for s in broken for u in of[s][:1] for i in range(len(u)) if s[i] != u[i]}
    strange = sum(rows[s] for s in of)
    hit = sum(rows[s] for s in broken)
    if len(broken) < 2 or len(places) < 2 or hit < 3 or 2 * hit < strange or hit > _MOST_SLIPS * looked_at:
        return {}, [], False
    meant: dict[str, str] = {}
    unclear: list[str] = []
    for form in broken:
        for text in by_shape[form]:
            near = [t for u in of[form] for t in by_shape[u] if _agrees(text, form, t, u)]
            if len(near) == 1:
                meant[text] = near[0]
            else:
                unclear.append(text)
    return meant, unclear, True


def _broken(came: str, usual: str) -> bool:
    """Whether a shape is a usual one with letters in place of digits or signs, or digits in place of letters, here and there."""
    if len(came) == len(usual) + 1:  # one too many; a letter at the end may be part of an honest code
        return any(came[i] == "a" and came[:i] + came[i + 1 :] == usual for i in range(len(usual)) if "a" not in usual)
    if len(came) != len(usual):
        return False
    unlike = [(x, y) for x, y in zip(came, usual, strict=True) if x != y]
    if not unlike or 3 * len(unlike) > 2 * len(came):
        return False
    return all(x == "a" and y != "a" for x, y in unlike) or (len(unlike) == 1 and unlike[0] == ("9", "a"))


def _agrees(text: str, broken: str, other: str, to: str) -> bool:
    """Whether two texts are equal wherever their shapes are."""
    if len(text) != len(other):
        return any(text[:i] + text[i + 1 :] == other for i in range(len(text)))
    return all(a == b for a, b, x, y in zip(text, other, broken, to, strict=True) if x == y)


CHECK = MistypedLevels()
"""The check that is registered."""
