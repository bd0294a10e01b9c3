"""A backtest as a record: accuracy over the naive, by kind of demand and by step, and the cover of intervals from PIT values.

A probability integral transform (PIT) is where an outcome fell in its forecast distribution; for counts it is drawn evenly from
the step that the outcome stands on (Czado, Gneiting & Held 2009), so that nominal cover can be met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from holdgood.core.records.forecast_evaluation import Accuracy, ForecastEvaluation, LeadCover, SeriesAccuracy
from holdgood.evaluation.item_cover import ItemChance, item_cover
from holdgood.metrics.compare import paired
from holdgood.metrics.series import bias, rmsse, smape_points, wape

LEVELS = (0.5, 0.8, 0.9, 0.95)
ORIGINS_AT = 0.8
"""The level whose cover is looked at origin by origin."""
MOST_WORST = 200
BOTTOM = "bottom"
"""The level of the series themselves."""


@dataclass(frozen=True, eq=False)
class PastForecasts:
    """``y``, ``points``, ``naive``: (origins, series, horizon), NaN where not judged; ``scale`` (origins, series).

    ``segment``: (series,) codes into ``segments``. ``square_scale``: as scale, of squares. ``pit``, ``crps`` and ``quantile_loss`` (in
    the target's units): as y, or None; ``lead_pits``: (origins, series) by steps of the lead time.
    ``level``: (series,) names of levels where some are sums of others, ``bottom`` for the series themselves; or None.
    """

    ids: np.ndarray
    y: np.ndarray
    points: np.ndarray
    naive: np.ndarray
    scale: np.ndarray
    segment: np.ndarray
    segments: tuple[str, ...]
    square_scale: np.ndarray | None = None
    pit: np.ndarray | None = None
    crps: np.ndarray | None = None
    quantile_loss: np.ndarray | None = None
    lead_pits: Mapping[int, np.ndarray] = field(default_factory=dict)
    level: np.ndarray | None = None
    items: ItemChance | None = None

    def take(self, series: np.ndarray) -> PastForecasts:
        """Some series, in that order."""
        by_origin = ("y", "points", "naive", "scale", "square_scale", "pit", "crps", "quantile_loss")
        some = {n: v[:, series] for n in by_origin if (v := getattr(self, n)) is not None}
        return replace(
            self, ids=self.ids[series], segment=self.segment[series], **some,
            lead_pits={k: v[:, series] for k, v in self.lead_pits.items()},
            level=None if self.level is None else self.level[series],
            items=None if self.items is None else self.items.take(series),
        )  # fmt: skip


def evaluate_forecasts(
    past: PastForecasts, *, metric: str, service_level: float | None = None, notes: Sequence[str] = ()
) -> ForecastEvaluation:
    """The record. ``metric``: mase (errors over the naive's in-sample) or smape. Sums of a hierarchy stand under ``levels`` alone."""
    levels = _levels(past, metric) if past.level is not None else ()
    if past.level is not None:
        past = past.take(np.flatnonzero(past.level == BOTTOM))
    own, naive = _losses(metric, past.y, past.points, past.scale), _losses(metric, past.y, past.naive, past.scale)
    by_series, by_naive = _mean(own, (0, 2)), _mean(naive, (0, 2))
    judged = np.flatnonzero(~np.isnan(by_series))
    overall = _accuracy("all series", past, own, naive, judged)
    kinds = [
        _accuracy(name, past, own, naive, judged[past.segment[judged] == code])
        for code, name in enumerate(past.segments)
        if (past.segment[judged] == code).any()
    ]
    steps = [_step(k, past, own, naive) for k in range(past.y.shape[2])]
    reached = float("nan")
    if service_level is not None and past.pit is not None:
        seen = past.pit[~np.isnan(past.pit)]
        reached = float(np.mean(seen <= service_level)) if len(seen) else reached
    order = judged[np.argsort(-by_series[judged], kind="stable")][:MOST_WORST]
    return ForecastEvaluation(
        metric=metric, origins=past.y.shape[0], horizon=past.y.shape[2], overall=overall, segments=tuple(kinds),
        steps=tuple(steps),
        leads=tuple(_lead(k, v, past) for k, v in past.lead_pits.items()),
        worst=tuple(_one(past, int(s), by_series, by_naive) for s in order),
        service_level=float("nan") if service_level is None else service_level, service_reached=reached,
        levels=levels, items=None if past.items is None else item_cover(past.items, past.ids),
        better_than_naive=float(np.mean(by_series[judged] < by_naive[judged])) if len(judged) else float("nan"),
        notes=tuple(notes),
    )  # fmt: skip


def losses_by_series(past: PastForecasts, metric: str) -> np.ndarray:
    """(series,) mean loss at past origins, NaN where never judged, and for the sums of a hierarchy."""
    own = _mean(_losses(metric, past.y, past.points, past.scale), (0, 2))
    return own if past.level is None else np.where(past.level == BOTTOM, own, np.nan)


def _levels(past: PastForecasts, metric: str) -> tuple[Accuracy, ...]:
    """Each level of the hierarchy, from the top down, the series last."""
    assert past.level is not None
    own, naive = _losses(metric, past.y, past.points, past.scale), _losses(metric, past.y, past.naive, past.scale)
    judged = ~np.isnan(_mean(own, (0, 2)))
    names = dict.fromkeys(past.level.tolist())
    return tuple(_accuracy(str(n), past, own, naive, np.flatnonzero(judged & (past.level == n))) for n in names)


def _losses(metric: str, y: np.ndarray, points: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return smape_points(y, points) if metric == "smape" else np.abs(y - points) / scale[:, :, None]


def _mean(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    there = ~np.isnan(values)
    count = there.sum(axis=axes)
    total = np.where(there, values, 0.0).sum(axis=axes)
    return np.asarray(np.divide(total, count, out=np.full(np.shape(count), np.nan), where=count > 0))


def _accuracy(name: str, past: PastForecasts, own: np.ndarray, naive: np.ndarray, series: np.ndarray) -> Accuracy:
    ours, theirs = _mean(own[:, series], (0, 2)), _mean(naive[:, series], (0, 2))
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    return Accuracy(
        name=name, series=len(series), loss=float(np.mean(ours)) if len(ours) else float("nan"),
        naive=float(np.mean(theirs[both])) if both.any() else float("nan"),
        value_added=paired(ours[both], theirs[both], first="the forecast", second="the naive", unit="loss a series")
        if both.sum() > 1
        else None,
        **_beside(past, series, slice(None)),
    )  # fmt: skip


def _step(k: int, past: PastForecasts, own: np.ndarray, naive: np.ndarray) -> Accuracy:
    series = int((~np.isnan(own[:, :, k])).any(axis=0).sum())
    return Accuracy(
        name=str(k + 1), series=series, loss=float(_mean(own[:, :, k], (0, 1))), naive=float(_mean(naive[:, :, k], (0, 1))),
        **_beside(past, np.arange(len(past.ids)), slice(k, k + 1)),
    )  # fmt: skip


def _beside(past: PastForecasts, series: np.ndarray, steps: slice) -> dict[str, Any]:
    """What stands beside the metric, over some series and steps."""

    def some(values: np.ndarray) -> np.ndarray:
        return values[:, series, steps]

    points, naive = some(past.points), some(past.naive)
    y = np.where(np.isnan(points), np.nan, some(past.y))
    found: dict[str, Any] = {"wape": wape(y, points), "naive_wape": wape(y, naive), "bias": bias(y, points)}
    if past.square_scale is not None:
        square = past.square_scale[:, series, None] + np.zeros_like(y)
        flat = [np.swapaxes(v, 0, 1).reshape(len(series), y.shape[0] * y.shape[2]) for v in (y, points, square)]
        each = rmsse(*flat)
        found["rmsse"] = float(_mean(each, (0,)))
    for name, values in (("crps", past.crps), ("quantile_loss", past.quantile_loss)):
        if values is not None:
            found[name] = _of_volume(some(values), y)
    return found | {"cover": {} if past.pit is None else _cover(some(past.pit))}


def _of_volume(losses: np.ndarray, y: np.ndarray) -> float:
    """Sum of losses over the volume of the same outcomes; NaN where there is none."""
    there = ~np.isnan(losses) & ~np.isnan(y)
    volume = float(np.abs(y[there]).sum())
    return float(losses[there].sum()) / volume if volume > 0 else float("nan")


def _one(past: PastForecasts, s: int, own: np.ndarray, naive: np.ndarray) -> SeriesAccuracy:
    there = ~np.isnan(past.points[:, s])
    y = np.where(there, past.y[:, s], np.nan)
    return SeriesAccuracy(
        series=str(past.ids[s]), segment=past.segments[int(past.segment[s])], loss=float(own[s]), naive=float(naive[s]),
        wape=wape(y, past.points[:, s]), bias=bias(y, past.points[:, s]), volume=float(np.nansum(np.abs(y))),
    )  # fmt: skip


def _lead(steps: int, pit: np.ndarray, past: PastForecasts) -> LeadCover:
    kinds = {name: _cover(pit[:, past.segment == code]) for code, name in enumerate(past.segments)}
    each = [found[f"{ORIGINS_AT:g}"] for row in pit if (found := _cover(row))]
    return LeadCover(
        steps=steps, cover=_cover(pit), n=int((~np.isnan(pit)).sum()), segments={k: v for k, v in kinds.items() if v},
        lowest=min(each, default=float("nan")), highest=max(each, default=float("nan")),
    )  # fmt: skip


def _cover(pit: np.ndarray) -> dict[str, float]:
    """Share of PIT values inside each central interval."""
    seen = pit[~np.isnan(pit)]
    if not len(seen):
        return {}
    return {f"{level:g}": float(np.mean(np.abs(seen - 0.5) <= level / 2)) for level in LEVELS}
