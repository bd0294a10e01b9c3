"""A shadow: scored after the caller has been answered, written into the journal, and never heard of otherwise."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeAlias

import pyarrow as pa

from holdgood.core.errors import DuplicateError
from holdgood.journal import Head
from holdgood.serving.entry import Answered
from holdgood.serving.loaded import Loaded
from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics
from holdgood.serving.recorder import Recorder

_MOST_ROWS = 10_000
_Task: TypeAlias = tuple[Loaded, Sequence[Answered], Sequence[Mapping[str, Any]], Mapping[str, pa.Table]]


class Shadows:
    """One thread with a queue of so many rows; what it has no time for is counted and left out, whatever happens in it stays there."""

    def __init__(self, recorder: Recorder, metrics: Metrics, log: Log) -> None:
        self._recorder, self._metrics, self._log = recorder, metrics, log
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._rows, self._change = 0, threading.Lock()
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def add(
        self,
        shadow: Loaded,
        answered: Sequence[Answered],
        rows: Sequence[Mapping[str, Any]],
        related: Mapping[str, pa.Table],
    ) -> None:
        """Have the shadow answer rows that were answered."""
        with self._change:
            full = self._rows and self._rows + len(answered) > _MOST_ROWS
            self._rows += 0 if full else len(answered)
        if full:
            self._metrics.shadow_faults.labels(shadow.name).inc(len(answered))
        else:
            self._queue.put((shadow, answered, rows, related))

    def close(self) -> None:
        """Score what waits, then end."""
        self._queue.put(None)
        self._thread.join(timeout=30.0)

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            shadow, answered, rows, related = task
            try:
                self._answer(shadow, answered, rows, related)
            except Exception as error:
                self._failed(shadow, error, len(answered))
            with self._change:
                self._rows -= len(answered)

    def _answer(
        self,
        shadow: Loaded,
        answered: Sequence[Answered],
        rows: Sequence[Mapping[str, Any]],
        related: Mapping[str, pa.Table],
    ) -> None:
        scorer = shadow.rows()
        others = {n: scorer.model.table_of(frame, n) for n, frame in related.items()}
        answers = scorer.rows(rows, others)
        said = [
            replace(
                p, place="shadow", bundle_digest=shadow.digest, answer=a.answer, verdict=a.verdict, why=a.why
            ).draft()
            for p, a in zip(answered, answers, strict=True)
        ]

        def written(done: Future[Head]) -> None:
            error = done.exception()
            if error is None:
                for a in answers:
                    self._metrics.answered(shadow.name, "shadow", a.verdict)
            elif not isinstance(error, DuplicateError):  # asked again with the same id: it has spoken
                self._failed(shadow, error, len(answers))

        self._recorder.later(said).add_done_callback(written)

    def _failed(self, shadow: Loaded, error: BaseException, rows: int) -> None:
        self._metrics.shadow_faults.labels(shadow.name).inc(rows)
        self._log.fault("shadow failed", error, model=shadow.name, bundle=shadow.digest)
