"""Words that stand for missing: "?", "n/a", "-", blank text, and those that may ("unknown", "none"), judged by the other levels."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.written import (
    NUMBERS_FOR_MISSING,
    STRONG,
    WEAK,
    Vocabulary,
    glimpse,
    is_word,
    reads_as_numbers,
    vocabulary,
)
from holdgood.core.table import Table

Found = tuple[bool, tuple[str, ...], int]
RARE = 0.05
COMMON = 0.5
PLENTY = 0.02
_LETTERS = re.compile(r"[^\W\d_]")
_SHORT_CODE = re.compile(r"[A-Z]{1,4}")
_TELLING = ("unknown", "unk", "unkn", "unknwn", "undefined", "not known", "not specified", "unspecified", "not stated", "not reported",
    "not given", "no information", "<unknown>", "(unknown)", "<none>", "(none)", "unbekannt", "keine angabe", "k.a.", "inconnu",
    "desconocido", "sconosciuto", "onbekend", "empty", "blank")  # fmt: skip
"""Weak words that mean nothing else; the other weak ones are levels of their own in many columns."""


def words_for_missing(table: Table, column: str) -> list[Found]:
    """Words of a column of texts: whether beyond doubt, the texts as written, and their cells; strong ones first."""
    head = glimpse(table, column)
    words = _only_words(table, column) if len(head.values) > 0.5 * head.present else vocabulary(table, column)
    others = head
    if words.present == 0:
        return []
    strong, weak = is_word(words, STRONG), is_word(words, WEAK)
    strong |= _codes_among_words(words, others)
    strong &= ~_usual_signs(words, others)
    folded = [str(v) for v in words.folded().to_pylist()]
    shorts = _short_codes(others)
    texts = [str(v) for v in words.values.to_pylist()] if (strong | weak).any() else []
    total = table.rows - table.data.column(column).null_count
    if shorts:
        for at in np.flatnonzero(strong | weak):
            if _SHORT_CODE.fullmatch(texts[at]):
                strong[at] = weak[at] = False
    for at in np.flatnonzero(weak):
        weak[at] = _may_mean_missing(texts[at], folded[at], int(words.rows[at]), total, others)
    out: list[Found] = []
    for certain, marks in ((True, strong), (False, weak & ~strong)):
        cells = words.cells(marks)
        if 0 < cells < total:
            out.append((certain, tuple(words.texts(marks)), cells))
    return out


def _only_words(table: Table, column: str) -> Vocabulary:
    """The cells that hold a word of the lists, of a column whose texts hardly repeat: nothing else is counted."""
    data = table.data.column(column)
    short = data.filter(pc.fill_null(pc.less_equal(pc.utf8_length(data), _LONGEST), False))
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(short))
    counted = pc.value_counts(short.filter(pc.is_in(folded, value_set=pa.array(STRONG + WEAK + NUMBERS_FOR_MISSING))))
    values, rows = counted.field("values"), counted.field("counts")
    order = pc.sort_indices(
        pa.table({"rows": rows, "values": values}), sort_keys=[("rows", "descending"), ("values", "ascending")]
    )
    return Vocabulary(values.take(order), np.asarray(rows.take(order), dtype=np.int64))


_LONGEST = 18


def _codes_among_words(words: Vocabulary, others: Vocabulary) -> np.ndarray:
    """-999 and its like in a column of words: no other level is a number."""
    code = is_word(words, NUMBERS_FOR_MISSING)
    if not code.any() or reads_as_numbers(others):
        return np.zeros(len(code), dtype=bool)
    numeric = others.matches(r"^[+-]?\d") & ~is_word(others, NUMBERS_FOR_MISSING)
    return code if not numeric.any() else np.zeros(len(code), dtype=bool)


def _usual_signs(words: Vocabulary, others: Vocabulary) -> np.ndarray:
    """Signs such as - and * where other signs are levels too: + and - are two answers."""
    sign = words.matches(r"^[^\w\s?<>()]+$")
    if not sign.any():
        return sign
    own = others.matches(r"^[^\w\s]+$") & ~is_word(others, STRONG)
    return sign if own.any() else np.zeros(len(sign), dtype=bool)


def _short_codes(others: Vocabulary) -> bool:
    """Whether most levels are codes of up to four capitals, among which NA or XX is one more."""
    codes = others.matches(r"^[A-Z]{1,4}$")
    known = is_word(others, STRONG) | is_word(others, WEAK)
    return int((codes & ~known).sum()) >= max(3, 0.5 * int((~known).sum()))


def _may_mean_missing(text: str, folded: str, rows: int, total: int, others: Vocabulary) -> bool:
    """A weak word counts where it means nothing else, or where it is rare or written unlike the other levels."""
    if rows >= COMMON * total or len(others.values) < 3:
        return False
    if folded in _TELLING:
        return True
    if len(folded) == 1 and others.cells(others.matches(r"^\w$")) > 2 * rows:
        return False
    unlike = _case(text.strip()) not in _cases(others)
    return rows < (RARE if unlike else PLENTY) * total


def _case(text: str) -> str:
    letters = "".join(_LETTERS.findall(text))
    return "none" if not letters else "lower" if letters.islower() else "upper" if letters.isupper() else "title"


def _cases(others: Vocabulary) -> list[str]:
    """The ways in which at least a tenth of the levels, missing words aside, use capitals."""
    known = is_word(others, STRONG) | is_word(others, WEAK)
    texts = others.texts(~known, 500)
    seen = [_case(t) for t in texts]
    return [case for case in ("lower", "upper", "title") if seen.count(case) >= 0.1 * max(1, len(seen))]
