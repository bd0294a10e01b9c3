"""Delimited text: CSV, TSV and their kin. Dialect and encoding are found out, bad lines are counted, nothing is dropped silently."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors.column_types import Reading
from holdgood.connectors.csv_pieces import BadLines, piece
from holdgood.connectors.dialect import SAMPLE_BYTES, Dialect, sniff
from holdgood.connectors.finish import Raw, finish
from holdgood.connectors.place import checked, local_file
from holdgood.connectors.steady import steady
from holdgood.connectors.store import Store
from holdgood.connectors.text_body import Body, body_of
from holdgood.connectors.title_lines import told
from holdgood.core.errors import ReadError
from holdgood.core.table import Note, Table
from holdgood.core.text import counted

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
_PIECE = 32_000_000
_LONGEST = 256_000_000


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
        with steady(path):
            body, notes = body_of(path, chosen.get("encoding"))
            try:
                head = body.read(0, SAMPLE_BYTES)
                if body.size <= len(head) and not head.strip():
                    raise ReadError(
                        f"{path.name} holds nothing but blanks", "a header line and rows", "export it again"
                    )
                if Path(path.name.lower().removesuffix(".gz")).suffix == ".tsv":
                    chosen.setdefault("delimiter", "\t")
                dialect = sniff(head, chosen, path.name)
                columns, more = _parse(body, dialect, path.name)
            finally:
                body.close()
        if dialect.titles:
            how = "the option skip (lines before the header) says otherwise"
            notes.append(Note("title-lines", told(path.name, dialect.titles, how), dialect.titles))
        names = dialect.names
        if not dialect.header and "names" not in chosen:
            message = f"{path.name} has no header line; for its {counted(len(dialect.names), 'column')} the names are column_1 and so on"
            notes.append(Note("empty-names", message, len(dialect.names)))
            names = tuple(f"column_{i + 1}" for i in range(len(names)))
        comma = {",": True, ".": False}.get(chosen.get("decimal", ""), None if dialect.delimiter == ";" else False)
        reading = Reading(comma=comma, dates=chosen.get("dates"))
        raw = Raw(names, _given_away(columns))
        return finish(raw, name=name, source=source, types=types, reading=reading, notes=[*notes, *more])


def _given_away(columns: list[pa.ChunkedArray]) -> Iterator[pa.Table]:
    """One column after the other, each let go before the next: texts and what they become are not all held at once."""
    columns.reverse()
    while columns:
        yield pa.table({"v": columns.pop()})


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


def _parse(body: Body, dialect: Dialect, file: str) -> tuple[list[pa.ChunkedArray], list[Note]]:
    """Columns of strings (missing is null), and notes about bad lines. Read piece by piece, each of whole records."""
    store = Store(share=0.5)
    bad = BadLines(file, len(dialect.names))
    # Arrow knows no blank after a delimiter; written anew without it, a quote after the blank is a quote again.
    size = max(1, body.size) if dialect.spaced else _PIECE
    at, line, rest = dialect.start, dialect.line, b""
    while True:
        text = rest + body.read(at, size)
        at += len(text) - len(rest)
        final = at >= body.size
        end = len(text) if final else _end_of_lines(text)
        if dialect.spaced and dialect.quote.encode() in text:
            text = _without_blanks(text, dialect)
            end = len(text)
        if end == 0 and not final:  # a line longer than a piece
            rest = text
            continue
        done = piece(text[:end], dialect, bad, line, more=not final and len(text) < _LONGEST)
        if done is None:
            raise ReadError(
                f"{file} cannot be read as delimited text", "rows of values", "declare the options delimiter and quote"
            )
        table, used = done
        store.add(_trimmed(table) if dialect.spaced else table)
        if final:
            break
        line += text.count(b"\n", 0, used) or text.count(b"\r", 0, used)
        rest = text[used:]
    return pa.concat_tables(store.tables()).columns, bad.notes()


def _end_of_lines(text: bytes) -> int:
    """How much of a text is whole lines."""
    return text.rfind(b"\n") + 1 or text.rfind(b"\r", 0, -1) + 1


def _trimmed(table: pa.Table) -> pa.Table:
    columns = [pc.utf8_ltrim(c, characters=" ") for c in table.columns]
    return pa.table([pc.if_else(pc.equal(c, ""), None, c) for c in columns], names=table.column_names)


def _without_blanks(text: bytes, dialect: Dialect) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator="\n")
    lines = text.decode("utf-8").splitlines(keepends=True)
    for row in csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=True):
        writer.writerow(row)
    return out.getvalue().encode("utf-8")


CONNECTOR = CsvFiles()
