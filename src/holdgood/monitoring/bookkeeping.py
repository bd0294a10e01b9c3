"""One trouble, one alarm: named by model, code and subject, told once, over when it has stayed away."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from holdgood.core.records import Acknowledgement, Alarm

QUIET_LOOKS = 2
"""An alarm is over once so many looks in a row have not found it."""


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
    found: Sequence[Alarm], past: Sequence[Sequence[str]], open_before: Iterable[str],
    acknowledged: Mapping[str, Acknowledgement], now: str,
) -> Standing:  # fmt: skip
    """``past``: ids found by earlier looks, newest first; ``open_before``: ids told and not over; ``now``: UTC, ISO."""
    still = set(open_before)
    here = {a.id for a in found}
    quiet = [set(ids) for ids in past[: QUIET_LOOKS - 1]]
    ended = tuple(
        sorted(i for i in still - here if len(quiet) == QUIET_LOOKS - 1 and not any(i in ids for ids in quiet))
    )
    hushed = {i for i, a in acknowledged.items() if a.until and a.until > now}
    return Standing(
        fresh=tuple(a for a in found if a.id not in still and a.id not in hushed),
        open=tuple(a for a in found if a.id in still),
        snoozed=tuple(a for a in found if a.id not in still and a.id in hushed),
        ended=ended,
    )
