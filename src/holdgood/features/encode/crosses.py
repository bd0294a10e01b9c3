"""Crosses: columns made of two, where the outcome is seen to depend on how they stand to each other.

Ratio, difference and product of two numbers, and a number against its mean within a category. What each column explains by
itself is taken out of the outcome first (backfitted means over bins, Hastie & Tibshirani 1986); a cross is taken where it explains
what is left by an F test at ``LEVEL`` over all that were looked at. Where nothing depends on two together, there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import rankdata

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Parts
from holdgood.features.encode.block import FOLDS, Targets, damaged, same_shape
from holdgood.features.encode.category import read_levels
from holdgood.features.encode.levels import Levels
from holdgood.features.encode.target_means import shrinkage

KINDS = ("difference", "product", "ratio", "deviation")
MOST, LEVEL = 8, 0.01
MOST_NUMBERS, MOST_CATEGORIES, MOST_LEVELS = 16, 6, 20_000
"""Columns that are crossed: those that explain most by themselves."""
ROWS, BINS, ROUNDS = 10_000, 16, 3
"""Rows that are looked at, bins of a number, and rounds of taking out what each column explains."""


@dataclass(frozen=True, eq=False)
class Cross:
    """``kind``: ratio, difference, product, or deviation (``first`` less its mean within ``second``, a category).

    ``levels`` and ``means`` (levels + 1; the last: of missing and unseen ones) belong to a deviation.
    """

    kind: str
    first: str
    second: str
    levels: Levels = field(default_factory=lambda: Levels(()))
    means: np.ndarray = field(default_factory=lambda: np.zeros(1))

    @property
    def name(self) -> str:
        """Of the column."""
        sign = {"ratio": "/", "difference": "-", "product": "*"}.get(self.kind)
        return f"{self.first} {sign} {self.second}" if sign else f"{self.first} less its mean in {self.second}"

    def of(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        """The column, (n,); NaN where it cannot be made. Each row's depends on that row alone."""
        if self.kind == "deviation":
            off: np.ndarray = one - self._mean(two)
            return off
        return combined(self.kind, one, two)

    def _mean(self, level: np.ndarray) -> np.ndarray:
        codes = self.levels.codes(level)
        return self.means[np.where(codes < 0, len(self.levels), codes)]

    def alone(self, one: Any, two: Any) -> float:
        """The same for a single row, to the bit."""
        second = np.empty(1, object if self.kind == "deviation" else np.float64)
        second[0] = two
        return float(self.of(np.array([one], np.float64), second)[0])


def beside(frame: Frame, crosses: Sequence[Cross], columns: Sequence[np.ndarray] | None = None) -> Frame:
    """The frame with the crosses as further features; ``columns``: theirs, where they are there already (out of fold)."""
    if not crosses:
        return frame
    if columns is None:
        there = {f.name: a for f, a in zip(frame.features, frame.arrays, strict=True)}
        expect(there, crosses)
        columns = [c.of(there[c.first], there[c.second]) for c in crosses]
    names = called(crosses, frame.names)
    return frame.beside(Frame(tuple(Feature(name, "number") for name in names), tuple(columns)))


def expect(there: Mapping[str, Any], crosses: Sequence[Cross]) -> None:
    """DataError where a feature that is crossed is not there."""
    for name in (n for c in crosses for n in (c.first, c.second)):
        if name not in there:
            raise DataError(
                f"feature {name!r} is not there",
                "the features that the encoder was fitted on",
                did_you_mean(name, there) or "build them from the same plan",
            )


def called(crosses: Sequence[Cross], taken: Sequence[str]) -> list[str]:
    """A name for each column that no feature and no other has."""
    names = list(taken)
    for cross in crosses:
        name = cross.name
        while name in names:
            name += " (made)"
        names.append(name)
    return names[len(taken) :]


def to_parts(crosses: Sequence[Cross]) -> Parts:
    """What is needed to make them."""
    entries = [{"kind": c.kind, "first": c.first, "second": c.second, "levels": list(c.levels.levels)} for c in crosses]
    return Parts({"crosses": entries}, {f"cross.{i}": c.means for i, c in enumerate(crosses)})


def from_parts(parts: Parts) -> tuple[Cross, ...]:
    """Rebuild; BundleError where something does not fit together."""
    entries, crosses = parts.json.get("crosses", []), []
    if not isinstance(entries, list):
        raise damaged("no crosses")
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or entry.get("kind") not in KINDS:
            raise damaged(f"a cross of no known kind at {i}")
        levels = read_levels(Parts(entry))
        means = same_shape(parts.arrays.get(f"cross.{i}"), (len(levels) + 1,), "means")
        crosses.append(Cross(entry["kind"], str(entry.get("first")), str(entry.get("second")), levels, means))
    return tuple(crosses)


def combined(kind: str, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Ratio, difference or product of two numbers a row; NaN where that is no finite number."""
    with np.errstate(all="ignore"):
        made = one / two if kind == "ratio" else one - two if kind == "difference" else one * two
    found: np.ndarray = np.where(np.isfinite(made), made, np.nan)
    return found


def learn(frame: Frame, targets: Targets, *, regression: bool) -> list[tuple[Cross, np.ndarray]]:
    """The crosses of training rows that explain something, best first, with their columns; group means are out of fold.

    Monotone features are not crossed: nobody could say any more which way the answer goes with them.
    """
    n = len(frame)
    rows = np.arange(n) if n <= ROWS else np.sort(np.random.default_rng(targets.seed).choice(n, ROWS, replace=False))
    y = targets.columns[rows]
    if regression:
        y = rankdata(y, axis=0)
    if not y.shape[1] or len(rows) < 10 * BINS:
        return []
    coded = {f.name: _coded(f, a[rows]) for f, a in zip(frame.features, frame.arrays, strict=True) if f.type != "text"}
    left, explained = _without_each(y - y.mean(axis=0), list(coded.values()))
    weight = dict(zip(coded, explained, strict=True))
    strong = sorted((f for f in frame.features if f.name in coded and not f.monotone), key=lambda f: -weight[f.name])
    numbers = _in_order(frame, [f for f in strong if f.type == "number"][:MOST_NUMBERS])
    categories = _in_order(frame, [f for f in strong if f.type == "category"][:MOST_CATEGORIES])
    made, bins = [], []
    for cross, column in _possible(frame, targets, numbers, categories):  # one at a time: all of them would fill memory
        made.append(cross)
        bins.append(_bins(column[rows]))
    found: list[Cross] = []
    p, still = np.ones(len(made)), np.arange(len(made))
    while len(found) < MOST and len(still):
        # looked at anew after each that is taken: what says the same has nothing left to say
        p[still] = [_p_value(bins[i], left) for i in still]
        still = still[p[still] <= LEVEL / len(made)]
        if not len(still):
            break
        best = still[np.argmin(p[still])]
        found.append(made[best])
        still = still[still != best]
        left = left - _means(bins[best], left)[bins[best]]
    return [(cross, _learned(cross, frame, targets)) for cross in found]


def _in_order(frame: Frame, features: Sequence[Feature]) -> list[str]:
    return [name for name in frame.names if name in {f.name for f in features}]


def _possible(
    frame: Frame, targets: Targets, numbers: Sequence[str], categories: Sequence[str]
) -> Iterator[tuple[Cross, np.ndarray]]:
    for first, second in combinations(numbers, 2):
        for kind in KINDS[:3]:
            cross = Cross(kind, first, second)
            yield cross, _learned(cross, frame, targets)
    for second in categories:
        levels, codes, _ = Levels.learn(frame.column(second), MOST_LEVELS)
        at = np.where(codes < 0, len(levels), codes)
        for first in numbers:
            values = frame.column(first)
            means, apart = _group_means(values, at, len(levels) + 1, targets.folds)
            yield Cross("deviation", first, second, levels, means), values - apart


def _learned(cross: Cross, frame: Frame, targets: Targets) -> np.ndarray:
    """The column of training rows: a deviation out of fold, others as new rows have them."""
    one, two = frame.column(cross.first), frame.column(cross.second)
    if cross.kind != "deviation":
        return cross.of(one, two)
    codes = cross.levels.codes(two)
    at = np.where(codes < 0, len(cross.levels), codes)
    off: np.ndarray = one - _group_means(one, at, len(cross.levels) + 1, targets.folds)[1]
    return off


def _group_means(values: np.ndarray, at: np.ndarray, size: int, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shrunk mean of each group, and for each row that of the other inner folds: as a new row of the group would meet it."""
    there = np.isfinite(values)
    prior = float(values[there].mean()) if there.any() else 0.0
    cell, own = (at * FOLDS + folds)[there], values[there] - prior
    counts = np.bincount(cell, minlength=size * FOLDS).reshape(size, FOLDS).astype(np.float64)
    sums = np.bincount(cell, weights=own, minlength=size * FOLDS).reshape(size, FOLDS)
    m = shrinkage(at[there], own, size)
    whole = prior + sums.sum(axis=1) / (counts.sum(axis=1) + m)
    others = prior + (sums.sum(axis=1)[:, None] - sums) / (counts.sum(axis=1)[:, None] - counts + m)
    return whole, others[at, folds]


def _coded(feature: Feature, values: np.ndarray) -> np.ndarray:
    """A code a row: the bin of a number, the level of a category."""
    if feature.type == "number":
        return _bins(values)
    codes = Levels.learn(values, BINS)[1]
    coded: np.ndarray = np.where(codes < 0, BINS - 1 - codes, codes)
    return coded


def _bins(values: np.ndarray) -> np.ndarray:
    """Bins of about equal rows, and one more for what is missing."""
    there = np.isfinite(values)
    if not there.any():
        return np.zeros(len(values), np.int64)
    edges = np.unique(np.quantile(values[there], np.arange(1, BINS) / BINS))
    found: np.ndarray = np.where(there, np.searchsorted(edges, values, side="right"), BINS)
    return found


def _without_each(y: np.ndarray, coded: Sequence[np.ndarray]) -> tuple[np.ndarray, list[float]]:
    """What is left of the outcome when the part of every column by itself is taken out, and how much each explained."""
    left, explained = y.copy(), [0.0] * len(coded)
    parts = [np.zeros((BINS + 3, y.shape[1])) for _ in coded]
    for _ in range(ROUNDS):
        for i, codes in enumerate(coded):
            left += parts[i][codes]
            parts[i] = _means(codes, left)
            explained[i] = float(np.square(parts[i][codes]).sum())
            left -= parts[i][codes]
    return left, explained


def _means(codes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of each column of the outcome by code, (BINS + 3, columns)."""
    counts = np.maximum(np.bincount(codes, minlength=BINS + 3).astype(np.float64), 1.0)
    return np.stack([np.bincount(codes, weights=c, minlength=BINS + 3) / counts for c in y.T], axis=1)


def _p_value(codes: np.ndarray, left: np.ndarray) -> float:
    """F test of bins, over the columns of the outcome the least p (times their number)."""
    counts = np.bincount(codes).astype(np.float64)
    k, n = int((counts > 0).sum()), len(codes)
    if k < 2:
        return 1.0
    least = 1.0
    for column in left.T:
        sums = np.bincount(codes, weights=column)
        between = float((np.square(sums) / np.maximum(counts, 1.0)).sum()) - float(column.sum()) ** 2 / n
        within = float(np.square(column).sum()) - float(column.sum()) ** 2 / n - between
        if within > 0:
            least = min(least, float(f_distribution.sf((between / (k - 1)) / (within / (n - k)), k - 1, n - k)))
    return float(min(1.0, least * left.shape[1]))
