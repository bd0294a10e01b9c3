"""Combinations of forecasts: the median, the mean with weights learned by greedy selection, by inverse errors, or a series at a time.

Points are (candidates, rows, horizon), outcomes (rows, horizon), scales (rows,); a row is a series at an origin. The loss of a row is
its mean absolute error over its scale. Greedy selection with replacement: Caruana et al. (2004). Medians of few good methods are
hard to beat: Petropoulos & Svetunkov (2020).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

MOST_ROWS = 3_000
"""Rows that weights are learned from; more change them little."""
ROUNDS = 24
LEAST_GAIN = 0.0005
"""Greedy selection ends where the next member lowers the loss by a smaller share."""
SHARPNESS = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Blend:
    """How members are put together. ``weights``: (candidates,) of sum one, zero for those left out; ``median``: of the members.

    ``sharpness``: above zero, a series' own weights are the pooled ones times exp(-sharpness · its relative past loss).
    """

    name: str
    weights: np.ndarray
    median: bool = False
    sharpness: float = 0.0
    members: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(int(i) for i in np.flatnonzero(self.weights > 0)))

    def own(self, past: np.ndarray | None, rows: int) -> np.ndarray:
        """Weights a row (rows, candidates); ``past``: losses (rows, candidates) of earlier origins, NaN where there are none."""
        pooled = np.broadcast_to(self.weights, (rows, len(self.weights)))
        if past is None or not self.sharpness:
            return pooled
        used = ~np.isnan(past) & (self.weights > 0)
        mean = np.where(used, past, 0.0).sum(axis=1, keepdims=True) / np.maximum(1, used.sum(axis=1, keepdims=True))
        relative = np.divide(past, mean, out=np.ones_like(past), where=mean > 0)
        shares = pooled * np.exp(-self.sharpness * np.nan_to_num(relative, nan=1.0))
        total: np.ndarray = shares.sum(axis=1, keepdims=True)
        return np.where(total > 0, shares / np.where(total > 0, total, 1.0), pooled)


def losses(points: np.ndarray, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Mean absolute scaled error: (candidates, rows) for points (candidates, rows, horizon), or (rows,) for (rows, horizon)."""
    if points.ndim == 3:  # one at a time: candidates times rows are what a large panel has most of
        return np.stack([losses(one, y, scale) for one in points])
    error = np.abs(points - y) / scale[:, None]
    there = ~np.isnan(y)
    loss: np.ndarray = np.where(there, error, 0.0).sum(axis=-1) / np.maximum(1, there.sum(axis=-1))
    return loss


def blended(points: np.ndarray, blend: Blend, past: np.ndarray | None = None) -> np.ndarray:
    """The combined forecast (rows, horizon); members that have no number for a row are left out of it."""
    chosen = points[list(blend.members)]
    if blend.median:
        known = ~np.isnan(chosen).all(axis=0)
        median = np.full(chosen.shape[1:], np.nan)
        median[known] = np.nanmedian(chosen[:, known], axis=0)
        return median
    weights = blend.own(past, points.shape[1])[:, list(blend.members)].T[:, :, None]
    there = ~np.isnan(chosen)
    total = np.where(there, weights, 0.0).sum(axis=0)
    mean: np.ndarray = np.where(there, chosen * weights, 0.0).sum(axis=0) / np.where(total > 0, total, np.nan)
    return mean


def learned(points: np.ndarray, y: np.ndarray, scale: np.ndarray, past: np.ndarray | None, seed: int) -> list[Blend]:
    """All kinds of combination, their weights learned on these rows."""
    count, rows = points.shape[:2]
    if rows > MOST_ROWS:
        at = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
        points, y, scale, past = points[:, at], y[at], scale[at], None if past is None else past[at]
    single = losses(points, y, scale).mean(axis=1)
    order = np.argsort(single, kind="stable")
    found = [
        Blend(
            "mean by inverse errors", _shares(1.0 / np.maximum(single, 1e-12) ** 2 * (single <= 1.3 * single[order[0]]))
        )
    ]
    greedy = Blend("mean by greedy selection", _greedy(points, y, scale, order))
    found.append(greedy)
    found.append(_median(points, y, scale, order))
    if count >= 3:
        top = np.zeros(count)
        top[order[: min(5, count)]] = 1.0
        found.append(Blend("median of the best five", _shares(top), median=True))
    if past is not None and len(greedy.members) > 1:
        tried = [Blend("weights a series", greedy.weights, sharpness=s) for s in SHARPNESS]
        scored = [losses(blended(points, b, past), y, scale).mean() for b in tried]
        found.append(tried[int(np.argmin(scored))])
    return found


def _greedy(points: np.ndarray, y: np.ndarray, scale: np.ndarray, order: np.ndarray) -> np.ndarray:
    counts = np.zeros(len(points))
    total = np.zeros_like(points[0])
    best = np.inf
    for size in range(1, ROUNDS + 1):
        tried = np.array([losses((total + points[c]) / size, y, scale).mean() for c in order])
        place = int(np.argmin(tried))
        if size > 1 and tried[place] > best * (1.0 - LEAST_GAIN) and size > 4:
            break
        best = float(tried[place])
        counts[order[place]] += 1
        total = total + points[order[place]]
    return _shares(counts)


def _median(points: np.ndarray, y: np.ndarray, scale: np.ndarray, order: np.ndarray) -> Blend:
    """The set whose median is best, built one by one from the best single one."""
    members = [int(order[0])]
    best = float(losses(points[members[0]], y, scale).mean())
    while len(members) < len(points):
        rest = [int(c) for c in order if c not in members]
        pairs = [[c] for c in rest] + [[c, d] for i, c in enumerate(rest) for d in rest[i + 1 :]][:24]
        tried = [float(losses(np.median(points[members + more], axis=0), y, scale).mean()) for more in pairs]
        place = int(np.argmin(tried))
        if tried[place] > best * (1.0 - LEAST_GAIN):
            break
        best = tried[place]
        members += pairs[place]
    chosen = np.zeros(len(points))
    chosen[members] = 1.0
    return Blend("median of a chosen set", _shares(chosen), median=True)


def _shares(weights: np.ndarray) -> np.ndarray:
    shares: np.ndarray = weights / weights.sum()
    return shares
