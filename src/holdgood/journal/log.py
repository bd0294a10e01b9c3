"""The journal: an append-only log of records, one hash chain a writer, in SQLite or PostgreSQL.

Whoever keeps a head outside (a number and a hash) can prove that nothing up to it was changed or removed; without one, a
rewritten chain cannot be told from a true one. How the chain is made stands in ``chain``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from holdgood.core.errors import DataError, DuplicateError
from holdgood.core.records import Prediction
from holdgood.core.records.commitment import canonical
from holdgood.core.records.envelope import Record, unwrap
from holdgood.journal.answers import answers, answers_by_id
from holdgood.journal.chain import TOMBSTONE, Head, Row, body_of, draft
from holdgood.journal.filters import Filter
from holdgood.journal.keys import bound
from holdgood.journal.sql_session import SqlSession
from holdgood.journal.store import store_at
from holdgood.journal.timely import Asked, made
from holdgood.journal.tombstones import Place, Seal, Stone, stones_of
from holdgood.journal.verify import faults_of

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Entry:
    """One line of the journal. ``record`` is the envelope, or None where it was forgotten on the record.

    ``moment``: when it counts (a prediction's event time, a label's known time), in UTC; mostly ``recorded_utc``.
    """

    writer: str
    number: int
    kind: str
    recorded_utc: str
    record: dict[str, Any] | None
    hash: str
    model: str = ""
    moment: str = ""

    def read(self, kind: type[R]) -> R:
        """The record itself; DataError where it was forgotten."""
        if self.record is None:
            raise DataError(f"entry {self.number} of {self.writer!r} was forgotten", "a record", "see its tombstone")
        return unwrap(self.record, kind, where=f"entry {self.number} of {self.writer!r}")


class Journal:
    """A journal: a path (SQLite; made where it does not exist) or ``postgresql://…``. A write is on disk when it returns.

    Safe for several processes and threads; each call has a connection of its own (many small writes: ``GroupWriter``).
    Faults: EnvironmentFault (disk full, no server), DataError (not a journal), MissingExtra (no driver).
    """

    def __init__(self, url: Path | str) -> None:
        self.store = store_at(url)
        self.name = self.store.name
        self.path: Path | None = getattr(self.store, "path", None)
        self._may: Callable[[], None] = _always
        with self.session():
            pass  # a place that cannot be used is told now, not at the first write

    def asking(self, may: Callable[[], None]) -> Journal:
        """The same journal, for work that may be done only as long as something holds: ``may`` is called before each write and raises where
        it does no more.
        """
        other = copy(self)
        other._may = may
        return other

    @contextmanager
    def session(self) -> Iterator[SqlSession]:
        """A connection for as long as it is needed."""
        session = self.store.open()
        try:
            yield session
        finally:
            session.close()

    def append(self, record: Record, writer: str) -> Head:
        """Write a record down. The head is the writer's newest entry."""
        return self.append_many((record,), writer)

    def append_many(self, records: Iterable[Record], writer: str, *, after: Head | None = None) -> Head:
        """Write records down in one transaction: all or none. DuplicateError where a prediction is there already.

        ``after``: the writer's newest entry (``head``) on which the records stand; Overtaken where others have written since.
        """
        drafts = [draft(record) for record in records]
        self._may()
        with self.session() as session:
            (answer,) = session.append([drafts], writer, after)
        if isinstance(answer, DuplicateError):
            raise answer
        return answer

    def forget(self, writer: str, number: int, *, who: str, why: str, seal: Seal | None = None) -> Head:
        """Delete an entry's record for good; a tombstone says who did it and why. The chain still verifies."""
        return self.forget_many([(writer, number)], writer, who=who, why=why, seal=seal)

    def forget_many(
        self, places: Sequence[Place], writer: str, *, who: str, why: str, seal: Seal | None = None
    ) -> Head:
        """Delete the records of entries (writer, number), and rows of sheets (writer, number, row), for good, all or none, with one tombstone of
        ``writer``.

        ``seal``: the key that whoever may delete holds, outside of the database; ``verify`` with it finds tombstones of others.
        """
        self._may()
        with self.session() as session:
            return session.forget(places, writer, who=who, why=why, seal=seal)

    def forgotten(self) -> list[Stone]:
        """What was forgotten by whom, when and why, in which entry, in the order of writing."""
        return stones_of(self.rows(Filter(kinds=(TOMBSTONE,))))

    def wipe(self) -> None:
        """Take what was forgotten earlier out of the database's own files; EnvironmentFault while somebody reads in them."""
        with self.session() as session, session.guard():
            session.wipe()

    def rows(self, which: Filter) -> Iterator[Row]:
        """Entries as they are stored; where predictions alone are asked for, also those in sheets (``answers.answers``)."""
        with self.session() as session:
            yield from answers(session, which) if which.kinds == (Prediction.kind,) else session.rows(which)

    def entries(
        self,
        kind: str | None = None,
        writer: str | None = None,
        *,
        model: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Entry]:
        """Entries in the order of their writing. ``since`` (included) and ``until`` (not) are about ``Entry.moment``."""
        which = Filter(
            kinds=(kind,) if kind else (),
            writer=writer,
            model=model,
            since=bound(since),
            until=bound(until),
            limit=limit,
            newest_first=newest_first,
        )
        return [_entry(row) for row in self.rows(which)]

    def read(
        self,
        kind: type[R],
        *,
        model: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
    ) -> list[tuple[Entry, R]]:
        """All records of one kind that were not forgotten, by the moment at which they count."""
        which = Filter(
            kinds=(kind.kind,),
            model=model,
            since=bound(since),
            until=bound(until),
            order="moment",
        )
        found = [_entry(row) for row in self.rows(which) if row.record is not None]
        return [(entry, entry.read(kind)) for entry in found]

    def prediction(self, model: str, id: str) -> Prediction | None:
        """The prediction with this id, or None. What a shadow said is given only where nobody else has answered."""
        return self.predictions(model, (id,)).get(id)

    def predictions(self, model: str, ids: Sequence[str]) -> dict[str, Prediction]:
        """The same for many ids at once; those that the journal does not have are left out."""
        rows = {row.ref or "": row for row in sorted(self._of(model, ids), key=lambda row: row.place != "shadow")}
        return {id: _entry(rows[id]).read(Prediction) for id in ids if id in rows}

    def proves(self, model: str, id: str, facts: Mapping[str, Any]) -> bool:
        """Whether a prediction was about just these facts, plain JSON as it was sent: by the facts in its record, or by the commitment to them.

        DataError where the journal has no such prediction (any more), or one with neither. Whether the record is as it was written ``verify``
        tells.
        """
        found = self.prediction(model, id)
        if found is None:
            raise DataError(
                f"the journal has no prediction {id!r} of {model!r}",
                "one that it holds and that was not forgotten",
                "check the id and the model; what was forgotten cannot be proved any more",
            )
        if found.facts is not None:
            return canonical(found.facts) == canonical(facts)
        if found.commitment is None:
            raise DataError(
                f"the prediction {id!r} of {model!r} has neither facts nor a commitment to them",
                "a prediction that was written with one of them",
                "it cannot be proved by this journal; with keep.commitments, those to come can",
            )
        return found.commitment.holds(facts)

    def asked(self, model: str, ids: Sequence[str]) -> dict[str, Asked]:
        """Those of some ids that predictions of the model have: since when an outcome can be known, and whether callers were given no answer."""
        found: dict[str, Asked] = {}
        for row in self._of(model, ids):
            said = _entry(row).read(Prediction)
            now = Asked(made(said), said.verdict == "refused" and said.place != "shadow")
            before = found.get(row.ref or "", now)
            found[row.ref or ""] = Asked(min(now.since, before.since), now.refused or before.refused)
        return found

    def _of(self, model: str, ids: Sequence[str]) -> Iterator[Row]:
        with self.session() as session:
            yield from answers_by_id(session, model, ids)

    def head(self, writer: str) -> Head:
        """The newest entry of one writer; number 0 where it has written nothing."""
        with self.session() as session, session.guard():
            return session.head(writer)

    def heads(self) -> dict[str, Head]:
        """The newest entry of every writer."""
        with self.session() as session:
            return session.heads()

    def verify(self, heads: Mapping[str, Head] | None = None, seal: Seal | None = None) -> list[str]:
        """What is wrong, a sentence each; empty where every chain is whole and reaches the ``heads`` kept outside.

        With ``seal`` every tombstone younger than the key must bear it.
        The store's own form counts too: an index that was tampered with hides entries that are all there.
        """
        with self.session() as session, session.snapshot():
            return verified(session, heads or {}, seal) + session.form_faults()


def _always() -> None:
    """What a journal asks that anybody may write in."""


def verified(session: SqlSession, heads: Mapping[str, Head], seal: Seal | None = None) -> list[str]:
    """What is wrong with the entries in the snapshot that a session reads."""
    stones = stones_of(session.rows(Filter(kinds=(TOMBSTONE,))))
    return faults_of(session.rows(Filter(order="chain")), stones, heads, session.sheet, seal, session.strays())


def _entry(row: Row) -> Entry:
    record = body_of(row)
    if row.kind == TOMBSTONE and record is not None and "number" in record:
        record = {
            "who": record["who"],
            "why": record["why"],
            "entries": [[record["writer"], record["number"], record["number"]]],
        }
    return Entry(
        row.writer, row.number, row.kind, row.recorded_utc, record, row.hash, row.model or "", row.moment or ""
    )
