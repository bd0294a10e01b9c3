"""CodesEncoder: features for trees and boosters. Numbers as they are, few levels as codes, many as shrunk means.

Crossed, it also has columns made of two, where training rows show that the outcome depends on both together (see ``crosses``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from holdgood.core.frame import FeatureType, Frame, Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.features.encode import crosses
from holdgood.features.encode.block import Block, Targets
from holdgood.features.encode.category import LevelCodes
from holdgood.features.encode.encoder import BlockEncoder
from holdgood.features.encode.levels import count_levels
from holdgood.features.encode.number import Plain
from holdgood.features.encode.target_means import TargetMeans
from holdgood.features.encode.text import TextTopics

MOST_CODES = 60


class CodesEncoder(BlockEncoder):
    """Frame → Matrix for trees. Category columns of at most ``MOST_CODES`` levels are codes and flagged categorical.

    ``crossed``: whether a fit looks for crosses; ``crosses``: those that it found.
    """

    part: ClassVar[str] = "codes-encoder"
    blocks = (Plain, LevelCodes, TargetMeans, TextTopics)

    def __init__(self, crossed: bool = False) -> None:
        super().__init__()
        self.crossed = crossed
        self.crosses: tuple[crosses.Cross, ...] = ()

    def choose(self, type_: FeatureType, values: np.ndarray) -> Block:
        """By type, and by the number of levels in training."""
        if type_ == "number":
            return Plain()
        if type_ == "text":
            return TextTopics(24)
        return LevelCodes() if count_levels(values) <= MOST_CODES else TargetMeans()

    def fit_transform(self, frame: Frame, y: np.ndarray, context: FitContext) -> Matrix:
        """Learn from training rows and return their matrix; what uses the outcome, and means of groups, are out of fold."""
        if self.crossed and len(y) == len(frame) and len(frame):
            found = crosses.learn(frame, Targets.of(y, context), regression=context.task.kind == "regression")
            self.crosses = tuple(cross for cross, _ in found)
            frame = crosses.beside(frame, self.crosses, [column for _, column in found])
        return super().fit_transform(frame, y, context)

    @property
    def nothing(self) -> str:
        """Why a crossed encoder gives what a plain one gives; empty where it has crosses, or was not to look for any."""
        return "no cross passed its test" if self.crossed and not self.crosses else ""

    def transform(self, frame: Frame) -> Matrix:
        """Encode rows; each row's result depends on that row alone."""
        return super().transform(crosses.beside(frame, self.crosses))

    def single(self, names: Sequence[str]) -> Callable[[Sequence[Any]], list[float]]:
        """Encodes one row after the other, to the bit as ``transform``; ``names``: of the features, in the order of their values."""
        there = {n: at for at, n in enumerate(names)}
        crosses.expect(there, self.crosses)
        encode = super().single([*names, *crosses.called(self.crosses, names)])
        made = [(c.alone, there[c.first], there[c.second]) for c in self.crosses]
        if not made:
            return encode
        return lambda values: encode([*values, *(alone(values[one], values[two]) for alone, one, two in made)])

    def to_parts(self) -> Parts:
        """Features and their blocks, then the crosses where there are any."""
        parts, made = super().to_parts(), crosses.to_parts(self.crosses)
        return Parts(parts.json | made.json, parts.arrays | made.arrays) if self.crosses else parts

    @classmethod
    def from_parts(cls, parts: Parts) -> Self:
        """Rebuild; BundleError where something does not fit together."""
        blocks = {k: v for k, v in parts.arrays.items() if not k.startswith("cross.")}
        encoder = super().from_parts(Parts(parts.json, blocks))
        encoder.crosses = crosses.from_parts(parts)
        return encoder
