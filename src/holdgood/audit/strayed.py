"""Values that stand in another column than their own: "Portland OR" in a city whose state is empty, fields shifted by one.

A value that is at home in another column proves nothing by itself: towns are called like people. What gives it away is the row:
the column where it is at home is empty there, or holds a stray itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.vocabulary import Vocabulary, vocabulary
from holdgood.core.table import Table

LEAST_ROWS = 3
ESTABLISHED = 5
RARE = 0.2
MOST = 0.8
LARGEST = 0.4
SHARED = 0.05
_HOME = 2_000
_WIDEST = 60
_TIMES = 3.0
_PARTS = re.compile(r"[\s,;/(|\-]+")


@dataclass(frozen=True)
class Inside:
    """Texts of ``column`` that end in a value of ``home``: text to what is left and that value; ``rows`` holds one of them.

    ``empty``: of these, the cells of ``home`` that are empty.
    """

    column: str
    home: str
    parts: dict[str, tuple[str, str]]
    rows: int
    empty: int


@dataclass(frozen=True)
class Strays:
    """Texts of ``column`` that belong to ``homes``, in ``rows`` rows whose cells there are empty or strays themselves."""

    column: str
    homes: tuple[str, ...]
    texts: tuple[str, ...]
    rows: int


def inside(table: Table) -> list[Inside]:
    """Columns that hold another one's value at the end of their own, where that one is empty."""
    words = _vocabularies(table)
    homes = {b: w for b, w in words.items() if len(w.texts) <= _HOME and _empty(table, b) >= LEAST_ROWS}
    out = []
    for a, of_a in words.items():
        if not homes or (len(homes) == 1 and a in homes):
            continue
        ends = _ends(of_a)
        for b, of_b in homes.items():
            parts = {t: p for t, some in ends.items() for p in some if p[1] in of_b.rows_of} if a != b else {}
            if len(parts) >= 2 and (told := _held(table, a, b, parts)) is not None:
                out.append(told)
    return out


def _ends(words: Vocabulary) -> dict[str, list[tuple[str, str]]]:
    """Each text that begins with another text of the column, parted at a sign or blank: the beginning and the end."""
    out: dict[str, list[tuple[str, str]]] = {}
    for text in words.texts:
        cuts = [(text[: m.start()], text[m.end() :].rstrip(")")) for m in _PARTS.finditer(text)]
        some = [(before, after) for before, after in cuts if after and before in words.rows_of]
        if some:
            out[text] = some
    return out


def _held(table: Table, a: str, b: str, parts: dict[str, tuple[str, str]]) -> Inside | None:
    hit = np.asarray(pc.fill_null(pc.is_in(table.data.column(a), value_set=pa.array(list(parts))), False))
    gone = _gone(table, b)
    rows, empty = int(hit.sum()), int((hit & gone).sum())
    if empty < LEAST_ROWS or rows > LARGEST * table.rows or empty < MOST * rows:
        return None
    # emptiness that is everywhere says nothing of these rows
    if empty / rows < _TIMES * float(gone[~hit].mean()):
        return None
    filled = hit & ~gone
    if filled.any():  # where the home is filled it must say the same
        of_a, of_b = (table.data.column(c).filter(pa.array(filled)).to_pylist() for c in (a, b))
        pairs = zip(of_a, of_b, strict=True)
        if any(parts[t][1] != value for t, value in pairs):
            return None
    return Inside(a, b, parts, rows, empty)


def strays(table: Table) -> list[Strays]:
    """Columns with values that are at home in another one, in rows where that one has none of its own."""
    words = {n: w for n, w in _vocabularies(table).items() if len(w.texts) <= _HOME}
    if len(words) < 2:
        return []
    homes: dict[str, dict[str, str]] = defaultdict(dict)
    for a, of_a in words.items():
        for b, of_b in words.items():
            if a != b:
                homes[a] |= dict.fromkeys(_guests(of_a, of_b), b)
    foreign = {a: _marks(table, a, list(texts)) for a, texts in homes.items() if texts}
    out = []
    for a, texts in homes.items():
        by_home: dict[str, list[str]] = defaultdict(list)
        for text, b in texts.items():
            by_home[b].append(text)
        kept: list[str] = []
        seen: list[str] = []
        rows = 0
        for b, some in by_home.items():
            here = _marks(table, a, some)
            # a guest from this very column there: the two are exchanged, which AUD023 tells
            back = _marks(table, b, [t for t, home in homes.get(b, {}).items() if home == a])
            gone = _gone(table, b)
            # a column that is often empty is empty beside a stray by chance
            lacks = gone if gone.sum() <= _TIMES * (here & gone).sum() else np.zeros(table.rows, bool)
            hit = here & (lacks | foreign.get(b, np.zeros(table.rows, bool))) & ~back
            if hit.sum() >= LEAST_ROWS and hit.sum() >= MOST * here.sum() and hit.mean() <= RARE:
                kept += some
                seen.append(b)
                rows += int(here.sum())
        if kept:
            out.append(Strays(a, tuple(seen), tuple(sorted(kept)), rows))
    return out


def _guests(here: Vocabulary, there: Vocabulary) -> list[str]:
    """Texts that are rare in one column and established in the other, where the two have no others in common."""
    guests = [
        t for t, n in here.rows_of.items() if there.rows_of.get(t, 0) >= ESTABLISHED and n <= RARE * there.rows_of[t]
    ]
    if not guests:
        return []
    visits = sum(here.rows_of[t] for t in guests)
    both = [t for t, n in here.rows_of.items() if t in there.rows_of]
    shared = sum(here.rows_of[t] for t in both if t not in guests and here.rows_of[t] <= ESTABLISHED * there.rows_of[t])
    back = sum(there.rows_of[t] for t in both if t not in guests)
    few = visits <= SHARED * here.present and shared == 0 and back <= SHARED * there.present
    return guests if few and visits >= LEAST_ROWS else []


def _vocabularies(table: Table) -> dict[str, Vocabulary]:
    """Columns of texts that repeat, the first sixty."""
    names = [n for n in table.names if columns.is_text(table, n) and table.type_of(n) not in ("text", "other")]
    found = {n: vocabulary(table, n) for n in names[:_WIDEST]}
    return {n: w for n, w in found.items() if w is not None and w.present and 2 * len(w.texts) <= w.present}


def _gone(table: Table, column: str) -> np.ndarray:
    cells = table.data.column(column)
    blank = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(cells, "")), "")
    return np.asarray(blank)


def _empty(table: Table, column: str) -> int:
    return int(_gone(table, column).sum())


def _marks(table: Table, column: str, texts: list[str]) -> np.ndarray:
    if not texts:
        return np.zeros(table.rows, dtype=bool)
    return np.asarray(pc.fill_null(pc.is_in(table.data.column(column), value_set=pa.array(texts)), False))
