"""When an outcome can have been known: not in the future, and not before the prediction that it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from holdgood.core.records import Prediction
from holdgood.journal.keys import moment_of

SKEW = timedelta(minutes=5)
"""How far the clock of whoever tells it may be ahead."""


class Asked(NamedTuple):
    """``since``: from when on an outcome of a row can be known, as ``made`` gives it; ``refused``: it broke the contract and was given no answer."""

    since: str
    refused: bool


def made(answered: Prediction) -> str:
    """From when on an outcome of it can be known, as ``moment_of`` writes it; empty where no time of it is kept.

    What counts is when it is about (``event_time``), so that replayed traffic can be told; one that is about a later day counts from when it
    was made, as an outcome may be known before its day (a cancellation).
    """
    return min((m for t in (answered.event_time, answered.known_time) if t and (m := moment_of(t))), default="")


def untimely(given: str, since: str) -> str | None:
    """Why an outcome cannot have been known at a moment that somebody gives; None where it can, or where none is given.

    ``since``: as ``made`` gives it for the prediction.
    """
    known = moment_of(given) if given else None
    if known is None:
        return None
    latest = moment_of((datetime.now(UTC) + SKEW).isoformat()) or ""
    if known > latest:
        return f"known_time: {given[:40]} is still to come (clocks may differ by {SKEW.seconds // 60} minutes); say when it was known, or leave it out"
    if since and known < since:
        read = "a day alone is its beginning, and times without a zone are UTC"
        return f"known_time: {given[:40]} is before the prediction that it is about ({since[:19]} UTC); {read}"
    return None
