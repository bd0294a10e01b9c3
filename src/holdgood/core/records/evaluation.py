"""What the sealed holdout said."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Comparison, Interval, Money, Series
from holdgood.core.records.envelope import Number, Part, Record


class Calibration(Part):
    """Stated against observed, in bins of equal rows; ``error`` is debiased; ``p`` from outcomes simulated at the stated chances."""

    stated: tuple[Number, ...]
    observed: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    counts: tuple[int, ...]
    error: Interval
    p: Number = float("nan")
    sentence: str = ""


class Threshold(Part):
    """The threshold that earns most, chosen on out-of-fold development predictions, used as it is on the holdout.

    ``low`` to ``high``: where the choice falls when days, groups or rows are drawn again. ``flat_low`` to ``flat_high``: thresholds that
    saved at least 99% of what it saved on the rows that it was chosen on; NaN in records made before these were told.
    """

    value: Number
    low: Number
    high: Number
    chosen_on: str
    sentence: str = ""
    flat_low: Number = float("nan")
    flat_high: Number = float("nan")


class Capacity(Part):
    """What a capacity a day did: ``deserving`` rows, ``acted`` on within it, and ``full_days`` of ``days`` on which more deserved it."""

    a_day: int
    days: int
    full_days: int
    deserving: int
    acted: int
    sentence: str = ""


class Confusion(Part):
    """Counts: ``counts[truth][answer]`` in the order of ``labels``."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Importance(Part):
    """How much worse the loss gets when one origin's features are shuffled among the holdout rows."""

    name: str
    features: tuple[str, ...]
    loss_increase: Interval


class Slice(Part):
    """A part of the holdout with its own loss."""

    name: str
    n: int
    loss: Interval


class Overfitting(Part):
    """One metric on rows that the model learned from, on rows kept out of its fits, and on rows that chose nothing.

    ``learned`` on ``learned_rows`` of the rows that it could learn from; ``out_of_fold`` as the ladder has it, the choice of a
    configuration inside the resampling; ``picked`` what the winner of ``tries`` configurations scored on the very rows that it was
    picked on; ``fresh`` on the rows that judge. ``worse``: how much worse ``fresh`` is than ``out_of_fold``, above zero: worse.
    """

    metric: str
    learned: Number
    learned_rows: int
    out_of_fold: Interval
    fresh: Interval
    picked: Number = float("nan")
    tries: int = 1
    worse: Interval
    verdict: Literal["held", "better", "worse", "harder rows", "cannot tell"]
    sentences: tuple[str, ...] = ()


class Evaluation(Record):
    """Headline, money, calibration, curves, importance: rows of the holdout only, opened once more (counted)."""

    kind: ClassVar[str] = "evaluation"

    rows: int
    metric: str
    metrics: dict[str, Interval]
    baselines: dict[str, dict[str, Interval]] = {}
    against_prior: Comparison | None = None
    against_simple: Comparison | None = None
    calibration: Calibration | None = None
    threshold: Threshold | None = None
    capacity: Capacity | None = None
    confusion: Confusion | None = None
    curves: tuple[Series, ...] = ()
    money: Money | None = None
    money_against: tuple[Comparison, ...] = ()
    break_even_ratio: Number = float("nan")
    money_sentence: str = ""
    importance: tuple[Importance, ...] = ()
    slices: tuple[Slice, ...] = ()
    overfitting: Overfitting | None = None
    tuned_on: str = ""
    openings: int = 1
    worn: bool = False
    notes: tuple[str, ...] = ()
