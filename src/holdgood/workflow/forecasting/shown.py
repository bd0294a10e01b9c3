"""Which series a planner is shown: the worst, the largest, and some in the middle."""

from __future__ import annotations

import numpy as np

from holdgood.core.panel import Panel
from holdgood.evaluation.forecasts import PastForecasts, losses_by_series

WORST, LARGEST, USUAL = 6, 4, 3


def shown(panel: Panel, past: PastForecasts, metric: str) -> list[tuple[int, str]]:
    """Positions of series and why they are shown, worst first."""
    place = {str(i): k for k, i in enumerate(panel.ids.tolist())}
    losses = losses_by_series(past, metric)
    order = np.argsort(-losses, kind="stable")  # NaN last
    judged = [place[i] for i in past.ids[order[~np.isnan(losses[order])]].astype(str).tolist() if i in place]
    found: dict[int, str] = {}
    for k in judged[:WORST]:
        found[k] = "among the worst at past origins"
    recent = np.nan_to_num(panel.tail(max(panel.season, panel.y.size // max(len(panel), 1) // 4, 1))).sum(axis=1)
    for k in np.argsort(-recent, kind="stable")[:LARGEST].tolist():
        found.setdefault(k, "among the largest")
    middle = max(0, len(judged) // 2 - USUAL // 2)
    for k in judged[middle : middle + USUAL]:
        found.setdefault(k, "in the middle by accuracy")
    for k in range(min(len(panel), WORST)):
        if len(found) >= min(len(panel), WORST):
            break
        found.setdefault(k, "one of the series")
    return list(found.items())
