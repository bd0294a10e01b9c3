"""Which answers were about rows that the reference hardly knows: of them nothing can be said before outcomes come."""

from __future__ import annotations

import numpy as np

from holdgood.core.declared_watch import WatchingSpec
from holdgood.core.traffic import DAY, Traffic
from holdgood.monitoring.support import unlike
from holdgood.workflow.live.in_use import InUse
from holdgood.workflow.live.learner import learner


def unlike_of(spec: WatchingSpec, in_use: InUse, traffic: Traffic) -> np.ndarray | None:
    """(n,) bool; None where rows or a reference are not known.

    Both the shortest and the longest window are asked: a crowd that came this week is thin among those of a quarter, and one that has
    trickled in is thin in a week.
    """
    if in_use.usual is None or in_use.features is None:
        return None
    names = [n for n in in_use.features.names if n not in in_use.left_out]
    if not names:
        return None
    found = np.zeros(len(traffic), bool)
    reference, current = in_use.usual.frame.select(names), in_use.features.select(names)
    moment = traffic.when[in_use.rows]
    for looks in sorted({min(spec.windows), max(spec.windows)}):
        here = np.flatnonzero(moment >= traffic.as_of - round(looks * spec.days * DAY))
        rows = in_use.rows[here]
        found[rows] |= unlike(learner("binary"), reference, current.take(here))
    return found
