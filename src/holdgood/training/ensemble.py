"""A weighted mean of fitted chains, as one part of a bundle. Light to import: serving loads it without the trainer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.chain import Chain, nest, unnest
from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Frame
from holdgood.core.protocols import Parts, Persistable

MOST_MEMBERS = 64


class Ensemble:
    """Members with weights of sum one; ``predict`` is their weighted mean, added up in a fixed order."""

    part: ClassVar[str] = "ensemble"

    def __init__(self, members: Sequence[Chain], weights: Sequence[float]) -> None:
        numbers = [float(w) for w in weights]
        if not members or len(members) != len(numbers) or len(members) > MOST_MEMBERS:
            raise DataError(
                f"{len(members)} members and {len(numbers)} weights",
                f"one weight a member, 1 to {MOST_MEMBERS} of them",
            )
        if not all(math.isfinite(w) and w > 0 for w in numbers) or abs(sum(numbers) - 1.0) > 1e-9:
            raise DataError(f"weights of sum {sum(numbers):g}", "positive weights of sum 1")
        self.members, self.weights = tuple(members), tuple(numbers)

    def predict(self, frame: Frame) -> np.ndarray:
        """The weighted mean; shapes as in Task. Each row's depends on that row alone."""
        total = self.weights[0] * self.members[0].predict(frame)
        for weight, member in zip(self.weights[1:], self.members[1:], strict=True):
            total += weight * member.predict(frame)
        return total

    def to_parts(self) -> Parts:
        """All members side by side, and the weights."""
        inner = nest({f"member-{i}": member for i, member in enumerate(self.members)})
        return Parts({"weights": list(self.weights), "members": inner.json}, inner.arrays, inner.files)

    @classmethod
    def from_parts(cls, parts: Parts) -> Persistable:
        """Rebuild; BundleError where members and weights do not fit together."""
        weights, entries = parts.json.get("weights"), parts.json.get("members")
        if not isinstance(weights, list) or not isinstance(entries, dict) or not 0 < len(weights) <= MOST_MEMBERS:
            raise BundleError("an ensemble without members or weights", "both", "the bundle is damaged")
        names = [f"member-{i}" for i in range(len(weights))]
        if sorted(entries) != sorted(names) or not all(isinstance(w, (int, float)) for w in weights):
            raise BundleError(
                f"an ensemble of {len(entries)} members and {len(weights)} weights",
                "one weight a member",
                "the bundle is damaged",
            )
        inner = unnest(Parts(entries, parts.arrays, parts.files))
        if not all(isinstance(m, Chain) for m in inner.values()):
            raise BundleError("an ensemble of something else than chains", "chains", "the bundle is damaged")
        try:
            return cls([inner[n] for n in names], weights)  # type: ignore[misc]
        except DataError as error:
            raise BundleError(error.came, error.expected, "the bundle is damaged") from error
