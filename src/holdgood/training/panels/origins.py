"""Rolling origins: where the history of a panel is cut, so that forecasts are judged on what came after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel

FEW, MOST = 2, 8
SHARE = 0.3
"""Of a typical history, what all origins together may hold back."""
FEW_SERIES = 10
MOST_TOGETHER = 0.6
"""Share of the series from which on their end is the end of the panel."""
LEAST_STEPS = 3
"""Observations that a series must have before an origin, to be judged there."""


@dataclass(frozen=True)
class Origin:
    """A cut ``dropped`` steps before each series' end; ``judged``: positions of the series that are scored there."""

    dropped: int
    judged: np.ndarray


def origins(panel: Panel, horizon: int, *, count: int | None = None, step: int | None = None) -> list[Origin]:
    """Cuts ``step`` apart (default: the horizon, so that no outcome is judged twice), the latest first.

    Few series are judged at overlapping cuts, a third of a horizon apart: there would be too few errors otherwise. A series is
    judged at a cut where enough of it lies before: twice its season if it is not long, never fewer than LEAST_STEPS or half a
    horizon. Where no series is long enough, the first cut takes what there is. Where most series end together, those that
    ended before are not judged: families that learn from all series have seen the time of their outcomes.
    """
    few = len(panel) < FEW_SERIES
    jump = step or (max(1, horizon // 3) if few else horizon)
    lengths = panel.lengths
    typical = float(np.median(lengths)) if len(lengths) else 0.0
    wanted = count or int(np.clip(SHARE * typical / jump, FEW, MOST))
    before = max(LEAST_STEPS, min(2 * panel.season, 60), (horizon + 1) // 2)
    together = _together(panel)
    found: list[Origin] = []
    for k in range(wanted):
        dropped = horizon + k * jump
        judged = np.flatnonzero(together & (lengths - dropped >= before))
        if not len(judged) and not found:
            dropped = max(1, min(horizon, int(np.median(lengths)) // 2))
            judged = np.flatnonzero(together & (lengths - dropped >= LEAST_STEPS))
        if not len(judged) or (found and len(judged) < 0.2 * len(found[0].judged)):
            break
        found.append(Origin(dropped, judged))
    return found


def _together(panel: Panel) -> np.ndarray:
    """Which series end when most do; all, where there is no such time (series without a calendar in common)."""
    ends = np.full(len(panel), np.datetime64("NaT", "us"))
    some = panel.lengths > 0
    ends[some] = panel.ds[panel.indptr[1:][some] - 1]
    times, count = np.unique(ends[some], return_counts=True)
    if not len(times) or count.max() < MOST_TOGETHER * len(panel):
        return some
    common: np.ndarray = some & (ends >= times[np.argmax(count)])
    return common
