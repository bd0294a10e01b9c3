"""What a training taught, on which kind of data, and which lessons of earlier ones it began from."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from holdgood.core.records.common import Comparison
from holdgood.core.records.envelope import Number, Part, Record


class DataKind(Part):
    """The kind of data that a training learned from: shapes and shares, no name of a column and no value of a row.

    ``rarest``: share of the rarest class (NaN for regression). ``joined``: further tables.
    """

    task: str
    rows: int
    features: int
    numbers: int = 0
    categories: int = 0
    texts: int = 0
    classes: int = 0
    rarest: Number = float("nan")
    missing: float = 0.0
    over_time: bool = False
    grouped: bool = False
    joined: int = 0


class FamilyLesson(Part):
    """The best trial of a family. ``behind``: the best of all (``against.first``) is proven better than it; None: it is the best."""

    family: str
    trial: str
    parameters: dict[str, Any] = {}
    standing: Literal["best", "level", "behind"]
    against: Comparison | None = None


class ParameterLesson(Part):
    """One configuration of a family against the first that was tried: what it changes, and the paired gain."""

    family: str
    trial: str
    over: str
    parameters: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    gain: Comparison


class Lesson(Record):
    """What helped and what did not, out of fold on development rows. No holdout row enters.

    Intervals of families and parameters hold together over all pairs of the ``trials`` that were judged: so the best may be
    picked among them. ``id`` stands for the content; ``source`` for the table and the target behind it, so that several
    trainings on the same rows count as one.
    """

    kind: ClassVar[str] = "lesson"

    id: str = ""
    source: str = ""
    project: str
    run: str
    data: DataKind
    families: tuple[FamilyLesson, ...] = ()
    parameters: tuple[ParameterLesson, ...] = ()
    calibration: str = ""
    calibration_gain: Comparison | None = None
    ensemble: Comparison | None = None
    chosen: str = ""
    delivered: str = ""
    trials: int = 0
    budget: str = ""
    sentences: tuple[str, ...] = ()


class LessonsUsed(Record):
    """The lessons that a training began from, whole, so that it can be done again. ``mark``: what the training depends on otherwise.

    ``data``: what was searched for. ``order``: how each family stood in them, between 0 and 1, best first; one that no lesson speaks of stands at 0.5.
    """

    kind: ClassVar[str] = "lessons-used"

    mark: str = ""
    data: DataKind | None = None
    lessons: tuple[Lesson, ...] = ()
    similarity: tuple[float, ...] = ()
    order: dict[str, float] = {}
    replayed: str = ""
    notes: tuple[str, ...] = ()


class LessonUse(Part):
    """One lesson reused once: whether what it said of families was seen again (``held``), contradicted, or neither was proven.

    ``same rows``: the lesson was taught by the very rows that it was used on, which proves nothing.
    """

    lesson: str
    project: str
    run: str
    similarity: float = 0.0
    outcome: Literal["held", "contradicted", "not proven", "same rows"]
    sentence: str = ""
