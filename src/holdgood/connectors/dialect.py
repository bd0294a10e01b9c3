"""How a delimited text file is written: delimiter, quote, header. Found out from its first lines, or as the user says."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from holdgood.connectors.title_lines import kind_of, title_rows
from holdgood.core.errors import ReadError

SAMPLE_BYTES = 4_000_000
"""How much of a file is looked at."""

_SAMPLE_LINES = 200
# In this order where the first lines fit several: a comma is common in text, the others are not.
_DELIMITERS = ("\t", ";", "|", ",")
_YEAR = re.compile(r"^\s*(19|20|21)\d\d\s*$")


@dataclass(frozen=True)
class Dialect:
    """``names``: column names, empty where there are none; ``start``: the byte where data begin; ``line``: its line number from 1.

    ``spaced``: a blank follows every delimiter and belongs to it. ``titles``: lines above the names that were passed over.
    """

    delimiter: str
    quote: str
    names: tuple[str, ...]
    start: int
    line: int
    header: bool = True
    spaced: bool = False
    titles: int = 0


def sniff(head: bytes, options: Mapping[str, Any], file: str) -> Dialect:
    """Find out the dialect of UTF-8 text by its first bytes.

    ``options``: delimiter, quote, header, names, skip override what is found.
    """
    lines = head.splitlines(keepends=True)
    if len(head) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()
    skip = int(options.get("skip", 0))
    before = sum(len(line) for line in lines[:skip])
    while skip < len(lines) and not lines[skip].strip():
        before += len(lines[skip])
        skip += 1
    sample = [line.decode("utf-8", "replace") for line in lines[skip : skip + _SAMPLE_LINES]]
    if not sample:
        raise ReadError(f"{file} holds nothing but blank lines", "a header line and rows", "export it again")
    quote = str(options.get("quote") or _quote_of(sample))
    delimiter = str(options.get("delimiter") or _delimiter_of(sample, quote))
    rows, ends = _rows(sample, delimiter, quote)
    if ends[0] > 50:
        raise ReadError(
            f"the header line of {file} opens a quote that never closes",
            "a header of one line",
            "repair the first line",
        )
    titles = 0 if {"skip", "header", "names"} & set(options) else title_rows(rows)
    if titles:
        titles = ends[titles - 1]
        before += sum(len(line) for line in lines[skip : skip + titles])
        skip += titles
        rows, ends = _rows(sample[titles:], delimiter, quote)
    declared = options.get("header")
    header = bool(declared) if declared is not None else _has_header(rows)
    width = Counter(len(r) for r in rows[1:] or rows).most_common(1)[0][0]
    names = tuple(str(n) for n in options["names"]) if "names" in options else tuple(rows[0]) if header else ()
    if header and "names" not in options:
        names = _fit(names, rows[1:], width, file)
    if not header:
        names = names or tuple("" for _ in range(max(width, len(rows[0]))))
    taken = ends[0] if header else 0
    start = before + sum(len(line) for line in lines[skip : skip + taken])
    spaced = _is_spaced(rows)
    clean = tuple(n.removeprefix(" ") if spaced else n for n in names)
    return Dialect(delimiter, quote, clean, start, skip + taken + 1, header, spaced, titles)


def _rows(sample: Sequence[str], delimiter: str, quote: str) -> tuple[list[list[str]], list[int]]:
    """Rows of the sample that are not blank, and after how many lines each ends."""
    reader = csv.reader(sample, delimiter=delimiter, quotechar=quote, doublequote=True)
    rows, ends = [], []
    try:
        for row in reader:
            if row:
                rows.append(row)
                ends.append(reader.line_num)
    except csv.Error:
        pass  # a field beyond the module's limit: what was read until there is sample enough
    return (rows, ends) if rows else ([[line.rstrip("\r\n")] for line in sample], list(range(1, len(sample) + 1)))


def _quote_of(sample: Sequence[str]) -> str:
    text = "".join(sample)
    if '"' in text or "'" not in text:
        return '"'
    quoted = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", text, flags=re.MULTILINE))
    return "'" if 2 * quoted >= text.count("'") else '"'


def _delimiter_of(sample: Sequence[str], quote: str) -> str:
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        rows, _ = _rows(sample, delimiter, quote)
        width, agreeing = Counter(len(r) for r in rows).most_common(1)[0]
        if width < 2:
            # a header alone, or one good line among bad ones
            width, agreeing = len(rows[0]), sum(len(r) == len(rows[0]) for r in rows)
            if width < 2:
                continue
        score = (round(agreeing / len(rows), 2), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """A first line of names: text above numbers says yes, a number above numbers says no, unless the first line counts up."""
    first, rest = rows[0], rows[1:]
    like_data = 0
    for i, cell in enumerate(first):
        below = [k for k in (kind_of(r[i]) for r in rest if i < len(r)) if k != "blank"]
        if not below:
            continue
        kind, common = kind_of(cell), Counter(below).most_common(1)[0]
        if common[0] == "text" or common[1] < 0.8 * len(below):
            continue
        if kind == "text":
            return True
        like_data += kind == common[0]
    if not like_data:
        return True
    # Years in a row are names; so are 0, 1, 2 … as programs number columns, unless the next row goes on in the same way.
    whole = _counts_up(first)
    if len(whole) != like_data or len(whole) < 2:
        return False
    return all(_YEAR.match(str(n)) for n in whole) or (len(whole) >= 3 and not _counts_up(rest[0]))


def _counts_up(row: Sequence[str]) -> list[int]:
    """The whole numbers in a row if each is one more than the last, else none."""
    whole = [int(c) for c in row if re.match(r"^\s*\d{1,9}\s*$", c, re.ASCII)]
    return whole if all(b - a == 1 for a, b in pairwise(whole)) else []


def _fit(names: tuple[str, ...], rows: Sequence[Sequence[str]], width: int, file: str) -> tuple[str, ...]:
    """A header and rows of another width: a delimiter at the end of every row is harmless; anything else is refused."""
    agreeing = [r for r in rows if len(r) == width]
    if not rows or len(names) == width or len(agreeing) < max(2, 0.9 * len(rows)):
        return names
    if width == len(names) + 1 and all(not r[-1].strip() for r in agreeing):
        return (*names, "")
    raise ReadError(
        f"the first line of {file} has {len(names):,} names, but its rows have {width:,} values",
        "as many names as values",
        "declare the option skip (lines before the header), names, or header = false; behind the file's name: 'FILE?skip=2'",
    )


def _is_spaced(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a blank follows every delimiter."""
    inner = [cell for row in rows for cell in row[1:] if cell]
    return bool(inner) and all(cell.startswith(" ") for cell in inner)
