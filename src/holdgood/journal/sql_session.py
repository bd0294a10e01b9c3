"""A connection to a journal's database: everything that SQLite and PostgreSQL say alike.

A subclass says how to connect, how a transaction on one writer's chain begins, and what its library's faults mean.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from holdgood.core.errors import DataError, DuplicateError, EnvironmentFault, Overtaken
from holdgood.journal.chain import BEGINNING, NEVER_FORGOTTEN, Draft, Head, Row, link
from holdgood.journal.filters import COLUMNS, Filter
from holdgood.journal.tombstones import Seal, cover, spans_of, tombstone

INSERT, VALUES = f"INSERT INTO entries ({COLUMNS}) VALUES {{}}", f"({', '.join('?' * len(Row._fields))})"
_LAST = "SELECT number, hash FROM entries WHERE writer = ? ORDER BY number DESC LIMIT 1"
_TAKEN = (
    "SELECT 1 FROM entries WHERE kind = 'prediction' AND model = ? AND ref = ? AND (place = 'shadow') = (? = 'shadow')"
)
_FORGET = (
    "UPDATE entries SET record = NULL, salt = NULL, model = NULL, ref = NULL, place = NULL, subject = NULL, moment = NULL "
    f"WHERE writer = ? AND number = ? AND record IS NOT NULL AND kind NOT IN ({', '.join('?' * len(NEVER_FORGOTTEN))})"
)
_HEADS = (
    "SELECT e.writer, e.number, e.hash FROM entries e JOIN (SELECT writer, MAX(number) AS number FROM entries "
    "GROUP BY writer) m ON e.writer = m.writer AND e.number = m.number ORDER BY e.writer"
)
_HASHES = "SELECT hash FROM entries WHERE writer = ? AND number BETWEEN ? AND ? ORDER BY number"
_PIECE = 5_000
"""Entries that are brought at once: a long journal does not fill memory."""
_TRIES = 5
"""How often another process may write the same prediction between our look and our write."""


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

    def insert(self, rows: Sequence[Row]) -> None:
        """Write entries as they are."""
        if rows:
            self.many(INSERT.format(VALUES), rows)

    def insert_alone(self, writer: str, rows: Sequence[Row]) -> None:
        """Write entries as they are, in a transaction of their own."""
        with self.writing(writer):
            self.insert(rows)

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
        if reached is not None and after is None and not look:
            rows, answers = _linked(reached, writer, submissions)
            self.insert_alone(writer, rows)
        else:
            with self.writing(writer):
                reached = self.head(writer)
                if after is not None and reached != after:
                    raise Overtaken(
                        f"somebody else wrote in the chain of {writer!r} in the meantime",
                        "nobody between look and write",
                        "try again",
                    )
                taken = self._all_taken(submissions) if look else [None] * len(submissions)
                left = [drafts for drafts, there in zip(submissions, taken, strict=True) if there is None]
                rows, written = _linked(reached, writer, left)
                heads = iter(written)
                answers = [next(heads) if there is None else there for there in taken]
                self.insert(rows)
        self._reached[writer] = Head(rows[-1].number, rows[-1].hash) if rows else reached
        return answers

    def head(self, writer: str) -> Head:
        """The newest entry of one writer."""
        last = self.one(_LAST, (writer,))
        return Head(last[0], last[1]) if last else BEGINNING

    def _all_taken(self, submissions: Sequence[Sequence[Draft]]) -> list[DuplicateError | None]:
        """For each submission the first prediction in it that is there already, or comes before it; None where all are new."""
        new: set[tuple[Any, ...]] = set()
        return [self._taken(drafts, new) for drafts in submissions]

    def _taken(self, drafts: Sequence[Draft], new: set[tuple[Any, ...]]) -> DuplicateError | None:
        """The first of some predictions that is there already; those that are not are remembered in ``new``."""
        named: set[tuple[Any, ...]] = set()
        for model, ref, place in (d.keys[:3] for d in drafts if d.kind == "prediction"):
            key = (model, ref, place == "shadow")
            if key in new or key in named or self.one(_TAKEN, (model, ref, place)):
                return DuplicateError(
                    f"the journal holds a prediction {ref!r} of {model!r}{' (shadow)' if key[2] else ''} already",
                    "an id that is new for its model",
                    "read it with Journal.prediction(model, id); nothing that came with the second one was written",
                )
            named.add(key)
        new |= named
        return None

    def forget(
        self, places: Sequence[tuple[str, int]], writer: str, *, who: str, why: str, seal: Seal | None = None
    ) -> Head:
        """Empty entries for good, with a tombstone in the same transaction."""
        with self.guard():
            with self.writing(writer):
                emptied = self.many(_FORGET, [(*place, *NEVER_FORGOTTEN) for place in places])
                if emptied != len(places):
                    raise DataError(
                        f"{len(places) - emptied:,} of {len(places):,} entries are not there to forget",
                        "entries that hold a record, and no promotion, approval or tombstone",
                        "look at entries(); nothing was forgotten",
                    )
                spans = spans_of(places)
                covers = cover(one[0] for span in spans for one in self.stream(_HASHES, span))
                what = tombstone(spans, who, why, covers, seal)
                (row,) = link(self.head(writer), writer, [what], datetime.now(UTC).isoformat(timespec="microseconds"))
                self.insert([row])
            self.wipe()
        return Head(row.number, row.hash)

    def bring(self, further: Mapping[str, tuple[Iterable[Row], Sequence[int]]]) -> None:
        """Take over from another copy of this journal each writer's further entries as they are, and what that one has forgotten of earlier ones.

        All in one transaction: a tombstone and what it names stand in different chains.
        """
        emptied = 0
        with self.guard():
            with self.writing(*further):
                for writer, (rows, forgotten) in further.items():
                    left = iter(rows)
                    while piece := list(islice(left, _PIECE)):
                        self.insert(piece)
                    if forgotten:
                        emptied += self.many(_FORGET, [(writer, n, *NEVER_FORGOTTEN) for n in forgotten])
            if emptied:
                self.wipe()

    def rows(self, which: Filter) -> Iterator[Row]:
        """The entries that a filter finds."""
        with self.guard():
            for values in self.stream(*which.sql()):
                yield Row(*values)

    def heads(self) -> dict[str, Head]:
        """The newest entry of every writer."""
        with self.guard():
            return {writer: Head(number, digest) for writer, number, digest in self.stream(_HEADS, ())}


def _linked(
    head: Head, writer: str, submissions: Sequence[Sequence[Draft]]
) -> tuple[list[Row], list[Head | DuplicateError]]:
    """The entries of all submissions, one after the other, and the newest one after each submission."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    rows = link(head, writer, list(chain.from_iterable(submissions)), now)
    answers: list[Head | DuplicateError] = []
    at = 0
    for drafts in submissions:
        at += len(drafts)
        answers.append(Head(rows[at - 1].number, rows[at - 1].hash) if at else head)
    return rows, answers
