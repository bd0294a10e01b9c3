"""MON005: something that should keep coming has stopped: rows to answer, outcomes, a site."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm
from holdgood.core.traffic import DAY, Look

FEWEST = 10
"""A feed with fewer arrivals has no habit yet."""

LONGER = 1.5


class Silence:
    """The time since the last arrival, against the feed's own habit.

    Two things must hold: the silence is half as long again as the longest one ever seen (which covers nights, weekends and
    bursts), and feeds that come by chance at the feed's rate would be silent so long with probability at most ``alpha`` over all feeds
    (exact Poisson). The first makes the second conservative.
    """

    code: ClassVar[str] = "MON005"
    title: ClassVar[str] = "A feed has gone silent"
    todo: ClassVar[str] = (
        "ask whoever sends this feed; nothing else that is watched can be trusted until it comes again"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """Longest silence first."""
        feeds = {n: a for n, a in look.traffic.feeds.items() if len(a) >= FEWEST}
        found = []
        for name, arrivals in feeds.items():
            gaps = np.diff(arrivals) / DAY
            silent = (look.traffic.as_of - int(arrivals[-1])) / DAY
            longest = float(gaps.max())
            p = min(1.0, len(feeds) * math.exp(-silent / max(float(gaps.mean()), 1e-9)))
            if p < alpha and silent > LONGER * longest:
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
    return f"{days * 24:.1f} hours" if days * 24 >= 1.0 else f"{days * 1440:.0f} minutes"
