"""to-number: texts become numbers; what is no number becomes missing, and is counted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.cleaning.cells import entry, only_known, some_columns
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Column, Table
from holdgood.core.text import counted, signed

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(G\d{3})+(\.\d*)?", re.ASCII)
_SPACES = "\u00a0\u202f "
_BLANKS = _SPACES + "\t\r\n"


class ToNumber:
    """Parameters: ``decimal`` ("." or ",") and ``thousands`` ("", ",", ".", " ", "'"); default "." and ",".

    ``strip``: texts such as "kg" or "$" that may stand before or after a number and are taken off (the number stays as it
    is: no unit is converted). ``mixed = true``: what does not parse is read with the two signs exchanged, or with spaces
    or apostrophes between thousands. ``negatives = true``: amounts in brackets, (12), and with the minus behind, 12-, or as
    a sign of its own are below zero.
    """

    name: ClassVar[str] = "to-number"
    title: ClassVar[str] = "texts become numbers"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Parse each distinct text once; a number stays what it is. Every text that becomes a number or missing is a changed cell."""
        only_known(self.name, parameters, ("decimal", "thousands", "strip", "mixed", "negatives"))
        some_columns(self.name, columns)
        decimal = parameters.get("decimal", ".")
        thousands = parameters.get("thousands", "," if decimal == "." else ".")
        if decimal not in (".", ",") or thousands not in ("", ",", ".", " ", "'") or decimal == thousands:
            raise DeclarationError(
                f"{self.name}: decimal = {decimal!r}, thousands = {thousands!r}",
                "decimal '.' or ',', and another sign (or none) between thousands",
                'write for example decimal = ","',
            )
        strip, mixed = parameters.get("strip", ()), parameters.get("mixed", False)
        if not isinstance(strip, (list, tuple)) or not all(isinstance(t, str) and t for t in strip):
            raise DeclarationError(
                f"{self.name}: strip = {strip!r}", "a list of texts", 'write for example strip = ["kg"]'
            )
        booked = parameters.get("negatives", False)
        for word, said in (("mixed", mixed), ("negatives", booked)):
            if not isinstance(said, bool):
                raise DeclarationError(
                    f"{self.name}: {word} = {said!r}", "true or false", f"take it out, or write {word} = true"
                )
        ways = [(decimal, thousands)]
        if mixed:
            other = "," if decimal == "." else "."
            ways += [(other, decimal), (decimal, " "), (decimal, "'"), (other, " "), (other, "'")]
        out, cells, lost = table, 0, 0
        for column in dict.fromkeys(columns):
            kind = out.data.schema.field(column).type
            if pa.types.is_integer(kind) or pa.types.is_floating(kind):
                continue
            if not pa.types.is_string(kind):
                raise DeclarationError(f"{self.name}: column {column!r} holds {kind}", "texts", "leave it as it is")
            taken_off = tuple(sorted(strip, key=len, reverse=True))
            out, changed, unparsed = _parse_column(out, column, ways, taken_off, booked)
            cells, lost = cells + changed, lost + unparsed
        sentence = f"{counted(cells - lost, 'text')} became numbers, {lost:,} that {'is' if lost == 1 else 'are'} none became missing"
        return out, entry(self.name, table, columns, parameters, cells, sentence)


def _parse_column(
    table: Table, column: str, ways: Sequence[tuple[str, str]], strip: tuple[str, ...], booked: bool
) -> tuple[Table, int, int]:
    coded = table.data.column(column).combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    texts = coded.dictionary.to_pylist()
    values = [_first(_bare(signed(t) if booked else t, strip), ways) for t in texts]
    numbers = pa.array(values, pa.float64()).take(coded.indices) if values else pa.nulls(table.rows, pa.float64())
    before = table.rows - table.data.column(column).null_count
    at = table.data.schema.get_field_index(column)
    columns = tuple(Column(c.name, "number") if c.name == column else c for c in table.columns)
    data = table.data.set_column(at, column, numbers)
    return replace(table, data=data, columns=columns), before, numbers.null_count - (table.rows - before)


def _bare(text: str, strip: tuple[str, ...]) -> str:
    """The text without one of the texts to strip at its start, and one at its end."""
    bare = text.strip(_BLANKS)
    before = next((t for t in strip if bare.startswith(t)), "")
    bare = bare[len(before) :].lstrip(_BLANKS)
    after = next((t for t in strip if bare.endswith(t)), "")
    return bare[: len(bare) - len(after)].rstrip(_BLANKS)


def _first(text: str, ways: Sequence[tuple[str, str]]) -> float | None:
    return next((v for v in (parse(text, d, t) for d, t in ways) if v is not None), None)


def parse(text: str, decimal: str = ".", thousands: str = ",") -> float | None:
    """A number written by a person, or None.

    >>> parse("1,234.5"), parse("1.234,5", ",", "."), parse(" 12 "), parse("12 kg"), parse("1,2")
    (1234.5, 1234.5, 12.0, None, None)
    """
    bare = text.strip(_BLANKS)
    if thousands:
        signs = _SPACES if thousands == " " else thousands
        marked = "".join("G" if ch in signs else "." if ch == decimal else "!" if ch == "." else ch for ch in bare)
        if _GROUPED.fullmatch(marked):
            return float(marked.replace("G", ""))
        if "G" in marked:
            return None
        bare = marked
    else:
        bare = "".join("." if ch == decimal else "!" if ch == "." else ch for ch in bare)
    if not _PLAIN.fullmatch(bare):
        return None
    value = float(bare)
    return value if math.isfinite(value) else None


REPAIR = ToNumber()
