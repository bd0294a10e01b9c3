"""DenseEncoder: features for linear models. Everything on one scale, nothing missing."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.frame import FeatureType
from holdgood.features.encode.block import Block
from holdgood.features.encode.category import OneHot
from holdgood.features.encode.codes import MOST_CODES
from holdgood.features.encode.encoder import BlockEncoder
from holdgood.features.encode.levels import count_levels
from holdgood.features.encode.number import Scaled
from holdgood.features.encode.standardised import Standardised
from holdgood.features.encode.target_means import TargetMeans
from holdgood.features.encode.text import TextTopics

_MOST_COLUMNS = 3000
_FEWEST_COLUMNS = 64
# About 1 GB of float64: more rows leave room for fewer columns.
_MOST_CELLS = 120_000_000


class DenseEncoder(BlockEncoder):
    """Frame → Matrix for linear models: standardised numbers, 0/1 columns, standardised means and topics."""

    part: ClassVar[str] = "dense-encoder"
    blocks = (Scaled, OneHot, Standardised)

    def choose(self, type_: FeatureType, values: np.ndarray) -> Block:
        """By type, and by the number of levels in training."""
        if type_ == "number":
            return Scaled()
        if type_ == "text":
            return Standardised(TextTopics(64))
        return OneHot() if count_levels(values) <= MOST_CODES else Standardised(TargetMeans())

    def limit(self, rows: int) -> int | None:
        """At most 3,000 columns, fewer where rows are many."""
        return int(min(_MOST_COLUMNS, max(_FEWEST_COLUMNS, _MOST_CELLS // max(1, rows))))
