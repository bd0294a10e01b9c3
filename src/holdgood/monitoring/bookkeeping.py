"""One trouble, one alarm: named by model, code and subject, told once, over when it has stayed away from looks that could have found it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from holdgood.core.records import Acknowledgement, Alarm, WatchLook

QUIET_LOOKS = 2
"""An alarm is over once so many looks in a row, that could have found it, have not."""

APART = 0.9
"""So much of a usual interval lies between the first and the last of them: a minute's silence twice is one silence."""


@dataclass(frozen=True)
class Standing:
    """What to do with what a look found: ``fresh`` are told, ``open`` go on (told before), ``snoozed`` are kept quiet, ``ended`` are over."""

    fresh: tuple[Alarm, ...]
    open: tuple[Alarm, ...]
    snoozed: tuple[Alarm, ...]
    ended: tuple[str, ...]


def alarm_id(model: str, code: str, subject: str) -> str:
    """The same trouble, the same id.

    >>> alarm_id("m", "MON001", "price") == alarm_id("m", "MON001", "price")
    True
    """
    return hashlib.sha256("\0".join((model, code, subject)).encode()).hexdigest()[:16]


def named(alarm: Alarm, model: str, ends: str) -> Alarm:
    """The alarm with its id, its model and the end of the rows looked at."""
    return alarm.model_copy(update={"id": alarm_id(model, alarm.code, alarm.subject), "model": model, "ends": ends})


def surest(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Of each trouble the alarm with the smallest p, then the largest statistic (several windows may find the same)."""
    best: dict[str, Alarm] = {}
    for alarm in alarms:
        held = best.get(alarm.id)
        if held is None or _sureness(alarm) < _sureness(held):
            best[alarm.id] = alarm
    return list(best.values())


def _sureness(alarm: Alarm) -> tuple[float, float]:
    return (1.0 if math.isnan(alarm.p) else alarm.p, -alarm.statistic)


def standing(
    found: Sequence[Alarm], past: Sequence[WatchLook], open_before: Iterable[str],
    acknowledged: Mapping[str, Acknowledgement], now: str, *, days: float, unjudged: Iterable[str] = (), closed: Iterable[str] = (),
) -> Standing:  # fmt: skip
    """``past``: earlier looks, newest first; ``open_before``: ids told and not over; ``now``: UTC, ISO; ``days``: usual from look to look.

    ``unjudged``: ids that this look could not have found: it ends none of them, but those that people ``closed``.
    """
    still = set(open_before)
    here = {a.id for a in found}
    blind, by_people = set(unjudged), set(closed)
    ended = tuple(
        sorted(i for i in still - here if i in by_people or (i not in blind and _stayed_away(i, past, now, days)))
    )
    hushed = {i for i, a in acknowledged.items() if a.until and a.until > now}
    return Standing(
        fresh=tuple(a for a in found if a.id not in still and a.id not in hushed),
        open=tuple(a for a in found if a.id in still),
        snoozed=tuple(a for a in found if a.id not in still and a.id in hushed),
        ended=ended,
    )


def _stayed_away(alarm: str, past: Sequence[WatchLook], now: str, days: float) -> bool:
    """Whether the looks since it was last found, and this one, are enough silence to end it."""
    silent = [now]
    for look in past:
        if alarm in look.found:
            break
        if look.rows and alarm not in look.unjudged:
            silent.append(look.ends)
    span = datetime.fromisoformat(now) - datetime.fromisoformat(silent[-1])
    return len(silent) >= QUIET_LOOKS and span.total_seconds() >= APART * days * 86_400.0
