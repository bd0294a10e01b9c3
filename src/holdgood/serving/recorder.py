"""The journal before the answer: records go to one group writer, and whoever waits is woken once they are on disk."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from holdgood.core.errors import Busy, DuplicateError, EnvironmentFault, HoldgoodError
from holdgood.core.records import Prediction
from holdgood.journal import GroupWriter, Head, Journal
from holdgood.journal.chain import Draft, weight
from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics

_PATIENCE = 15.0
"""Seconds after which an answer that the journal has not taken is given up; the record may still be written."""


class Recorder:
    """Of one server and one event loop. ``open_journal`` may fail: it is tried again at the next record."""

    def __init__(
        self, open_journal: Callable[[], Journal], loop: asyncio.AbstractEventLoop, metrics: Metrics, log: Log, *, required: bool = True,
        most_waiting: int = 10_000,
    ) -> None:  # fmt: skip
        self._open, self._loop, self._metrics, self._log = open_journal, loop, metrics, log
        self.required, self._most = required, most_waiting
        self._journal: Journal | None = None
        self._writer: GroupWriter | None = None
        self._opening = threading.Lock()
        self._gathered: list[tuple[list[Draft], asyncio.Future[None]]] = []
        self._settled: deque[tuple[list[asyncio.Future[None]], Sequence[Head | HoldgoodError]]] = deque()
        self._woken = False
        self._waiting: deque[tuple[float, list[asyncio.Future[None]]]] = deque()
        self.up = True

    def open(self) -> Journal:
        """The journal; raises EnvironmentFault where it is away. Blocks: call it in a thread."""
        with self._opening:
            if self._journal is None:
                journal = self._open()
                self._writer = GroupWriter(journal, "server", most_waiting=self._most)
                self._journal = journal
            return self._journal

    @property
    def waiting(self) -> int:
        """Records that are not on disk yet."""
        return self._writer.waiting if self._writer is not None else 0

    async def write(self, drafts: list[Draft]) -> None:
        """Ends once they are on disk. Raises Busy, EnvironmentFault (away, full) or DuplicateError; see ``GroupWriter.submit``."""
        try:
            if self._writer is None:
                await self._loop.run_in_executor(None, self.open)
            assert self._writer is not None
            self._writer.announce(weight(drafts))
            if not self._gathered:
                self._loop.call_soon(self._hand_in)
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._gathered.append((drafts, waiter))
            await waiter
        except DuplicateError:
            self._is(True)
            raise
        except EnvironmentFault as error:
            if not isinstance(error, Busy):
                self._is(False, error)
            if self.required:
                raise
            rows = sum(d.rows for d in drafts)
            self._metrics.unjournalled.inc(rows)
            self._log("answered without a journal", "warning", entries=rows, why=error.came)
        else:
            self._is(True)

    def later(self, drafts: list[Draft]) -> Future[Head]:
        """Hand entries in from any thread without waiting for them; raises at once where they cannot be taken."""
        self.open()
        assert self._writer is not None
        return self._writer.submit_drafts(drafts)

    async def predictions(self, model: str, ids: Sequence[str]) -> dict[str, Prediction]:
        """What was answered before under some ids."""
        return await self._loop.run_in_executor(None, lambda: self.open().predictions(model, ids))

    async def seek(self) -> None:
        """Look whether a journal that is away is there again. Rows alone would not find it: who is not ready is sent none by a load balancer.

        It is only read: where it cannot be written (a disk that is full) the next row says so again.
        """
        if self.up:
            return
        try:
            await self._loop.run_in_executor(None, lambda: self.open().head("server"))
        except HoldgoodError:
            return
        self._is(True)

    def give_up_late(self) -> None:
        """End the waiting of those who have waited too long; called every second or so."""
        now = time.monotonic()
        while self._waiting and (self._waiting[0][0] < now or all(w.done() for w in self._waiting[0][1])):
            for waiter in self._waiting.popleft()[1]:
                if not waiter.done():
                    waiter.set_exception(
                        EnvironmentFault(
                            "the journal did not take the answer in time", "a journal that answers",
                            "ask again with the same id: it is answered once",
                        )
                    )  # fmt: skip

    def close(self) -> None:
        """Write what waits, then end."""
        if self._writer is not None:
            self._writer.close()

    def _is(self, up: bool, error: HoldgoodError | None = None) -> None:
        if up != self.up:
            self.up = up
            self._log(
                "journal is back" if up else "journal is away",
                "info" if up else "error",
                why=error.came if error else "",
            )
            self._metrics.journal_up.set(float(up))

    def _hand_in(self) -> None:
        """What all requests of one turn of the loop want written goes to the writer in one go, so that it is woken once for them."""
        gathered, self._gathered = self._gathered, []
        waiters = [waiter for _, waiter in gathered]
        self._waiting.append((time.monotonic() + _PATIENCE, waiters))
        assert self._writer is not None
        self._writer.hand_in_announced([drafts for drafts, _ in gathered], partial(self._done, waiters))

    def _done(self, waiters: list[asyncio.Future[None]], answers: Sequence[Head | HoldgoodError]) -> None:
        """Called in the writer's thread after a commit: the loop is woken once for all who waited for it."""
        self._settled.append((waiters, answers))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._woken = False
        while self._settled:
            for waiter, answer in zip(*self._settled.popleft(), strict=True):
                if waiter.done():
                    continue
                if isinstance(answer, HoldgoodError):
                    waiter.set_exception(answer)
                else:
                    waiter.set_result(None)
