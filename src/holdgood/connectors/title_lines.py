"""Titles above a table: lines such as "Report of May" and blank ones, before the line that names the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from holdgood.connectors.column_types import DATE, NUMBER

_MOST = 15
_WIDTH = 3
_BELOW = 0.8
# Amounts with a decimal comma or thousands apart are numbers too, whatever the file's own way is.
_AMOUNT = r"^\s*[+-]?\d[\d.,' ]*\s*%?\s*$"


def kind_of(cell: str) -> str:
    """What a cell looks like: blank, number, date or text.

    >>> [kind_of(c) for c in (" ", "1.5", "2024-05-01", "Region")]
    ['blank', 'number', 'date', 'text']
    """
    if not cell.strip():
        return "blank"
    if re.match(NUMBER, cell, re.ASCII):
        return "number"
    return "date" if re.match(DATE, cell, re.ASCII) else "text"


def title_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the names, 0 where that is not plain.

    Plain is: a table of three columns or more; rows above with one filled cell at most; then a row of words, at least half as
    many as the rows below are filled, one of them at least over numbers or dates.
    """
    filled = [sum(bool(c.strip()) for c in row) for row in rows]
    usual = Counter(filled).most_common(1)[0][0] if filled else 0
    first = next((i for i, n in enumerate(filled) if n > 1), 0)
    if usual < _WIDTH or not 0 < first <= _MOST or 2 * filled[first] < usual:
        return 0
    names, below = rows[first], rows[first + 1 :]
    if any(kind_of(c) not in ("text", "blank") or re.match(_AMOUNT, c) for c in names):
        return 0
    return first if any(c.strip() and _counts(below, i) for i, c in enumerate(names)) else 0


def _counts(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether the cells of a column are numbers or dates, nearly all."""
    cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
    hits = sum(kind_of(c) != "text" or re.match(_AMOUNT, c) is not None for c in cells)
    return bool(cells) and hits >= _BELOW * len(cells)


def told(file: str, rows: int, how: str) -> str:
    """What the reader says about it."""
    lines = "1 line" if rows == 1 else f"{rows:,} lines"
    return f"{lines} of {file} above the names of the columns, a title by the looks of it, passed over; {how}"
