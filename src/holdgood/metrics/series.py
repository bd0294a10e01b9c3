"""Errors of forecasts: scaled, percentage, of quantiles and of paths. Arrays are (series, horizon); NaN where there is no outcome.

MASE and RMSSE: Hyndman & Koehler (2006), Makridakis et al. (2022). sMAPE as in the M competitions: 200·|e| / (|y| + |f|).
CRPS from samples: Gneiting & Raftery (2007), the fair form.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def naive_scale(y: np.ndarray, season: int = 1, *, power: int = 1) -> float:
    """Mean of |y_t - y_{t-season}|^power within a history; NaN where there is none or it is zero.

    >>> naive_scale(np.array([1.0, 3.0, 2.0])), naive_scale(np.ones(5))
    (1.5, nan)
    """
    if len(y) <= season:
        return np.nan
    steps = np.abs(y[season:] - y[:-season]) ** power
    steps = steps[~np.isnan(steps)]
    mean = float(steps.mean()) if len(steps) else 0.0
    return mean if mean > 0 else np.nan


def scales(histories: Sequence[np.ndarray], season: int, *, power: int = 1) -> np.ndarray:
    """``naive_scale`` of each history, (series,); with a season of one where a history is too short for its own."""
    out = np.array([naive_scale(y, season, power=power) for y in histories])
    if season > 1:
        short = np.flatnonzero(np.isnan(out)).tolist()
        out[short] = [naive_scale(histories[i], 1, power=power) for i in short]
    return out


def mase(y: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Mean absolute scaled error a series, (series,); NaN without an outcome or a scale."""
    return _mean(np.abs(y - forecast) / scale[:, None])


def rmsse(y: np.ndarray, forecast: np.ndarray, square_scale: np.ndarray) -> np.ndarray:
    """Root mean squared scaled error a series, (series,); ``square_scale``: ``scales(…, power=2)``, or one a point as y."""
    scale = square_scale if square_scale.ndim == y.ndim else square_scale[:, None]
    root: np.ndarray = np.sqrt(_mean((y - forecast) ** 2 / scale))
    return root


def smape_points(y: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """200·|y - f| / (|y| + |f|) a point, 0 where both are 0; NaN where there is no outcome."""
    size = np.abs(y) + np.abs(forecast)
    error = 200.0 * np.abs(y - forecast)
    share: np.ndarray = np.divide(error, size, out=np.where(np.isnan(error), np.nan, 0.0), where=size > 0)
    return share


def smape(y: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Symmetric percentage error a series, (series,)."""
    return _mean(smape_points(y, forecast))


def wape(y: np.ndarray, forecast: np.ndarray) -> float:
    """All absolute errors over all volume: what planners call the error. NaN where nothing was sold."""
    there = ~np.isnan(y)
    volume = float(np.abs(y[there]).sum())
    return float(np.abs(y[there] - forecast[there]).sum()) / volume if volume > 0 else np.nan


def bias(y: np.ndarray, forecast: np.ndarray) -> float:
    """Sum of forecast minus outcome over all volume; positive: too much is forecast."""
    there = ~np.isnan(y)
    volume = float(np.abs(y[there]).sum())
    return float((forecast[there] - y[there]).sum()) / volume if volume > 0 else np.nan


def pinball(y: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Pinball loss a point and level: y (...,), quantiles (..., levels)."""
    difference = y[..., None] - quantiles
    loss: np.ndarray = np.maximum(levels * difference, (levels - 1.0) * difference)
    return loss


def crps(y: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of sorted or unsorted samples: y (...,), samples (..., n). NaN without an outcome."""
    n = samples.shape[-1]
    ordered = np.sort(samples, axis=-1)
    near = np.abs(samples - y[..., None]).mean(axis=-1)
    weights = (2.0 * np.arange(1, n + 1) - n - 1.0) / (n * (n - 1.0)) if n > 1 else np.zeros(1)
    score: np.ndarray = near - ordered @ weights
    return score


def quantile_loss(y: np.ndarray, samples: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Twice the mean pinball loss over ``levels`` of the quantiles of samples, a point: y (...,), samples (..., n).

    Over ever more even levels it comes to the CRPS; summed and divided by the volume it is the weighted quantile loss.
    """
    quantiles = np.moveaxis(np.quantile(samples, levels, axis=-1), 0, -1)
    mean: np.ndarray = 2.0 * pinball(y, quantiles, levels).mean(axis=-1)
    return mean


def naive2(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The M competitions' yardstick: the last value, seasonally adjusted where a season shows, (horizon,).

    Seasonal: |r_season| > 1.645·sqrt((1 + 2Σr²)/n) and n ≥ 3·season; classical multiplicative decomposition. ``y`` stands on its
    grid: a missing value keeps its place in the season and takes part in no factor; what stands in for it in the moving average and
    the autocorrelations is the line between its neighbours of the same phase. Forecasts follow the end of the grid.
    """
    seen = np.flatnonzero(~np.isnan(y))
    if not len(seen):
        return np.full(horizon, np.nan)
    first, last = int(seen[0]), int(seen[-1])
    there = ~np.isnan(y[first : last + 1])
    whole = _filled(y[first : last + 1], there, season)
    factors = _factors(whole, there, season) if _seasonal(whole, len(seen), season) else np.ones(max(1, season))
    phases = (len(y) - first + np.arange(horizon)) % len(factors)
    level = y[last] / factors[(last - first) % len(factors)]
    out: np.ndarray = level * factors[phases]
    return out


def _filled(y: np.ndarray, there: np.ndarray, season: int) -> np.ndarray:
    out = y.copy()
    at = np.arange(len(y))
    for place in np.flatnonzero(~there).tolist():
        alike = there & (at % season == place % season) if season > 1 else there
        known = np.flatnonzero(alike if alike.any() else there)
        out[place] = np.interp(place, known, y[known])
    return out


def _seasonal(y: np.ndarray, n: int, season: int) -> bool:
    """``n``: how many of ``y`` were observed."""
    if season < 2 or n < 3 * season or np.ptp(y) == 0:
        return False
    centred = y - y.mean()
    r = np.array([float(centred[lag:] @ centred[:-lag]) for lag in range(1, season + 1)]) / float(centred @ centred)
    return bool(abs(r[-1]) > 1.645 * np.sqrt((1.0 + 2.0 * float(r[:-1] @ r[:-1])) / n))


def _factors(y: np.ndarray, there: np.ndarray, season: int) -> np.ndarray:
    """Of each phase, the first value's first; where ``there`` is false a value has no ratio."""
    half = season // 2
    kernel = np.ones(season) / season if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5] / season
    trend = np.convolve(y, kernel, mode="valid")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = y[half : half + len(trend)] / trend
    phase = (np.arange(len(trend)) + half) % season
    ratio[~np.isfinite(ratio) | ~there[half : half + len(trend)]] = np.nan
    factors = np.array([_mean(ratio[phase == p][None, :])[0] for p in range(season)])
    if not np.isfinite(factors).all() or (factors <= 0).any():
        return np.ones(season)
    normal: np.ndarray = factors * season / factors.sum()
    return normal


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is there; NaN where nothing is."""
    there = ~np.isnan(values)
    count = there.sum(axis=-1)
    total = np.where(there, values, 0.0).sum(axis=-1)
    mean: np.ndarray = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean
