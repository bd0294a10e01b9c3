"""The desk: what every handler works with, and the worker threads behind it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from holdgood.core.declared_live import KeepSpec
from holdgood.core.errors import Busy
from holdgood.serving.limits import Limits
from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics
from holdgood.serving.recorder import Recorder
from holdgood.serving.shadow import Shadows
from holdgood.serving.standing import Models

T = TypeVar("T")


class Workers:
    """A few threads with a short queue: what does not fit is told to come again, so that memory does not grow."""

    def __init__(self, metrics: Metrics, *, threads: int = 0, most: int = 32) -> None:
        self._pool = ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1), thread_name_prefix="worker")
        self._metrics, self._most, self.busy = metrics, most, 0

    async def run(self, work: Callable[[], T]) -> T:
        """In a thread; raises Busy where too much waits already."""
        if self.busy >= self._most:
            raise Busy(f"{self.busy} tasks wait for a worker", f"at most {self._most}", "ask again a little later")
        self.busy += 1
        self._metrics.working.set(self.busy)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.busy -= 1
            self._metrics.working.set(self.busy)

    def close(self) -> None:
        """Finish what was begun."""
        self._pool.shutdown(wait=True)


@dataclass
class Keeping:
    """``facts``: whether rows are kept in the journal beside their answers. ``commits``: whether, where they are not, commitments to them are.

    Changed by the upkeep alone, while the server runs.
    """

    facts: bool = True
    commits: bool = False

    @classmethod
    def of(cls, spec: KeepSpec) -> Keeping:
        """As a live folder says."""
        return cls(spec.facts, spec.commitments and not spec.facts)


@dataclass(frozen=True)
class Desk:
    """What handlers have in common."""

    models: Models
    recorder: Recorder
    workers: Workers
    shadows: Shadows
    metrics: Metrics
    log: Log
    limits: Limits
    keeping: Keeping = field(default_factory=Keeping)

    @property
    def keep_facts(self) -> bool:
        """See ``Keeping``."""
        return self.keeping.facts

    @property
    def commits(self) -> bool:
        """See ``Keeping``."""
        return self.keeping.commits

    async def work(self, task: Callable[[], T]) -> T:
        """Run a task in a worker thread."""
        return await self.workers.run(task)
