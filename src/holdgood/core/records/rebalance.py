"""Rebalance, or collect more: what weighting a rare class would change, and what more rows of it would buy."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.common import Comparison, Interval
from holdgood.core.records.envelope import Number, Part, Record


class MoreRows(Part):
    """``rare_rows`` more rows of the rare class, and as many more of the others as come with them: the expected gain in loss.

    ``money``: the same in money a row, at thresholds chosen on the other folds; None where no costs are declared.
    """

    rare_rows: int
    gain: Interval
    money: Interval | None = None


class ClassShare(Part):
    """One class: its rows, its share of all (``observed``), and what a plain and a weighted model state on average.

    ``loss``: what the weighted one gains in log loss on the rows of this class alone, paired; None below 20 rows.
    """

    label: str
    rows: int
    observed: Number
    stated: Number
    stated_weighted: Number
    loss: Comparison | None = None


class Rebalance(Record):
    """Development rows only; nothing was resampled, nothing delivered.

    ``label``: the rarer of two classes, or the rarest of several that has 20 rows; ``classes``: all of them, as the task has them.
    ``loss``: the weighted model's gain in log loss over the plain one, paired; ``money``: the same in money a row, each at
    thresholds chosen on the other folds (several classes: with answers of least expected cost, weights undone), None where no
    costs are declared. ``observed``, ``stated`` and ``stated_weighted``: the share of the rare class, and what the two say
    of it on average. ``sizes`` and ``losses``: the learning curve, rows of the rare class against log loss out of fold.
    """

    kind: ClassVar[str] = "rebalance"

    label: str
    rare_rows: int
    rows: int
    loss: Comparison
    money: Comparison | None
    observed: Number
    stated: Number
    stated_weighted: Number
    sizes: tuple[int, ...]
    losses: tuple[Number, ...]
    more: tuple[MoreRows, ...]
    classes: tuple[ClassShare, ...] = ()
    learner: str
    folds: int
    sentences: tuple[str, ...]
