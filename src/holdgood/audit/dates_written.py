"""Dates written as text: in which ways, which of them exist, and where day and month cannot be told apart.

A way of writing is a pattern and the format that the repair ``parse-dates`` is told (as in C's strptime). Years of two digits are
read as POSIX does: 69 to 99 are of the last century.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.written import STRONG, WEAK, Vocabulary, is_word, plain

MOST = 0.8
MOMENT = 86_400_000_000  # microseconds of a day
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?:(?:T|,? +)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d{1,9})?)?(?: ?(?P<p>[AaPp]\.?[Mm]\.?))?"
    r"(?: ?(?P<z>Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?$"
)
_MONTH = r"(?P<b>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"


@dataclass(frozen=True)
class Way:
    """A way to write a date. ``format``: what the repair is told; ``day_first``: the format with day and month exchanged, if in doubt."""

    format: str
    pattern: str
    day_first: str = ""


WAYS = (
    Way("%Y-%m-%d", r"^(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})" + _CLOCK),
    Way("%Y/%m/%d", r"^(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})" + _CLOCK),
    Way("%Y.%m.%d", r"^(?P<y>\d{4})\.(?P<m>\d{1,2})\.(?P<d>\d{1,2})" + _CLOCK),
    Way("%Y%m%d", r"^(?P<y>(?:1[89]|20|21)\d{2})(?P<m>\d{2})(?P<d>\d{2})" + _CLOCK),
    Way("%m/%d/%Y", r"^(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})" + _CLOCK, "%d/%m/%Y"),
    Way("%m-%d-%Y", r"^(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})" + _CLOCK, "%d-%m-%Y"),
    Way("%d.%m.%Y", r"^(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})" + _CLOCK),
    Way("%m/%d/%y", r"^(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{2})" + _CLOCK, "%d/%m/%y"),
    Way("%m-%d-%y", r"^(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{2})" + _CLOCK, "%d-%m-%y"),
    Way("%d.%m.%y", r"^(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{2})" + _CLOCK),
    Way("%d %b %Y", r"^(?P<d>\d{1,2})(?:st|nd|rd|th)?[ \-/]?" + _MONTH + r"[ \-/,]*(?P<y>\d{4})" + _CLOCK),
    Way("%d %b %y", r"^(?P<d>\d{1,2})[ \-/]?" + _MONTH + r"[ \-/,]*(?P<y>\d{2})" + _CLOCK),
    Way("%b %d %Y", r"^" + _MONTH + r"[ \-/]?(?P<d>\d{1,2})(?:st|nd|rd|th)?[ \-/,]+(?P<y>\d{4})" + _CLOCK),
    Way("%Y %b %d", r"^(?P<y>\d{4})[ \-/]?" + _MONTH + r"[ \-/]?(?P<d>\d{1,2})" + _CLOCK),
)
_LOOKS = (
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:\D|$)"
    r"|(?i)^(?:\d{1,4}(?:st|nd|rd|th)?[ \-/]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ \-/]?\d{1,2}\D+\d{4})"
)


@dataclass(frozen=True)
class Dates:
    """What each distinct text of a column is. ``at``: microseconds since the epoch (int64), of meaning where ``valid``.

    ``way``: position in ``formats`` of the way it is written, -1 for none that can be read; ``valid``: the day exists and is read
    by ``formats``; ``shaped``: written as a date, whether the day exists or not; ``absent``: a word for missing.
    ``formats``: as the repair reads them, the column's own way first. ``open``: texts whose day and month may be exchanged,
    in a way of writing that is seen in both orders or in none for certain.
    """

    at: np.ndarray
    valid: np.ndarray
    way: np.ndarray
    shaped: np.ndarray
    absent: np.ndarray
    open: np.ndarray
    formats: tuple[str, ...]


def mostly_dates(words: Vocabulary) -> bool:
    """A cheap first look: most of the cells look like dates."""
    absent = is_word(words, STRONG) | is_word(words, WEAK)
    there = words.present - words.cells(absent)
    return there > 0 and words.cells(words.matches(_LOOKS)) >= MOST * there


def dates(words: Vocabulary) -> Dates:
    """Read every distinct text of a column that is mostly dates, each in the first way that fits."""
    n = len(words.values)
    at, way = np.zeros(n, dtype=np.int64), np.full(n, -1)
    valid, shaped, open_ = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    texts = words.trimmed()
    read: list[tuple[str, np.ndarray, np.ndarray]] = []  # format, positions, moments
    for one in WAYS:
        left = np.flatnonzero(~shaped)
        if len(left) == 0:
            break
        parts = pc.extract_regex(texts.take(pa.array(left)), one.pattern)
        hit = plain(pc.is_valid(parts))
        if not hit.any():
            continue
        where = left[hit]
        shaped[where] = True
        fields = parts.filter(pa.array(hit))
        moments, exists = _moments(fields, False)
        if not one.day_first:
            read.append((one.format, where[exists], moments[exists]))
            continue
        turned, turned_exists = _moments(fields, True)
        month_only, day_only = exists & ~turned_exists, turned_exists & ~exists
        both = exists & turned_exists & (moments != turned)
        votes = words.cells_at(where[month_only]), words.cells_at(where[day_only])
        if votes == (0, 0):
            open_[where[both]] = True  # nothing says which: left unread
            same = exists & ~both
            read.append((one.format, where[same], moments[same]))
            continue
        first, second = ((one.day_first, turned, turned_exists), (one.format, moments, exists))
        if votes[0] >= votes[1]:
            first, second = second, first
        read.append((first[0], where[first[2]], first[1][first[2]]))
        rest = second[2] & ~first[2]
        if rest.any():
            read.append((second[0], where[rest], second[1][rest]))
            open_[where[both]] = True
    read = [(f, p, m) for f, p, m in read if len(p)]
    read.sort(key=lambda r: -words.cells_at(r[1]))
    for position, (_, where, moments) in enumerate(read):
        at[where], way[where], valid[where] = moments, position, True
    absent = (is_word(words, STRONG) | is_word(words, WEAK)) & ~shaped
    return Dates(at, valid, way, shaped, absent, open_, tuple(f for f, _, _ in read))


def _moments(fields: pa.Array, turned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since the epoch of matched parts and whether each exists; ``turned``: day and month exchanged."""
    names = {f.name for f in fields.type}

    def whole(name: str) -> np.ndarray:
        if name not in names:
            return np.zeros(len(fields), dtype=np.int64)
        text = pc.struct_field(fields, [name])
        return np.asarray(pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()))

    year, day = whole("y"), whole("d")
    if "b" in names:
        head = pc.utf8_lower(pc.utf8_slice_codeunits(pc.struct_field(fields, ["b"]), 0, 3))
        month = np.asarray(pc.index_in(head, value_set=pa.array(_NAMES)).cast(pa.int64())) + 1
    else:
        month = whole("m")
    if turned:
        day, month = month, day
    short = year < 100
    year = np.where(short, np.where(year >= 69, 1900 + year, 2000 + year), year)
    hour, minute, second = whole("H"), whole("M"), whole("S")
    half = pc.utf8_lower(pc.utf8_slice_codeunits(pc.struct_field(fields, ["p"]), 0, 1))
    pm, am = plain(pc.equal(half, "p")), plain(pc.equal(half, "a"))
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    exists &= ~((pm | am) & ((hour < 1) | (hour > 12)))
    hour = np.where(pm, hour % 12 + 12, np.where(am, hour % 12, hour))
    safe = np.clip(month, 1, 12)
    start = (np.clip(year, 1, 9999) - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (safe - 1)
    length = ((start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")).astype(np.int64)
    exists &= day <= length
    days = start.astype("datetime64[D]").astype(np.int64) + day - 1
    seconds = hour * 3600 + minute * 60 + second - _offset(pc.struct_field(fields, ["z"]))
    return days * MOMENT + seconds * 1_000_000, exists


def _offset(zone: pa.Array) -> np.ndarray:
    """Seconds east of UTC of zones such as +05:30; 0 for none, Z and UTC."""
    digits = pc.replace_substring_regex(zone, r"[^\d]", "")
    filled = pc.utf8_rpad(digits, width=4, padding="0").cast(pa.int64())
    east = np.asarray(filled)
    seconds: np.ndarray = (east // 100 * 3600 + east % 100 * 60) * np.where(plain(pc.starts_with(zone, "-")), -1, 1)
    return seconds
