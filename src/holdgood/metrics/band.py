"""How far amounts fall from what is predicted: intervals that hold at a stated level, and the amount that costs least.

Residuals of out-of-fold predictions, each over the size that residuals have near its prediction (normalised residuals,
Papadopoulos 2002), are taken as scores. Their ranks give split-conformal intervals (Vovk 2005; with cross-fitted scores as
in Barber 2021), and their quantile at ``under / (over + under)`` the newsvendor's amount (Arrow, Harris & Marschak 1951).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Frame

BINS, ROWS_A_BIN = 20, 100
LEAST = 0.05
"""Residuals are nowhere taken for smaller than this share of their mean size: no bin is exact because it was lucky."""


@dataclass(frozen=True, eq=False)
class Band:
    """``at`` and ``scale`` (b,): mean size of residuals by prediction, straight lines between. Scores are in these sizes.

    ``low`` and ``high``: scores of the interval at ``level`` (None where none is wanted; infinite where rows are too few);
    ``shift``: the score of the amount that costs least, 0 where costs do not say. ``quantiles``: (level, score) of each that is
    wanted, by level; infinite where rows are too few. Scores rise with the level, so that quantiles never cross.
    """

    at: np.ndarray
    scale: np.ndarray
    level: float | None = None
    low: float = -math.inf
    high: float = math.inf
    shift: float = 0.0
    quantiles: tuple[tuple[float, float], ...] = ()
    needs_frame: ClassVar[bool] = False

    @property
    def wanted(self) -> tuple[float, ...]:
        """The levels of the quantiles that are wanted."""
        return tuple(level for level, _ in self.quantiles)

    def size(self, prediction: np.ndarray) -> np.ndarray:
        """The size of residuals near each prediction; (n,)."""
        return np.interp(prediction, self.at, self.scale)

    def interval(self, prediction: np.ndarray, frame: Frame | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of each row's interval; the facts of the rows are not looked at."""
        size = self.size(prediction)
        return prediction + self.low * size, prediction + self.high * size

    def at_levels(self, prediction: np.ndarray, frame: Frame | None = None) -> np.ndarray:
        """The wanted quantiles of each row, (n, levels); the facts of the rows are not looked at."""
        scores = np.array([score for _, score in self.quantiles])
        found: np.ndarray = prediction[:, None] + self.size(prediction)[:, None] * scores
        return found

    def beside(self, prediction: np.ndarray, frame: Frame | None = None) -> dict[str, np.ndarray]:
        """What stands beside each prediction, as far as wanted: ``low`` and ``high``, ``quantile_0.1`` and so on."""
        found: dict[str, np.ndarray] = {}
        if self.level is not None:
            found["low"], found["high"] = self.interval(prediction)
        wanted = self.at_levels(prediction)
        return found | {
            f"quantile_{q:g}": np.ascontiguousarray(wanted[:, i]) for i, (q, _) in enumerate(self.quantiles)
        }

    def answer(self, prediction: np.ndarray) -> np.ndarray:
        """The amount to answer with."""
        return prediction + self.shift * self.size(prediction) if self.shift else prediction

    def to_json(self) -> dict[str, Any]:
        """Plain numbers; infinite ends become null. Quantiles are named only where some are wanted."""
        ends = [v if math.isfinite(v) else None for v in (self.low, self.high)]
        wanted = [[level, score if math.isfinite(score) else None] for level, score in self.quantiles]
        named = {"at": self.at.tolist(), "scale": self.scale.tolist(), "level": self.level}
        return (
            named | {"low": ends[0], "high": ends[1], "shift": self.shift} | ({"quantiles": wanted} if wanted else {})
        )

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Band:
        """Rebuild; BundleError where numbers do not fit together."""
        try:
            at, scale = (np.array(given[n], np.float64) for n in ("at", "scale"))
            low = -math.inf if given["low"] is None else float(given["low"])
            high = math.inf if given["high"] is None else float(given["high"])
            level = None if given["level"] is None else float(given["level"])
            shift = float(given["shift"])
            quantiles = tuple(
                (float(q), math.copysign(math.inf, q - 0.5) if score is None else float(score))
                for q, score in given.get("quantiles", ())
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"intervals without {error}", "their numbers", "the bundle is damaged") from error
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(quantiles)) and all(
            0 < q < 1 for q, _ in quantiles
        )
        fits = (
            rising
            and at.ndim == 1
            and at.shape == scale.shape
            and len(at)
            and np.isfinite(at).all()
            and (scale > 0).all()
        )
        if not (fits and np.isfinite(scale).all() and (np.diff(at) > 0).all() and low <= high and math.isfinite(shift)):
            raise BundleError(
                "intervals whose numbers do not fit together", "sizes by prediction", "the bundle is damaged"
            )
        return cls(at, scale, level, low, high, shift, quantiles)


def band(
    y: np.ndarray,
    prediction: np.ndarray,
    *,
    level: float | None = None,
    over: float = 0.0,
    under: float = 0.0,
    weight: np.ndarray | None = None,
    quantiles: Sequence[float] = (),
) -> Band:
    """Learn from out-of-fold predictions (n,), n at least 1.

    ``level``: share of new rows that the interval should hold; ``over`` and ``under``: cost of a unit too much and too
    little, zero where nothing is declared; ``weight``: how much each row counts; ``quantiles``: levels, rising. A new row
    lies at or below a quantile from the median on with at least its chance, at or above one below the median with at least the rest.
    """
    counts = np.ones(len(y)) if weight is None else weight / np.mean(weight)
    at, scale = _sizes(y, prediction, counts, _bins(len(y)))
    scores = _scores(y, prediction, counts)
    order = np.argsort(scores, kind="stable")
    ordered, passed = scores[order], np.cumsum(counts[order])
    back = -ordered[::-1], np.cumsum(counts[order][::-1])
    ends = (-math.inf, math.inf)
    if level is not None:
        tail = (1.0 - level) / 2.0
        ends = -_rank(*back, 1.0 - tail), _rank(ordered, passed, 1.0 - tail)
    shift = 0.0
    if over + under > 0.0:
        wanted = under / (over + under) * passed[-1]
        shift = float(ordered[min(int(np.searchsorted(passed, wanted - 1e-9)), len(ordered) - 1)])
    wanted = tuple((q, _rank(ordered, passed, q) if q >= 0.5 else -_rank(*back, 1.0 - q)) for q in quantiles)
    return Band(at, scale, level, *ends, shift, wanted)


def held_by(scores: np.ndarray, level: float, weight: np.ndarray | None = None) -> float:
    """The number that a new score of the same kind lies at or below with at least this chance, from the median on; at or above
    it with at least the rest, below the median. Infinite where rows are too few.

    >>> held_by(np.arange(9.0), 0.9), held_by(np.arange(9.0), 0.1), held_by(np.arange(8.0), 0.9)
    (8.0, 0.0, inf)
    """
    counts = np.ones(len(scores)) if weight is None else weight / np.mean(weight)
    order = np.argsort(scores, kind="stable")
    ordered, counted = scores[order], counts[order]
    if level >= 0.5:
        return _rank(ordered, np.cumsum(counted), level)
    return -_rank(-ordered[::-1], np.cumsum(counted[::-1]), 1.0 - level)


def _rank(ordered: np.ndarray, passed: np.ndarray, share: float) -> float:
    """The score that a new one lies at or below with at least this chance: its own row counts among n + 1."""
    wanted = share * (passed[-1] + 1.0)
    at = int(np.searchsorted(passed, wanted - 1e-9))
    return float(ordered[at]) if at < len(ordered) else math.inf


def _bins(n: int) -> int:
    return max(1, min(BINS, n // ROWS_A_BIN))


def _sizes(y: np.ndarray, prediction: np.ndarray, counts: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute residual over bins of equal rows of the prediction."""
    off = np.abs(y - prediction)
    edges = np.unique(np.quantile(prediction, np.arange(1, bins) / bins, method="higher"))
    codes = np.unique(np.searchsorted(edges, prediction, side="right"), return_inverse=True)[1]
    rows = np.bincount(codes, weights=counts)
    at = np.bincount(codes, weights=counts * prediction) / rows
    scale = np.bincount(codes, weights=counts * off) / rows
    least = LEAST * float(np.average(off, weights=counts))
    # rounding may bring the means of neighbouring bins together
    kept = np.r_[True, np.diff(at) > 0]
    return at[kept], np.maximum(scale[kept], least if least > 0 else 1.0)


def _scores(y: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Each row's residual in sizes learned from the other half of the rows: its own would make it look smaller."""
    half = np.random.default_rng(len(y)).permutation(len(y)) % 2
    scores, bins = np.empty(len(y)), _bins(len(y))  # as many bins as are used in the end: fewer would give other scores
    for mine in (0, 1):
        own = half == mine
        others = ~own if own.sum() < len(y) else own
        at, scale = _sizes(y[others], prediction[others], counts[others], bins)
        scores[own] = (y[own] - prediction[own]) / np.interp(prediction[own], at, scale)
    return scores
