"""Champion against challenger on the same rows, looked at as often as one likes: promote, keep, or not yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison
from holdgood.metrics.compare import paired
from holdgood.retraining.boundary import nominal_levels

_TINY = 1e-12
"""A level of a look that has nothing to spend; its interval is wider than anything."""


@dataclass(frozen=True)
class ChallengePlan:
    """What was agreed before the first look.

    ``rows``: labelled rows at which the test ends. ``error``: the chance to promote a challenger whose gain is at most
    ``smallest_gain`` (in the unit of the loss), over all looks together.
    """

    rows: int
    error: float = 0.05
    smallest_gain: float = 0.0


@dataclass(frozen=True)
class Challenge:
    """What a look found: the paired comparison (challenger first) and what follows from it.

    ``share``: of the planned rows that are in. ``level``: the one-sided p-value at or below which this look decides.
    The comparison's interval is the one of this look's level, so that the intervals of all looks hold together.
    """

    comparison: Comparison
    decision: Literal["promote", "keep", "not yet"]
    reason: str
    share: float
    level: float
    look: int


def challenge(
    champion_loss: np.ndarray,
    challenger_loss: np.ndarray,
    *,
    plan: ChallengePlan,
    earlier: Sequence[float] = (),
    clusters: np.ndarray | None = None,
    unit: str = "",
    names: tuple[str, str] = ("challenger", "champion"),
) -> Challenge:
    """One look at the losses of both on the same rows, which neither has learned from.

    ``earlier``: the ``share`` of each earlier look. ``promote`` where the gain is proven to lie above ``plan.smallest_gain``,
    ``keep`` where it is proven to lie below, or where all planned rows are in and nothing is proven; else ``not yet``.
    ``clusters`` (n,): rows that belong together (days). ``names``: challenger and champion as sentences call them.

    A group-sequential test (Lan & DeMets 1983) whose p-values are those of the paired comparison, which sees clusters and
    skewness. Mirrored: a better champion is kept early at the same error.
    """
    share = len(champion_loss) / plan.rows
    shares = [min(s, 1.0) for s in (*(e for e in earlier if e > 0.0), share)]
    if len(champion_loss) and len(shares) > 1 and shares[-1] < shares[-2]:
        raise DataError(
            f"{len(champion_loss):,} rows at look {len(shares)}, fewer than at the one before",
            "rows that are added, look after look",
            "give all rows since the test began",
        )
    level = nominal_levels(shares, plan.error)[-1] if share > 0 else 0.0
    found = paired(
        challenger_loss, np.asarray(champion_loss, np.float64) - plan.smallest_gain,
        first=names[0], second=names[1], clusters=clusters, unit=unit, level=1.0 - 2.0 * max(level, _TINY),
    )  # fmt: skip
    shown = found.model_copy(
        update={end: getattr(found, end) + plan.smallest_gain for end in ("difference", "low", "high")}
    )
    return _concluded(shown, found, plan, min(share, 1.0), level, len(shares), names)


def _concluded(
    shown: Comparison,
    tested: Comparison,
    plan: ChallengePlan,
    share: float,
    level: float,
    look: int,
    names: tuple[str, str],
) -> Challenge:
    """``tested``: against the smallest gain; ``shown``: against zero."""
    wide = f" ({shown.low:.4g} to {shown.high:.4g} at this look)" if math.isfinite(shown.low) else ""
    numbers = f"{shown.difference:+.4g} {shown.unit}".rstrip() + f"{wide}, {shown.n:,} rows"
    worth = f" by more than {plan.smallest_gain:g}" if plan.smallest_gain else ""
    decision: Literal["promote", "keep", "not yet"]
    one_sided = tested.p / 2.0
    proven = level > 0.0 and one_sided <= level and tested.difference != 0.0
    if proven and tested.difference > 0.0:
        decision, reason = "promote", f"the {names[0]} is proven better{worth} than the {names[1]}: {numbers}"
    elif proven:
        decision, reason = "keep", f"the {names[0]} is proven not to be better{worth} than the {names[1]}: {numbers}"
    elif share >= 1.0:
        decision, reason = "keep", f"all planned rows are in and the {names[0]} is not proven better{worth}: {numbers}"
    else:
        decision, reason = "not yet", f"look {look}, {share:.0%} of the planned rows: not decided, {numbers}"
    return Challenge(shown, decision, reason, share, level, look)
