"""What is usual: coarse development rows, and what the model said of rows that it had not learned from.

A bundle carries it so that rows in use can be held against it. No value in it is shared by fewer than ten development
rows, texts are only their lengths, moments are days, and outcomes do not stand beside facts.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Parts
from holdgood.features.coarse import RARE, Coarse, like, maps_of

DAY = 86_400_000_000
ANSWERS = 20_000
MOST_ROWS = 100_000


class Usual:
    """``frame`` (n rows, coarse) with ``moment`` (n,) days in microseconds, empty where no time is known.

    ``prediction`` (r,) or (r, classes), ``outcome`` (r,), ``answered`` (r,) days, ``held`` (r,) bool: of rows that the model had not
    learned from; ``held`` are those that judged it. ``expected`` (r,): the loss that a model of losses, which had not seen the row either,
    expected of it; empty where there is no such model.
    """

    part: ClassVar[str] = "usual"

    def __init__(
        self, maps: tuple[Coarse, ...], frame: Frame, moment: np.ndarray, prediction: np.ndarray,
        outcome: np.ndarray, answered: np.ndarray, held: np.ndarray, expected: np.ndarray,
    ) -> None:  # fmt: skip
        self.maps, self.frame, self.moment = maps, frame, moment
        self.prediction, self.outcome, self.answered, self.held = prediction, outcome, answered, held
        self.expected = expected

    @classmethod
    def of(
        cls, frame: Frame, moment: np.ndarray | None, *, prediction: np.ndarray, outcome: np.ndarray,
        answered: np.ndarray | None, held: np.ndarray, rows: int, seed: int, expected: np.ndarray | None = None,
    ) -> Usual:  # fmt: skip
        """Draw ``rows`` of the development rows, coarse, in the order of their days; answers in an order of their own."""
        rng = np.random.default_rng(seed)
        maps = maps_of(frame)
        picked = rng.permutation(len(frame))[:rows]
        days = np.zeros(0, np.int64) if moment is None else _days(moment[picked])
        order = np.argsort(days, kind="stable") if len(days) else np.arange(len(picked))
        # Answers are shuffled, so that their outcomes stand beside nobody's facts.
        told = rng.permutation(len(outcome))[:ANSWERS]
        return cls(
            maps, like(maps, frame.take(picked[order])), days[order] if len(days) else days,
            np.round(prediction[told], 4), outcome[told],
            np.zeros(0, np.int64) if answered is None else _days(answered[told]), held[told],
            np.zeros(0) if expected is None else np.round(expected[told], 4),
        )  # fmt: skip

    def like(self, frame: Frame) -> Frame:
        """Rows in use as coarse as the reference."""
        return like(self.maps, frame)

    def to_score(self, features: tuple[Feature, ...], rows: Frame) -> Frame:
        """Coarse rows as a model may score them: texts and rare levels are gaps."""
        arrays = [
            np.array([None] * len(rows), object) if f.type == "text"
            else a if f.type == "number" else np.array([None if v == RARE else v for v in a], object)
            for f, a in zip(features, rows.arrays, strict=True)
        ]  # fmt: skip
        return Frame(features, tuple(arrays))

    def to_parts(self) -> Parts:
        """Numbers in one array, levels as JSON."""
        numbers = [a for f, a in zip(self.frame.features, self.frame.arrays, strict=True) if f.type == "number"]
        levels = {
            str(i): list(a)
            for i, (f, a) in enumerate(zip(self.frame.features, self.frame.arrays, strict=True))
            if f.type != "number"
        }
        arrays = {
            "numbers": np.array(numbers, np.float64).reshape(len(numbers), len(self.frame)), "moment": self.moment,
            "prediction": self.prediction, "outcome": self.outcome, "answered": self.answered, "held": self.held,
            "expected": self.expected,
        }  # fmt: skip
        return Parts({"maps": [m.to_json() for m in self.maps], "levels": levels, "rows": len(self.frame)}, arrays)

    @classmethod
    def from_parts(cls, parts: Parts) -> Usual:
        """Rebuild; sizes are checked."""
        try:
            maps = tuple(Coarse.from_json(m) for m in parts.json["maps"])
            rows, a = int(parts.json["rows"]), parts.arrays
            numeric = [i for i, m in enumerate(maps) if m.feature.type == "number"]
            columns = dict(zip(numeric, a["numbers"], strict=True))
            arrays = tuple(
                columns[i] if i in columns else np.array(parts.json["levels"][str(i)], dtype=object)
                for i in range(len(maps))
            )
            fits = all(len(x) == rows for x in arrays) and len(a["moment"]) in (0, rows) and rows <= MOST_ROWS
            told = len(a["outcome"])
            expected = a.get("expected", np.zeros(0))  # bundles of earlier releases have none
            fits &= len(expected) in (0, told)
            fits &= len(a["prediction"]) == len(a["held"]) == told and len(a["answered"]) in (0, told)
            if not fits:
                raise ValueError("lengths")
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                "what is usual for this model does not fit together",
                "as many values a feature as rows",
                "the bundle is damaged",
            ) from error
        frame = Frame(tuple(m.feature for m in maps), arrays)
        return cls(
            maps, frame, a["moment"], a["prediction"], a["outcome"], a["answered"], a["held"].astype(bool), expected
        )


def _days(moment: np.ndarray) -> np.ndarray:
    days: np.ndarray = moment // DAY * DAY
    return days
