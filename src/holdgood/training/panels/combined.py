"""The forecaster that is delivered: members, how they are blended, and the errors that spread its paths. One part of a bundle."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from holdgood.core.chain import nest, unnest
from holdgood.core.errors import BundleError
from holdgood.core.panel import Future, Panel, Paths
from holdgood.core.protocols import Forecaster, PanelContext, Parts
from holdgood.training.panels.combine import Blend, blended
from holdgood.training.panels.errors import Sizes, Trajectories, traits
from holdgood.training.panels.segments import segments
from holdgood.training.panels.windows import windows


class Combined:
    """Blended members with paths from backtest errors.

    ``nonnegative``: no path goes below zero (no history does); ``whole``: paths are rounded to whole numbers, at random so that
    means stay (histories are counts).
    ``windowed``: segments whose paths are windows of the own past, with their memory (see ``windows``). A series' past losses a
    member stand in ``past`` by id, for weights of its own.
    """

    part: ClassVar[str] = "combined-forecaster"

    def __init__(
        self,
        members: Mapping[str, Forecaster],
        blend: Blend,
        sizes: Sizes,
        trajectories: Trajectories,
        *,
        nonnegative: bool = False,
        whole: bool = False,
        past: Mapping[str, np.ndarray] | None = None,
        windowed: Mapping[int, float] | None = None,
    ) -> None:
        self.members, self.blend, self.sizes, self.trajectories = dict(members), blend, sizes, trajectories
        self.nonnegative, self.whole, self.past = nonnegative, whole, dict(past or {})
        self.windowed = dict(windowed or {})
        self.failed: Mapping[str, str] = {
            series: f"{name}: {why}" for name, m in self.members.items() for series, why in m.failed.items()
        }

    def fit(self, panel: Panel, context: PanelContext) -> Combined:
        """Refit every member on a longer history; blend and errors stay."""
        for name, member in self.members.items():
            self.members[name] = member.fit(panel, context)
        return self

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """Point forecasts (series, horizon) from the end of each history, without refitting."""
        points = np.stack([m.predict(panel, future) for m in self.members.values()])
        point = blended(points, self.blend, self.losses_of(panel))
        gaps = np.isnan(point).any(axis=1)
        if gaps.any():
            point[gaps] = np.where(np.isnan(point[gaps]), _last(panel)[gaps, None], point[gaps])
        return np.maximum(point, 0.0) if self.nonnegative else point

    def losses_of(self, panel: Panel) -> np.ndarray | None:
        """Past losses of the members (series, members), where weights go by them; NaN for a series without any."""
        if not self.past or not self.blend.sharpness:
            return None
        none = np.full(len(self.members), np.nan)
        return np.stack([self.past.get(i, none) for i in panel.ids.tolist()])

    def sample(self, panel: Panel, future: Future, samples: int, seed: int) -> np.ndarray:
        """Joint paths (series, samples, horizon)."""
        return self.paths(panel, future, samples, seed).y

    def paths(self, panel: Panel, future: Future, samples: int = 200, seed: int = 0) -> Paths:
        """Point forecasts and joint paths around them."""
        point = self.predict(panel, future)
        y = spread(
            panel, point, self.sizes, self.trajectories, samples, seed, self.nonnegative, self.whole, self.windowed
        )
        ends = panel.indptr[1:] - 1
        cutoff = np.where(panel.lengths > 0, panel.ds[np.maximum(ends, 0)], np.datetime64("NaT", "us"))
        return Paths(panel.ids, cutoff, future.ds, y, point)

    def to_parts(self) -> Parts:
        """Members side by side, weights, sizes and trajectories."""
        names = list(self.members)
        inner = nest({f"member-{k}": self.members[n] for k, n in enumerate(names)})
        arrays = dict(inner.arrays) | {
            "weights": self.blend.weights,
            "sizes": self.sizes.coefficients,
            "alike": self.sizes.alike,
            "units": self.trajectories.units,
            "segment": self.trajectories.segment,
            "origin": self.trajectories.origin,
        }
        known = list(self.past)
        if known:
            arrays["past"] = np.stack([self.past[i] for i in known])
        return Parts(
            {
                "names": names,
                "parts": inner.json,
                "blend": self.blend.name,
                "median": self.blend.median,
                "sharpness": self.blend.sharpness,
                "nonnegative": self.nonnegative,
                "whole": self.whole,
                "windowed": [[code, None if math.isinf(m) else m] for code, m in sorted(self.windowed.items())],
                "known": known,
            },
            arrays,
            inner.files,
        )

    @classmethod
    def from_parts(cls, parts: Parts) -> Combined:
        """Rebuild; BundleError where something does not fit together."""
        js, own = parts.json, {"weights", "sizes", "alike", "units", "segment", "origin", "past"}
        try:
            names, weights = list(js["names"]), np.asarray(parts.arrays["weights"], np.float64)
            sizes, units = np.asarray(parts.arrays["sizes"]), np.asarray(parts.arrays["units"])
            alike = np.asarray(parts.arrays["alike"])
            origin = np.asarray(parts.arrays["origin"])
            segment, known = np.asarray(parts.arrays["segment"]), list(js["known"])
            past = np.asarray(parts.arrays["past"]) if known else np.empty((0, len(names)))
            entries, sharpness = js["parts"], float(js["sharpness"])
            windowed = {int(c): math.inf if m is None else float(m) for c, m in js["windowed"]}
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(f"a forecaster without {error}") from error
        fits = (
            len(names) == len(weights) == len(entries) > 0
            and sizes.shape == (5,)
            and alike.shape == (3,)
            and units.ndim == 2
        )
        if not fits or not len(units) == len(segment) == len(origin) or past.shape != (len(known), len(names)):
            raise _damaged("a forecaster whose arrays do not fit together")
        rest = {k: v for k, v in parts.arrays.items() if k not in own}
        inner = unnest(Parts(entries, rest, parts.files))
        members = {n: inner[f"member-{k}"] for k, n in enumerate(names)}
        return cls(
            members,
            Blend(str(js["blend"]), weights, bool(js["median"]), sharpness),
            Sizes(sizes, alike),
            Trajectories(units, segment, origin),
            nonnegative=bool(js["nonnegative"]),
            whole=bool(js["whole"]),
            past=dict(zip(known, past, strict=True)),
            windowed=windowed,
        )


def spread(
    panel: Panel,
    point: np.ndarray,
    sizes: Sizes,
    trajectories: Trajectories,
    samples: int,
    seed: int,
    nonnegative: bool,
    whole: bool,
    windowed: Mapping[int, float] = MappingProxyType({}),
) -> np.ndarray:
    """Paths (series, samples, horizon) around point forecasts; for segments that are ``windowed``, from the own past."""
    size = sizes.of(traits(panel, point))
    kind = segments(panel)
    y = trajectories.draw(kind, panel.ids, samples, point.shape[1], seed)
    y *= size[:, None, None]
    y += point[:, None, :]
    for code, memory in windowed.items():
        slow = np.flatnonzero(kind == code)
        own = windows(panel.take(slow), samples, point.shape[1], seed, memory)
        long = ~np.isnan(own[:, 0, 0])
        y[slow[long]] = own[long]
    if whole:
        floor = np.floor(y)
        for i, one in enumerate(panel.ids):
            coins = np.random.default_rng([seed, 1, zlib.crc32(str(one).encode())]).random(y.shape[1:])
            y[i] = floor[i] + (coins < y[i] - floor[i])
    return np.maximum(y, 0.0) if nonnegative else y


def _last(panel: Panel) -> np.ndarray:
    """The last value seen of each series; NaN where there is none."""
    return np.array([s[-1] if len(s := y[~np.isnan(y)]) else np.nan for y in panel.series()])


def _damaged(came: str) -> BundleError:
    return BundleError(came, "members, one weight a member, sizes and trajectories", "the bundle is damaged")
