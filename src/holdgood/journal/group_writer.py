"""Group commit: many threads hand records in, one thread writes whatever has come together and says when it is on disk.

An fsync costs the same for one entry as for a thousand, so a busy server pays it once for all who wait.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple

from holdgood.core.errors import Busy, EnvironmentFault, HoldgoodError
from holdgood.core.records.envelope import Record
from holdgood.journal.chain import Draft, Head, draft, weight
from holdgood.journal.log import Journal
from holdgood.journal.sql_session import SqlSession

_LARGEST_GROUP = 2_000


class _Handed(NamedTuple):
    """Submissions that came in one go; ``size``: records in all of them."""

    submissions: Sequence[list[Draft]]
    size: int
    settle: Callable[[Sequence[Head | HoldgoodError]], None]


def writer_name(role: str) -> str:
    """A name that no other process has: one chain belongs to one process.

    >>> writer_name("server").startswith("server@")
    True
    """
    return f"{role}@{socket.gethostname()}:{os.getpid()}-{secrets.token_hex(4)}"


class GroupWriter:
    """Writes from many threads in one chain, with one connection. Close it, or use it as a context, so that nothing waits for ever.

    ``writer`` is made a name of this process's own by ``writer_name``; ``own_name=False`` takes it as it is. ``most_waiting``: records
    that may wait in memory; a submission with more is taken while nothing else waits.
    """

    def __init__(self, journal: Journal, writer: str, *, most_waiting: int = 10_000, own_name: bool = True) -> None:
        self.writer = writer_name(writer) if own_name else writer
        self._journal, self._most = journal, most_waiting
        self._waiting: SimpleQueue[_Handed | None] = SimpleQueue()
        self._first: _Handed | None = None
        self._count, self._closed, self._ended = 0, False, False
        self._change = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"journal of {writer}", daemon=True)
        self._thread.start()

    def submit(self, records: Iterable[Record]) -> Future[Head]:
        """Hand records in, to be written together or not at all; the future ends once they are on disk.

        It fails with DuplicateError where a prediction is there already (nothing of this submission was written), and with
        EnvironmentFault where the store is away or full. After a lost connection a failed submission may have reached the disk all the
        same: asking again with the same ids finds it. Raises at once: Busy where too much waits, DataError where a record cannot be written.
        """
        return self.submit_drafts([draft(record) for record in records])

    def submit_drafts(self, drafts: list[Draft]) -> Future[Head]:
        """The same for what was made ready elsewhere; raises Busy."""
        future: Future[Head] = Future()
        self.hand_in(drafts, partial(_settle, future))
        return future

    def hand_in(self, drafts: list[Draft], settle: Callable[[Head | HoldgoodError], None]) -> None:
        """The same without a future: ``settle`` is called in the writer's thread with what the future would end with; it must be quick."""
        self.announce(weight(drafts))
        self.hand_in_announced([drafts], lambda answers: settle(answers[0]))

    def announce(self, count: int) -> None:
        """Take so many records as waiting before they are handed in. Raises Busy where too much waits."""
        with self._change:
            if self._closed:
                raise _closed()
            if self._count and self._count + count > self._most:  # what is larger by itself must go through alone
                raise Busy(
                    f"{self._count:,} records wait for the journal",
                    f"at most {self._most:,}",
                    "ask again a little later; a faster disk writes more",
                )
            self._count += count

    def hand_in_announced(
        self, submissions: Sequence[list[Draft]], settle: Callable[[Sequence[Head | HoldgoodError]], None]
    ) -> None:
        """Hand in several submissions that were announced, each written whole or not at all; ``settle`` is called once, with an answer each."""
        size = sum(map(weight, submissions))
        with self._change:
            if not self._closed:
                self._waiting.put(_Handed(submissions, size, settle))
                return
            self._count -= size
        settle([_closed()] * len(submissions))

    @property
    def waiting(self) -> int:
        """Records that are not on disk yet."""
        return self._count

    def close(self) -> None:
        """Write what waits, then end. No more can be handed in."""
        with self._change:
            if not self._closed:
                self._waiting.put(None)
            self._closed = True
        self._thread.join()

    def __enter__(self) -> GroupWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        session: SqlSession | None = None
        while group := self._next():
            submissions = list(chain.from_iterable(handed.submissions for handed in group))
            answers: Sequence[Head | HoldgoodError]
            try:
                session = session or self._journal.store.open()
                answers = session.append(submissions, self.writer)
            except Exception as error:  # whatever it is, nobody may be left waiting
                answers = [_fault(error)] * len(submissions)
                if session is not None:
                    session.close()  # the next group tries with a new connection
                session = None
            with self._change:
                self._count -= sum(handed.size for handed in group)
            left = iter(answers)
            for handed in group:
                # whoever is gone (a loop that has closed) keeps nobody else's entries from being written
                with suppress(Exception):
                    handed.settle(list(islice(left, len(handed.submissions))))
        if session is not None:
            session.close()

    def _next(self) -> list[_Handed]:
        """All that has come in, up to a bound; empty once closed and done."""
        if self._ended:
            return []
        one = self._first or self._waiting.get()
        self._first = None
        group: list[_Handed] = []
        size = 0
        while one is not None:
            if group and size + one.size > _LARGEST_GROUP:
                self._first = one
                return group
            group.append(one)
            size += one.size
            try:
                one = self._waiting.get_nowait()
            except Empty:
                return group
        self._ended = True
        return group


def _closed() -> HoldgoodError:
    return EnvironmentFault("the journal's writer is closed", "an open one", "the process is ending")


def _fault(error: Exception) -> HoldgoodError:
    if isinstance(error, HoldgoodError):
        return error
    return EnvironmentFault(f"the journal's writer failed: {error!r}", "a store that takes entries", "ask again")


def _settle(future: Future[Head], answer: Head | HoldgoodError) -> None:
    """Tell who waits; whoever has given up is not told."""
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(answer, HoldgoodError):
        future.set_exception(answer)
    else:
        future.set_result(answer)
