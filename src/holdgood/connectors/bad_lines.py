"""Records of a delimited text whose quotes do not close, and the line on which each record begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Records:
    """``starts``: index (from 0) of the first line of each record that is not blank; ``unclosed``: lines whose quote never closes.

    ``open``: the line on which a record begins that goes on behind the last line; only where more lines are to come.
    """

    starts: tuple[int, ...]
    unclosed: tuple[int, ...]
    open: int | None = None


_LEAST_WIDTH = 3
_LIKE_ROWS = 2


def scan(lines: list[bytes], delimiter: bytes, quote: bytes, *, width: int = 0, more: bool = False) -> Records:
    """Walk the lines (without line ends) as a strict reader would.

    A quoted value ends with a quote before a delimiter or the end of the line. Its quote never closed where it runs over a
    line end and then meets a quote that is followed by something else, or the end of the file, or where most of the lines
    that it would swallow are rows by themselves (without quotes, ``width`` values, three at least). That one line is bad, and reading goes
    on with the next, so that one bad quote cannot swallow the rows after it. ``more``: further lines follow that are not
    here, so that a quote which is open at the end may still close.
    """
    walk = _Walk(lines, delimiter, quote, width)
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
        end = walk.end_of_record(at)
        if end == len(lines) and more:
            return Records(tuple(starts), tuple(unclosed), at)
        if end is None or end == len(lines):
            unclosed.append(at)
            at += 1
        else:
            starts.append(at)
            at = end + 1
    return Records(tuple(starts), tuple(unclosed))


@dataclass(frozen=True)
class _Walk:
    lines: list[bytes]
    delimiter: bytes
    quote: bytes
    width: int

    def end_of_record(self, first: int) -> int | None:
        """Index of the record's last line; None where its quote never closes, the number of lines where it is open at the end."""
        at, position = first, 0
        while True:
            line = self.lines[at]
            if line[position : position + 1] == self.quote:
                closed = self._close(at, position + 1)
                if closed is None:
                    return None
                at, position = closed
                if at == len(self.lines):
                    return at
                line = self.lines[at]
            found = line.find(self.delimiter, position)
            if found < 0:
                return at
            position = found + 1

    def _close(self, first: int, position: int) -> tuple[int, int] | None:
        """Where a quoted value that opened on line ``first`` closes: line and the position after the quote; None: never."""
        at, alike = first, 0
        while at < len(self.lines):
            line = self.lines[at]
            found = line.find(self.quote, position)
            if found < 0:
                alike += at > first and self._is_row(at)
                if self._swallows(alike, at - first):
                    return None
                at, position = at + 1, 0
                continue
            after = line[found + 1 : found + 2]
            if after == self.quote:
                position = found + 2
                continue
            return (at, found + 1) if at == first or after in (b"", self.delimiter) else None
        return at, 0

    @staticmethod
    def _swallows(rows: int, lines: int) -> bool:
        """Whether whole lines within a value are rows by themselves: two at least, and most of them."""
        return rows >= _LIKE_ROWS and 2 * rows > lines

    def _is_row(self, at: int) -> bool:
        """Whether a line has as many delimiters as a row of its own."""
        return self.width >= _LEAST_WIDTH and self.lines[at].count(self.delimiter) == self.width - 1
