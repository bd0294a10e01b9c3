"""What training tried, and what each step of complexity bought."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from holdgood.core.records.common import Comparison, Interval
from holdgood.core.records.envelope import Number, Part, Record
from holdgood.core.records.ladder_table import ladder_table

NOT_IN_TIME = "not done within its time"
"""Why a candidate was stopped that more time would have judged."""
_NAMED = 8


class Trial(Part):
    """One candidate: score out of fold with interval, cost and size. Out-of-fold predictions lie beside it as Parquet."""

    name: str
    family: str
    rung: int
    parameters: dict[str, Any] = {}
    status: Literal["ok", "failed", "stopped", "skipped"]
    reason: str = ""
    score: Interval | None = None
    fold_scores: tuple[Number, ...] = ()
    fit_seconds: float = 0.0
    predict_us_per_row: Number = float("nan")
    size_bytes: int = 0
    rounds: int | None = None


class Rung(Part):
    """The best candidate of one family, and its paired gain over the best rung below.

    ``tries``: configurations that it was picked from. ``fit_seconds``: of its fits on the folds together; ``predict_ms``: one row
    alone; ``size_bytes``: as in a bundle. An ensemble costs what its members cost. ``why``: why it was taken or not, in a few words.
    ``plain`` and ``plain_gain``, where no costs are declared: rows of 1,000 that it judges wrongly, or how far it misses on average in the
    target's unit, and what it gains in that over the rung below.
    """

    name: str
    trial: str
    family: str
    score: Interval
    gain: Comparison | None = None
    money_gain: Comparison | None = None
    plain: Interval | None = None
    plain_gain: Comparison | None = None
    latency_ratio: Number = float("nan")
    tries: int = 1
    fit_seconds: Number = float("nan")
    predict_ms: Number = float("nan")
    size_bytes: Number = float("nan")
    taken: bool = False
    why: str = ""
    sentence: str = ""


class BandChoice(Part):
    """How quantiles and intervals come about: ``residual``, from ranked residuals, or ``fitted``, a learner a level.

    ``gain``: of the fitted band over the other in pinball loss (mean over ``levels``) on the same out-of-fold rows; None where
    none was tried. ``relative``: as a share of the loss. ``rows``: that have an out-of-fold prediction.
    """

    kind: Literal["residual", "fitted"]
    levels: tuple[float, ...]
    gain: Comparison | None = None
    relative: Number = float("nan")
    rows: int = 0
    sentence: str = ""


class Leaderboard(Record):
    """All trials, the ladder, and the choice with its reason. Development rows only.

    ``folds`` and ``repeats``: what was judged on, the best trials in all repeats. ``delivered``: a refit on all rows,
    or where that did not end in time the mean of the folds' models, or one of them; ``shortfall`` then says so and why.
    Out-of-fold scores are those of models that learned from fewer rows: slightly on the cautious side for all.
    ``calibration``: by what the stated chances were drawn to those observed, where that was proven to help; empty: they
    are stated as the model has them. ``rule``: when the ladder is climbed, with its level. ``band``: how quantiles and intervals
    were chosen, where some are wanted. ``only_prior``: the budget ended before anything above the prior was judged.
    """

    kind: ClassVar[str] = "leaderboard"

    metric: str
    higher_is_better: bool
    trials: tuple[Trial, ...]
    ladder: tuple[Rung, ...] = ()
    chosen: str = ""
    members: dict[str, float] = {}
    prefer: str = "balanced"
    rule: str = ""
    reason: str = ""
    rows: int = 0
    folds: int = 0
    repeats: int = 1
    fold_kind: str = ""
    delivered: str = ""
    shortfall: str = ""
    calibration: str = ""
    threshold: Number = float("nan")
    threshold_low: Number = float("nan")
    threshold_high: Number = float("nan")
    threshold_flat_low: Number = float("nan")
    threshold_flat_high: Number = float("nan")
    seconds: float = 0.0
    budget: str = ""
    budget_hit: bool = False
    only_prior: bool = False
    unjudged: dict[str, str] = {}
    band: BandChoice | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ladder_table(self)

    @property
    def division(self) -> str:
        """The folds in words: ``5 stratified folds, 3 times over``."""
        kind = f"{self.fold_kind} " if self.fold_kind else ""
        return f"{self.folds} {kind}folds" + (f", {self.repeats} times over" if self.repeats > 1 else "")

    @property
    def too_short(self) -> str:
        """That the budget let only the prior be judged, which says nothing of the data, and what to do; "" where more was.

        >>> Leaderboard(metric="log_loss", higher_is_better=False, trials=(), budget="20s", only_prior=True).too_short
        'only the prior was reached within the budget of 20s, nothing else was judged: run again with a larger budget'
        """
        if not self.only_prior:
            return ""
        budget = f" of {self.budget}" if self.budget else ""
        return f"only the prior was reached within the budget{budget}, nothing else was judged: run again with a larger budget"

    @property
    def without(self) -> str:
        """What the forecast does without because it could not be judged, why, and what to do; "" where there is nothing.

        >>> from holdgood.core.records.leaderboard import NOT_IN_TIME
        >>> board = Leaderboard(metric="mase", higher_is_better=False, trials=(), unjudged={"price": NOT_IN_TIME})
        >>> board.without
        'made without price, which could not be judged (not done within its time): run again with a longer --budget'
        """
        if not self.unjudged:
            return ""
        names, whys = list(self.unjudged), list(dict.fromkeys(self.unjudged.values()))
        some = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        longer = ": run again with a longer --budget" if NOT_IN_TIME in whys else ""
        return f"made without {some}, which could not be judged ({'; '.join(whys[:2])}){longer}"
