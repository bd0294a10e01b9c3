"""MON005: something that should keep coming has stopped: rows to answer, outcomes, a site."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm
from holdgood.core.text import counted
from holdgood.core.traffic import DAY, Look

FEWEST = 10
"""A feed with fewer arrivals has no habit yet."""

LONGER = 1.5
DAYS = 3
"""A feed that came on fewer days (UTC) has no habit yet either: within one batch it is never silent."""
WEEK = 7.0
"""A feed seen for less than this has had no weekend: only a silence of as long says something."""
SHORTEST = 1 / 24
"""Days; a shorter silence is not told."""
OF_THE_WINDOW = 0.01
"""Nor one shorter than this part of the window, where that is less: who looks every few minutes is told within minutes."""


class Silence:
    """The time since the last arrival, against the feed's own habit.

    Two things must hold: the silence is half as long again as the longest one ever seen (which covers nights, weekends and
    bursts), and feeds that come by chance at the feed's rate would be silent so long with probability at most ``alpha`` over all feeds
    (exact Poisson). The first makes the second conservative, once nights and weekends have been seen: a feed is judged when it came on three days,
    and one seen for less than a week by a silence of a week (one batch says nothing of when the next one is due). A silence
    under an hour is not told, or under a hundredth of the window where that is less.
    """

    code: ClassVar[str] = "MON005"
    title: ClassVar[str] = "A feed has gone silent"
    todo: ClassVar[str] = (
        "ask whoever sends this feed; nothing else that is watched can be trusted until it comes again"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """Longest silence first."""
        feeds = {n: a for n, a in look.traffic.feeds.items() if len(a) >= FEWEST and len(np.unique(a // DAY)) >= DAYS}
        least = min(SHORTEST, OF_THE_WINDOW * (look.ends - look.begins) / DAY)
        found = []
        for name, arrivals in feeds.items():
            gaps = np.diff(arrivals) / DAY
            silent = (look.traffic.as_of - int(arrivals[-1])) / DAY
            longest = float(gaps.max())
            young = int(arrivals[-1]) - int(arrivals[0]) < WEEK * DAY
            p = min(1.0, len(feeds) * math.exp(-silent / max(float(gaps.mean()), 1e-9)))
            if p < alpha and silent > LONGER * longest and silent >= (WEEK if young else least):
                found.append(
                    Alarm(
                        code=self.code, title=self.title, subject=name,
                        severity="high" if silent > 3.0 * longest else "medium",
                        message=f"no {name} for {_long(silent)}; the longest silence among {len(arrivals):,} arrivals was {_long(longest)}",
                        statistic=silent, p=p, alpha=alpha, n_reference=len(arrivals), n_current=0, todo=self.todo,
                    )
                )  # fmt: skip
        return sorted(found, key=lambda a: -a.statistic)


DETECTOR = Silence()


def _long(days: float) -> str:
    if days >= 2.0:
        return f"{days:.1f} days"
    if days * 24 >= 1.0:
        return f"{days * 24:.1f} hours"
    return counted(round(days * 1440), "minute") if days * 1440 >= 1.0 else counted(round(days * 86_400), "second")
