"""Which alarms stand, by what the looks in the journal said: read, without taking a look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from holdgood.core.records import Acknowledgement, Alarm, WatchLook
from holdgood.journal import Entry, Journal, standing_now

_WORST_FIRST = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True)
class Standing:
    """An alarm as it was last found. ``since``: the end of the look that began it; ``last``: of the newest that found it; ``over``: of the one
    that ended it, empty while it is open. ``quiet``: it began while somebody wanted no word about it. ``seen``: who has seen it, of this time.
    """

    alarm: Alarm
    since: str
    last: str
    over: str = ""
    quiet: bool = False
    seen: Acknowledgement | None = None
    closed: Acknowledgement | None = None
    """By whose word an alarm that no look could judge is over, or will be at the next look; none where a later look found it again."""

    written: str = ""
    """When the look that began it was written down."""


@dataclass(frozen=True)
class Stands:
    """The alarms of some models, worst first, and the end of the newest look at each model (none where nobody has looked)."""

    alarms: tuple[Standing, ...]
    looked: dict[str, str]


def alarms_of(
    journal: Journal, model: str | None = None, *, over: bool = False, until: datetime | None = None
) -> Stands:
    """Open alarms of a model, or of all that are live; with ``over`` also those that have ended. ``until`` (UTC): by the looks up to then."""
    models = [model] if model else sorted({s.model for s in standing_now(journal)})
    words = journal.read(Acknowledgement)
    found: list[Standing] = []
    looked: dict[str, str] = {}
    for name in models:
        looks = sorted(journal.read(WatchLook, model=name), key=lambda w: w[1].ends)
        looks = [w for w in looks if until is None or w[1].ends <= until.isoformat()]
        if looks:
            looked[name] = looks[-1][1].ends
        newest = {a.id: a for _, a in sorted(journal.read(Alarm, model=name), key=lambda e: e[1].ends)}
        found += [_seen(s, words) for s in _played(looks, newest) if over or not s.over]
    found.sort(key=lambda s: (bool(s.over), _WORST_FIRST[s.alarm.severity], s.since, s.alarm.id))
    return Stands(tuple(found), looked)


def _played(looks: Iterable[tuple[Entry, WatchLook]], newest: dict[str, Alarm]) -> Iterable[Standing]:
    """What stands after some looks, oldest first; what is over stays as it was when it ended last."""
    there: dict[str, Standing] = {}
    for entry, look in looks:
        for id in (*look.told, *look.snoozed):
            before, quiet = there.get(id), id in look.snoozed
            if id in newest and (before is None or before.over or (before.quiet and not quiet)):
                there[id] = Standing(newest[id], look.ends, look.ends, quiet=quiet, written=entry.recorded_utc)
        for id in set(look.found) & there.keys():
            there[id] = replace(there[id], last=look.ends)
        # what was never told is never told to be over either: it lasts as long as it is found; without rows nothing could be
        silent = [id for id, s in there.items() if look.rows and s.quiet and not s.over and id not in look.found]
        for id in {*look.ended, *silent} & there.keys():
            there[id] = replace(there[id], over=look.ends)
    return there.values()


def _seen(standing: Standing, words: Iterable[tuple[Entry, Acknowledgement]]) -> Standing:
    """With the last word on it that names a time, else the last; one from before it began counts while its quiet lasts."""
    now = datetime.now(UTC).isoformat()
    of = [a for e, a in words if a.alarm == standing.alarm.id and (e.recorded_utc >= standing.written or a.until > now)]
    last = max(enumerate(of), key=lambda one: (bool(one[1].until), one[0]), default=None)
    closes = [a for a in of if a.closes and a.closes >= standing.last]
    return standing if last is None else replace(standing, seen=last[1], closed=closes[-1] if closes else None)
