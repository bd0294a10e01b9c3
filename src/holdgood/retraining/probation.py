"""Probation: what was replaced answers beside its successor, and comes back where it is proven better, also if that begins late."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison
from holdgood.metrics.compare import paired
from holdgood.retraining.boundary import nominal_levels
from holdgood.retraining.challenge import Challenge, ChallengePlan

WINDOWS = ((1.0, 0.5), (0.5, 0.25), (0.25, 0.25))
"""How far back is looked, as shares of the planned rows, and which share of the error each may spend. All rows since the promotion
show a small difference; the newest half and quarter show a change that early good days would hide for long."""

_TINY = 1e-12


def probation(
    successor_loss: np.ndarray,
    replaced_loss: np.ndarray,
    *,
    plan: ChallengePlan,
    earlier: Sequence[float] = (),
    clusters: np.ndarray | None = None,
    unit: str = "",
    names: tuple[str, str] = ("replaced model", "new champion"),
) -> Challenge:
    """One look at the losses of both on the same rows, in order of time, since the promotion.

    ``promote``: the replaced model is proven better and goes back; ``keep``: all planned rows are in and it was not; else ``not yet``.
    ``earlier``: the ``share`` of each earlier look. Over all looks and windows together a successor that is as good is sent back
    in at most ``plan.error``: all rows spend as a test with an end does (Lan & DeMets 1983), the newest half and quarter of
    the planned rows in equal parts of the way (Bonferroni over looks). A probation ends early only by going back: what was good so far says
    nothing of the days to come.
    """
    n = len(successor_loss)
    share = min(n / plan.rows, 1.0)
    before = [min(s, 1.0) for s in earlier if s > 0.0]
    if n and before and share < before[-1]:
        raise DataError(
            f"{n:,} rows at look {len(before) + 1}, fewer than at the one before",
            "rows that are added, look after look",
            "give all rows since the promotion",
        )
    told: list[tuple[float, float, Comparison]] = []
    for width, part in WINDOWS:
        rows = n if width == 1.0 else round(width * plan.rows)
        if width < 1.0 and rows >= n:
            continue  # there are no other rows yet than all
        level = _level(width, plan.error * part, [*before, share] if share else [])
        found = paired(
            replaced_loss[n - rows :], successor_loss[n - rows :], first=names[0], second=names[1],
            clusters=None if clusters is None else clusters[n - rows :], unit=unit, level=1.0 - 2.0 * max(level, _TINY),
        )  # fmt: skip
        told.append((_clearness(found, level), level, found))
    # the clearest window is told; of several that say nothing, all rows
    _, level, found = min(told, key=lambda t: t[0])
    return _concluded(found, share, level, len(before) + 1, n, names)


def _level(width: float, error: float, shares: Sequence[float]) -> float:
    """The one-sided p-value at or below which this look decides by a window."""
    if not shares:
        return 0.0
    if width == 1.0:
        return nominal_levels(shares, error)[-1]
    return error * (shares[-1] - (shares[-2] if len(shares) > 1 else 0.0))


def _clearness(found: Comparison, level: float) -> float:
    """One-sided p-value in units of the level; at most 1 where the window decides."""
    if not (math.isfinite(found.p) and found.difference > 0.0 and level > 0.0):
        return math.inf
    return found.p / 2.0 / level


def _concluded(found: Comparison, share: float, level: float, look: int, n: int, names: tuple[str, str]) -> Challenge:
    wide = f" ({found.low:.4g} to {found.high:.4g} at this look)" if math.isfinite(found.low) else ""
    where = f"the newest {found.n:,} of {n:,} rows" if found.n < n else f"{n:,} rows"
    numbers = f"{found.difference:+.4g} {found.unit}".rstrip() + f"{wide}, {where}"
    if _clearness(found, level) <= 1.0:
        reason = f"the {names[0]} is proven better than the {names[1]}: {numbers}"
        return Challenge(found, "promote", reason, share, level, look)
    if share >= 1.0:
        reason = f"all planned rows are in, and at no look was the {names[0]} proven better: {numbers}"
        return Challenge(found, "keep", reason, share, level, look)
    reason = f"look {look}, {share:.0%} of the planned rows: the {names[0]} is not proven better, {numbers}"
    return Challenge(found, "not yet", reason, share, level, look)
