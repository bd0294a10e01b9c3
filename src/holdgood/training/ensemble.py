"""A weighted mean of fitted chains, as one part of a bundle. Light to import: serving loads it without the trainer."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

import numpy as np

from holdgood.core.chain import Chain, nest, unnest
from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Frame, Matrix
from holdgood.core.protocols import Model, Parts, Persistable, Transformer

T = TypeVar("T")
MOST_MEMBERS = 256


class Ensemble:
    """Members with weights of sum one; ``predict`` is their weighted mean, added up in a fixed order.

    Encoders that are equal to the bit are kept once: rows are encoded once for all models behind them.
    """

    part: ClassVar[str] = "ensemble"

    def __init__(self, members: Sequence[Chain], weights: Sequence[float]) -> None:
        encoders, of = _distinct([m.encoder for m in members])
        self._keep(encoders, [m.model for m in members], of, weights)

    def _keep(
        self, encoders: Sequence[Transformer], models: Sequence[Model], of: Sequence[int], weights: Sequence[float]
    ) -> None:
        numbers = [float(w) for w in weights]
        if not models or len(models) != len(numbers) or len(models) > MOST_MEMBERS:
            raise DataError(
                f"{len(models)} members and {len(numbers)} weights",
                f"one weight a member, 1 to {MOST_MEMBERS} of them",
            )
        if not all(math.isfinite(w) and w > 0 for w in numbers) or abs(sum(numbers) - 1.0) > 1e-9:
            raise DataError(f"weights of sum {sum(numbers):g}", "positive weights of sum 1")
        self.encoders, self.models, self.of, self.weights = tuple(encoders), tuple(models), tuple(of), tuple(numbers)

    @property
    def members(self) -> tuple[Chain, ...]:
        """The chains, in the order of the weights."""
        return tuple(Chain(self.encoders[e], model) for e, model in zip(self.of, self.models, strict=True))

    def predict(self, frame: Frame) -> np.ndarray:
        """The weighted mean; shapes as in Task. Each row's depends on that row alone."""
        return self.mean(encoder.transform(frame) for encoder in self.encoders)

    def mean(self, matrices: Iterable[Matrix]) -> np.ndarray:
        """The same for rows that are encoded already: a matrix an encoder, in their order."""
        return self.mean_of((matrix, [m.predict for m in self.models]) for matrix in matrices)

    def mean_of(self, encoded: Iterable[tuple[T, Sequence[Callable[[T], np.ndarray]]]]) -> np.ndarray:
        """The same for rows in any form: for each encoder what it gives, and how each model reads that."""
        total: np.ndarray | None = None
        for e, (rows, readers) in enumerate(encoded):
            for weight, read, own in zip(self.weights, readers, self.of, strict=True):
                if own == e:
                    share = weight * read(rows)
                    total = share if total is None else total + share
        assert total is not None
        return total

    def to_parts(self) -> Parts:
        """Encoders and models side by side, which model reads which encoder, and the weights."""
        named: dict[str, Transformer | Model | Chain] = {f"encoder-{i}": e for i, e in enumerate(self.encoders)}
        named |= {f"model-{i}": m for i, m in enumerate(self.models)}
        inner = nest(named)
        return Parts(
            {"weights": list(self.weights), "of": list(self.of), "parts": inner.json}, inner.arrays, inner.files
        )

    @classmethod
    def from_parts(cls, parts: Parts) -> Persistable:
        """Rebuild; BundleError where models, encoders and weights do not fit together."""
        weights, of, entries = parts.json.get("weights"), parts.json.get("of"), parts.json.get("parts")
        if not isinstance(weights, list) or not isinstance(of, list) or not isinstance(entries, dict):
            raise _damaged("an ensemble without parts or weights")
        n = len(weights)
        if not 0 < n <= MOST_MEMBERS or len(of) != n or not all(type(e) is int for e in of):
            raise _damaged(f"an ensemble of {n} weights and {len(of)} places")
        encoders = max(of) + 1
        names = [f"encoder-{i}" for i in range(encoders)] + [f"model-{i}" for i in range(n)]
        if min(of) < 0 or encoders > n or sorted(entries) != sorted(names):
            raise _damaged(f"an ensemble of {len(entries)} parts and {n} weights")
        if not all(isinstance(w, (int, float)) for w in weights):
            raise _damaged("weights that are no numbers")
        inner = unnest(Parts(entries, parts.arrays, parts.files))
        found, models = [inner[name] for name in names[:encoders]], [inner[name] for name in names[encoders:]]
        if not all(hasattr(e, "transform") for e in found) or not all(hasattr(m, "rounds") for m in models):
            raise _damaged("an ensemble of something else than encoders and models")
        made = cls.__new__(cls)
        try:
            made._keep(found, models, of, weights)
        except DataError as error:
            raise _damaged(error.came) from error
        return made


def _damaged(came: str) -> BundleError:
    return BundleError(came, "encoders, models and one weight a model that fit together", "the bundle is damaged")


def _distinct(encoders: Sequence[Transformer]) -> tuple[list[Transformer], list[int]]:
    """Those that differ, in order of appearance, and for each which of them it is."""
    kept: list[Transformer] = []
    place: dict[object, int] = {}
    of = []
    for encoder in encoders:
        at = place.get(id(encoder))
        if at is None:
            at = place.setdefault(fingerprint(encoder), len(kept))
            if at == len(kept):
                kept.append(encoder)
            place[id(encoder)] = at
        of.append(at)
    return kept, of


def fingerprint(item: Persistable) -> str:
    """SHA-256 of all that it is saved as: equal for parts that answer alike to the bit."""
    parts, digest = item.to_parts(), hashlib.sha256(item.part.encode())
    digest.update(json.dumps(parts.json, sort_keys=True, default=str).encode())
    for name in sorted(parts.arrays):
        array = np.ascontiguousarray(parts.arrays[name])
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode() + array.tobytes())
    for name in sorted(parts.files):
        digest.update(f"{name}{len(parts.files[name])}".encode() + parts.files[name])
    return digest.hexdigest()
