"""MON008: by what it answers, the model must be doing worse than promised, though outcomes are not known yet."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm, Interval
from holdgood.core.traffic import Look
from holdgood.monitoring.estimate import ASSUMES, from_chances

LEAST = 0.05
FEWEST = 30


class WorseByEstimate:
    """The estimated loss of the window against the promised one, each with its uncertainty. One-sided at ``alpha``."""

    code: ClassVar[str] = "MON008"
    title: ClassVar[str] = "Probably worse than promised"
    todo: ClassVar[str] = (
        "hurry outcomes of these rows, if they can be hurried; look at drift; decide with more care until then"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """At most one alarm."""
        promised = look.traffic.promised
        seen = estimated(look, level=1.0 - 2.0 * alpha, seed=seed)
        if seen is None or promised.loss is None or seen.n < FEWEST:
            return []
        of_promise = (promised.loss.high - promised.loss.low) / 2.0
        half = float(np.hypot(seen.high - seen.value, of_promise))
        worse = seen.value - promised.loss.value
        if worse <= half or worse < LEAST * abs(promised.loss.value):
            return []
        return [
            Alarm(
                code=self.code, title=self.title, subject=promised.metric or "loss", severity="medium",
                message=(
                    f"{promised.metric or 'loss'} is estimated at {seen.value:.4g} a row ({seen.low:.4g} to {seen.high:.4g}), "
                    f"{promised.loss.value:.4g} was promised; {ASSUMES}"
                ),
                statistic=worse, alpha=alpha, n_reference=promised.loss.n, n_current=seen.n, todo=self.todo,
            )
        ]  # fmt: skip


DETECTOR = WorseByEstimate()


def estimated(look: Look, *, level: float = 0.95, seed: int = 0) -> Interval | None:
    """The loss that the window's outcomes will show (binary); None without calibration pairs or answers."""
    window, pairs = look.window, look.traffic.promised.pairs
    told = np.isfinite(window.score) & np.isfinite(window.loss_if).all(axis=1)
    if pairs is None or len(pairs) < FEWEST or not told.any():
        return None
    return from_chances(window.score[told], window.loss_if[told], pairs, level=level, seed=seed)
