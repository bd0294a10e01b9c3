"""Which series a planner is shown: the worst, the largest, and some in the middle."""

from __future__ import annotations

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.records import ForecastEvaluation

WORST, LARGEST, USUAL = 6, 4, 3


def shown(panel: Panel, evaluation: ForecastEvaluation) -> list[tuple[int, str]]:
    """Positions of series and why they are shown, worst first."""
    place = {str(i): k for k, i in enumerate(panel.ids.tolist())}
    judged = [s for s in evaluation.worst if s.series in place]
    found: dict[int, str] = {}
    for one in judged[:WORST]:
        found[place[one.series]] = "among the worst at past origins"
    recent = np.nan_to_num(panel.tail(max(panel.season, panel.y.size // max(len(panel), 1) // 4, 1))).sum(axis=1)
    for k in np.argsort(-recent, kind="stable")[:LARGEST].tolist():
        found.setdefault(k, "among the largest")
    middle = max(0, len(judged) // 2 - USUAL // 2)
    for one in judged[middle : middle + USUAL]:
        found.setdefault(place[one.series], "in the middle by accuracy")
    for k in range(min(len(panel), WORST)):
        if len(found) >= min(len(panel), WORST):
            break
        found.setdefault(k, "one of the series")
    return list(found.items())
