"""Records of a delimited text whose quotes do not close, and the line on which each record begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Records:
    """``starts``: index (from 0) of the first line of each record that is not blank; ``unclosed``: lines whose quote never closes."""

    starts: tuple[int, ...]
    unclosed: tuple[int, ...]


def scan(lines: list[bytes], delimiter: bytes, quote: bytes) -> Records:
    """Walk the lines (without line ends) as a strict reader would.

    A quoted value ends with a quote before a delimiter or the end of the line. Where one runs over a line end and then meets
    a quote that is followed by something else, or the end of the file, its quote never closed: that one line is bad, and
    reading goes on with the next line, so that one bad quote cannot swallow the rows after it.
    """
    starts: list[int] = []
    unclosed: list[int] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line:
            at += 1
            continue
        if quote not in line:
            starts.append(at)
            at += 1
            continue
        end = _end_of_record(lines, at, delimiter, quote)
        if end is None:
            unclosed.append(at)
            at += 1
        else:
            starts.append(at)
            at = end + 1
    return Records(tuple(starts), tuple(unclosed))


def _end_of_record(lines: list[bytes], first: int, delimiter: bytes, quote: bytes) -> int | None:
    """Index of the record's last line, or None where its quote never closes."""
    at, position = first, 0
    while True:
        line = lines[at]
        if line[position : position + 1] == quote:
            closed = _close(lines, at, position + 1, delimiter, quote)
            if closed is None:
                return None
            at, position = closed
            line = lines[at]
        found = line.find(delimiter, position)
        if found < 0:
            return at
        position = found + 1


def _close(lines: list[bytes], first: int, position: int, delimiter: bytes, quote: bytes) -> tuple[int, int] | None:
    """Where a quoted value that opened on line ``first`` closes: line and the position after the quote; None: never."""
    at = first
    while at < len(lines):
        line = lines[at]
        found = line.find(quote, position)
        if found < 0:
            at, position = at + 1, 0
            continue
        after = line[found + 1 : found + 2]
        if after == quote:
            position = found + 2
            continue
        if after in (b"", delimiter) or at == first:
            return at, found + 1
        return None
    return None
