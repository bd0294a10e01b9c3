"""Origins: points in time from which a panel is looked back on, and the history and the future seen from there.

An origin is the position just behind the last step that is known. What a feature may use lies before it; the same code
serves training (origins within the history) and forecasts (origins at its end, the future appended without values).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.panel import Future, Panel


@dataclass(frozen=True)
class Origins:
    """``series`` (n,) rows of the panel; ``end`` (n,) positions in its flat arrays, one behind the last known step."""

    series: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        """Number of origins."""
        return len(self.end)

    def take(self, rows: np.ndarray) -> Origins:
        """Some of them."""
        return Origins(self.series[rows], self.end[rows])


def with_future(panel: Panel, future: Future) -> tuple[Panel, Origins]:
    """The panel with the steps to come appended (values NaN), and the origin of each series at the end of its history.

    DataError where the future is of other series, or a covariate that the panel has is not known ahead.
    """
    n, horizon = len(panel), future.horizon
    missing = sorted(set(panel.known) - set(future.known))
    if len(future.ds) != n or missing:
        raise DataError(
            f"a future of {len(future.ds)} series for {n}, without {missing or 'nothing'}",
            "a row a series, and every covariate that is known ahead",
            "give the steps to come with the columns declared as known",
        )
    lengths = panel.lengths
    indptr = panel.indptr + horizon * np.arange(n + 1)
    old = np.repeat(indptr[:-1] - panel.indptr[:-1], lengths) + np.arange(len(panel.y))
    new = (indptr[:-1] + lengths)[:, None] + np.arange(horizon)[None, :]

    def joined(past: np.ndarray, ahead: np.ndarray | float) -> np.ndarray:
        out = np.empty(int(indptr[-1]), past.dtype)
        out[old] = past
        out[new] = ahead
        return out

    longer = replace(
        panel,
        indptr=indptr,
        ds=joined(panel.ds, future.ds.astype(panel.ds.dtype)),
        y=joined(panel.y, np.nan),
        known={k: joined(v, future.known[k]) for k, v in panel.known.items()},
        past={k: joined(v, np.nan) for k, v in panel.past.items()},
        available=None if panel.available is None else joined(panel.available, True),
    )
    return longer, Origins(np.arange(n), indptr[:-1] + lengths)


def at(panel: Panel, values: np.ndarray, series: np.ndarray, place: np.ndarray) -> np.ndarray:
    """``values`` at positions ``place`` (n, k) of series (n,); NaN outside the series."""
    inside = (place >= panel.indptr[series][:, None]) & (place < panel.indptr[series + 1][:, None])
    found = values[np.where(inside, place, 0)] if len(values) else np.zeros(place.shape)
    return np.where(inside, found, np.nan)


def history(panel: Panel, values: np.ndarray, origins: Origins, back: int) -> np.ndarray:
    """The last ``back`` values before each origin, (n, back), the latest last; NaN where a series is shorter.

    >>> p = Panel(np.array(["a"]), np.array([0, 4]), np.zeros(4, "M8[us]"), np.array([1.0, 2, 3, 4]), "D")
    >>> history(p, p.y, Origins(np.array([0, 0]), np.array([3, 1])), 2).tolist()
    [[2.0, 3.0], [nan, 1.0]]
    """
    place = origins.end[:, None] - np.arange(back, 0, -1)[None, :]
    return at(panel, values, origins.series, place)


def demand(panel: Panel, window: int = 8) -> np.ndarray:
    """Values with those that a stock-out hid taken out, (n,): NaN where not available, unless sales were above the usual.

    What was sold then is a lower bound of demand; it says something only where it is more than the mean of the last
    ``window`` available steps.
    """
    if panel.available is None or panel.available.all():
        return panel.y
    y = np.where(panel.available, panel.y, np.nan)
    every = Origins(np.repeat(np.arange(len(panel)), panel.lengths), np.arange(len(y)))
    hidden = np.flatnonzero(~panel.available)
    before = history(panel, y, every.take(hidden), window)
    seen = ~np.isnan(before)
    usual = np.where(seen, before, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    telling = panel.y[hidden] > usual
    y[hidden[telling]] = panel.y[hidden[telling]]
    return y
