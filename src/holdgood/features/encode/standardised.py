"""Another block's columns, standardised by their training rows, for linear models; missing becomes the mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.protocols import Parts
from holdgood.features.encode.block import Block, Targets, damaged, same_shape, written
from holdgood.features.encode.target_means import TargetMeans
from holdgood.features.encode.text import TextTopics

_INNER: dict[str, type[TargetMeans] | type[TextTopics]] = {c.kind: c for c in (TargetMeans, TextTopics)}


class Standardised:
    """(column − mean) / standard deviation, of the out-of-fold training values; a constant column is zero."""

    kind: ClassVar[str] = "standardised"
    categorical: ClassVar[bool] = False

    def __init__(self, inner: Block) -> None:
        self._inner = inner
        self._mean = np.empty(0)
        self._sd = np.empty(0)

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the inner block."""
        return self._inner.names

    def fit(self, values: np.ndarray, targets: Targets) -> np.ndarray | None:
        """Learn the inner block, and the scale of its training rows."""
        inner = self._inner.fit(values, targets)
        width = len(self.names)
        if inner is None:
            inner = np.empty((len(values), width))
            self._inner.write(values, inner)
        self._mean, self._sd = np.zeros(width), np.zeros(width)
        for at, column in enumerate(inner.T):
            present = column[~np.isnan(column)]
            if len(present):
                mean, spread = float(present.mean()), float(present.std())
                self._mean[at], self._sd[at] = mean, spread if spread > 1e-12 * max(1.0, abs(mean)) else 0.0
        return self._scale(inner)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write any rows."""
        inner = np.empty(out.shape)
        self._inner.write(values, inner)
        out[:] = self._scale(inner)

    def _scale(self, inner: np.ndarray) -> np.ndarray:
        scaled = (inner - self._mean) / np.where(self._sd > 0, self._sd, 1.0)
        return np.where(np.isnan(inner) | (self._sd == 0), 0.0, scaled)

    def row(self, value: Any) -> Sequence[float]:
        """As ``write``."""
        return written(self, value)

    def to_parts(self) -> Parts:
        """The inner block's parts, and the scale."""
        inner = self._inner.to_parts()
        return Parts(
            {"inner": self._inner.kind, "json": inner.json}, {**inner.arrays, "mean": self._mean, "sd": self._sd}
        )

    @classmethod
    def from_parts(cls, parts: Parts) -> Standardised:
        """Rebuild."""
        kind = parts.json.get("inner")
        if kind not in _INNER or not isinstance(parts.json.get("json"), dict):
            raise damaged(f"an inner block of kind {kind!r}")
        arrays = {k: v for k, v in parts.arrays.items() if k not in ("mean", "sd")}
        block = cls(_INNER[kind].from_parts(Parts(parts.json["json"], arrays)))
        width = len(block.names)
        block._mean = same_shape(parts.arrays.get("mean"), (width,), "means")
        block._sd = same_shape(parts.arrays.get("sd"), (width,), "standard deviations")
        return block
