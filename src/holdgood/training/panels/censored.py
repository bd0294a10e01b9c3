"""Censored demand: where a stock-out hid it, sales say "at least this much". What to put in their place, learned from the same series.

Expectation and maximisation (Dempster, Laird & Rubin 1977) a series at a time: a local level times an index of the season, and a negative
binomial (whole numbers) or a gamma around it, fitted so that its mean and variance are those of the completed series; hidden demand is
completed by its mean given that it reached what was sold. Everything comes from the panel that is given: cut it at an origin first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, TypeAlias, cast

import numpy as np
from scipy import special

from holdgood.core.errors import BundleError, DataError
from holdgood.core.panel import Panel
from holdgood.core.protocols import Parts

How: TypeAlias = Literal["impute", "drop", "keep"]
HOWS = ("impute", "drop", "keep")
ROUNDS = 25
"""Always as many, so that no series depends on its neighbours."""
HALF = 13
"""Steps to either side that make a local level, unless two short seasons are longer."""
PRIOR, INDEX_PRIOR = 2.0, 6.0
"""Steps by which a local level leans on the mean of the series, and an index of the season on one."""
NEAR = 20
"""Places in the season, divided by this, that an index is shared with on either side: a year of weeks has too few of each."""
LEAST_SEEN = 4
"""Observed steps without a stock-out below which nothing can be learned: sales stand for demand."""
CEILING = 3.0
"""No step is completed to more than so many times the largest that was ever sold."""
LEAST_SHAPE, MOST_SHAPE = 0.02, 1e4
BLOCK = 256


class Demand(Protocol):
    """What training asks of hidden demand."""

    def completed(self, panel: Panel) -> Panel:
        """The panel that forecasters learn and forecast from, by what it holds alone."""
        ...

    def drawn(self, panel: Panel, seed: int) -> np.ndarray:
        """Values (n,), with likely ones where a stock-out hid them."""
        ...


@dataclass(frozen=True)
class CensoredDemand:
    """What is done with steps at which a stock-out hid demand: ``impute``, ``drop`` (they count as not observed), or ``keep`` sales."""

    how: How = "impute"

    part: ClassVar[str] = "censored-demand"

    def completed(self, panel: Panel) -> Panel:
        """The panel that forecasters learn and forecast from; without stock-outs the same. Series by series, from what it holds alone."""
        if panel.available is None or self.how == "keep":
            return replace(panel, available=None)
        hidden = _hidden(panel)
        if self.how == "impute":
            y = np.where(hidden, _learned(panel, hidden).mean_above(panel.y), panel.y) if hidden.any() else panel.y
            return replace(panel, y=y, available=None)
        of = np.repeat(np.arange(len(panel)), panel.lengths)
        seen = np.bincount(of[~hidden & ~np.isnan(panel.y)], minlength=len(panel))
        return replace(panel, y=np.where(hidden & (seen[of] > 0), np.nan, panel.y), available=None)

    def drawn(self, panel: Panel, seed: int) -> np.ndarray:
        """Values (n,) with hidden demand drawn at random from its distribution given what was sold (imputation as of Rubin 1987).

        For how widely outcomes spread: means would spread too little, and outcomes without stock-outs are the low ones.
        """
        hidden = _hidden(panel)
        if not hidden.any():
            return panel.y
        draw = np.random.default_rng([seed, 11]).random(len(panel.y))
        return np.where(hidden, _learned(panel, hidden).drawn_above(panel.y, draw), panel.y)

    def to_parts(self) -> Parts:
        """The word."""
        return Parts({"how": self.how})

    @classmethod
    def from_parts(cls, parts: Parts) -> CensoredDemand:
        """Rebuild; BundleError for another word."""
        how = parts.json.get("how")
        if how not in HOWS:
            raise BundleError(f"censored demand treated by {how!r}", ", ".join(HOWS), "the bundle is damaged")
        return cls(cast(How, how))


KEEP = CensoredDemand("keep")
"""Sales stand for demand."""


def observed(panel: Panel) -> np.ndarray:
    """Outcomes that can be scored, (n,): NaN where a stock-out hid demand."""
    return panel.y if panel.available is None else np.asarray(np.where(panel.available, panel.y, np.nan))


def _hidden(panel: Panel) -> np.ndarray:
    if panel.available is None:
        return np.zeros(len(panel.y), bool)
    if len(panel.available) != len(panel.y):
        raise DataError(f"{len(panel.available)} flags of stock", f"{len(panel.y)}, one a step", "check the panel")
    return np.asarray(~panel.available & ~np.isnan(panel.y))


@dataclass(frozen=True)
class _Distribution:
    """A step's demand (n,): its mean, the shape (variance: mean²/shape, and the mean on top for counts), counts or not, the ceiling.

    ``mean`` is NaN where nothing was learned.
    """

    mean: np.ndarray
    shape: np.ndarray
    whole: np.ndarray
    ceiling: np.ndarray

    def of(self, at: np.ndarray) -> _Distribution:
        return _Distribution(self.mean[at], self.shape[at], self.whole[at], self.ceiling[at])

    def mean_above(self, least: np.ndarray) -> np.ndarray:
        """Mean demand given that it reached ``least`` (n,)."""
        first, _ = self.moments(least)
        return np.where(np.isnan(self.mean), least, first)

    def moments(self, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means of demand and of its square, given that it reached ``least``. Closed forms by the next shapes of the same family."""
        m, k, c = np.maximum(self.mean, 1e-12), self.shape, np.maximum(least, 0.0)
        reach = self._reach(0, m, k, c)
        once, twice = self._reach(1, m, k, c), self._reach(2, m, k, c)
        with np.errstate(invalid="ignore", divide="ignore"):
            first = m * once / reach
            second = m**2 * (k + 1) / k * twice / reach + np.where(self.whole, first, 0.0)
        far = ~(reach > 1e-12) | ~np.isfinite(first)
        first = np.where(far, c, np.clip(first, c, np.maximum(c, self.ceiling)))
        return first, np.where(far, c**2, np.maximum(second, first**2))

    def _reach(self, more: int, m: np.ndarray, k: np.ndarray, c: np.ndarray) -> np.ndarray:
        """P(D ≥ c - more) for a count, P(D ≥ c) otherwise, of the family's member with shape k + more and the same scale."""
        low = np.ceil(c) - more
        counted = np.where(low > 0, special.betainc(np.maximum(low, 1.0), k + more, m / (m + k)), 1.0)
        return np.asarray(np.where(self.whole, counted, special.gammaincc(k + more, c * k / m)))

    def drawn_above(self, least: np.ndarray, draw: np.ndarray) -> np.ndarray:
        """A value for each ``draw`` (n,) in [0, 1) from demand given that it reached ``least``."""
        m, k, c = np.maximum(self.mean, 1e-12), self.shape, np.maximum(least, 0.0)
        over = draw * self._reach(0, m, k, c)
        with np.errstate(invalid="ignore"):
            counted = np.ceil(special.nbdtrik(np.clip(1.0 - over, 0.0, 1.0), k, k / (m + k)) - 1e-9)
            value = np.where(self.whole, counted, special.gammainccinv(k, over) * m / k)
        value = np.where(np.isfinite(value), value, c)
        return np.where(np.isnan(self.mean), least, np.clip(value, c, np.maximum(c, self.ceiling)))


def _learned(panel: Panel, hidden: np.ndarray) -> _Distribution:
    """The distribution at every step; NaN in series that have no hidden one, or too few others."""
    n = len(panel.y)
    mean, shape, whole, ceiling = np.full(n, np.nan), np.ones(n), np.zeros(n, bool), np.zeros(n)
    of = np.repeat(np.arange(len(panel)), panel.lengths)
    seen = np.bincount(of[~hidden & ~np.isnan(panel.y)], minlength=len(panel))
    rows = np.flatnonzero((np.bincount(of[hidden], minlength=len(panel)) > 0) & (seen >= LEAST_SEEN))
    rows = rows[np.argsort(panel.lengths[rows], kind="stable")]
    for begin in range(0, len(rows), BLOCK):
        block = rows[begin : begin + BLOCK]
        lengths = panel.lengths[block]
        inside = np.arange(int(lengths.max()))[None, :] < lengths[:, None]
        place = np.where(inside, panel.indptr[block][:, None] + np.arange(inside.shape[1])[None, :], 0)
        y = np.where(inside, np.maximum(panel.y[place], 0.0), np.nan)
        fitted = _fitted(y, hidden[place] & inside, lengths, panel.season)
        for target, values in ((mean, fitted.mean), (shape, fitted.shape), (whole, fitted.whole), (ceiling, fitted.ceiling)):  # fmt: skip
            target[place[inside]] = values[inside]
    return _Distribution(mean, shape, whole, ceiling)


def _fitted(y: np.ndarray, hidden: np.ndarray, lengths: np.ndarray, season: int) -> _Distribution:
    """Of series (rows, steps), left aligned, NaN beyond their end. All sums run along a row, so that padding changes nothing."""
    there = ~np.isnan(y)
    sold = np.where(there, y, 0.0)
    whole = (sold == np.round(sold)).all(axis=1, keepdims=True) & np.ones_like(there)
    ceiling = CEILING * sold.max(axis=1, keepdims=True) * np.ones_like(sold)
    phases = season if season > 1 else 1
    use = (lengths >= 2 * phases)[:, None] & (phases > 1)
    half = max(HALF, 2 * season) if season <= HALF else HALF
    steps = np.arange(y.shape[1])
    low, high = np.maximum(steps - half, 0)[None, :], np.minimum(steps + half + 1, lengths[:, None])
    key = np.arange(len(y))[:, None] * phases + steps[None, :] % phases
    free = _freedom(there, half, phases, use)
    index = np.ones_like(sold)
    # begin from what was seen: hidden steps count as far as they exceed it
    mean = _level(sold, there & ~hidden, low, high)
    z, square = np.where(hidden, np.maximum(sold, mean), sold), np.zeros_like(sold)
    shape = np.full_like(sold, 2.0)
    for _ in range(ROUNDS):
        level = _level(np.where(there, z / index, 0.0), there, low, high)
        if phases > 1:
            index = np.where(use, _index(z, level, there, key, phases), 1.0)
        mean = np.maximum(level * index, 1e-9)
        rest = np.where(there, np.where(hidden, square, z**2) - 2 * z * mean + mean**2, 0.0)
        variance = _whole_row(rest) * free
        extra = np.where(whole, variance - _whole_row(np.where(there, mean, 0.0)), variance)
        shape = _whole_row(np.where(there, mean**2, 0.0)) / np.maximum(extra, 1e-12)
        shape = np.clip(shape, LEAST_SHAPE, MOST_SHAPE)
        now = _Distribution(mean[hidden], shape[hidden], whole[hidden], ceiling[hidden])
        z[hidden], square[hidden] = now.moments(sold[hidden])
    return _Distribution(mean, shape, whole, ceiling)


def _level(values: np.ndarray, there: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Means over a window around each step, leaning on the mean of the series."""
    kept = np.where(there, values, 0.0)
    total, count = _before(kept), _before(there.astype(float))
    overall = total[:, -1:] / np.maximum(count[:, -1:], 1.0)
    rows = np.arange(len(values))[:, None]
    around = total[rows, high] - total[rows, low]
    many = count[rows, high] - count[rows, low]
    return np.asarray((around + PRIOR * overall) / (many + PRIOR))


def _index(z: np.ndarray, level: np.ndarray, there: np.ndarray, key: np.ndarray, phases: int) -> np.ndarray:
    """How much a place in the season and those near it lie above the level, leaning on one."""
    size, near = len(z) * phases, phases // NEAR
    own = np.bincount(key[there], z[there], size).reshape(len(z), phases)
    base = np.bincount(key[there], level[there], size).reshape(len(z), phases)
    usual = _whole_row(np.where(there, level, 0.0)) / np.maximum(_whole_row(there.astype(float)), 1.0)
    lean = INDEX_PRIOR * usual[:, :1]
    total = sum((np.roll(own, k, axis=1) for k in range(-near, near + 1)), lean)
    below = sum((np.roll(base, k, axis=1) for k in range(-near, near + 1)), lean)
    return np.asarray((total / np.maximum(below, 1e-12)).ravel()[key])


def _freedom(there: np.ndarray, half: int, phases: int, use: np.ndarray) -> np.ndarray:
    """What the variance is multiplied by, for the steps that level and index have bent to themselves, (rows, steps)."""
    n = _whole_row(there.astype(float))
    shared = n / phases * (2 * (phases // NEAR) + 1)
    taken = n / (2 * half + 1 + PRIOR) + np.where(use, n / (shared + INDEX_PRIOR), 0.0)
    return np.asarray(n / np.maximum(n - taken, n / 3.0))


def _before(values: np.ndarray) -> np.ndarray:
    """Sums before each step: (rows, steps + 1)."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _whole_row(values: np.ndarray) -> np.ndarray:
    """A row's sum at each of its steps."""
    return np.asarray(np.cumsum(values, axis=1)[:, -1:] * np.ones_like(values))
