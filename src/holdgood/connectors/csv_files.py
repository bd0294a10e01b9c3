"""Delimited text: CSV, TSV and their kin. Dialect and encoding are found out, bad lines are counted, nothing is dropped silently."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from holdgood.connectors.bad_lines import Records, scan
from holdgood.connectors.column_types import Reading
from holdgood.connectors.dialect import Dialect, sniff
from holdgood.connectors.encoding import to_utf8
from holdgood.connectors.finish import finish
from holdgood.connectors.place import checked, local_file, read_bytes
from holdgood.core.errors import ReadError
from holdgood.core.table import Note, Table

_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "delimiter": (str,),
    "quote": (str,),
    "header": (bool,),
    "names": (list,),
    "skip": (int,),
    "encoding": (str,),
    "decimal": (str,),
    "dates": (str,),
}
_BLOCK = 1 << 20
_SHOWN = 5


class CsvFiles:
    """Reads delimited text, also packed with gzip.

    Options: ``delimiter``, ``quote``, ``header`` (false where there is none), ``names``, ``skip`` (lines before the header),
    ``encoding``, ``decimal`` ("," or "."), ``dates`` ("day-first" or "month-first", for dates such as 03/04/2024).
    """

    name: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one file. Missing is an empty cell; a column has a type only where every value parses."""
        chosen = _checked(options)
        path = local_file(source)
        body, notes = to_utf8(read_bytes(path), chosen.get("encoding"), path.name)
        if not body.strip():
            raise ReadError(f"{path.name} holds nothing but blanks", "a header line and rows", "export it again")
        if Path(path.name.lower().removesuffix(".gz")).suffix == ".tsv":
            chosen.setdefault("delimiter", "\t")
        dialect = sniff(body, chosen, path.name)
        data, more = _parse(body, dialect, path.name)
        if not dialect.header and "names" not in chosen:
            message = (
                f"{path.name} has no header line; its {len(dialect.names):,} columns are called column_1 and so on"
            )
            notes.append(Note("empty-names", message, len(dialect.names)))
            data = data.rename_columns([f"column_{i + 1}" for i in range(data.num_columns)])
        comma = {",": True, ".": False}.get(chosen.get("decimal", ""), None if dialect.delimiter == ";" else False)
        reading = Reading(comma=comma, dates=chosen.get("dates"))
        return finish(data, name=name, source=source, types=types, reading=reading, notes=[*notes, *more])


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    chosen = checked(options, _OPTIONS, "a CSV file")
    allowed = {"decimal": (",", "."), "dates": ("day-first", "month-first")}
    for key, values in allowed.items():
        if key in chosen and chosen[key] not in values:
            choice = " or ".join(repr(v) for v in values)
            raise ReadError(f"option {key!r} for a CSV file is {chosen[key]!r}", choice, f"write {choice}")
    for key in ("delimiter", "quote"):
        if key in chosen and (len(chosen[key]) != 1 or chosen[key] in "\r\n" or not chosen[key].isascii()):
            raise ReadError(
                f"option {key!r} for a CSV file is {chosen[key]!r}", "one character", 'write for example ";"'
            )
    if chosen.get("skip", 0) < 0:
        raise ReadError(
            f"option 'skip' for a CSV file is {chosen['skip']}", "zero or more lines", "write for example 2"
        )
    return chosen


def _parse(body: bytes, dialect: Dialect, file: str) -> tuple[pa.Table, list[Note]]:
    """Columns of strings (missing is null), and a note about bad lines."""
    quote = dialect.quote.encode()
    rest = body[dialect.start :]
    if dialect.spaced and quote in rest:
        # Arrow knows no blank after a delimiter; written anew without it, a quote after the blank is a quote again.
        rest = _without_blanks(rest, dialect)
    whole, wrong = _arrow(rest, dialect, _BLOCK)
    lines: list[bytes] | None = None
    records: Records | None = None
    if whole is None or wrong or quote in rest:
        lines = rest.splitlines()
    odd = rest.count(quote) % 2 == 1
    if lines is not None and (whole is None or wrong or odd or sum(map(bool, lines)) != whole.num_rows):
        records = scan(lines, dialect.delimiter.encode(), quote)
        if records.unclosed or whole is None:
            kept = list(lines)
            for at in records.unclosed:
                kept[at] = b""
            text = b"\n".join(kept)
            whole, wrong = _arrow(text, dialect, len(text) + 1)
    if whole is None:
        raise ReadError(
            f"{file} cannot be read as delimited text", "rows of values", "declare the options delimiter and quote"
        )
    if dialect.spaced:
        whole = pa.table([pc.utf8_ltrim(c, characters=" ") for c in whole.columns], names=whole.column_names)
        whole = pa.table([pc.if_else(pc.equal(c, ""), None, c) for c in whole.columns], names=whole.column_names)
    return whole.rename_columns(list(dialect.names)), _bad_line_notes(wrong, records, dialect, file)


def _arrow(text: bytes, dialect: Dialect, block: int) -> tuple[pa.Table | None, list[tuple[int, int]]]:
    """Parse with Arrow: the table (None where it gives up) and (record number from 1, values found) of rows of a wrong width."""
    wrong: list[tuple[int, int]] = []

    def note_row(row: Any) -> str:
        if row.text.strip():
            wrong.append((row.number, row.actual_columns))
        return "skip"

    columns = [str(i) for i in range(len(dialect.names))]
    if not text.strip(b"\r\n"):
        return pa.table({c: pa.array([], pa.string()) for c in columns}), []
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            # Record numbers are known on one thread only, and CPU is saved.
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=block, column_names=columns),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote,
                double_quote=True,
                newlines_in_values=True,
                invalid_row_handler=note_row,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={c: pa.string() for c in columns},
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        # A row longer than a block, most often because of a quote that never closes: the caller looks closer.
        return None, wrong
    return table, wrong


def _without_blanks(text: bytes, dialect: Dialect) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator="\n")
    lines = text.decode("utf-8").splitlines(keepends=True)
    for row in csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=True):
        writer.writerow(row)
    return out.getvalue().encode("utf-8")


def _bad_line_notes(wrong: list[tuple[int, int]], records: Records | None, dialect: Dialect, file: str) -> list[Note]:
    notes = []
    if wrong:
        # Record numbers become line numbers: blank lines and values over several lines lie between.
        starts = records.starts if records else ()
        lines = [starts[n - 1] + dialect.line if n <= len(starts) else n + dialect.line - 1 for n, _ in wrong]
        shown = ", ".join(f"{line} ({found})" for line, (_, found) in zip(lines[:_SHOWN], wrong))
        message = (
            f"{len(wrong):,} lines of {file} do not have {len(dialect.names):,} values and were left out; "
            f"first lines (values found): {shown}{' …' if len(wrong) > _SHOWN else ''}"
        )
        notes.append(Note("bad-lines", message, len(wrong)))
    if records and records.unclosed:
        shown = ", ".join(str(n + dialect.line) for n in records.unclosed[:_SHOWN])
        more = " …" if len(records.unclosed) > _SHOWN else ""
        message = f"{len(records.unclosed):,} lines of {file} open a quote that never closes and were left out; first lines: {shown}{more}"
        notes.append(Note("bad-lines", message, len(records.unclosed)))
    return notes


CONNECTOR = CsvFiles()
