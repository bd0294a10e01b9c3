"""Rolling origins: where the history of a panel is cut, so that forecasts are judged on what came after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel

FEW, MOST = 2, 8
SHARE = 0.3
"""Of a typical history, what all origins together may hold back."""
LEAST_STEPS = 3
"""Observations that a series must have before an origin, to be judged there."""


@dataclass(frozen=True)
class Origin:
    """A cut ``dropped`` steps before each series' end; ``judged``: positions of the series that are scored there."""

    dropped: int
    judged: np.ndarray


def origins(
    panel: Panel, horizon: int, *, count: int | None = None, step: int | None = None, embargo: int = 0
) -> list[Origin]:
    """Cuts ``step`` apart (default: the horizon, so that no outcome is judged twice), the latest first.

    ``embargo``: steps between the last one learned from and the first one scored, that nobody scores: they belong to the
    forecast's horizon but are not known in time. A series is judged at a cut where enough of it lies before: twice its season
    if it is long, never fewer than LEAST_STEPS or half a horizon. Where no series is long enough, the first cut takes what there is.
    """
    jump = step or horizon
    lengths = panel.lengths
    typical = float(np.median(lengths)) if len(lengths) else 0.0
    wanted = count or int(np.clip(SHARE * typical / jump, FEW, MOST))
    before = max(LEAST_STEPS, min(2 * panel.season, 60), (horizon + 1) // 2)
    found: list[Origin] = []
    for k in range(wanted):
        dropped = horizon + embargo + k * jump
        judged = np.flatnonzero(lengths - dropped >= before)
        if not len(judged) and not found:
            dropped = max(1, min(horizon, int(np.median(lengths)) // 2))
            judged = np.flatnonzero(lengths - dropped >= LEAST_STEPS)
        if not len(judged) or (found and len(judged) < 0.2 * len(found[0].judged)):
            break
        found.append(Origin(dropped, judged))
    return found
