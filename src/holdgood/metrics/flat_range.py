"""How much the choice of a threshold matters: the thresholds that earn nearly as much as the best one."""

from __future__ import annotations

import numpy as np

from holdgood.metrics.cost import CostTable, best_threshold, gain_curve

NEARLY = 0.01
"""Share of the best money that may be lost."""


def flat_range(
    table: CostTable, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None, worth: np.ndarray | None = None
) -> tuple[float, float]:
    """The range of thresholds around the best one that all save at least 99% of what it saves against acting on nobody.

    ``weight`` and ``worth`` as in ``best_threshold``. A wide range: the exact threshold hardly matters. O(n log n).
    """
    best = best_threshold(table, y, p, weight, worth)
    scores, gain = gain_curve(table, y, p, weight, worth)
    top = float(np.max(gain))
    nearly = gain >= top - NEARLY * abs(top) - 1e-12 * float(np.max(np.abs(gain)))
    acted = int(np.sum(scores >= best))  # distinct chances that the best threshold acts on
    fewer = more = acted
    while fewer > 0 and nearly[fewer - 1]:
        fewer -= 1
    while more < len(scores) and nearly[more + 1]:
        more += 1
    low = 0.0 if more == len(scores) else float(scores[more])
    high = 1.0 if fewer == 0 else float(scores[fewer - 1])
    return min(low, best), max(high, best)
