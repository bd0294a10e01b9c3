"""What drives a forecast: parts in the series' own units that add up to it.

Every local method says the same three things, whatever its states: a level, a trend and a season, read off its own forecast. Where
the forecast goes on for two seasons, the step from one season to the next is the trend, the mean of the first one the level, and what
is left the season; so a damped trend or a season that grows with the level is told approximately, and still adds up.
"""

from __future__ import annotations

import numpy as np

LEVEL, TREND, SEASON = "level", "trend", "season"


def parts_of_curve(curve: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """(series, horizon, 3): level, trend and season of forecasts ``curve`` (series, at least horizon and two seasons).

    >>> parts_of_curve(np.array([[11.0, 14, 13, 16]]), 2, 2).tolist()
    [[[11.0, 1.0, -1.0], [11.0, 2.0, 1.0]]]
    """
    steps = np.arange(1, horizon + 1)
    out = np.zeros((len(curve), horizon, 3))
    if season < 2:
        slope = curve[:, 1] - curve[:, 0] if curve.shape[1] > 1 else np.zeros(len(curve))
        out[:, :, 0] = (curve[:, 0] - slope)[:, None]
        out[:, :, 1] = curve[:, :horizon] - out[:, :, 0]
        return out
    slope = (curve[:, season : 2 * season] - curve[:, :season]).mean(axis=1) / season
    level = (curve[:, :season] - slope[:, None] * np.arange(1, season + 1)).mean(axis=1)
    out[:, :, 0] = level[:, None]
    out[:, :, 1] = slope[:, None] * steps
    out[:, :, 2] = curve[:, :horizon] - out[:, :, 0] - out[:, :, 1]
    return out


def of_factors(simple: np.ndarray, forecast: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """What log factors (…, columns) add to ``simple`` on the way to ``forecast`` (…), by their logarithmic mean (Ang 2004).

    Adds up to the difference where the factors multiply to the ratio; where they do not (they were cut off), in proportion.
    """
    total = logs.sum(axis=-1)
    unit = np.divide(forecast - simple, total, out=np.zeros_like(total), where=np.abs(total) > 1e-9)
    shares: np.ndarray = logs * unit[..., None]
    return shares
