"""Before the first request, between requests, and after the last: what is live is followed, tokens are read anew, the journal is flushed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field

from holdgood.core.declared_live import KeepSpec
from holdgood.core.errors import HoldgoodError
from holdgood.journal import Journal
from holdgood.serving.desk import Desk, Keeping, Workers
from holdgood.serving.limits import Limits
from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics
from holdgood.serving.recorder import Recorder
from holdgood.serving.shadow import Shadows
from holdgood.serving.standing import Models
from holdgood.serving.tokens import Tokens

_TICK = 1.0
_SEEK = 5.0
"""Seconds between looks for a journal that is away."""


@dataclass
class Upkeep:
    """``every``: seconds between two looks at what is live. ``ended``: whether the server is going down, and says so in /readyz.

    ``read_keep``: what the live folder says of keeping by now; None where there is none.
    """

    models: Models
    open_journal: Callable[[], Journal]
    tokens: Tokens | None
    metrics: Metrics
    log: Log
    limits: Limits
    keeping: Keeping = field(default_factory=Keeping)
    journal_required: bool = True
    every: float = 2.0
    ended: bool = False
    read_keep: Callable[[], KeepSpec] | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _desk: Desk | None = None
    _unread: str = ""
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> Desk:
        """Make the desk and start the upkeep; a journal that is away now is sought, and tried again with each answer."""
        recorder = Recorder(
            self.open_journal, asyncio.get_running_loop(), self.metrics, self.log, required=self.journal_required
        )
        self._desk = Desk(
            self.models,
            recorder,
            Workers(self.metrics),
            Shadows(recorder, self.metrics, self.log),
            self.metrics,
            self.log,
            self.limits,
            self.keeping,
        )
        try:
            await asyncio.to_thread(recorder.open)
            self.metrics.journal_up.set(1)
        except HoldgoodError as error:
            recorder.up = False
            self.log("journal is away", "error", why=error.came)
        self.tell()
        gc.freeze()  # models and libraries stay: the collector need not walk them again and again
        self._tasks = [
            asyncio.create_task(self._follow()),
            asyncio.create_task(self._tick()),
            asyncio.create_task(self._seek()),
        ]
        self.log("started", models=[s.name for s in self.models.all()])
        return self._desk

    async def end(self) -> None:
        """Let workers, shadow and journal finish."""
        self.ended = True
        for task in self._tasks:
            task.cancel()
        desk = self._desk
        if desk is not None:
            await asyncio.to_thread(desk.workers.close)
            await asyncio.to_thread(desk.shadows.close)
            await asyncio.to_thread(desk.recorder.close)
        gc.unfreeze()
        self.log("ended")

    async def _look_at_keeping(self) -> None:
        """A live folder that no longer wants facts kept is obeyed at once; settings that cannot be read leave it as it was."""
        if self.read_keep is None:
            return
        try:
            wanted = Keeping.of(await asyncio.to_thread(self.read_keep))
        except HoldgoodError as error:
            if error.came != self._unread:
                self.log("settings cannot be read: what is kept stays as it was", "error", why=error.came)
            self._unread = error.came
            return
        self._unread = ""
        if wanted != self.keeping:
            self.keeping.facts, self.keeping.commits = wanted.facts, wanted.commits
            self.log("what is kept has changed", "warning", facts=wanted.facts, commitments=wanted.commits)

    async def look(self, *, force: bool = False) -> bool:
        """Look what is live; requests in flight go on with what they began with."""
        async with self._looking:
            changed = await asyncio.to_thread(lambda: self.models.look(force=force))
            await self._look_at_keeping()
        if changed:
            self.tell()
        self.metrics.loads.labels("changed" if changed else "same").inc()
        return changed

    def tell(self) -> None:
        """Into log and metrics: which bundle stands where."""
        self.metrics.live.clear()
        for served in self.models.all():
            for place, loaded in served.places():
                self.metrics.live.labels(served.name, place, loaded.digest).set(1)
        stands = [f"{s.name} {place} {x.digest[:12]}" for s in self.models.all() for place, x in s.places()]
        self.log("live", "warning" if self.models.faults else "info", stands=stands, faults=list(self.models.faults))

    async def _follow(self) -> None:
        away = False
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.look()
                away = False
            except HoldgoodError as error:
                self.metrics.loads.labels("failed").inc()
                if not away:
                    self.log("what is live cannot be seen", "error", why=error.came)
                away = True
            except Exception as error:  # the next look may go well
                self.log.fault("look failed", error)

    async def _seek(self) -> None:
        while True:
            await asyncio.sleep(_SEEK)
            assert self._desk is not None
            try:
                await self._desk.recorder.seek()
            except Exception as error:  # the next look may go well
                self.log.fault("upkeep failed", error)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            assert self._desk is not None
            self._desk.recorder.give_up_late()
            self.metrics.waiting.set(self._desk.recorder.waiting)
            if self.tokens is not None:
                try:
                    if await asyncio.to_thread(self.tokens.refresh):
                        self.log("tokens read", living=len(self.tokens.alive()))
                except HoldgoodError as error:
                    self.log("tokens cannot be read: nobody is let in", "error", why=error.came)
                except Exception as error:  # whatever it is, the next second comes
                    self.log.fault("upkeep failed", error)
