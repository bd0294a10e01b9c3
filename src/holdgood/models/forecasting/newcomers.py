"""Newcomers: the level of an item without history, from those that resemble it by their attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.panel import Panel
from holdgood.models.forecasting.lag_base import mean_of

_MOST = 2_000
_NEAREST = 20
_BLOCK = 256


@dataclass(frozen=True)
class Newcomers:
    """``attributes`` (items, names) of items that were learned from, ``levels`` (items,) the mean of their first steps.

    ``names`` are the static columns; ``coded`` tells which are codes. Numbers are compared in units of ``spread``.
    """

    names: tuple[str, ...]
    coded: np.ndarray
    attributes: np.ndarray
    spread: np.ndarray
    levels: np.ndarray

    @classmethod
    def learn(cls, panel: Panel, y: np.ndarray, span: int, seed: int) -> Newcomers:
        """Level of the first ``span`` steps that each series was seen in; at most 2,000 series, drawn by seed."""
        names = tuple(sorted(panel.static))
        coded = np.array([n in panel.categories for n in names], dtype=bool)
        rows = np.arange(len(panel))
        if len(rows) > _MOST:
            rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST, replace=False))
        place = panel.indptr[rows][:, None] + np.arange(span)[None, :]
        inside = place < panel.indptr[rows + 1][:, None]
        first = np.where(inside, y[np.where(inside, place, 0)] if len(y) else np.nan, np.nan)
        levels = mean_of(first)
        seen = ~np.isnan(levels)
        attributes = np.column_stack([panel.static[n][rows] for n in names]) if names else np.empty((len(rows), 0))
        attributes = attributes[seen].astype(np.float64)
        middle = mean_of(attributes, axis=0)
        spread = np.sqrt(np.nan_to_num(mean_of((attributes - middle) ** 2, axis=0)))
        return cls(names, coded, attributes, np.where(spread > 0, spread, 1.0), levels[seen])

    def level(self, panel: Panel, rows: np.ndarray) -> np.ndarray:
        """Level of some series of ``panel``, (rows,): the median of the twenty nearest; NaN where nothing was learned."""
        out = np.full(len(rows), np.nan)
        if not len(self.levels):
            return out
        unknown = np.full(len(panel), np.nan)
        asked = [panel.static.get(n, unknown)[rows] for n in self.names]
        theirs = np.column_stack(asked) if asked else np.empty((len(rows), 0))
        for start in range(0, len(rows), _BLOCK):
            away = np.zeros((len(theirs[start : start + _BLOCK]), len(self.levels)))
            for k in range(len(self.names)):
                gap = np.abs(theirs[start : start + _BLOCK, k, None] - self.attributes[None, :, k])
                gap = (gap > 0).astype(float) if self.coded[k] else np.minimum(gap / self.spread[k], 2.0) / 2.0
                away += np.where(np.isnan(gap), 1.0, gap)
            order = np.sort(away, axis=1)
            reach = order[:, min(_NEAREST, len(self.levels)) - 1]
            for i in range(len(away)):
                out[start + i] = np.median(self.levels[away[i] <= reach[i]])
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Four arrays by name."""
        return {
            "newcomer_coded": self.coded,
            "newcomer_attributes": self.attributes,
            "newcomer_spread": self.spread,
            "newcomer_levels": self.levels,
        }

    @classmethod
    def from_arrays(cls, names: tuple[str, ...], arrays: Mapping[str, np.ndarray]) -> Newcomers:
        """Rebuild; BundleError where shapes do not fit."""
        found = [arrays.get(f"newcomer_{n}", np.empty((0, 0, 0))) for n in ("coded", "attributes", "spread", "levels")]
        k, n = len(names), len(found[3])
        shapes = [(k,), (n, k), (k,), (n,)]
        fit = all(a.shape == s for a, s in zip(found, shapes, strict=True))
        if not fit or found[0].dtype != bool or not np.isfinite(found[3]).all() or not (found[2] > 0).all():
            raise BundleError(f"attributes of shapes {[a.shape for a in found]}", f"{shapes}", "the bundle is damaged")
        return cls(names, *found)


def unseen(panel: Panel, y: np.ndarray, newcomers: Newcomers) -> np.ndarray:
    """What stands in for a history without values, (series,): the last value ever seen, or the level of its likes."""
    out = np.full(len(panel), np.nan)
    seen = np.flatnonzero(~np.isnan(y))
    if len(seen):
        last = np.searchsorted(seen, panel.indptr[1:], side="left") - 1
        place = seen[np.maximum(last, 0)]
        out = np.where((last >= 0) & (place >= panel.indptr[:-1]), y[place], np.nan)
    new = np.flatnonzero(np.isnan(out))
    if len(new):
        out[new] = newcomers.level(panel, new)
    return out
