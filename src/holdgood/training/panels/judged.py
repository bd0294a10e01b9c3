"""What candidates are judged on: pairs of an origin and a series with outcomes, the scale of errors there, and all points side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from holdgood.core.panel import Panel
from holdgood.metrics.series import scales, smape_points
from holdgood.training.panels.censored import observed
from holdgood.training.panels.combine import losses
from holdgood.training.panels.origins import Origin
from holdgood.training.panels.race import Ran
from holdgood.training.panels.seen import Seen

METRICS = ("mase", "smape")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """By origin: outcomes (series, horizon), NaN where not judged, and the naive scale of each history (series,), of squares too.

    ``drawn``: as y, with outcomes that a stock-out hid drawn from what is likely given what was sold. They spread paths and are not scored.
    """

    cuts: tuple[Origin, ...]
    y: tuple[np.ndarray, ...]
    scale: tuple[np.ndarray, ...]
    drawn: tuple[np.ndarray, ...]
    square: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Rows:
    """Judged pairs, one below the other: place of the origin, its cut, the series, outcomes (rows, horizon), scale, and points.

    ``drawn``: the outcomes with hidden ones drawn (see Outcomes). ``scored``: without steps under embargo, which nobody is judged by.
    ``points`` (candidates, rows, horizon), a gap filled by the first candidate's. ``past`` (rows, candidates): mean loss of
    the same series at earlier origins, NaN where there is none; None with one origin.
    """

    origin: np.ndarray
    dropped: np.ndarray
    series: np.ndarray
    y: np.ndarray
    drawn: np.ndarray
    scored: np.ndarray
    scale: np.ndarray
    points: np.ndarray
    past: np.ndarray | None


def outcomes(panel: Panel, cuts: Sequence[Origin], horizon: int, seen: Seen, drawn: np.ndarray) -> Outcomes:
    """Look up what came after each origin, and measure the histories before it.

    ``seen``: the panel as forecasters see it; ``drawn`` (n,): values with hidden demand drawn.
    """
    scored, likely = panel.with_y(observed(panel)), panel.with_y(drawn)
    ys, sizes, squares, filled = [], [], [], []
    for cut in cuts:
        y, s = np.full((len(panel), horizon), np.nan), np.full(len(panel), np.nan)
        w, q = y.copy(), s.copy()
        y[cut.judged] = scored.take(cut.judged).ahead(horizon, cut.dropped)[0]
        w[cut.judged] = likely.take(cut.judged).ahead(horizon, cut.dropped)[0]
        history = list(seen.before(cut.judged, cut.dropped).series())
        # a series that never moved: its errors count in units of its level, of one at least
        still = np.array([max(1.0, _level(h)) for h in history])
        found, square = scales(history, panel.season), scales(history, panel.season, power=2)
        s[cut.judged] = np.where(np.isnan(found), still, found)
        q[cut.judged] = np.where(np.isnan(square), still**2, square)
        ys.append(y)
        sizes.append(s)
        squares.append(q)
        filled.append(w)
    return Outcomes(tuple(cuts), tuple(ys), tuple(sizes), tuple(filled), tuple(squares))


def rows_of(done: Sequence[Ran], found: Outcomes, metric: str, embargo: int = 0) -> Rows:
    """All judged pairs of the origins at which every candidate was run. The candidates' own points are let go."""
    full = [k for k in range(len(found.cuts)) if all(k in r.points for r in done)] or [0]
    there = [~np.isnan(found.y[k][found.cuts[k].judged]).all(axis=1) for k in full]
    series = [found.cuts[k].judged[some] for k, some in zip(full, there, strict=True)]
    pairs = list(zip(full, series, strict=True))
    origin = np.concatenate([np.full(len(s), k) for k, s in pairs])
    dropped = np.concatenate([np.full(len(s), found.cuts[k].dropped) for k, s in pairs])
    y = np.concatenate([found.y[k][s] for k, s in pairs])
    drawn = np.concatenate([found.drawn[k][s] for k, s in pairs])
    scale = np.concatenate([found.scale[k][s] for k, s in pairs])
    if metric == "smape":  # weights are learned in nearly the same currency
        scale = np.array([max(_level(v), 1e-9) for v in y])
    points = np.empty((len(done), *y.shape))
    for i, ran in enumerate(done):
        np.concatenate([ran.points[k][some] for k, some in zip(full, there, strict=True)], out=points[i])
        ran.points.clear()
        np.copyto(points[i], points[0], where=np.isnan(points[i]))
    who = np.concatenate(series)
    scored = y.copy()
    scored[:, :embargo] = np.nan
    return Rows(
        origin,
        dropped,
        who,
        y,
        drawn,
        scored,
        scale,
        points,
        _past(origin, who, losses(points, scored, scale).T) if len(full) > 1 else None,
    )


def loss(metric: str, points: np.ndarray, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Loss a row: (rows,) for points (rows, horizon), with a leading axis of candidates where there is one."""
    if metric == "mase":
        return losses(points, y, scale)
    if points.ndim == 3:
        return np.stack([loss(metric, one, y, scale) for one in points])
    shares = smape_points(y, points)
    there = ~np.isnan(shares)
    mean: np.ndarray = np.where(there, shares, 0.0).sum(axis=-1) / np.maximum(1, there.sum(axis=-1))
    return mean


def last_losses(rows: Rows) -> dict[int, np.ndarray]:
    """Mean loss of each candidate a series over all origins: what weights of its own go by in use."""
    own = losses(rows.points, rows.scored, rows.scale).T
    order = np.argsort(rows.series, kind="stable")
    return {int(rows.series[order[a]]): own[order[a:b]].mean(axis=0) for a, b in _runs(rows.series[order])}


def _past(origin: np.ndarray, series: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Mean over older origins (higher places) of the same series."""
    out = np.full_like(own, np.nan)
    order = np.lexsort((origin, series))
    s, values = series[order], own[order]
    for begin, end in _runs(s):
        # sorted by place: what comes after is older
        later = np.cumsum(values[begin:end][::-1], axis=0)[::-1]
        count = np.arange(end - begin, 0, -1)
        out[order[begin : end - 1]] = later[1:] / count[1:, None]
    return out


def _runs(values: np.ndarray) -> list[tuple[int, int]]:
    if not len(values):
        return []
    edges = np.r_[0, np.flatnonzero(np.diff(values)) + 1, len(values)]
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def _level(y: np.ndarray) -> float:
    seen = np.abs(y[~np.isnan(y)])
    return float(seen.mean()) if len(seen) else 0.0
