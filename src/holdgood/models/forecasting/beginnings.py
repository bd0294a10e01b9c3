"""Items without any history: forecast by how the items most like them began. The last resort where no other forecaster answers.

Analogies are an old practice for launches (Thomassey & Fiordaliso 2006); whole beginnings are drawn, so that sums over a lead time
spread as they did.
"""

from __future__ import annotations

import zlib
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Parts

LIKE = 50
"""Items that a new one is compared with."""
MOST = 4_000
_LAUNCHES = 20


class Beginnings:
    """``starts``: (kept, horizon) first steps of items; ``static``: (kept, attributes) with NaN for unknown; ``coded``: categories."""

    part: ClassVar[str] = "beginnings"

    def __init__(
        self, names: tuple[str, ...], starts: np.ndarray, static: np.ndarray, coded: np.ndarray, spread: np.ndarray
    ) -> None:
        self.names, self.starts, self.static, self.coded, self.spread = names, starts, static, coded, spread

    @classmethod
    def learned(cls, panel: Panel, horizon: int, seed: int) -> Beginnings:
        """Keep the first steps of items that began after the panel did; where these are few, the last steps of all items."""
        names = tuple(sorted(panel.static))
        long = np.flatnonzero(panel.lengths >= horizon)
        begins = panel.ds[np.minimum(panel.indptr[:-1], max(len(panel.ds) - 1, 0))]
        later = long[begins[long] > panel.ds.min()] if len(panel.ds) else long
        chosen = later if len(later) >= _LAUNCHES else long
        if len(chosen) > MOST:
            chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST, replace=False))
        at = (panel.indptr[:-1] if len(later) >= _LAUNCHES else panel.indptr[1:] - horizon)[chosen]
        starts = panel.y[at[:, None] + np.arange(horizon)] if len(chosen) else np.zeros((0, horizon))
        static = np.column_stack([panel.static[n][chosen] for n in names]) if names else np.zeros((len(chosen), 0))
        whole = ~np.isnan(starts).any(axis=1)
        starts, static = starts[whole], static[whole]
        coded = np.array([n in panel.categories for n in names], bool)
        spread = np.array([_sd(static[:, i]) for i in range(len(names))])
        return cls(names, starts, static, coded, spread)

    def sample(self, panel: Panel, future: Future, samples: int, seed: int) -> np.ndarray:
        """Joint paths (series, samples, horizon) for items by their attributes alone; NaN where nothing was learned.

        Each draws by its own id: the same whatever stands beside it.
        """
        out = np.full((len(panel), samples, future.horizon), np.nan)
        if not len(self.starts):
            return out
        known = np.column_stack([panel.static[n] for n in self.names]) if self.names else np.zeros((len(panel), 0))
        for i in range(len(panel)):
            random = np.random.default_rng([seed, zlib.crc32(str(panel.ids[i]).encode())])
            near = self._like(known[i])
            # among items that are equally like it, all count
            chosen = near[random.integers(0, len(near), samples)]
            out[i] = self.starts[chosen][:, : future.horizon]
        return out

    def _like(self, attributes: np.ndarray) -> np.ndarray:
        if not len(attributes):
            return np.arange(len(self.starts))
        apart = np.where(self.coded, self.static != attributes, np.abs(self.static - attributes) / self.spread)
        distance = np.where(np.isnan(apart), 1.0, np.minimum(apart, 1.0)).sum(axis=1)
        limit = np.sort(distance)[min(LIKE, len(distance)) - 1]
        return np.flatnonzero(distance <= limit)

    def to_parts(self) -> Parts:
        """Names as JSON, the rest as arrays."""
        arrays = {"starts": self.starts, "static": self.static, "coded": self.coded, "spread": self.spread}
        return Parts({"names": list(self.names)}, arrays)

    @classmethod
    def from_parts(cls, parts: Parts) -> Beginnings:
        """Rebuild; BundleError where arrays do not fit together."""
        try:
            names = tuple(str(n) for n in parts.json["names"])
            starts, static, coded, spread = (parts.arrays[n] for n in ("starts", "static", "coded", "spread"))
        except (KeyError, TypeError) as error:
            raise BundleError(f"beginnings without {error}", "what this part wrote", "the bundle is damaged") from error
        if starts.ndim != 2 or static.shape != (len(starts), len(names)) or not len(coded) == len(spread) == len(names):
            raise BundleError(
                "beginnings whose arrays do not fit together", "what this part wrote", "the bundle is damaged"
            )
        return cls(names, starts, static, coded.astype(bool), spread)


def _sd(values: np.ndarray) -> float:
    seen = values[~np.isnan(values)]
    sd = float(seen.std()) if len(seen) else 0.0
    return 2.0 * sd if sd > 0 else 1.0
