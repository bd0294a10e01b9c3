"""Which origins and steps the trees learn from, and which of the last windows end the boosting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel
from holdgood.models.forecasting.lag_features import LagPlan
from holdgood.models.forecasting.origins import Origins

_STEPS = 6
"""Steps drawn for an origin: neighbours in time teach nearly the same."""
_ENOUGH = 2_000
"""So many held-out values make early stopping steady; few series give several windows."""
_MOST_WINDOWS = 20
_SHARE = 0.1


@dataclass(frozen=True)
class Pairs:
    """Pairs of an origin (``which`` of ``origins``) and a step from 1; ``target`` (pairs,) is the position of the outcome."""

    origins: Origins
    which: np.ndarray
    steps: np.ndarray

    @property
    def target(self) -> np.ndarray:
        """Position of each pair's outcome in the panel's arrays."""
        position: np.ndarray = self.origins.end[self.which] + self.steps - 1
        return position

    def take(self, rows: np.ndarray) -> Pairs:
        """Some pairs; origins stay."""
        return Pairs(self.origins, self.which[rows], self.steps[rows])

    def some(self, most: int, seed: int) -> Pairs:
        """All pairs of at most ``most`` origins, drawn by seed."""
        n = len(self.origins)
        drawn = np.sort(np.random.default_rng(seed).choice(n, min(n, most), replace=False))
        number = np.full(n, -1)
        number[drawn] = np.arange(len(drawn))
        which = number[self.which]
        return Pairs(self.origins.take(drawn), which[which >= 0], self.steps[which >= 0])

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.which)


@dataclass(frozen=True)
class Drawn:
    """``learn``: pairs from all history. ``early`` (pairs of learn,): their outcome lies before the held-out windows.
    ``held``: pairs of the held-out windows, each forecast from its beginning.
    """

    learn: Pairs
    early: np.ndarray
    held: Pairs


def draw(panel: Panel, y: np.ndarray, plan: LagPlan, horizon: int, most: int, seed: int) -> Drawn:
    """At most ``most`` pairs with an outcome, origins drawn evenly over all history; the last windows for early stopping."""
    rng = np.random.default_rng(seed)
    lengths = panel.lengths
    median = int(np.median(lengths)) if len(lengths) else 0
    least = max(1, min(plan.span, median // 4))
    series = np.repeat(np.arange(len(panel)), lengths)
    place = np.arange(len(y))
    possible = np.flatnonzero(place - panel.indptr[series] >= least)
    steps = min(horizon, _STEPS)
    count = min(len(possible), max(1, most // steps))
    possible = np.sort(rng.choice(possible, count, replace=False))
    origins = Origins(series[possible], possible)
    drawn = np.tile(np.arange(1, horizon + 1), (count, 1))
    if steps < horizon:
        drawn = np.sort(rng.permuted(drawn, axis=1)[:, :steps], axis=1)
    learn = _with_outcome(panel, y, origins, drawn)
    window = max(1, min(horizon, median // 4))
    number = -(-_ENOUGH // max(1, len(panel) * window))
    number = int(np.clip(min(number, _SHARE * median / window), 1, _MOST_WINDOWS))
    ends = (panel.indptr[1:, None] - window * np.arange(number, 0, -1)[None, :]).ravel()
    rows = np.repeat(np.arange(len(panel)), number)
    fits = ends - panel.indptr[rows] >= least
    held = Origins(rows[fits], ends[fits])
    room = max(1, most // (2 * window))
    if len(held) > room:
        held = held.take(np.sort(rng.choice(len(held), room, replace=False)))
    pairs = _with_outcome(panel, y, held, np.tile(np.arange(1, window + 1), (len(held), 1)))
    early = panel.indptr[learn.origins.series[learn.which] + 1] - learn.target > number * window
    return Drawn(learn, early, pairs)


def _with_outcome(panel: Panel, y: np.ndarray, origins: Origins, steps: np.ndarray) -> Pairs:
    which = np.repeat(np.arange(len(origins)), steps.shape[1])
    pairs = Pairs(origins, which, steps.ravel())
    inside = pairs.target < panel.indptr[origins.series[which] + 1]
    pairs = pairs.take(np.flatnonzero(inside))
    return pairs.take(np.flatnonzero(~np.isnan(y[pairs.target])))
