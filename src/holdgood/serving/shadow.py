"""A shadow: scored after the caller has been answered, written into the journal, and never heard of otherwise."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pyarrow as pa

from holdgood.core.errors import DuplicateError
from holdgood.serving.entry import Answered
from holdgood.serving.loaded import Loaded
from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics
from holdgood.serving.recorder import Recorder

_MOST = 1_000
_Task: TypeAlias = tuple[Loaded, Sequence[Answered], Sequence[Mapping[str, Any]], Mapping[str, pa.Table]]


class Shadows:
    """One thread with a short queue; what it has no time for is counted and left out, whatever happens in it stays there."""

    def __init__(self, recorder: Recorder, metrics: Metrics, log: Log) -> None:
        self._recorder, self._metrics, self._log = recorder, metrics, log
        self._queue: queue.Queue[_Task | None] = queue.Queue(_MOST)
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
        try:
            self._queue.put_nowait((shadow, answered, rows, related))
        except queue.Full:
            self._metrics.shadow_faults.labels(shadow.name).inc(len(answered))

    def close(self) -> None:
        """Score what waits, then end."""
        self._queue.put(None)
        self._thread.join(timeout=30.0)

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            shadow, answered, rows, related = task
            try:
                self._answer(shadow, answered, rows, related)
            except DuplicateError:
                continue  # asked again with the same id: it has spoken
            except Exception as error:
                self._metrics.shadow_faults.labels(shadow.name).inc(len(answered))
                self._log.fault("shadow failed", error, model=shadow.name, bundle=shadow.digest)

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
        self._recorder.later(said)
        for a in answers:
            self._metrics.answered(shadow.name, "shadow", a.verdict)
