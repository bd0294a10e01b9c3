"""A connection to a journal's database: everything that SQLite and PostgreSQL say alike.

A subclass says how to connect, how a transaction on one writer's chain begins, and what its library's faults mean.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from holdgood.core.errors import DataError, DuplicateError, EnvironmentFault, Overtaken
from holdgood.journal.chain import BEGINNING, NEVER_FORGOTTEN, Draft, Head, Row, link
from holdgood.journal.filters import COLUMNS, SHEETS, Filter
from holdgood.journal.sheet import read_sheet
from holdgood.journal.sheet_rows import base_of
from holdgood.journal.tombstones import Emptied, Place, Seal, cover, emptied, spans_of, tombstone

INSERT, VALUES = f"INSERT INTO entries ({COLUMNS}) VALUES {{}}", f"({', '.join('?' * len(Row._fields))})"
_LAST = "SELECT number, hash FROM entries WHERE writer = ? ORDER BY number DESC LIMIT 1"
INSERT_SHEET = f"INSERT INTO entries ({COLUMNS}, sheet) VALUES ({', '.join('?' * (len(Row._fields) + 1))})"
_SHEET = "SELECT sheet FROM entries WHERE writer = ? AND number = ?"
_SHEET_OF = "SELECT record FROM entries WHERE kind = 'predictions' AND model = ? AND ref = ?"
_BESIDE = (
    "SELECT ref FROM entries WHERE kind = 'prediction' AND model = ? AND ref > ? AND ref < ? AND place <> 'shadow'"
)
_FORGOTTEN = "SELECT record IS NULL FROM entries WHERE writer = ? AND number = ?"
_STRAYS = "SELECT writer, number FROM entries WHERE sheet IS NOT NULL AND kind <> 'predictions' ORDER BY writer, number"
_RENEW = "UPDATE entries SET sheet = ? WHERE writer = ? AND number = ? AND sheet IS NOT NULL"
_TAKEN = (
    "SELECT 1 FROM entries WHERE kind = 'prediction' AND model = ? AND ref = ? AND (place = 'shadow') = (? = 'shadow')"
)
_FORGET = (
    "UPDATE entries SET record = NULL, salt = NULL, model = NULL, ref = NULL, place = NULL, subject = NULL, moment = NULL, sheet = NULL "
    f"WHERE writer = ? AND number = ? AND record IS NOT NULL AND kind NOT IN ({', '.join('?' * len(NEVER_FORGOTTEN))})"
)
_HEADS = (
    "SELECT e.writer, e.number, e.hash FROM entries e JOIN (SELECT writer, MAX(number) AS number FROM entries "
    "GROUP BY writer) m ON e.writer = m.writer AND e.number = m.number ORDER BY e.writer"
)
_HASHES = "SELECT hash FROM entries WHERE writer = ? AND number BETWEEN ? AND ? ORDER BY number"
_FORGETTING = " forgetting"
"""Held beside a writer's chain by whoever empties rows: two who write one sheet anew at once would bring back what the other has emptied."""
_PIECE = 5_000
"""Entries that are brought at once: a long journal does not fill memory."""
_TRIES = 5
"""How often another process may write the same prediction between our look and our write."""


class _New(NamedTuple):
    """Predictions that are written together: ids of those ``alone`` by model and whether of a shadow, rows of ``sheets`` by model and id."""

    alone: set[tuple[str | None, str | None, bool]]
    sheets: dict[tuple[str | None, str | None], int]

    def add(self, draft: Draft) -> None:
        model, ref, place = draft.keys[:3]
        if draft.sheet is None:
            self.alone.add((model, ref, place == "shadow"))
        else:
            self.sheets[model, ref] = draft.rows

    def holds(self, draft: Draft) -> bool:
        """Whether one of the same id is among them."""
        model, ref, place = draft.keys[:3]
        if draft.sheet is not None:
            rows = ((base_of(r or ""), m) for m, r, shadow in self.alone if not shadow)
            return (model, ref) in self.sheets or any(
                m == model and found is not None and found[0] == ref and found[1] < draft.rows for found, m in rows
            )
        if (model, ref, place == "shadow") in self.alone:
            return True
        found = base_of(ref or "") if self.sheets and place != "shadow" else None
        return found is not None and found[1] < self.sheets.get((model, found[0]), 0)


class SqlSession(ABC):
    """One open connection; used by one thread at a time."""

    duplicate: type[Exception]
    """What the library raises where a row is there already."""

    def __init__(self) -> None:
        self._reached: dict[str, Head] = {}
        """Where chains stood when this connection last wrote in them: no look is needed before the next entry. Where others have
        written since, the entry's number is taken, the write fails as a whole, and the next try looks."""

    @abstractmethod
    def writing(self, *writers: str) -> AbstractContextManager[None]:
        """One transaction that nobody else extends these writers' chains during; on disk when it ends without a fault."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """What is read inside is of one moment."""

    @abstractmethod
    def guard(self) -> AbstractContextManager[None]:
        """Turn the library's faults into ours."""

    @abstractmethod
    def one(self, statement: str, values: Sequence[Any]) -> Any:
        """The first row of an answer, or None."""

    @abstractmethod
    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each row; returns how many rows of the table it changed."""

    @abstractmethod
    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """The rows of an answer, a piece at a time."""

    @abstractmethod
    def wipe(self) -> None:
        """Take out of the database's own files what was deleted."""

    @abstractmethod
    def form_faults(self) -> list[str]:
        """What is wrong with how the database keeps the entries, a sentence each: indexes that do not say what is there."""

    def hold(self, name: str) -> bool:
        """Whether this session alone has a name, until it is closed; False where another one has it. A file is locked by its folder."""
        return True

    def holds(self, name: str) -> bool:
        """Whether this session still has a name that it was given by ``hold``; it raises nothing where the connection is gone."""
        return True

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    def insert(self, rows: Sequence[Row], sheets: Mapping[int, bytes] | None = None) -> None:
        """Write entries as they are. ``sheets``: by their place among the rows, what some of them stand for."""
        if not sheets:
            self.insert_plain(rows)
            return
        self.insert_plain([row for at, row in enumerate(rows) if at not in sheets])
        self.many(INSERT_SHEET, [(*rows[at], data) for at, data in sheets.items()])

    def insert_plain(self, rows: Sequence[Row]) -> None:
        """Write entries without sheets."""
        if rows:
            self.many(INSERT.format(VALUES), rows)

    def insert_alone(self, writer: str, rows: Sequence[Row], sheets: Mapping[int, bytes] | None = None) -> None:
        """Write entries as they are, in a transaction of their own."""
        with self.writing(writer):
            self.insert(rows, sheets)

    def append(
        self, submissions: Sequence[Sequence[Draft]], writer: str, after: Head | None = None
    ) -> list[Head | DuplicateError]:
        """Write several submissions in one transaction, each whole or not at all.

        For each one the writer's newest entry then, or the prediction in it that was there before. ``after``: what the writer's newest
        entry must still be; Overtaken where it is another by now.
        """
        with self.guard():
            for look in range(_TRIES):
                try:
                    return self._append(submissions, writer, after, look=look > 0)
                except self.duplicate:
                    continue  # nothing was written: look where the chain stands and which predictions are there already
        raise EnvironmentFault(
            "the journal could not be written: others write the same predictions at the same time",
            "one process that answers a request",
            "ask again",
        )

    def _append(
        self, submissions: Sequence[Sequence[Draft]], writer: str, after: Head | None, *, look: bool
    ) -> list[Head | DuplicateError]:
        reached = self._reached.pop(writer, None)  # known again only once what follows is on disk
        asks = [look or any(map(_asks, drafts)) for drafts in submissions]
        if reached is not None and after is None and not any(asks):
            rows, answers, sheets = _linked(reached, writer, submissions)
            self.insert_alone(writer, rows, sheets)
        else:
            with self.writing(writer):
                reached = self.head(writer)
                if after is not None and reached != after:
                    raise Overtaken(
                        f"somebody else wrote in the chain of {writer!r} in the meantime",
                        "nobody between look and write",
                        "try again",
                    )
                taken = self._all_taken(submissions, asks)
                left = [drafts for drafts, there in zip(submissions, taken, strict=True) if there is None]
                rows, written, sheets = _linked(reached, writer, left)
                heads = iter(written)
                answers = [next(heads) if there is None else there for there in taken]
                self.insert(rows, sheets)
        self._reached[writer] = Head(rows[-1].number, rows[-1].hash) if rows else reached
        return answers

    def head(self, writer: str) -> Head:
        """The newest entry of one writer."""
        last = self.one(_LAST, (writer,))
        return Head(last[0], last[1]) if last else BEGINNING

    def _all_taken(self, submissions: Sequence[Sequence[Draft]], asks: Sequence[bool]) -> list[DuplicateError | None]:
        """For each submission that asks the first prediction in it that is there already, or comes before it; None where all are new."""
        new = _New(set(), {})
        return [self._taken(drafts, new) if asked else None for drafts, asked in zip(submissions, asks, strict=True)]

    def _taken(self, drafts: Sequence[Draft], new: _New) -> DuplicateError | None:
        """The first of some predictions that is there already; those that are not are remembered in ``new``."""
        mine = _New(set(), {})
        for draft in drafts:
            model, ref, place = draft.keys[:3]
            if draft.sheet is None and draft.kind != "prediction":
                continue
            if mine.holds(draft) or new.holds(draft) or self._there(draft):
                return DuplicateError(
                    f"the journal holds a prediction {ref!r} of {model!r}{' (shadow)' if place == 'shadow' else ''} already",
                    "an id that is new for its model",
                    "read it with Journal.prediction(model, id); nothing that came with the second one was written",
                )
            mine.add(draft)
        new.alone.update(mine.alone)
        new.sheets.update(mine.sheets)
        return None

    def _there(self, draft: Draft) -> bool:
        """Whether the id of a prediction, or of a sheet, or of a row of one, was used before."""
        model, ref, place = draft.keys[:3]
        if draft.sheet is not None:
            if self.one(_SHEET_OF, (model, ref)):
                return True
            beside = self.stream(_BESIDE, (model, f"{ref}/", f"{ref}0"))  # 0 follows the stroke
            return any((found := base_of(one[0])) and found[0] == ref and found[1] < draft.rows for one in beside)
        if self.one(_TAKEN, (model, ref, place)):
            return True
        if not _asks(draft) or (found := base_of(ref or "")) is None:
            return False
        sheet = self.one(_SHEET_OF, (model, found[0]))
        return bool(sheet) and found[1] < int(json.loads(sheet[0])["payload"]["rows"])

    def sheet(self, writer: str, number: int) -> bytes | None:
        """The rows that an entry stands for, as they are stored; None where it stands for none, or was forgotten."""
        with self.guard():
            found = self.one(_SHEET, (writer, number))
        return None if found is None or found[0] is None else bytes(found[0])

    def forgotten(self, writer: str, number: int) -> bool:
        """Whether an entry is there without its record."""
        with self.guard():
            found = self.one(_FORGOTTEN, (writer, number))
        return found is not None and bool(found[0])

    def strays(self) -> Iterator[tuple[str, int]]:
        """Entries of other kinds with a sheet beside them, which no journal writes."""
        with self.guard():
            yield from self.stream(_STRAYS, ())

    def forget(self, places: Sequence[Place], writer: str, *, who: str, why: str, seal: Seal | None = None) -> Head:
        """Empty entries, and rows of sheets, for good, with a tombstone in the same transaction."""
        with self.guard():
            with self.writing(writer, _FORGETTING):
                whole, rows = self._empty_rows(places)
                gone = self.many(_FORGET, [(*place, *NEVER_FORGOTTEN) for place in whole])
                if gone != len(whole):
                    raise _not_there(len(whole) - gone, len(places))
                spans = spans_of(whole)
                covers = cover(one[0] for span in spans for one in self.stream(_HASHES, span))
                what = tombstone(spans, who, why, covers, seal, rows)
                (row,) = link(self.head(writer), writer, [what], datetime.now(UTC).isoformat(timespec="microseconds"))
                self.insert([row])
            self.wipe()
        return Head(row.number, row.hash)

    def _empty_rows(self, places: Sequence[Place]) -> tuple[list[tuple[str, int]], list[Emptied]]:
        """Empty the rows of sheets among some places; the entries that are to be emptied whole, sheets without a row left among them."""
        whole = {(p[0], p[1]) for p in places if len(p) == 2}
        of: dict[tuple[str, int], list[int]] = {}
        for place in places:
            if len(place) == 3 and place[:2] not in whole:
                of.setdefault((place[0], place[1]), []).append(place[2])
        told: list[Emptied] = []
        for (writer, number), rows in sorted(of.items()):
            data = self.sheet(writer, number)
            sheet = None if data is None else read_sheet(data, f"entry {number} of {writer!r}")
            asked = np.unique(rows)
            if sheet is None or asked[0] < 0 or asked[-1] >= sheet.rows or not sheet.there[asked].all():
                raise _not_there(len(rows), len(places))
            if len(asked) == np.count_nonzero(sheet.there):
                whole.add((writer, number))
                continue
            self.many(_RENEW, [(sheet.without(asked).to_bytes(), writer, number)])
            told.append(emptied(writer, number, sheet, asked))
        return sorted(whole), told

    def bring(
        self,
        further: Mapping[str, tuple[Iterable[Row], Sequence[int]]],
        sheet_of: Callable[[str, int], bytes | None],
        renewed: Iterable[tuple[str, int]] = (),
    ) -> None:
        """Take over from another copy of this journal each writer's further entries as they are, and what that one has forgotten of earlier ones.

        ``sheet_of``: a sheet of that copy; ``renewed``: earlier entries of whose sheets it has forgotten rows.
        All in one transaction: a tombstone and what it names stand in different chains.
        """
        gone = 0
        with self.guard():
            with self.writing(*further, _FORGETTING):
                for writer, (rows, forgotten) in further.items():
                    left = iter(rows)
                    while piece := list(islice(left, _PIECE)):
                        self._take_over(piece, sheet_of)
                    if forgotten:
                        gone += self.many(_FORGET, [(writer, n, *NEVER_FORGOTTEN) for n in forgotten])
                for writer, number in renewed:
                    if (data := sheet_of(writer, number)) is not None:
                        gone += self.many(_RENEW, [(data, writer, number)])
            if gone:
                self.wipe()

    def _take_over(self, rows: Sequence[Row], sheet_of: Callable[[str, int], bytes | None]) -> None:
        """Entries one after the other, with no more than one sheet in memory."""
        plain: list[Row] = []
        for row in rows:
            data = sheet_of(row.writer, row.number) if row.kind in SHEETS else None
            if data is None:
                plain.append(row)
            else:
                self.insert([row], {0: data})
        self.insert_plain(plain)

    def rows(self, which: Filter) -> Iterator[Row]:
        """The entries that a filter finds, each as it is stored: a sheet is one, and comes without its rows (``answers.answers`` opens them)."""
        with self.guard():
            for values in self.stream(*which.sql()):
                yield Row(*values)

    def heads(self) -> dict[str, Head]:
        """The newest entry of every writer."""
        with self.guard():
            return {writer: Head(number, digest) for writer, number, digest in self.stream(_HEADS, ())}


def _asks(draft: Draft) -> bool:
    """Whether the unique index alone cannot tell that a prediction is there already: sheets, and ids that may be those of their rows."""
    if draft.sheet is not None:
        return True
    ref = draft.keys.ref
    return ref is not None and "/" in ref and draft.kind == "prediction" and draft.keys.place != "shadow"


def _not_there(missing: int, asked: int) -> DataError:
    return DataError(
        f"{missing:,} of {asked:,} entries are not there to forget",
        "entries that hold a record, and no promotion, approval or tombstone",
        "look at entries(); nothing was forgotten",
    )


def _linked(
    head: Head, writer: str, submissions: Sequence[Sequence[Draft]]
) -> tuple[list[Row], list[Head | DuplicateError], dict[int, bytes]]:
    """The entries of all submissions, one after the other, the newest one after each submission, and sheets by place among the entries."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    every = list(chain.from_iterable(submissions))
    rows = link(head, writer, every, now)
    sheets = {at: d.sheet for at, d in enumerate(every) if d.sheet is not None}
    answers: list[Head | DuplicateError] = []
    at = 0
    for drafts in submissions:
        at += len(drafts)
        answers.append(Head(rows[at - 1].number, rows[at - 1].hash) if at else head)
    return rows, answers, sheets
