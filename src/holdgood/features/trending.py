"""Features that only tell the time: under a split by time, every later row lies outside anything that was seen."""

from __future__ import annotations

import numpy as np

from holdgood.core.frame import Frame

# |Spearman's rho| between a number and the row's moment from which the number is called a clock.
_CLOCK = 0.95
# So many rows settle a rank correlation to about ±0.01; evenly spread over time, so that no draw is needed.
_MOST_ROWS = 20_000
_FEWEST_ROWS = 30


def clocks(frame: Frame, time: np.ndarray) -> dict[str, str]:
    """Number features that rise or fall with time alone, with the reason to leave them out.

    Calendar parts do so wherever the rows span less than one of their cycles (months within half a year): a tree learns
    "after June" and a line extrapolates it, and both are wrong on the first later row. ``time``: int64, (n,). Looks at
    no outcome.
    """
    order = np.argsort(time, kind="stable")
    step = max(1, len(order) // _MOST_ROWS)
    rows = order[::step]
    moments = _ranks(time[rows].astype(float))
    found = {}
    for feature, values in zip(frame.features, frame.arrays, strict=True):
        if feature.type != "number":
            continue
        seen = values[rows]
        there = np.isfinite(seen)
        if there.sum() < _FEWEST_ROWS or np.ptp(seen[there]) == 0:
            continue
        rho = _correlation(_ranks(seen[there]), _ranks(moments[there]))
        if abs(rho) >= _CLOCK:
            found[feature.name] = (
                f"tells the time only (rank correlation {rho:+.2f}): later rows lie outside anything seen"
            )
    return found


def _ranks(values: np.ndarray) -> np.ndarray:
    """Mid-ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2.0)[inverse]


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / spread) if spread > 0 else 0.0
