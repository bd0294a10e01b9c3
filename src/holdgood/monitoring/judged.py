"""Which open alarms a look could not have found: their silence says nothing."""

from __future__ import annotations

from collections.abc import Iterable

from holdgood.core.traffic import Traffic

FEWEST = 30
"""Rows, or outcomes where outcomes tell, below which no detector of means speaks."""

BY_OUTCOMES = ("MON007", "MON011")


def unjudged(traffic: Traffic, newest: int, longest: int, alarms: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Ids, of ``alarms`` (id, code), that rows since ``newest`` and ``longest`` (microseconds: where the windows begin) could not show.

    A look without new rows judges nothing; one with few rows or outcomes in its longest window judges what needs them no more.
    """
    seen = traffic.when >= longest
    rows, known = int(seen.sum()), int((seen & traffic.labelled).sum())
    new = bool((traffic.when >= newest).any())
    return tuple(i for i, code in alarms if not new or rows < FEWEST or (code in BY_OUTCOMES and known < FEWEST))
