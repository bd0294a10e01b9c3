"""An answer on its way into the journal: ready to be written, without a record object in between.

What ``journal.chain.draft`` makes of a Prediction, in a tenth of the time: at hundreds of answers a second it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from holdgood.core.records import Prediction
from holdgood.core.records.envelope import PRODUCER
from holdgood.core.records.journal import Place
from holdgood.journal.chain import Draft
from holdgood.journal.keys import Keys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Answered:
    """One answer. Times are in the notation of ``journal.keys.moment_of``; ``id`` and ``subject`` can be keys there.

    ``commitment``: as ``records.commitment.committed`` makes it, where ``facts`` are not kept and it is.
    """

    id: str
    model: str
    bundle_digest: str
    place: Place
    event_time: str
    known_time: str
    subject: str
    facts: Mapping[str, Any] | None
    answer: Mapping[str, Any]
    verdict: str
    why: str
    commitment: Mapping[str, str] | None = None

    def draft(self) -> Draft:
        """The entry. Raises TypeError for what JSON cannot hold."""
        payload = {
            "id": self.id, "model": self.model, "bundle_digest": self.bundle_digest, "place": self.place, "event_time": self.event_time,
            "known_time": self.known_time, "subject": self.subject, "facts": self.facts, "answer": self.answer, "verdict": self.verdict,
            "why": self.why,
        }  # fmt: skip
        if self.commitment is not None:
            payload["commitment"] = self.commitment
        envelope = {
            "kind": Prediction.kind, "schema": Prediction.schema_number, "created_utc": self.known_time, "producer": PRODUCER, "payload": payload,
        }  # fmt: skip
        keys = Keys(self.model, self.id, self.place, self.subject or None, self.event_time)
        return Draft(Prediction.kind, orjson.dumps(envelope).decode(), keys)


def moment(microseconds: int) -> str:
    """A moment of the epoch in the journal's notation; OverflowError for years that Python does not have."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def now() -> str:
    """Now, in the journal's notation."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
