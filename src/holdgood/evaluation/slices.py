"""Weak slices: parts of the holdout where the loss is higher, found on one half and confirmed on the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from holdgood.core.frame import Feature, Frame
from holdgood.core.records import Slice
from holdgood.core.task import Task
from holdgood.metrics.interval import Spread, mean_interval, spread_of_mean
from holdgood.metrics.score import loss_rows

FALSE_DISCOVERIES = 0.1
SMALLEST = 50
MOST_LEVELS = 20
MOST_CANDIDATES = 30
WORTH_TELLING = 1.1
"""A slice is told only where its loss is a tenth above that of the rest."""


class WeakSlices(NamedTuple):
    """Confirmed slices, worst first, and how many were looked at."""

    slices: tuple[Slice, ...]
    notes: tuple[str, ...]


def weak_slices(
    frame: Frame,
    y: np.ndarray,
    prediction: np.ndarray,
    task: Task,
    *,
    clusters: np.ndarray | None = None,
    seed: int = 0,
    most: int = 10,
) -> WeakSlices:
    """Slices by a level of a category, a quarter of a number's range of values, or missing values.

    One half of the holdout (whole ``clusters``, where given) proposes slices of at least 50 rows whose loss a row is
    higher than elsewhere; the other half tests them, one-sided, with Benjamini & Hochberg's (1995) control of the
    false discovery rate at 10%. ``loss`` of a slice and its ``n`` are of the confirming half only. A higher loss can
    mean that a slice is harder, not that the model is wrong there.
    """
    if len(y) < 4 * SMALLEST:
        return WeakSlices((), (f"Weak slices were not looked for: {len(y):,} holdout rows are too few.",))
    loss = loss_rows(task, y, prediction)
    first = _half(len(y), clusters, seed)
    proposed: list[tuple[float, str, np.ndarray]] = []
    looked = 0
    for position, feature in enumerate(frame.features):
        for name, inside in _candidates(feature, frame.arrays[position], first):
            looked += 1
            if not SMALLEST <= int(np.sum(inside & first)) <= int(np.sum(first)) - SMALLEST:
                continue
            difference, spread = _difference(loss[first], inside[first], _rows(clusters, first))
            if spread.error > 0 and difference > 0:
                proposed.append((difference / spread.error, name, inside))
    proposed = sorted(proposed, key=lambda c: -c[0])[:MOST_CANDIDATES]
    confirmed = _confirm(proposed, loss, ~first, clusters)[:most]
    said = f"{looked:,} slices were looked at on one half of the holdout, {len(proposed)} tested on the other"
    return WeakSlices(tuple(confirmed), (f"{said}, {len(confirmed)} confirmed as weak.",))


def _confirm(
    proposed: list[tuple[float, str, np.ndarray]], loss: np.ndarray, second: np.ndarray, clusters: np.ndarray | None
) -> list[Slice]:
    tested = []
    for _, name, inside in proposed:
        here = inside & second
        rest = second & ~inside
        if np.sum(here) < SMALLEST // 2 or np.sum(rest) < SMALLEST // 2:
            continue
        difference, spread = _difference(loss[second], inside[second], _rows(clusters, second))
        worse = float(np.mean(loss[here])) / max(float(np.mean(loss[rest])), 1e-300)
        p = spread.p(difference) / 2 if difference > 0 else 1.0
        tested.append(
            (p, worse, Slice(name=name, n=int(np.sum(here)), loss=mean_interval(loss[here], _rows(clusters, here))))
        )
    adjusted = benjamini_hochberg([1.0 if math.isnan(p) else p for p, _, _ in tested])
    kept = [
        s
        for (_, worse, s), q in zip(tested, adjusted, strict=True)
        if q <= FALSE_DISCOVERIES and worse >= WORTH_TELLING
    ]
    return sorted(kept, key=lambda s: -s.loss.value)


def _rows(clusters: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if clusters is None else clusters[rows]


def _half(n: int, clusters: np.ndarray | None, seed: int) -> np.ndarray:
    """Which rows propose; (n,) bool. Clusters are not divided."""
    rng = np.random.default_rng(seed)
    if clusters is None:
        codes, units = np.arange(n), n
    else:
        labels, codes = np.unique(clusters, return_inverse=True)
        units = len(labels)
    chosen = np.zeros(units, bool)
    chosen[rng.permutation(units)[: units // 2]] = True
    return chosen[codes]


def _candidates(feature: Feature, values: np.ndarray, first: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Slices of one feature, their bounds learned on the proposing half: (words, (n,) bool)."""
    if feature.type == "number":
        missing = np.isnan(values)
        known = values[first & ~missing]
        edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75])) if len(known) else np.zeros(0)
        codes = np.searchsorted(edges, values, side="right")
        for code in range(len(edges) + 1):
            yield f"{feature.name} {_between(edges, code)}", (codes == code) & ~missing
    elif feature.type == "category":
        missing = np.array([v is None for v in values])
        text = np.where(missing, "", values).astype(str)
        levels, counts = np.unique(text[first & ~missing], return_counts=True)
        # the most frequent levels; equals by their label
        for at in np.argsort(-counts, kind="stable")[:MOST_LEVELS]:
            yield f"{feature.name} is {levels[at]}", (text == levels[at]) & ~missing
    else:
        return
    yield f"{feature.name} is missing", missing


def _between(edges: np.ndarray, code: int) -> str:
    if len(edges) == 0:
        return "is known"
    if code == 0:
        return f"below {edges[0]:,.4g}"
    if code == len(edges):
        return f"from {edges[-1]:,.4g}"
    return f"from {edges[code - 1]:,.4g} to below {edges[code]:,.4g}"


def _difference(loss: np.ndarray, inside: np.ndarray, clusters: np.ndarray | None) -> tuple[float, Spread]:
    """Mean loss inside minus outside, and the spread of that difference."""
    share = float(np.mean(inside))
    within, outside = float(np.mean(loss[inside])), float(np.mean(loss[~inside]))
    influence = np.where(inside, (loss - within) / share, -(loss - outside) / (1.0 - share))
    return within - outside, spread_of_mean(influence, clusters)


def benjamini_hochberg(p_values: list[float]) -> list[float]:
    """Adjusted p-values that control the false discovery rate, in the order given.

    >>> [round(q, 3) for q in benjamini_hochberg([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.053, 0.053, 0.5]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * len(p) / ranks))
    return [float(q) for q in adjusted]
