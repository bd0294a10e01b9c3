"""Typical values of each feature, for explanations: drawn from each feature's own distribution, never a stored row."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Parts

_ROWS = 64
# A level enters only where at least this many rows share it: nobody is recognised by a rare value.
_FEWEST = 10


class Background:
    """Sixty-four made-up rows whose features are independent draws of quantiles and common levels."""

    part: ClassVar[str] = "background"

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @classmethod
    def of(cls, frame: Frame, seed: int) -> Background:
        """Draw typical values from development rows."""
        random = np.random.default_rng(seed)
        return cls(
            Frame(
                frame.features, tuple(_typical(f, a, random) for f, a in zip(frame.features, frame.arrays, strict=True))
            )
        )

    def to_parts(self) -> Parts:
        """Numbers side by side in one array (a file a feature would be too many files); levels as JSON."""
        json = {
            "features": [[f.name, f.type, list(f.origin)] for f in self.frame.features],
            "levels": {
                str(i): list(a)
                for i, (f, a) in enumerate(zip(self.frame.features, self.frame.arrays, strict=True))
                if f.type != "number"
            },
        }
        numbers = [a for f, a in zip(self.frame.features, self.frame.arrays, strict=True) if f.type == "number"]
        return Parts(json, {"numbers": np.array(numbers, dtype=np.float64).reshape(len(numbers), len(self.frame))})

    @classmethod
    def from_parts(cls, parts: Parts) -> Background:
        """Rebuild the frame."""
        try:
            features = tuple(Feature(n, t, tuple(o)) for n, t, o in parts.json["features"])
            numeric = [i for i, f in enumerate(features) if f.type == "number"]
            columns = dict(zip(numeric, parts.arrays["numbers"], strict=True))
            arrays = tuple(
                columns[i] if i in columns else np.array(parts.json["levels"][str(i)], dtype=object)
                for i in range(len(features))
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                "the typical values for explanations do not fit together",
                "one column a feature",
                "the bundle is damaged",
            ) from error
        return cls(Frame(features, arrays))


def _typical(feature: Feature, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if feature.type == "number":
        present = values[np.isfinite(values)]
        if len(present) == 0:
            return np.full(_ROWS, np.nan)
        draws = np.quantile(present, (np.arange(_ROWS) + 0.5) / _ROWS, method="nearest")
        gone = round(_ROWS * (1.0 - len(present) / len(values)))
        draws = random.permutation(draws)
        draws[:gone] = np.nan
        return random.permutation(draws)
    if feature.type == "text":
        return np.array([None] * _ROWS, dtype=object)
    present = [v for v in values if v is not None]
    levels, counts = (
        np.unique(np.array(present, dtype=str), return_counts=True)
        if present
        else (np.array([], dtype=str), np.array([], dtype=int))
    )
    common = counts >= _FEWEST
    missing = len(values) - len(present)
    options = [str(v) for v in levels[common]] + [None]
    weights = np.append(counts[common], missing + counts[~common].sum()).astype(float)
    if weights.sum() == 0:
        return np.array([None] * _ROWS, dtype=object)
    picked = random.choice(len(options), size=_ROWS, p=weights / weights.sum())
    return np.array([options[i] for i in picked], dtype=object)
