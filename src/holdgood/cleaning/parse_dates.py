"""parse-dates: texts become moments, by declared formats only; what none of them reads becomes missing, and is counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.cleaning.cells import entry, only_known, some_columns
from holdgood.cleaning.out_of_range_to_missing import REPAIR as LIMITS
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Column, Table
from holdgood.core.text import counted

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = {
    "%Y": r"(?P<Y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3})[a-z]*\.?",
}
_CLOCK = (
    r"(?:(?:T|,? +)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?: ?(?P<p>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<z>Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?"
)
_BLANKS = " \t\r\n\u00a0\u202f"


class ParseDates:
    """Parameters: ``formats``, tried in this order, of %Y %y %m %d %b (the name of a month) with signs between; optional ``low``
    and ``high``, ISO dates: what lies outside becomes missing.

    A time of day may follow in any format; zones are brought to UTC. Years of two digits: 69 to 99 are of the last century.
    """

    name: ClassVar[str] = "parse-dates"
    title: ClassVar[str] = "texts become dates"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Read each distinct text once; a column of moments stays what it is, but for the limits."""
        only_known(self.name, parameters, ("formats", "low", "high"), needed=True)
        some_columns(self.name, columns)
        patterns = self._patterns(parameters.get("formats", ()))
        limits = {k: v for k, v in parameters.items() if k in ("low", "high") and v is not None}
        out, cells, lost = table, 0, 0
        for column in dict.fromkeys(columns):
            data = out.data.column(column)
            written = pa.types.is_string(data.type)
            if not written and not pa.types.is_timestamp(data.type):
                raise DeclarationError(
                    f"{self.name}: column {column!r} holds {data.type}", "texts", "leave it as it is"
                )
            present = out.rows - data.null_count
            if written:
                out = _read_column(out, column, patterns)
            read = out.rows - out.data.column(column).null_count
            if limits:
                out, _ = LIMITS.apply(out, (column,), limits)
            left = out.rows - out.data.column(column).null_count
            cells += present if written else read - left
            lost += present - left
        sentence = f"{counted(cells - lost, 'text')} became dates, {counted(lost, 'cell')} became missing"
        return out, entry(self.name, table, columns, parameters, cells, sentence)

    def _patterns(self, formats: Any) -> list[re.Pattern[str]]:
        good = isinstance(formats, (list, tuple)) and len(formats) > 0 and all(isinstance(f, str) for f in formats)
        patterns = [_pattern(f) for f in formats] if good else []
        if not patterns or any(p is None for p in patterns):
            raise DeclarationError(
                f"{self.name}: formats = {formats!r}",
                "a list of formats that hold a day, a month and a year: %Y or %y, %m or %b, and %d",
                'write for example formats = ["%Y-%m-%d", "%d.%m.%Y"]',
            )
        return [p for p in patterns if p is not None]


def _pattern(written: str) -> re.Pattern[str] | None:
    """The pattern of a format; None where it is none, or lacks a part of the date."""
    pieces = re.split(r"(%[A-Za-z%])", written)
    known = [p for p in pieces if p.startswith("%")]
    parts = sorted({"%y": "Y", "%Y": "Y", "%b": "m"}.get(p, p[1:]) for p in known)
    if parts != ["Y", "d", "m"]:
        return None
    named, compact = "%b" in known, len(pieces) == 2 * len(known) + 1 and not any(pieces[::2])
    text = ""
    for piece in pieces:
        if piece in _PARTS:
            one = _PARTS[piece]
            if compact:
                one = one.replace("{1,2}", "{2}")  # nothing between the parts: two digits each
            text += one + (r"(?:st|nd|rd|th)?" if named and piece == "%d" else "")
        elif piece:
            text += r"[ \-/,]*" if named and not piece.strip() else re.escape(piece)
    return re.compile(text + _CLOCK, re.ASCII)


def _read_column(table: Table, column: str, patterns: Sequence[re.Pattern[str]]) -> Table:
    coded = table.data.column(column).combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    kind = pa.timestamp("us")
    values = pa.array([parse(t, patterns) for t in coded.dictionary.to_pylist()], kind)
    moments = values.take(coded.indices) if len(values) else pa.nulls(table.rows, kind)
    columns = tuple(Column(c.name, "datetime") if c.name == column else c for c in table.columns)
    at = table.data.schema.get_field_index(column)
    return replace(table, data=table.data.set_column(at, column, moments), columns=columns)


def parse(text: str, patterns: Sequence[re.Pattern[str]]) -> datetime | None:
    """The moment (UTC, without a zone) that the first fitting pattern reads, or None."""
    bare = text.strip(_BLANKS)
    for pattern in patterns:
        match = pattern.fullmatch(bare)
        moment = None if match is None else _moment(match.groupdict())
        if moment is not None:
            return moment
    return None


def _moment(parts: dict[str, str | None]) -> datetime | None:
    name = parts.get("b")
    if name is not None and name.lower() not in _MONTHS:
        return None
    month = _MONTHS.index(name.lower()) + 1 if name is not None else int(parts["m"] or 0)
    short = parts.get("y")
    year = int(parts["Y"] or 0) if short is None else int(short) + (1900 if int(short) >= 69 else 2000)
    hour, half = int(parts["H"] or 0), parts["p"]
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    micro = int((parts["f"] or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(
            year,
            month,
            int(parts["d"] or 0),
            hour,
            int(parts["M"] or 0),
            int(parts["S"] or 0),
            micro,
            tzinfo=_zone(parts["z"]),
        )
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None  # a day that does not exist, such as 31 February: counted as lost


def _zone(text: str | None) -> timezone:
    if text in (None, "Z", "UTC"):
        return UTC
    digits = str(text)[1:].replace(":", "").ljust(4, "0")
    east = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-east if str(text).startswith("-") else east)


REPAIR = ParseDates()
