"""Made-up demand whose truth is known: a history, and as many futures as are asked for, drawn from what the history ended with.

Kinds of demand as in Syntetos, Boylan & Croston (2005): smooth and erratic (a level that wanders, a year's season), intermittent and
lumpy (no demand in most weeks, parcels of even or very uneven size). Weekly, in pieces. Beside them panels in which the past says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

KINDS = ("smooth", "erratic", "intermittent", "lumpy")
WEEKS, YEAR = 130, 52
WANDERS = 0.02
"""Standard deviation of a week's step of the logarithm of a level."""
SHAPE = {"smooth": 16.0, "erratic": 1.25}
"""Shapes of the negative binomial around the level; squared variation is one over the shape, and one over the mean on top."""


@dataclass(frozen=True, eq=False)
class World:
    """Series of several kinds, (series,) each. ``base``: mean in logs at the end; ``chance``: of any demand in a week; ``phase``: of the year.

    ``shared``: standard deviation (in logs) of a week's shock that all series have in common.
    """

    kind: np.ndarray
    level: np.ndarray
    chance: np.ndarray
    phase: np.ndarray
    shared: float
    history: np.ndarray
    ids: np.ndarray

    @classmethod
    def drawn(
        cls,
        each: int,
        rng: np.random.Generator,
        *,
        kinds: Sequence[str] = KINDS,
        weeks: int = WEEKS,
        shared: float = 0.0,
        together: bool = False,
    ) -> World:
        """``each`` series of every kind with a history of so many weeks; ``together``: their seasons peak in the same week."""
        kind = np.repeat(np.array(kinds), each)
        n = len(kind)
        first = rng.uniform(np.log(15), np.log(200), n)
        chance = np.where(np.isin(kind, KINDS[2:]), rng.uniform(0.15, 0.6, n), 1.0)
        phase = np.full(n, rng.uniform(0, YEAR)) if together else rng.uniform(0, YEAR, n)
        blank = cls(
            kind,
            first,
            chance,
            phase,
            shared,
            np.empty((n, 0)),
            np.array([f"s{i:04d}" for i in range(n)]),
        )
        history, level = blank.went_on(rng, 1, weeks, begin=0)
        return cls(kind, level[0], chance, blank.phase, shared, history[0], blank.ids)

    def futures(self, rng: np.random.Generator, count: int, horizon: int) -> np.ndarray:
        """(count, series, horizon): what may come after the history."""
        return self.went_on(rng, count, horizon, begin=self.history.shape[1])[0]

    def went_on(self, rng: np.random.Generator, count: int, steps: int, begin: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws (count, series, steps) from the level on, and where the levels were in the end (count, series)."""
        n = len(self.kind)
        fast = np.isin(self.kind, KINDS[:2])
        walk = np.cumsum(rng.normal(0, WANDERS, (count, n, steps)) * fast[:, None], axis=2)
        season = 0.25 * np.sin(2 * np.pi * (begin + np.arange(steps) + self.phase[:, None]) / YEAR)
        common = rng.normal(0, self.shared, (count, 1, steps)) if self.shared else 0.0
        mean = np.exp(self.level[:, None] + walk + season * fast[:, None] + common * fast[:, None])
        out = np.empty((count, n, steps))
        for name in np.unique(self.kind):
            at = self.kind == name
            out[:, at] = _sold(str(name), mean[:, at], self.chance[at][:, None], rng)
        return out, self.level + walk[:, :, -1]

    def mean(self, rng: np.random.Generator, horizon: int, count: int = 400) -> np.ndarray:
        """(series, horizon): expected demand, by simulation."""
        return np.asarray(self.futures(rng, count, horizon).mean(axis=0))


def _sold(kind: str, mean: np.ndarray, chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if kind in SHAPE:
        return rng.poisson(rng.gamma(SHAPE[kind], mean / SHAPE[kind])).astype(float)
    size = 0.1 * mean  # parcels: a level of 15 to 200 makes pieces of 2.5 to 21 on average
    pieces = rng.poisson(size) if kind == "intermittent" else rng.poisson(rng.gamma(0.6, size / 0.6))
    return np.where(rng.random(mean.shape) < chance, 1.0 + pieces, 0.0)


def weeks_of(count: int, begin: int = 0) -> pd.DatetimeIndex:
    """So many Mondays."""
    return pd.date_range("2022-01-03", periods=begin + count, freq="W-MON")[begin:]


def frame(values: np.ndarray, ids: np.ndarray, begin: int = 0, **columns: np.ndarray) -> pd.DataFrame:
    """Values (series, weeks) in long form: unique_id, ds, y; further columns (series, weeks) by name."""
    series, steps = values.shape
    long = {"unique_id": np.repeat(ids, steps), "ds": np.tile(weeks_of(steps, begin), series), "y": values.ravel()}
    return pd.DataFrame(long | {k: v.ravel() for k, v in columns.items()})


def shuffled(values: np.ndarray, rng: np.random.Generator, lowest: float = 1_000.0) -> np.ndarray:
    """Walks (series, steps) of the same steps in an order and with signs drawn at random: the past says nothing but where it ended.

    The last value is then the best forecast of every step, whatever error counts that is the same on both sides.
    """
    steps = np.diff(values, axis=1)
    order = np.argsort(rng.random(steps.shape), axis=1)
    moved = np.take_along_axis(steps, order, axis=1) * rng.choice([-1.0, 1.0], steps.shape)
    walk = np.concatenate([np.zeros((len(values), 1)), np.cumsum(moved, axis=1)], axis=1)
    return np.asarray(walk - walk.min(axis=1, keepdims=True) + lowest)


def noise(series: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Independent values (series, steps) around a level a series: the level is all that can be known."""
    level = rng.uniform(50, 500, (series, 1))
    return np.asarray(level * (1 + 0.2 * rng.normal(size=(series, steps))))
