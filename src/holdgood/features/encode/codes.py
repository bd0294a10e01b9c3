"""CodesEncoder: features for trees and boosters. Numbers as they are, few levels as codes, many as shrunk means."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.frame import FeatureType
from holdgood.features.encode.block import Block
from holdgood.features.encode.category import LevelCodes
from holdgood.features.encode.encoder import BlockEncoder
from holdgood.features.encode.levels import count_levels
from holdgood.features.encode.number import Plain
from holdgood.features.encode.target_means import TargetMeans
from holdgood.features.encode.text import TextTopics

MOST_CODES = 60


class CodesEncoder(BlockEncoder):
    """Frame → Matrix for trees. Category columns of at most ``MOST_CODES`` levels are codes and flagged categorical."""

    part: ClassVar[str] = "codes-encoder"
    blocks = (Plain, LevelCodes, TargetMeans, TextTopics)

    def choose(self, type_: FeatureType, values: np.ndarray) -> Block:
        """By type, and by the number of levels in training."""
        if type_ == "number":
            return Plain()
        if type_ == "text":
            return TextTopics(24)
        return LevelCodes() if count_levels(values) <= MOST_CODES else TargetMeans()
