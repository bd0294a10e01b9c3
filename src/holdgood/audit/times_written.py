"""Times of day in texts: how a column writes them, and what a text that carries more than a time says in that way."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_TWELVE = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::\d{2})?(\s*([apAP])(?:\.?\s*[mM])?\.?)(?![a-z])")
_BARE = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2})(?![\d:])")
_MAY_BE = re.compile(r"\d{1,2}:\d{2}")


@dataclass(frozen=True)
class Clock:
    """How times are written: ``before`` and ``after`` noon are what follows the digits; both empty on a clock of 24 hours."""

    before: str
    after: str
    padded: bool

    def write(self, minutes: int) -> str:
        """A time of day, given as minutes since midnight, as the column writes it."""
        hour, minute = divmod(minutes, 60)
        if not (self.before or self.after):
            return f"{hour:02d}:{minute:02d}" if self.padded else f"{hour}:{minute:02d}"
        twelve = hour % 12 or 12
        digits = f"{twelve:02d}:{minute:02d}" if self.padded else f"{twelve}:{minute:02d}"
        return digits + (self.before if hour < 12 else self.after)


def minutes_in(text: str, clock: Clock) -> int | None:
    """The one time of day that a text holds, in minutes since midnight; None where it holds none, several or half a time.

    >>> minutes_in("12/02/2011 5:50 a.m.", Clock(" a.m.", " p.m.", False)), minutes_in("Thu 6:55", Clock("a", "p", False))
    (350, None)
    """
    halves = _TWELVE.findall(text)
    if len(halves) == 1:
        hour, minute = int(halves[0][0]), int(halves[0][1])
        if not 1 <= hour <= 12 or minute > 59:
            return None
        return (hour % 12 + (12 if halves[0][3].lower() == "p" else 0)) * 60 + minute
    if halves or clock.before or clock.after:
        return None
    bare = _BARE.findall(text)
    if len(bare) != 1 or int(bare[0][0]) > 23 or int(bare[0][1]) > 59:
        return None
    return int(bare[0][0]) * 60 + int(bare[0][1])


def clock_of(texts: dict[str, int], least: float) -> Clock | None:
    """How a column writes times, where at least that share of its rows is written in one way; None where it does not."""
    total = sum(texts.values())
    likely = {t: r for t, r in texts.items() if _MAY_BE.search(t)}
    if sum(likely.values()) < least * total:
        return None
    before, after = Counter[str](), Counter[str]()
    bare = padded = short = 0
    for text, rows in likely.items():
        twelve = _TWELVE.fullmatch(text)
        if twelve:
            (after if twelve[4].lower() == "p" else before)[twelve[3]] += rows
        elif _BARE.fullmatch(text):
            bare += rows
        else:
            continue
        hour = text.split(":")[0]
        padded += rows * (len(hour) == 2 and hour[0] == "0")
        short += rows * (len(hour) == 1)
    if bare >= least * total:
        return Clock("", "", padded >= short)
    if not before or not after:
        return None
    am, pm = (max(c.items(), key=lambda p: (p[1], p[0])) for c in (before, after))
    if am[1] + pm[1] < least * total:
        return None
    return Clock(am[0], pm[0], padded > short)
