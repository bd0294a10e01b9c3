"""The predictions that a filter finds, in the order asked: entries of their own, and rows of sheets."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

from holdgood.core.records import Prediction
from holdgood.journal.chain import Row
from holdgood.journal.filters import SHEETS, Filter
from holdgood.journal.sheet_rows import base_of, chosen, head_of, opened, rows_of
from holdgood.journal.sql_session import SqlSession

PIECE = 500
"""Ids asked for at once."""
_Key = tuple[Any, ...]


def answers(session: SqlSession, which: Filter) -> Iterator[Row]:
    """Rows as they would be stored each by itself; of a sheet's row number and hash are those of the sheet. ``which`` is about predictions alone.

    What was forgotten in a sheet is not there; an entry of its own that was is, without its record. A sheet is opened only once the rows before it
    are through.
    """
    found = _merged(session.rows(which), _sheets(session, which), session, which)
    yield from found if which.limit is None else islice(found, which.limit)


def answers_by_id(session: SqlSession, model: str, ids: Sequence[str]) -> Iterator[Row]:
    """Predictions of a model with some ids, in no order; each sheet is opened once, however many of its rows are asked for."""
    which = Filter(kinds=(Prediction.kind,), model=model)
    for refs in _pieces(ids):
        yield from session.rows(replace(which, refs=refs))
    of: dict[str, list[str]] = {}
    for ref in ids:
        if (found := base_of(ref)) is not None:
            of.setdefault(found[0], []).append(ref)
    for bases in _pieces(list(of)):
        for row in list(session.rows(replace(which, kinds=SHEETS, refs=bases))):
            yield from _opened(row, session, replace(which, refs=tuple(of[row.ref or ""])))


def _pieces(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(ids[first : first + PIECE]) for first in range(0, len(ids), PIECE))


def _sheets(session: SqlSession, which: Filter) -> list[Row]:
    """Entries with sheets in which there may be what is looked for, the first one last."""
    if which.forgotten:
        return []
    bases = tuple(dict.fromkeys(of[0] for ref in which.refs if (of := base_of(ref))))
    if which.refs and not bases:
        return []
    heads = replace(which, kinds=SHEETS, refs=bases, subject=None, until=None, limit=None)
    found = [row for row in session.rows(heads) if row.record is not None and _begins(row, which.until)]
    return sorted(found, key=lambda row: _first(row, which), reverse=not which.newest_first)


def _begins(row: Row, until: str | None) -> bool:
    """Whether a sheet's first row is about a moment before a bound."""
    return until is None or head_of(row).first < until


def _first(row: Row, which: Filter) -> _Key:
    """The key of the first row of a sheet in the order asked, or of one before it."""
    if which.order != "moment":
        return row.recorded_utc, row.writer, row.number
    if which.newest_first:
        return (row.moment or "", "\U0010ffff")
    return (head_of(row).first,)


def _key(row: Row, which: Filter) -> _Key:
    place = (row.recorded_utc, row.writer, row.number)
    return (row.moment or "", *place) if which.order == "moment" else place


def _merged(singles: Iterator[Row], sheets: list[Row], session: SqlSession, which: Filter) -> Iterator[Row]:
    if not sheets:
        yield from singles
        return
    turned = _Back if which.newest_first else _straight
    heap: list[tuple[Any, int, Row, Iterator[Row]]] = []
    number = count()

    def push(run: Iterator[Row]) -> None:
        if (row := next(run, None)) is not None:
            heapq.heappush(heap, (turned(_key(row, which)), next(number), row, run))

    push(singles)
    while heap or sheets:
        while sheets and not (heap and heap[0][0] < turned(_first(sheets[-1], which))):
            push(_opened(sheets.pop(), session, which))
        if heap:
            _, _, row, run = heapq.heappop(heap)
            yield row
            push(run)


def _straight(key: _Key) -> _Key:
    return key


class _Back:
    """A key that sorts the other way."""

    __slots__ = ("key",)

    def __init__(self, key: _Key) -> None:
        self.key = key

    def __lt__(self, other: _Back) -> bool:
        return other.key < self.key


def _opened(row: Row, session: SqlSession, which: Filter) -> Iterator[Row]:
    data = session.sheet(row.writer, row.number)
    if data is None and session.forgotten(row.writer, row.number):  # since it was found
        return iter(())
    head, sheet = opened(row, data)
    at = chosen(head, sheet, which)
    if which.order != "moment":
        at.sort()
    return iter(rows_of(row, head, sheet, (at[::-1] if which.newest_first else at)[: which.limit]))
