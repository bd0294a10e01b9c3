"""Which open alarms a look could not have found, and why: their silence says nothing, and people are told so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdgood.core.records import Acknowledgement, WatchLook
from holdgood.core.text import counted
from holdgood.core.traffic import DAY, Traffic
from holdgood.monitoring.mon009_fairness import THIN, of_outcomes, told_by

FEWEST = 30
"""Rows, or outcomes where outcomes tell, below which no detector of means speaks."""

BY_OUTCOMES = ("MON007", "MON011")


def unjudged(traffic: Traffic, newest: int, longest: int, alarms: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """By id why, of ``alarms`` (id, code, subject), that rows since ``newest`` and ``longest`` (microseconds: where the windows begin) could not show.

    A look without new rows judges nothing; one with few rows or outcomes in its longest window judges what needs them no more, nor gaps
    between groups where not two of them have rows enough.
    """
    seen = traffic.when >= longest
    window = traffic.take(seen)
    rows, known = len(window), int(window.labelled.sum())
    new = bool((traffic.when >= newest).any())
    why = {}
    for alarm, code, subject in alarms:
        if rows < FEWEST:
            why[alarm] = f"{rows} of {FEWEST} rows in {_span(traffic.as_of - longest)}"
        elif (code in BY_OUTCOMES or (code == "MON009" and of_outcomes(subject))) and known < FEWEST:
            why[alarm] = f"{known} of {FEWEST} rows with an outcome in {_span(traffic.as_of - longest)}"
        elif code == "MON009" and (groups := told_by(window, subject)) < 2:
            why[alarm] = f"{groups} of 2 groups with {THIN} rows that tell in {_span(traffic.as_of - longest)}"
        elif not new:
            why[alarm] = f"no row in {_span(traffic.as_of - newest)}"
    return why


def _span(microseconds: int) -> str:
    """How long, in weeks where it is whole weeks."""
    days = microseconds / DAY
    return counted(round(days) // 7, "week") if days % 7 == 0 else f"{days:.3g} days"


def opened(looks: Sequence[WatchLook]) -> dict[str, str]:
    """By id since when an alarm is open: the end of the look that told it. ``looks``: oldest first."""
    there: dict[str, str] = {}
    for look in looks:
        for alarm in look.told:
            there.setdefault(alarm, look.ends)
        for ended in look.ended:
            there.pop(ended, None)
    return there


def closed(words: Iterable[Acknowledgement], looks: Sequence[WatchLook]) -> dict[str, Acknowledgement]:
    """By id what closes an alarm that nobody could judge: a word after which no look has found it again."""
    return {
        a.alarm: a
        for a in words
        if a.closes and not any(w.ends > a.closes and a.alarm in (*w.found, *w.told) for w in looks)
    }
