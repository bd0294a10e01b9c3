"""Kinds of demand: smooth, erratic, intermittent, lumpy (Syntetos, Boylan & Croston 2005)."""

from __future__ import annotations

import numpy as np

from holdgood.core.panel import Panel

INTERVAL, SPREAD = 1.32, 0.49
NAMES = ("smooth", "erratic", "intermittent", "lumpy")


def segments(panel: Panel) -> np.ndarray:
    """Code of the segment of each series, (series,): by the mean interval between demands and the squared variation of their size.

    >>> import numpy as np
    >>> p = Panel(np.array(["a", "b"]), np.array([0, 4, 8]), np.zeros(8, "M8[us]"), np.array([5.0, 6, 5, 6, 0, 0, 1, 0]), "D")
    >>> [NAMES[c] for c in segments(p)]
    ['smooth', 'intermittent']
    """
    out = np.zeros(len(panel), np.int64)
    for i, y in enumerate(panel.series()):
        seen = y[~np.isnan(y)]
        sizes = seen[seen != 0]
        if not len(sizes):
            out[i] = 2
            continue
        mean = float(np.mean(sizes))
        spread = float(np.var(sizes)) / mean**2 if mean else 0.0
        out[i] = 2 * (len(seen) / len(sizes) >= INTERVAL) + (spread >= SPREAD)
    return out
