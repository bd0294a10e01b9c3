"""Chain: everything right of the wall that learns, as one part. Fitted anew inside every fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from holdgood.core import plugins
from holdgood.core.errors import BundleError
from holdgood.core.frame import Frame
from holdgood.core.protocols import Candidate, FitContext, Json, Model, Parts, Persistable, Transformer


class Chain:
    """An encoder and a model, fitted together."""

    part: ClassVar[str] = "chain"

    def __init__(self, encoder: Transformer, model: Model) -> None:
        self.encoder, self.model = encoder, model

    @classmethod
    def of(cls, candidate: Candidate) -> Chain:
        """A fresh chain for a candidate."""
        return cls(candidate.make_encoder(), candidate.make_model())

    def fit(self, frame: Frame, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Chain:
        """Learn encoder and model from training rows only."""
        matrix = self.encoder.fit_transform(frame, y, context)
        self.model.fit(matrix, y, weight, context)
        return self

    def predict(self, frame: Frame) -> np.ndarray:
        """Predictions in the shapes of Task; each row's depends on that row alone."""
        return self.model.predict(self.encoder.transform(frame))

    @property
    def rounds(self) -> int | None:
        """Boosting rounds used, where the model has any."""
        return self.model.rounds

    def to_parts(self) -> Parts:
        """Both parts side by side."""
        return nest({"encoder": self.encoder, "model": self.model})

    @classmethod
    def from_parts(cls, parts: Parts) -> Chain:
        """Rebuild both parts by name."""
        inner = unnest(parts)
        if set(inner) != {"encoder", "model"}:
            raise BundleError(f"a chain of {sorted(inner)}", "an encoder and a model", "the bundle is damaged")
        return cls(inner["encoder"], inner["model"])


def nest(inner: Mapping[str, Persistable]) -> Parts:
    """Put several persistables into one, under their names."""
    json: dict[str, Json] = {}
    arrays: dict[str, np.ndarray] = {}
    files: dict[str, bytes] = {}
    for name, item in inner.items():
        part = item.to_parts()
        json[name] = {"part": item.part, "json": part.json}
        arrays |= {f"{name}/{key}": value for key, value in part.arrays.items()}
        files |= {f"{name}/{key}": value for key, value in part.files.items()}
    return Parts(json, arrays, files)


def unnest(parts: Parts) -> dict[str, Any]:
    """Rebuild what ``nest`` put together; parts are looked up by registered name only."""
    rebuilt = {}
    for name, entry in parts.json.items():
        if not isinstance(entry, dict) or not {"part", "json"} <= set(entry):
            raise BundleError(
                f"part {name!r} has no name to be rebuilt by", "a registered part", "the bundle is damaged"
            )
        prefix = f"{name}/"
        arrays = {k.removeprefix(prefix): v for k, v in parts.arrays.items() if k.startswith(prefix)}
        files = {k.removeprefix(prefix): v for k, v in parts.files.items() if k.startswith(prefix)}
        rebuilt[name] = plugins.load("holdgood.parts", entry["part"]).from_parts(Parts(entry["json"], arrays, files))
    return rebuilt
