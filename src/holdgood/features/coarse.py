"""Coarse values: nothing that fewer than ten development rows share, so that nobody is recognised by a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from holdgood.core.frame import Feature, Frame

FEWEST = 10
BINS = 250
RARE = "(rare)"


@dataclass(frozen=True)
class Coarse:
    """How one feature is made coarse. Numbers: ``edges`` (b - 1,) between bins and their ``values`` (b,); else the ``levels`` kept.

    Texts become their length, a number. ``feature``: as it is afterwards.
    """

    feature: Feature
    text: bool
    edges: np.ndarray
    values: np.ndarray
    levels: tuple[str, ...]

    @classmethod
    def of(cls, feature: Feature, values: np.ndarray) -> Coarse:
        """Learn bins or levels from development rows."""
        none = np.zeros(0)
        if feature.type == "category":
            present = np.array([v for v in values if v is not None], dtype=str)
            levels, counts = np.unique(present, return_counts=True)
            return cls(feature, False, none, none, tuple(str(v) for v in levels[counts >= FEWEST]))
        text = feature.type == "text"
        plain = Feature(feature.name, "number", feature.origin)
        numbers = _lengths(values) if text else values
        edges, middles = _bins(numbers[np.isfinite(numbers)])
        return cls(plain, text, edges, middles, ())

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The same coarseness for other rows; a level that was rare or is new becomes ``RARE``."""
        if self.feature.type == "category":
            kept = set(self.levels)
            return np.array([v if v is None or v in kept else RARE for v in values], dtype=object)
        numbers = _lengths(values) if self.text else values
        if len(self.values) == 0:
            return np.where(np.isfinite(numbers), 0.0, np.nan)
        out = self.values[np.searchsorted(self.edges, np.nan_to_num(numbers), side="right")]
        return np.where(np.isnan(numbers), np.nan, out)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        f = self.feature
        return {
            "name": f.name, "type": f.type, "origin": list(f.origin), "text": self.text, "levels": list(self.levels),
            "edges": self.edges.tolist(), "values": self.values.tolist(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Coarse:
        """The opposite of ``to_json``."""
        feature = Feature(kept["name"], kept["type"], tuple(kept["origin"]))
        edges, values = (np.array(kept[n], np.float64) for n in ("edges", "values"))
        if len(values) and len(edges) != len(values) - 1:
            raise ValueError("edges and values do not fit")
        return cls(feature, bool(kept["text"]), edges, values, tuple(kept["levels"]))


def maps_of(frame: Frame) -> tuple[Coarse, ...]:
    """How each feature of development rows is made coarse."""
    return tuple(Coarse.of(f, a) for f, a in zip(frame.features, frame.arrays, strict=True))


def like(maps: tuple[Coarse, ...], frame: Frame) -> Frame:
    """Rows as coarse as the reference is."""
    return Frame(tuple(c.feature for c in maps), tuple(c.apply(a) for c, a in zip(maps, frame.arrays, strict=True)))


def _lengths(values: np.ndarray) -> np.ndarray:
    return np.array([np.nan if v is None else float(len(v)) for v in values])


def _bins(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges and mean values of at most ``BINS`` bins of about equal rows, none with fewer than ``FEWEST``."""
    if len(numbers) < FEWEST:
        return np.zeros(0), np.zeros(0)
    levels, counts = np.unique(numbers, return_counts=True)
    need = max(FEWEST, -(-len(numbers) // BINS))
    edges, means, rows, total = [], [], 0, 0.0
    left = int(counts.sum())
    for i, (level, count) in enumerate(zip(levels, counts, strict=True)):
        rows, total, left = rows + int(count), total + float(level) * int(count), left - int(count)
        if rows >= need and (left >= need or left == 0):
            means.append(total / rows)
            if left:
                edges.append((float(level) + float(levels[i + 1])) / 2.0)
            rows, total = 0, 0.0
    return np.array(edges), np.array(means)
