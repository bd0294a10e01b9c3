"""What a column of text is: a number, a boolean, a moment, or text. Only where every value says so; nothing is guessed by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.table import Note
from holdgood.core.text import counted
from holdgood.core.zones import of_offsets

DateOrder: TypeAlias = Literal["day-first", "month-first"]

# RE2 and Python's re (ASCII) read these alike.
NUMBER = r"^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf(?:inity)?))\s*$"
DATE = r"^\s*\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?(?:\s?(?:Z|[+-]\d{2}(?::?\d{2})?))?)?\s*$"
_INTEGER = r"^[+-]?\d+$"
_COMMA = r"^\s*[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?(?:[eE][+-]?\d+)?\s*$|^\s*[+-]?,\d+\s*$"
_THOUSANDS = r"^\s*[+-]?\d{1,3}(?:\.\d{3})+\s*$"
_LEADING_ZERO = r"^\s*[+-]?0\d"
_BOOLEAN = r"^\s*(?i:true|false)\s*$"
_DECLARED_BOOLEAN = r"^\s*(?i:true|false|t|f|yes|no|y|n|0|1|0\.0|1\.0)\s*$"
_TRUE = r"^\s*(?i:true|t|yes|y|1|1\.0)\s*$"
_MISSING = r"^\s*(?i:|na|n/a|#n/a|nan|null|none|\\n)\s*$"
_ZONE = r"(?:Z|[T ]\d{2}[\d:.,]*\s?[+-]\d{2}(?::?\d{2})?)\s*$"
_TIME_TAIL = r"(?:[T ](?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?P<f>[.,]\d{1,9})?)?)?\s*$"
_DOTTED = r"^\s*(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?P<y>\d{4})" + _TIME_TAIL
_SLASHED = r"^\s*(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<y>\d{4})" + _TIME_TAIL
_YEAR_SLASHED = r"^\s*(?P<y>\d{4})/(?P<a>\d{1,2})/(?P<b>\d{1,2})" + _TIME_TAIL

MOSTLY = 0.9
_HEAD = 2_000
_STRETCHES = 20
# What less than half of 2,000 values from all over the column are, nine tenths of it are not.
_RULED_OUT = 0.5


@dataclass(frozen=True)
class Reading:
    """How the texts of one source are written.

    ``comma``: True where a decimal comma is declared, None where it may be found out (delimiter ``;``), False where not.
    ``dates``: the declared order of day and month in dates such as 03/04/2024; None leaves them as text.
    ``typed``: the source has types of its own, so that text is text on purpose, and only ISO moments are recognised in it.
    """

    comma: bool | None = False
    dates: DateOrder | None = None
    typed: bool = False


def recognise(name: str, column: pa.ChunkedArray, reading: Reading) -> tuple[pa.ChunkedArray, list[Note]]:
    """Turn one column of strings into numbers, booleans or moments where every present value parses; else leave it.

    ``column``: strings, missing is null. Returns the column and what there was to say about it.
    """
    present = len(column) - column.null_count
    if present == 0:
        return column, []
    if reading.comma and (found := _comma_numbers(name, column, present, "[,.]")) is not None:
        return found
    if not reading.typed and (plain := _plain_numbers(column)) is not None:
        return plain, []
    some = some_of(column)
    numeric = _matches(column, NUMBER) if _maybe(some, NUMBER) else None
    numbers = _count(numeric) if numeric is not None else 0
    words = _matches(column, _MISSING) if 0 < numbers < present else None
    absent = _count(words) if words is not None else 0
    if reading.typed:
        return _typed_text(name, column, present, numbers)
    if numbers and numbers + absent == present:
        return _numbers(name, column, words, absent)
    if reading.comma is None and (found := _comma_numbers(name, column, present, ",")) is not None:
        return found
    if numeric is not None and numbers:
        return column, _mixed(name, column, numeric, present, numbers + absent)
    return _moments_or_booleans(name, column, present, reading)


def some_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """At most 2,000 values that are there, from 20 short stretches all over the column."""
    if len(column) <= 2 * _HEAD:
        return column.drop_null()
    width = _HEAD // _STRETCHES
    starts = [i * (len(column) - width) // (_STRETCHES - 1) for i in range(_STRETCHES)]
    picked = [chunk for start in starts for chunk in column.slice(start, width).chunks]
    return pa.chunked_array(picked, column.type).drop_null()


def _maybe(some: pa.ChunkedArray, pattern: str) -> bool:
    """Whether most values, or all but a few of a column that is nearly empty, may be like the pattern or words for missing."""
    if len(some) < _HEAD // 10:
        return True
    like = pc.or_(_matches(some, pattern), _matches(some, _MISSING))
    return _count(like) >= _RULED_OUT * len(some)


def ambiguous_dots(column: pa.ChunkedArray) -> bool:
    """Whether every value is like ``1.234``, which beside decimal commas may mean thousands."""
    present = len(column) - column.null_count
    return bool(present) and _all(_matches(column, _THOUSANDS))


def _plain_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The common case, without a pattern: every value is a number as a program writes it. None: look closer."""
    try:
        whole = column.cast(pa.int64())
    except pa.ArrowInvalid:
        pass  # not all whole, in range and without blanks: perhaps decimals
    else:
        # Written back alike: no leading zero, no hexadecimal.
        return whole if _all(pc.equal(whole.cast(pa.string()), column)) else None
    try:
        number = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    zeros = column.filter(pc.fill_null(pc.or_(pc.starts_with(column, "0"), pc.starts_with(column, "-0")), False))
    if _any(_matches(zeros, _LEADING_ZERO)) or not _all(pc.is_finite(number)):
        return None
    fraction = r"[.eE]"
    found = _any(pc.match_substring_regex(some_of(column), fraction)) or _any(
        pc.match_substring_regex(column, fraction)
    )
    return number if found else None


def _typed_text(name: str, column: pa.ChunkedArray, present: int, numbers: int) -> tuple[pa.ChunkedArray, list[Note]]:
    if numbers == present:
        if _any(_matches(column, _LEADING_ZERO)):
            return column, []
        return column, [
            Note("mixed-types", f"column {name!r} holds numbers kept as text in its source", present, (name,))
        ]
    if numbers:
        return column, _mixed(name, column, _matches(column, NUMBER), present, numbers)
    if not _maybe(some_of(column), DATE):
        return column, []
    if (plain := _plain_moments(column)) is not None:
        return plain, []
    dated = _matches(column, DATE)
    moments = _iso(column) if _count(dated) == present else None
    return (moments, []) if moments is not None else (column, _half_dates(name, dated, present))


def _plain_moments(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The common case, without a pattern: every value is an ISO date or moment without a zone. None: look closer."""
    try:
        return column.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


def _mixed(name: str, column: pa.ChunkedArray, numeric: pa.ChunkedArray, present: int, like_numbers: int) -> list[Note]:
    """A note where at least nine of ten values are plain numbers and the rest are not; codes such as 01234 are not mixed."""
    plain = _count(pc.and_(numeric, pc.invert(_matches(column, _LEADING_ZERO))))
    if plain < MOSTLY * present:
        return []
    others = present - like_numbers
    message = f"column {name!r} holds {plain:,} numbers and {others:,} other texts; kept as text"
    return [Note("mixed-types", message, others, (name,))]


def _numbers(
    name: str, column: pa.ChunkedArray, words: pa.ChunkedArray | None, absent: int
) -> tuple[pa.ChunkedArray, list[Note]]:
    if _any(_matches(column, _LEADING_ZERO)):
        return column, []
    values = column if words is None else _without(column, words)
    texts = pc.utf8_trim_whitespace(values)
    if not _any(pc.match_substring_regex(texts, r"\d")):
        return column, []
    number = to_number(texts)
    if number is None:
        message = f"column {name!r} holds whole numbers too long for 64 bits; kept as text so that no digit is lost"
        return column, [Note("unparsed", message, len(column) - column.null_count, (name,))]
    return number, _absent_note(name, absent, "numbers")


def to_number(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Cast trimmed number texts to int64 where all are whole, else float64; None where whole numbers overflow 64 bits."""
    whole = _matches(texts, _INTEGER)
    signed = pc.if_else(pc.starts_with(texts, "+"), pc.utf8_slice_codeunits(texts, 1), texts)
    if _count(whole) == len(texts) - texts.null_count:
        try:
            return signed.cast(pa.int64())
        except pa.ArrowInvalid:
            return None
    return signed.cast(pa.float64())


def _comma_numbers(
    name: str, column: pa.ChunkedArray, present: int, mark: str
) -> tuple[pa.ChunkedArray, list[Note]] | None:
    """Numbers with a decimal comma, dots for thousands; None where some are not, or none has the ``mark`` that proves it."""
    some = some_of(column)
    if not _all(pc.or_(_matches(some, _COMMA), _matches(some, _MISSING))):
        return None
    like = _matches(column, _COMMA)
    words = _matches(column, _MISSING)
    absent = _count(words)
    with_comma = _any(pc.and_(like, _matches(column, mark)))
    if not with_comma or _count(like) + absent != present or _any(_matches(column, _LEADING_ZERO)):
        return None
    return with_points(_without(column, words)).cast(pa.float64()), _absent_note(name, absent, "numbers")


def with_points(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """``1.234,5`` as ``1234.5``, trimmed; what is no such number stays as it is."""
    like = pc.fill_null(_matches(column, _COMMA), False)
    bare = pc.replace_substring(pc.replace_substring(pc.utf8_trim_whitespace(column), ".", ""), ",", ".")
    bare = pc.if_else(pc.starts_with(bare, "+"), pc.utf8_slice_codeunits(bare, 1), bare)
    return pc.if_else(like, bare, column)


def _moments_or_booleans(
    name: str, column: pa.ChunkedArray, present: int, reading: Reading
) -> tuple[pa.ChunkedArray, list[Note]]:
    # What the first rows rule out for all is not looked for in the rest.
    head = column.slice(0, _HEAD)
    maybe_boolean = _all(pc.or_(_matches(head, _BOOLEAN), _matches(head, _MISSING)))
    if not maybe_boolean:
        some = some_of(column)
        if not any(_maybe(some, pattern) for pattern in (DATE, _YEAR_SLASHED, _DOTTED, _SLASHED)):
            return column, []
        if (plain := _plain_moments(column)) is not None:
            return plain, []
    words = _matches(column, _MISSING)
    absent = _count(words)
    if absent == present:
        return column, []
    values = _without(column, words)
    left = present - absent
    if maybe_boolean and _count(_matches(values, _BOOLEAN)) == left:
        return _matches(values, _TRUE), _absent_note(name, absent, "booleans")
    dated = _matches(values, DATE)
    if _count(dated) == left:
        moments = _iso(values)
        if moments is not None:
            return moments, _absent_note(name, absent, "dates")
    head = values.slice(0, _HEAD)
    if not any(_all(_matches(head, pattern)) for pattern in (_YEAR_SLASHED, _DOTTED, _SLASHED)):
        return column, _half_dates(name, dated, present)
    for pattern, first in _other_dates(reading.dates):
        if _count(_matches(values, pattern)) == left and (moments := _written(values, pattern, first)) is not None:
            return moments, _absent_note(name, absent, "dates")
    if reading.dates is None and _count(_matches(values, _SLASHED)) == left:
        return column, [_order_note(name, values, left)]
    return column, _half_dates(name, dated, present)


def _other_dates(order: DateOrder | None) -> list[tuple[str, DateOrder]]:
    """Dates other than ISO that can be read: dots are day first everywhere, slashes only as declared, a year first is plain."""
    ways: list[tuple[str, DateOrder]] = [(_YEAR_SLASHED, "month-first"), (_DOTTED, "day-first")]
    return [*ways, (_SLASHED, order)] if order else ways


def _order_note(name: str, values: pa.ChunkedArray, count: int) -> Note:
    day_first, month_first = (_written(values, _SLASHED, order) is not None for order in ("day-first", "month-first"))
    if day_first == month_first:
        advice = 'day and month cannot be told apart; declare the option dates = "day-first" or "month-first"'
    else:
        advice = f'declare the option dates = "{"day-first" if day_first else "month-first"}", the only order that all values allow'
    return Note(
        "unparsed", f"column {name!r} holds dates with slashes or dashes, kept as text: {advice}", count, (name,)
    )


def _half_dates(name: str, dated: pa.ChunkedArray, present: int) -> list[Note]:
    dates = _count(dated)
    if dates < MOSTLY * present:
        return []
    if dates == present:
        message = f"column {name!r} looks like dates, but some do not exist or only some have a time zone; kept as text"
        return [Note("mixed-types", message, present, (name,))]
    message = f"column {name!r} holds {dates:,} dates and {present - dates:,} other texts; kept as text"
    return [Note("mixed-types", message, present - dates, (name,))]


def _iso(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """ISO 8601 texts to moments (UTC, microseconds); None where one does not exist or only some carry a zone."""
    texts = pc.utf8_trim_whitespace(values)
    zoned = _count(_matches(texts, _ZONE))
    texts = pc.replace_substring_regex(texts, r",(\d)", r".\1")
    texts = pc.replace_substring_regex(texts, r"(\.\d{6})\d+", r"\1")
    try:
        if zoned == 0:
            return texts.cast(pa.timestamp("us"))
        if zoned == len(texts) - texts.null_count:
            texts = pc.replace_substring_regex(texts, r"\s?(Z|[+-]\d{2}(?::?\d{2})?)$", r"\1")
            return texts.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass  # a date that does not exist, such as 30 February: the column stays text and a note says so
    return None


def zone_written(name: str, values: pa.ChunkedArray) -> tuple[str | None, list[Note]]:
    """The time zone that moments are written with, where it is one place's; where it is several's, None and a note."""
    texts = pc.utf8_trim_whitespace(values)
    if not pc.any(_matches(texts, _ZONE), min_count=0).as_py():
        return None, []
    ends = pc.struct_field(pc.extract_regex(texts, r"(?P<z>Z|[+-]\d{2}(?::?\d{2})?)$"), ["z"])
    ends = pc.fill_null(ends.filter(pc.is_valid(texts)), "")
    counts = {str(v["values"]): int(v["counts"]) for v in pc.value_counts(ends).to_pylist()}
    zone = of_offsets(counts)
    if zone is not None:
        return zone, []
    told = ", ".join(f"{z} ({n:,} rows)" for z, n in sorted(counts.items(), key=lambda p: -p[1])[:4])
    message = f"column {name!r} is written in several time zones: {told}; all are counted in UTC"
    return None, [Note("zones", message, sum(counts.values()), (name,))]


def _written(values: pa.ChunkedArray, pattern: str, order: DateOrder) -> pa.ChunkedArray | None:
    """Dates in another writing, rewritten as ISO and read; None where one does not exist."""
    parts = pc.extract_regex(values, pattern)
    a, b = (_padded(pc.struct_field(parts, [part]), 2) for part in ("a", "b"))
    day, month = (a, b) if order == "day-first" else (b, a)
    hour = _padded(_or_zero(pc.struct_field(parts, ["h"])), 2)
    minute, second = (_or_zero(pc.struct_field(parts, [part]), "00") for part in ("mi", "s"))
    date = pc.binary_join_element_wise(pc.struct_field(parts, ["y"]), month, day, "-")
    clock = pc.binary_join_element_wise(hour, minute, second, ":")
    text = pc.binary_join_element_wise(date, clock, " ")
    return _iso(pc.binary_join_element_wise(text, pc.struct_field(parts, ["f"]), ""))


def _padded(texts: pa.ChunkedArray, width: int) -> pa.ChunkedArray:
    return pc.utf8_lpad(texts, width=width, padding="0")


def _or_zero(texts: pa.ChunkedArray, zero: str = "0") -> pa.ChunkedArray:
    return pc.if_else(pc.equal(texts, ""), zero, texts)


def _absent_note(name: str, absent: int, rest: str) -> list[Note]:
    if not absent:
        return []
    was = "was" if absent == 1 else "were"
    message = f"column {name!r}: {counted(absent, 'cell')} such as NA, NaN or null {was} taken as missing, because all others are {rest}"
    return [Note("unparsed", message, absent, (name,))]


def declared_numbers(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Strings to numbers, value by value; what is none becomes null."""
    texts = pc.utf8_trim_whitespace(with_points(column) if reading.comma and not reading.typed else column)
    if reading.comma is None and not reading.typed:
        texts = pc.if_else(pc.match_substring(texts, ","), with_points(texts), texts)
    kept = _without(texts, pc.invert(_matches(texts, NUMBER)))
    number = to_number(kept)
    return kept.cast(pa.float64()) if number is None else number


def declared_booleans(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings such as true, f, yes, 0 to booleans, value by value; what is none becomes null."""
    return _matches(_without(column, pc.invert(_matches(column, _DECLARED_BOOLEAN))), _TRUE)


def declared_moments(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Strings to moments, value by value; what is no date, or is ambiguous, becomes null. Without a zone UTC is meant."""
    kept = pa.chunked_array([pa.nulls(len(column), pa.timestamp("us"))])
    for pattern, order in [(DATE, None), *_other_dates(reading.dates)]:
        part = _without(column, pc.invert(_matches(column, pattern)))
        if part.null_count == len(part):
            continue
        kept = pc.coalesce(kept, _each(part, pattern, order))
    return kept


def _each(part: pa.ChunkedArray, pattern: str, order: DateOrder | None) -> pa.ChunkedArray:
    """All at once where possible; else one distinct value at a time, so that one bad date costs one cell."""

    def read(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
        return _iso(texts) if order is None else _written(texts, pattern, order)

    whole = read(part)
    if whole is not None:
        return whole
    coded = part.combine_chunks().dictionary_encode()
    single = [read(pa.chunked_array([[text.as_py()]], pa.string())) for text in coded.dictionary]
    moments = pa.array([None if s is None else s[0].as_py() for s in single], pa.timestamp("us"))
    return pa.chunked_array([moments.take(coded.indices)])


def missing_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which values are blank or a word for missing such as NA; null where there is no value."""
    return _matches(column, _MISSING)


def _matches(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.match_substring_regex(column, pattern)


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask, min_count=0).as_py())


def _any(mask: pa.ChunkedArray) -> bool:
    return bool(pc.any(mask, min_count=0).as_py())


def _all(mask: pa.ChunkedArray) -> bool:
    return bool(pc.all(mask, min_count=0).as_py())


def _without(column: pa.ChunkedArray, gone: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.fill_null(gone, False), pa.scalar(None, pa.string()), column)
