"""Features that come from the same raw columns stand and fall together: the parts of one date are one fact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.frame import Frame


@dataclass(frozen=True)
class Fact:
    """One fact: its name in the user's words (the raw columns) and the positions of its features in the frame."""

    name: str
    features: tuple[int, ...]


def facts(frame: Frame) -> tuple[Fact, ...]:
    """Features grouped by their origin, in the order of the schema; a feature without one stands for itself."""
    grouped: dict[tuple[str, ...], list[int]] = {}
    for position, feature in enumerate(frame.features):
        grouped.setdefault(feature.origin or ("", feature.name), []).append(position)
    return tuple(Fact(", ".join(p for p in origin if p), tuple(positions)) for origin, positions in grouped.items())


def replaced(frame: Frame, fact: Fact, other: Frame) -> Frame:
    """The frame with one fact's features taken from another frame of as many rows."""
    arrays: list[np.ndarray] = list(frame.arrays)
    for position in fact.features:
        arrays[position] = other.arrays[position]
    return Frame(frame.features, tuple(arrays))
