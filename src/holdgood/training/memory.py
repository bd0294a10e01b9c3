"""How much memory a fit takes, roughly and on the safe side, before it is begun."""

from __future__ import annotations

import math
from collections.abc import Callable

from holdgood.core.frame import Frame
from holdgood.core.protocols import Needs

COPIES = 3
"""The matrix of the training rows, a copy inside the library, and that of the rows that are predicted or held for stopping."""
_WIDTH = {
    "codes": {"number": 1, "category": 1, "text": 24},
    "dense": {"number": 2, "category": 12, "text": 64},
    "text": {"number": 1, "category": 1, "text": 1},
}


def columns_of(frame: Frame, needs: Needs) -> int:
    """About how many columns the matrix has that an encoder makes of a frame."""
    width = _WIDTH.get(needs, _WIDTH["dense"])
    return max(1, sum(width[f.type] for f in frame.features))


def bytes_of_fit(frame: Frame, rows: int, needs: Needs, outputs: int = 0) -> int:
    """Bytes that one fit of ``rows`` training rows takes beside the data that all share.

    ``outputs``: numbers that are predicted a row; learners keep a score, a gradient and a curvature of each.

    >>> from holdgood.core.frame import Feature
    >>> import numpy as np
    >>> bytes_of_fit(Frame((Feature("a", "number"),), (np.zeros(1),)), 1_000_000, "codes")
    24000000
    >>> bytes_of_fit(Frame((Feature("a", "number"),), (np.zeros(1),)), 1_000_000, "codes", outputs=300)
    7224000000
    """
    return COPIES * 8 * rows * (columns_of(frame, needs) + outputs)


def rows_within(frame: Frame, allowed: float, needs: Needs, outputs: int = 0) -> float:
    """How many training rows a fit may have in so many bytes."""
    each = bytes_of_fit(frame, 1, needs, outputs)
    return math.floor(allowed / each)


def in_steps(rows: float, to_whole: Callable[[float], int]) -> int:
    """A number of rows brought to a power of the root of two.

    >>> in_steps(1500, math.floor), in_steps(1040, math.floor), in_steps(1500, round)
    (1448, 1024, 1448)
    """
    return int(2.0 ** (to_whole(2.0 * math.log2(max(rows, 1.0))) / 2.0))
