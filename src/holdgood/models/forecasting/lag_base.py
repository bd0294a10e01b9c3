"""The simple forecast that trees correct: an exponentially weighted level times the seasonal profile of the series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALPHAS = (0.08, 0.25, 0.6)
_MIDDLE, _SLOWEST = 1, 0
_INTERMITTENT = 0.3
"""From this share of zeros on the slowest level is the simple forecast."""
_PRIOR = 0.5
"""Weight of "no season", in seasons."""
_LOWEST = 0.02
_TINY = 1e-9
_THREE = 3


@dataclass(frozen=True)
class Base:
    """``scale`` (n,) the recent level that all is divided by; ``profile`` (n, season), its first entry the step just after
    the origin; ``flat`` (n, back) the history without season; ``levels`` (n, alphas) exponentially weighted means of it,
    ``level`` (n,) the one that is continued; ``still`` (n,) where all that was seen, three values or more, is one number.
    """

    scale: np.ndarray
    profile: np.ndarray
    flat: np.ndarray
    levels: np.ndarray
    level: np.ndarray
    still: np.ndarray

    def at(self, rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The simple forecast ``steps`` (from 1) behind origins ``rows``, (len(rows),), in units of the series."""
        season = self.profile.shape[1]
        result: np.ndarray = self.level[rows] * self.profile[rows, (steps - 1) % season]
        return result


def base_of(history: np.ndarray, season: int, span: int, *, signed: bool) -> Base:
    """From ``history`` (n, back), the latest last, NaN where not seen. ``span``: steps of the recent level.

    ``signed``: values below zero occur, so that a profile of factors has no meaning; the profile is one then.
    """
    n = len(history)
    profile = np.ones((n, season)) if signed or season == 1 else _profile(history, season)
    back = history.shape[1]
    phase = (np.arange(back) - back) % season
    flat = history / profile[:, phase]
    seen = ~np.isnan(flat)
    filled = np.where(seen, flat, 0.0)
    age = np.arange(back - 1, -1, -1)
    levels = np.empty((n, len(ALPHAS)))
    for k, alpha in enumerate(ALPHAS):
        weight = (1 - alpha) ** age
        total = (seen * weight).sum(axis=1)  # row by row: the same bits for a series alone as among others
        levels[:, k] = (filled * weight).sum(axis=1) / np.where(total > 0, total, np.nan)
    zeros = np.nan_to_num(mean_of(np.where(seen, flat == 0, np.nan)))
    level = np.where(zeros > _INTERMITTENT, levels[:, _SLOWEST], levels[:, _MIDDLE])
    scale = _level(np.abs(history), span)
    known = ~np.isnan(history)
    lowest, highest = (f(np.where(known, history, w), axis=1) for f, w in ((np.min, np.inf), (np.max, -np.inf)))
    still = (lowest == highest) & (known.sum(axis=1) >= _THREE)
    return Base(scale, profile, flat, levels, level, still)


def _level(sizes: np.ndarray, span: int) -> np.ndarray:
    """Mean size over the last ``span`` steps; over all that is seen where these are all zero or missing; 1 without any."""
    recent, every = mean_of(sizes[:, -span:]), mean_of(sizes)
    level = np.where(recent > _TINY * np.nan_to_num(every), recent, every)
    return np.where(level > 0, level, 1.0)


def _profile(history: np.ndarray, season: int) -> np.ndarray:
    """Share of each phase in its season, (n, season); the first phase is the step just after the origin."""
    n, back = history.shape
    whole = back // season
    blocks = history[:, back - whole * season :].reshape(n, whole, season)
    seen = ~np.isnan(blocks)
    enough = seen.sum(axis=2, keepdims=True) > season // 2
    mean = mean_of(blocks, axis=2)[:, :, None]
    use = seen & enough
    sums = np.where(use, blocks, 0.0).sum(axis=1)
    weight = np.where(use, mean, 0.0).sum(axis=1)
    usual = np.nan_to_num(mean_of(history))[:, None] * _PRIOR
    share = (sums + usual) / np.where(weight + usual > 0, weight + usual, 1.0)
    share = np.where(weight + usual > 0, np.maximum(share, _LOWEST), 1.0)
    result: np.ndarray = share / share.mean(axis=1, keepdims=True)
    return result


def mean_of(values: np.ndarray, axis: int = 1) -> np.ndarray:
    """Mean of what is seen, NaN where nothing is (without a warning)."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=axis)
    total = np.where(seen, values, 0.0).sum(axis=axis)
    result: np.ndarray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result
