"""A paired test at its weekly looks, as promotion and probation take them: how it ended, and on which day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from retraining_worlds import DAYS

from holdgood.retraining import ChallengePlan
from holdgood.retraining.challenge import Challenge

ERROR = 0.05
"""Of one test over all its looks."""


def ended(test: Callable[..., Challenge], rows: np.ndarray, days: np.ndarray) -> tuple[str, int]:
    """The decision, and the day of the look that took it. rows, days (n,): gains of the one against the other, and when they came."""
    shares: list[float] = []
    for week in range(7, DAYS + 1, 7):
        kept = days < week
        found = test(
            rows[kept],
            np.zeros(int(kept.sum())),
            plan=ChallengePlan(len(rows), ERROR),
            earlier=shares,
            clusters=days[kept],
        )
        if found.decision != "not yet":
            return found.decision, week
        shares.append(found.share)
    raise AssertionError("the last look decides")
