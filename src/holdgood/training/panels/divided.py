"""A local family that was fitted in pieces, by several workers, as one forecaster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.chain import nest, unnest
from holdgood.core.errors import BundleError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, PanelContext, Parts


class Divided:
    """One local family, fitted in pieces: each piece answers for the series it has seen."""

    part: ClassVar[str] = "divided-forecaster"

    def __init__(self, pieces: Sequence[Forecaster], ids: Sequence[np.ndarray]) -> None:
        self.pieces, self.ids = tuple(pieces), tuple(ids)
        self.failed: Mapping[str, str] = {k: v for p in self.pieces for k, v in p.failed.items()}

    def fit(self, panel: Panel, context: PanelContext) -> Divided:
        """Fit every piece anew on its own series."""
        place = self._place(panel)
        pieces = [p.fit(panel.take(np.flatnonzero(place == k)), context) for k, p in enumerate(self.pieces)]
        return Divided(pieces, self.ids)

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """Each series by the piece that knows it; unknown ones by the first, which falls back."""
        out = np.full((len(panel), future.horizon), np.nan)
        place = self._place(panel)
        for k, piece in enumerate(self.pieces):
            rows = np.flatnonzero(place == k)
            if len(rows):
                out[rows] = piece.predict(panel.take(rows), future.take(rows))
        return out

    def _place(self, panel: Panel) -> np.ndarray:
        of = {i: k for k, ids in enumerate(self.ids) for i in ids.tolist()}
        return np.array([of.get(i, 0) for i in panel.ids.tolist()], np.int64)

    def to_parts(self) -> Parts:
        """Pieces and their ids."""
        inner = nest({f"piece-{k}": p for k, p in enumerate(self.pieces)})
        return Parts({"parts": inner.json, "ids": [i.tolist() for i in self.ids]}, inner.arrays, inner.files)

    @classmethod
    def from_parts(cls, parts: Parts) -> Divided:
        """Rebuild; BundleError where pieces and ids do not fit."""
        ids, entries = parts.json.get("ids"), parts.json.get("parts")
        if not isinstance(ids, list) or not isinstance(entries, dict) or len(ids) != len(entries) or not ids:
            raise BundleError(
                "a divided forecaster whose pieces and ids differ", "ids a piece", "the bundle is damaged"
            )
        inner = unnest(Parts(entries, parts.arrays, parts.files))
        return cls([inner[f"piece-{k}"] for k in range(len(ids))], [np.asarray(i) for i in ids])
