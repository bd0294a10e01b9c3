"""A band whose width follows the facts of a row: quantiles of residuals, each fitted by a learner. Light to import.

Residuals of out-of-fold predictions, over the size that the residual band gives them, are learned from the features and from
the prediction itself, a learner a level. What they say is moved by the amount that out-of-fold rows call for, level by level
(conformalised quantile regression, Romano, Patterson & Candès 2019), so that shares hold whatever the learners are worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from holdgood.core.chain import nest, unnest
from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Feature, Frame, frame_of
from holdgood.core.protocols import Model, Parts, Persistable, Transformer
from holdgood.metrics.band import Band

PREDICTION = "prediction"


class FittedBand:
    """``base``: the residual band that gives sizes, and the amount that costs least. ``levels``: rising, a model and a shift each.

    A row's answer depends on that row alone, to the bit.
    """

    part: ClassVar[str] = "fitted-band"
    needs_frame: ClassVar[bool] = True

    def __init__(
        self,
        base: Band,
        encoder: Transformer,
        levels: Sequence[float],
        models: Sequence[Model],
        shifts: Sequence[float] | np.ndarray,
    ) -> None:
        self.base, self.encoder = base, encoder
        self.levels, self.models, self.shifts = tuple(levels), tuple(models), np.asarray(shifts, np.float64)

    @property
    def level(self) -> float | None:
        """The level of the interval, where one is wanted."""
        return self.base.level

    @property
    def wanted(self) -> tuple[float, ...]:
        """The levels of the quantiles that are wanted."""
        return self.base.wanted

    @property
    def shift(self) -> float:
        """The score of the amount that costs least; 0 where costs do not say."""
        return self.base.shift

    def answer(self, prediction: np.ndarray) -> np.ndarray:
        """The amount to answer with, as the residual band has it."""
        return self.base.answer(prediction)

    def interval(self, prediction: np.ndarray, frame: Frame | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of each row's interval."""
        found = self._at(prediction, frame)
        low, high = (self._place(q) for q in tails(self.base.level or math.nan))
        return np.ascontiguousarray(found[:, low]), np.ascontiguousarray(found[:, high])

    def at_levels(self, prediction: np.ndarray, frame: Frame | None = None) -> np.ndarray:
        """The wanted quantiles of each row, (n, levels)."""
        found: np.ndarray = self._at(prediction, frame)[:, [self._place(q) for q in self.wanted]]
        return found

    def beside(self, prediction: np.ndarray, frame: Frame | None = None) -> dict[str, np.ndarray]:
        """What stands beside each prediction, as far as wanted: ``low`` and ``high``, ``quantile_0.1`` and so on."""
        found, told = self._at(prediction, frame), {}
        if self.base.level is not None:
            for name, q in zip(("low", "high"), tails(self.base.level), strict=True):
                told[name] = np.ascontiguousarray(found[:, self._place(q)])
        for q in self.wanted:
            told[f"quantile_{q:g}"] = np.ascontiguousarray(found[:, self._place(q)])
        return told

    def _at(self, prediction: np.ndarray, frame: Frame | None) -> np.ndarray:
        if frame is None:
            raise DataError("a fitted band without the facts of the rows", "the frame that was predicted from")
        matrix = self.encoder.transform(with_prediction(frame, prediction))
        raw = np.column_stack([model.predict(matrix) for model in self.models])
        moved = moved_by(raw, self.shifts, self.levels)
        found: np.ndarray = prediction[:, None] + self.base.size(prediction)[:, None] * moved
        return found

    def _place(self, level: float) -> int:
        return int(np.argmin(np.abs(np.array(self.levels) - level)))

    def to_parts(self) -> Parts:
        """Encoder and models side by side, the residual band, levels and shifts as numbers (null: infinite)."""
        inner = nest({"encoder": self.encoder} | {f"model-{i}": m for i, m in enumerate(self.models)})
        shifts = [float(s) if math.isfinite(s) else None for s in self.shifts]
        json = {"base": self.base.to_json(), "levels": list(self.levels), "shifts": shifts, "parts": inner.json}
        return Parts(json, inner.arrays, inner.files)

    @classmethod
    def from_parts(cls, parts: Parts) -> Persistable:
        """Rebuild; BundleError where band, levels, shifts and models do not fit together."""
        try:
            base, levels = Band.from_json(parts.json["base"]), tuple(float(q) for q in parts.json["levels"])
            shifts = [
                math.copysign(math.inf, q - 0.5) if s is None else float(s)
                for q, s in zip(levels, parts.json["shifts"], strict=True)
            ]
            inner = unnest(Parts(dict(parts.json["parts"]), parts.arrays, parts.files))
            models = [inner.pop(f"model-{i}") for i in range(len(levels))]
            encoder = inner.pop("encoder")
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"a fitted band without {error}", "levels, shifts and models", "the bundle is damaged"
            ) from error
        rising = bool(levels) and all(a < b for a, b in pairwise((0.0, *levels, 1.0)))
        asked = (*base.wanted, *(tails(base.level) if base.level is not None else ()))
        there = all(any(abs(q - known) < 1e-9 for known in levels) for q in asked)
        if inner or not (
            rising and asked and there and all(hasattr(p, "predict") for p in models) and hasattr(encoder, "transform")
        ):
            raise BundleError(
                "a fitted band that does not fit together", "a model and a shift a level", "the bundle is damaged"
            )
        if any(math.isnan(s) for s in shifts):
            raise BundleError("a fitted band with a shift that is no number", "numbers", "the bundle is damaged")
        return cls(base, encoder, levels, models, shifts)


def tails(level: float) -> tuple[float, float]:
    """The levels of the two ends of an interval."""
    tail = round((1.0 - level) / 2.0, 9)
    return tail, round(1.0 - tail, 9)


def levels_of(base: Band) -> tuple[float, ...]:
    """Every level that a band is asked for, rising and each once: quantiles and the ends of the interval."""
    ends = tails(base.level) if base.level is not None else ()
    found: list[float] = []
    for q in sorted((*base.wanted, *ends)):
        if not found or q - found[-1] > 1e-9:
            found.append(q)
    return tuple(found)


def with_prediction(frame: Frame, prediction: np.ndarray) -> Frame:
    """The facts and the prediction beside them, under a name that is free."""
    name = PREDICTION
    while name in frame.names:
        name += "_"
    return frame.beside(frame_of([(Feature(name, "number"), np.asarray(prediction, np.float64))]))


def moved_by(raw: np.ndarray, shifts: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """What models say of each level, (n, levels), put in order (Chernozhukov et al. 2010) and moved by the shifts.

    Where the shifts make levels cross, the outer one gives way outwards: no share that is held by the shift is lost by it.
    """
    moved: np.ndarray = np.sort(raw, axis=1) + shifts
    upper = int(np.searchsorted(levels, 0.5))
    moved[:, upper:] = np.maximum.accumulate(moved[:, upper:], axis=1)
    if upper:
        if upper < moved.shape[1]:
            moved[:, upper - 1] = np.minimum(moved[:, upper - 1], moved[:, upper])
        moved[:, :upper] = np.minimum.accumulate(moved[:, :upper][:, ::-1], axis=1)[:, ::-1]
    return moved
