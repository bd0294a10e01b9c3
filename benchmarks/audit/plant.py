"""The seeded injector: one function a kind of error, the truth as JSON.

    from plant import KINDS, plant
    planted, truth = plant("sentinel_number", case, "middle", np.random.default_rng(0))

Three strengths a kind, defined in the docstring of each function: *strong* is what a competent analyst would call obvious,
*middle* is clearly there when somebody looks for it, *weak* is hard. The injector was written without a look at what the checks
measure or where their thresholds lie.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import plant_many
import plant_rows
import plant_target
import plant_time
import plant_values
from case import Case, NotPlantable
from kind import STRENGTHS, Kind, Strength, Truth

KINDS: dict[str, Kind] = {
    k.name: k for module in (plant_values, plant_rows, plant_time, plant_many, plant_target) for k in module.KINDS
}


def seeded(*parts: object) -> np.random.Generator:
    """One generator for each combination of names and numbers."""
    return np.random.default_rng([zlib.crc32(str(p).encode()) for p in parts])


def prepared(kind: str, case: Case, variant: int = 0) -> Case:
    """A copy of the clean case with what this kind needs; the same for every seed and strength."""
    out = case.copy()
    prepare = KINDS[kind].prepare
    if prepare is not None:
        prepare(out, seeded(prepare.__name__, case.name, variant))
    return out


def plant(kind: str, case: Case, strength: Strength, rng: np.random.Generator) -> tuple[Case, Truth]:
    """Plant one error into a copy of a prepared case. NotPlantable, with the reason, where these tables have no place for it."""
    out = case.copy()
    truth = KINDS[kind].plant(out, strength, rng)
    return out, truth


def as_json(kind: str, strength: Strength, truth: Truth) -> dict[str, Any]:
    """The truth as one JSON object."""
    return truth.as_json(kind, strength)


__all__ = ["KINDS", "STRENGTHS", "Case", "NotPlantable", "Truth", "as_json", "plant", "prepared", "seeded"]
