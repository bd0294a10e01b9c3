"""One piece of a delimited text to columns of strings; what is no row of the right width is counted, nothing is dropped silently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from holdgood.connectors.bad_lines import Records, scan
from holdgood.connectors.dialect import Dialect
from holdgood.core.table import Note
from holdgood.core.text import counted

_BLOCK = 1 << 20
_SHOWN = 5


@dataclass
class BadLines:
    """Lines that were left out, over all pieces of a file: how many, and where the first are (numbers from 1)."""

    file: str
    width: int
    wrong: int = 0
    unclosed: int = 0
    first_wrong: list[tuple[int, int]] = field(default_factory=list)
    first_unclosed: list[int] = field(default_factory=list)

    def notes(self) -> list[Note]:
        """What there is to say."""
        out = []
        if self.wrong:
            shown = ", ".join(f"{line} ({found})" for line, found in self.first_wrong)
            message = (
                f"{counted(self.wrong, 'line')} of {self.file} {'does' if self.wrong == 1 else 'do'} not have {self.width:,} values "
                f"and {'was' if self.wrong == 1 else 'were'} left out; "
                f"first lines (values found): {shown}{' …' if self.wrong > _SHOWN else ''}"
            )
            out.append(Note("bad-lines", message, self.wrong))
        if self.unclosed:
            shown = ", ".join(map(str, self.first_unclosed)) + (" …" if self.unclosed > _SHOWN else "")
            message = f"{counted(self.unclosed, 'line')} of {self.file} with a quote that never closes left out; first lines: {shown}"
            out.append(Note("bad-lines", message, self.unclosed))
        return out


def piece(text: bytes, dialect: Dialect, bad: BadLines, line: int, *, more: bool) -> tuple[pa.Table, int] | None:
    """Parse whole lines: columns of strings (missing is null) and how many bytes were used; None where it cannot be done.

    ``line``: the number of the first line. ``more``: text follows; a record that may go on there is left for the next piece.
    Bad lines are added to ``bad``.
    """
    quote, delimiter = dialect.quote.encode(), dialect.delimiter.encode()
    whole, wrong = _arrow(text, dialect, _BLOCK)
    records: Records | None = None
    lines: list[bytes] | None = None
    if whole is None or (
        quote in text
        and (_doubtful(text, quote, whole.num_rows + len(wrong)) or (more and _ends_open(text, delimiter, quote)))
    ):
        lines = text.splitlines()
        records = scan(lines, delimiter, quote, width=len(dialect.names), more=more)
        ended = text.splitlines(keepends=True)[: records.open]
        if not ended:
            return _nothing(dialect), 0
        if records.open is not None or records.unclosed or whole is None:
            text = b"".join(ended)
            for at in records.unclosed:
                ended[at] = ended[at][len(lines[at]) :]
            mended = b"".join(ended)
            whole, wrong = _arrow(mended, dialect, len(mended) + 1)
    if whole is None:
        return None
    _count(bad, wrong, records, lines, text, line)
    return whole, len(text)


def _doubtful(text: bytes, quote: bytes, rows: int) -> bool:
    """Whether rows and lines do not match, so that quotes must be looked at one by one."""
    each = np.frombuffer(text, dtype=np.uint8)
    if np.count_nonzero(each == ord(quote)) % 2 == 1:
        return True
    ends, returns = (int(np.count_nonzero(each == ord(mark))) for mark in "\n\r")
    if returns in (0, ends) and ends + (not text.endswith(b"\n")) == rows:
        return False
    return sum(map(bool, text.splitlines())) != rows  # blank lines, or other line ends


def _ends_open(text: bytes, delimiter: bytes, quote: bytes) -> bool:
    """Whether the last line, which begins a record, leaves a quote open."""
    last = text.rstrip(b"\r\n")
    last = last[max(last.rfind(b"\n"), last.rfind(b"\r")) + 1 :]
    return scan([last], delimiter, quote, more=True).open is not None


def _count(
    bad: BadLines,
    wrong: list[tuple[int, int]],
    records: Records | None,
    lines: list[bytes] | None,
    text: bytes,
    line: int,
) -> None:
    missing = wrong[: _SHOWN - len(bad.first_wrong)]
    if missing:
        # Record numbers become line numbers: blank lines and values over several lines lie between.
        filled = records.starts if records else [i for i, row in enumerate(lines or text.splitlines()) if row]
        for number, found in missing:
            at = filled[number - 1] if number <= len(filled) else number - 1
            bad.first_wrong.append((at + line, found))
    bad.wrong += len(wrong)
    if records:
        bad.first_unclosed += [at + line for at in records.unclosed[: _SHOWN - len(bad.first_unclosed)]]
        bad.unclosed += len(records.unclosed)


def _nothing(dialect: Dialect) -> pa.Table:
    return pa.table({str(i): pa.array([], pa.string()) for i in range(len(dialect.names))})


def _arrow(text: bytes, dialect: Dialect, block: int) -> tuple[pa.Table | None, list[tuple[int, int]]]:
    """Parse with Arrow: the table (None where it gives up) and (record number from 1, values found) of rows of a wrong width."""
    wrong: list[tuple[int, int]] = []

    def note_row(row: Any) -> str:
        if row.text.strip():
            wrong.append((row.number, row.actual_columns))
        return "skip"

    columns = [str(i) for i in range(len(dialect.names))]
    if text[:1] in (b"", b"\r", b"\n") and not text.strip(b"\r\n"):
        return _nothing(dialect), []
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
