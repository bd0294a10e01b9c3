"""How a column of texts is written: its distinct values, and which of them are numbers, words for missing or something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.memory import Memory
from holdgood.audit.sample import sample
from holdgood.core.table import Table

SEPARATOR = "\x1f"
BLANKS = " \t\r\n\u00a0\u202f"
_SIGN = r"[+-]?"
_POINT = _SIGN + r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_COMMA = _SIGN + r"(?:(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?"
_SPACED = _SIGN + "\\d{1,3}(?:[ \u00a0\u202f']\\d{3})+(?:[.,]\\d+)?"
_MONEY = r"(?:[$€£¥₹₽₩₺]|US\$|R\$|(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|BRL|CNY|Rs\.?))"
_UNIT = r"(?:%|‰|°[CFK]?|[A-Za-zµμΩ²³]{1,7}\.?(?:/[A-Za-z²³]{1,4})?)"
_NOTE = r"(?: [A-Za-z][A-Za-z\-]*\.?){0,2}"  # a word or two behind the unit: "12 oz. Silo Can"
_ABOUT = r"(?:[<>~≈≤≥]=?|ca\.?|c\.|approx\.?|about)"
_DRESSED = rf"^(?P<before>(?:{_ABOUT} ?|{_MONEY} ?)*)(?P<number>{_POINT}|{_COMMA}|{_SPACED})(?P<after> ?(?:{_MONEY}|{_UNIT}{_NOTE})| ?[+*])?$"
# Letters before digits (V57, N14228), one letter after them (12A), ranges and parts (10-19, 12/3): written as codes are.
_CODE = r"^(?:[A-Za-z]{1,4}[ \-]?\d[\w.\-/ ]*|\d+[A-Za-z]|[\w.]+[\-/:][\w.\-/:]+)$"

STRONG = (
    "", "?", "??", "???", "-", "--", "---", "_", "__", ".", "..", "...", "*", "**", "***", "#", "/", "\\n", "n/a", "#n/a", "n.a.",
    "n.a", "n/a.", "n\\a", "<na>", "nan", "-nan", "null", "(null)", "<null>", "#null!", "nil", "(nil)", "missing", "(missing)",
    "<missing>", "missing value", "not available", "no data", "nodata", "no value", "no entry", "not recorded", "not provided",
    "(empty)", "<empty>", "(blank)", "<blank>", "tbd", "t.b.d.", "tba", "xx", "xxx", "xxxx", "xxxxx", "undef", "#ref!", "#value!",
    "#div/0!", "#name?", "#num!", "nat", "not entered", "placeholder",
)  # fmt: skip
WEAK = (
    "unknown", "unk", "unkn", "unknwn", "undefined", "not known", "not specified", "unspecified", "not stated", "not reported", "not given",
    "no information", "none", "na", "(none)", "<none>", "<unknown>", "(unknown)", "unbekannt", "keine angabe", "k.a.", "inconnu",
    "desconocido", "sconosciuto", "onbekend", "void", "invalid", "error", "err", "dummy", "test", "x", "z/z", "not applicable", "none given", "empty", "blank",
)  # fmt: skip
NUMBERS_FOR_MISSING = (
    "-1",
    "-9",
    "-99",
    "-999",
    "-9999",
    "-99999",
    "999",
    "9999",
    "99999",
    "999999",
    "-1.0",
    "-999.0",
    "-9999.0",
)
LONGEST_WORD = 16

_kept: Memory[Vocabulary] = Memory()


@dataclass(frozen=True)
class Vocabulary:
    """The distinct texts of a column, most frequent first, ties by content; ``rows`` has the cells of each."""

    values: pa.Array
    rows: np.ndarray

    @property
    def present(self) -> int:
        """Cells that hold a text."""
        return int(self.rows.sum())

    def matches(self, pattern: str) -> np.ndarray:
        """Boolean, one a distinct text: the pattern is found in it, blanks at its edges left out."""
        return plain(pc.match_substring_regex(self.trimmed(), pattern))

    def trimmed(self) -> pa.Array:
        """The distinct texts without blanks at the edges."""
        return pc.utf8_trim(self.values, BLANKS)

    def folded(self) -> pa.Array:
        """The same in lower case."""
        return pc.utf8_lower(self.trimmed())

    def cells(self, marked: np.ndarray) -> int:
        """Cells that hold one of the marked texts."""
        return int(self.rows[marked].sum())

    def cells_at(self, positions: np.ndarray) -> int:
        """Cells that hold one of the texts at the positions."""
        return int(self.rows[positions].sum())

    def texts(self, marked: np.ndarray, limit: int | None = None) -> list[str]:
        """The marked texts, most frequent first."""
        return [str(v) for v in self.values.take(pa.array(np.flatnonzero(marked)[:limit])).to_pylist()]


def vocabulary(table: Table, column: str) -> Vocabulary:
    """Count the distinct texts of a column of all rows; remembered while the table's data lives."""
    return _kept.get(table.data, ("whole", column), lambda: _counted(table.data.column(column)))


def glimpse(table: Table, column: str) -> Vocabulary:
    """The same of the sample's rows."""

    def make() -> Vocabulary:
        return _counted(table.data.column(column).take(pa.array(sample(table))))

    return _kept.get(table.data, ("sample", column), make)


def _counted(column: pa.ChunkedArray) -> Vocabulary:
    counted = pc.value_counts(column.drop_null())
    values, rows = counted.field("values"), counted.field("counts")
    order = pc.sort_indices(
        pa.table({"rows": rows, "values": values}), sort_keys=[("rows", "descending"), ("values", "ascending")]
    )
    return Vocabulary(values.take(order), np.asarray(rows.take(order), dtype=np.int64))


def plain(mask: pa.Array) -> np.ndarray:
    """A boolean Arrow array as NumPy; null is false."""
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), dtype=bool)


def is_word(words: Vocabulary, among: tuple[str, ...]) -> np.ndarray:
    """Boolean, one a distinct text: it is one of the words, whatever its case and the blanks around it."""
    return plain(pc.is_in(words.folded(), value_set=pa.array(among)))


def rows_with(table: Table, column: str, texts: list[str], limit: int = 20) -> list[int]:
    """Positions of the first rows that hold one of the texts."""
    hit = pc.is_in(table.data.column(column), value_set=pa.array(texts, pa.string()))
    return [int(r) for r in pc.indices_nonzero(hit).slice(0, limit).to_pylist()]


@dataclass(frozen=True)
class Writing:
    """What each distinct text of a column of numbers is; all masks exclude each other.

    ``number``: written with the column's own signs (``decimal``); ``swapped``: with the other decimal sign; ``dressed``: a
    number with a unit, a currency, a percent or a comparison; ``absent``: a word for missing or blank; ``code``: letters
    and digits as codes have them; ``other``: anything else. ``dresses``: what was around the numbers, before and after with
    a separator between, most frequent first; ``dress_at``: the same by position.
    """

    decimal: str
    number: np.ndarray
    swapped: np.ndarray
    dressed: np.ndarray
    absent: np.ndarray
    code: np.ndarray
    other: np.ndarray
    dresses: tuple[tuple[str, int], ...]
    dress_at: dict[int, str]


def reads_as_numbers(words: Vocabulary, share: float = 0.5) -> bool:
    """A cheap first look: at least this share of the cells holds a number, dressed or not."""
    return words.cells(words.matches(_DRESSED)) >= share * words.present > 0


def writing(words: Vocabulary) -> Writing:
    """Class every distinct text of a column that is mostly numbers."""
    point, comma = words.matches(f"^(?:{_POINT})$"), words.matches(f"^(?:{_COMMA})$")
    decimal = "," if words.cells(comma) > words.cells(point) else "."
    number, swapped = (comma, point & ~comma) if decimal == "," else (point, comma & ~point)
    absent = (is_word(words, STRONG) | is_word(words, WEAK)) & ~number
    left = ~(number | swapped | absent)
    dressed = left & words.matches(_DRESSED)
    dresses = _dresses(words, dressed)
    # A "unit" that comes once or twice is a letter that slipped in or a code, unless it is a sign such as % or $.
    known = {text: rows for text, rows in _summed(dresses, words.rows).items() if rows >= 3 or _is_sign(text)}
    dress_at = {at: d for at, d in dresses.items() if d in known}
    dressed = np.zeros(len(left), dtype=bool)
    dressed[list(dress_at)] = True
    code = left & ~dressed & words.matches(_CODE)
    other = left & ~dressed & ~code
    ordered = tuple(sorted(known.items(), key=lambda p: (-p[1], p[0])))
    return Writing(decimal, number, swapped, dressed, absent, code, other, ordered, dress_at)


def _is_sign(text: str) -> bool:
    return not any(ch.isalpha() and ch.isascii() for ch in text)


def _dresses(words: Vocabulary, dressed: np.ndarray) -> dict[int, str]:
    """What stands around the number in each marked text, before and after with a separator between, by position."""
    where = np.flatnonzero(dressed)
    if len(where) == 0:
        return {}
    parts = pc.extract_regex(words.trimmed().take(pa.array(where)), _DRESSED)
    before, after = (pc.utf8_trim(pc.struct_field(parts, [p]), BLANKS).to_pylist() for p in ("before", "after"))
    return {at: b + SEPARATOR + a for at, b, a in zip(where.tolist(), before, after, strict=True)}


def _summed(dresses: dict[int, str], rows: np.ndarray) -> dict[str, int]:
    total: dict[str, int] = {}
    for at, dress in dresses.items():
        total[dress] = total.get(dress, 0) + int(rows[at])
    return total
