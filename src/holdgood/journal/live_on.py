"""What stood where at a moment: the promotions, rollbacks and retirements up to then, played in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from holdgood.core.records import Promotion, Standing
from holdgood.journal.keys import asked_time
from holdgood.journal.log import Entry, Journal

_PLACES = ("champion", "canary", "shadow")
_LAST = datetime.max.replace(tzinfo=UTC)


def live_on(journal: Journal, when: datetime | str, model: str | None = None) -> list[Standing]:
    """What was live at ``when`` (a time in UTC; a day means its end), of one model or all: champion, canary, shadow.

    A promotion counts from its own ``when``, or else from when it was written down.
    """
    history = journal.read(Promotion, model=model, until=_end(when))
    return stood(history)


def standing_now(journal: Journal, model: str | None = None) -> list[Standing]:
    """What stands where now: whatever was written down counts, also what was said to begin later."""
    return stood(journal.read(Promotion, model=model))


def stood(history: Iterable[tuple[Entry, Promotion]]) -> list[Standing]:
    """What stands after some promotions in order."""
    there: dict[tuple[str, str], Standing] = {}
    for entry, said in history:
        key = (said.model, said.place)
        if said.action == "retire":
            there.pop(key, None)
            continue
        there[key] = Standing(since=entry.moment, recorded_utc=entry.recorded_utc, **said.model_dump(exclude={"when"}))
    return sorted(there.values(), key=lambda s: (s.model, _PLACES.index(s.place)))


def _end(when: datetime | str) -> datetime:
    """The first moment that is too late."""
    day = isinstance(when, str) and len(when.strip()) <= len("2026-03-01")
    begins = datetime.fromisoformat(asked_time(when))
    after = timedelta(days=1) if day else timedelta(microseconds=1)
    return begins + min(after, _LAST - begins)
