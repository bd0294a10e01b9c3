"""One series as a planner sees it: its last steps, the forecast with its spread, and what would have been forecast before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel, Paths
from holdgood.evaluation.forecasts import PastForecasts

BANDS = ((0.025, 0.975), (0.1, 0.9))
"""Central 95% and 80%."""
_LEAST, _MOST = 24, 160


@dataclass(frozen=True, eq=False)
class SeriesView:
    """``ds``, ``y``, ``hidden``: the last steps of history, and where a stock-out hid demand; ``ahead``: moments of the steps ahead.

    ``low``, ``high``: (bands, horizon); ``past``: (moments, points) of each past origin.
    """

    name: str
    why: str
    ds: np.ndarray
    y: np.ndarray
    hidden: np.ndarray
    ahead: np.ndarray
    point: np.ndarray
    low: np.ndarray
    high: np.ndarray
    past: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    drivers: tuple[tuple[str, np.ndarray], ...] = ()
    """Parts of the forecast by name, (horizon,) each; they add up to ``point``."""


def series_views(
    panel: Panel,
    paths: Paths,
    whys: Sequence[str],
    past: PastForecasts,
    dropped: Sequence[int],
    drivers: tuple[Sequence[str], np.ndarray] | None = None,
) -> tuple[SeriesView, ...]:
    """Views of the series of ``panel``, in order; ``past`` may hold others, and lack some. ``drivers``: names and (series, horizon, names)."""
    place = {str(i): k for k, i in enumerate(past.ids.tolist())}
    levels = np.array([v for band in BANDS for v in band])
    quantiles = paths.quantile(levels)
    views = []
    for s, why in enumerate(whys):
        begin, end = int(panel.indptr[s]), int(panel.indptr[s + 1])
        horizon = paths.horizon
        first = max(
            begin, end - min(_MOST, max(_LEAST, 4 * horizon, 3 * panel.season, max(dropped, default=0) + horizon))
        )
        earlier = []
        k = place.get(str(panel.ids[s]))
        for o, back in enumerate(dropped):
            start = end - back
            stop = min(start + horizon, end)
            if k is None or start < begin or np.isnan(past.points[o, k]).all():
                continue
            earlier.append((panel.ds[start:stop], past.points[o, k, : stop - start]))
        available = panel.available
        hidden = np.zeros(end - first, bool) if available is None else ~available[first:end]
        views.append(
            SeriesView(
                str(panel.ids[s]), why, panel.ds[first:end], panel.y[first:end], hidden, paths.ds[s], paths.point[s],
                quantiles[s, :, 0::2].T, quantiles[s, :, 1::2].T, tuple(earlier),
                () if drivers is None else tuple((n, drivers[1][s, :, k]) for k, n in enumerate(drivers[0])),
            )
        )  # fmt: skip
    return tuple(views)
