"""MON008: by what it answers, the model must be doing worse than promised, though outcomes are not known yet."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm, Interval
from holdgood.core.traffic import Look
from holdgood.metrics.quantile import normal_quantile
from holdgood.monitoring.estimate import ASSUMES, MOST_UNLIKE, from_chances, from_expected

LEAST = 0.05
FEWEST = 30
FEWEST_PAIRS = 200


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
        seen, _ = estimated(look, level=1.0 - 2.0 * alpha, seed=seed)
        if seen is None or promised.loss is None or seen.n < FEWEST:
            return []
        # The promise's own error at this alpha, read from its interval at its own level.
        error = (promised.loss.high - promised.loss.low) / (2.0 * normal_quantile((1 + promised.loss.level) / 2))
        half = float(np.hypot(seen.value - seen.low, normal_quantile(1.0 - alpha) * error))
        worse = seen.value - promised.loss.value
        if not worse > half or worse < LEAST * abs(promised.loss.value):
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


def estimated(look: Look, *, level: float = 0.95, seed: int = 0) -> tuple[Interval | None, str]:
    """The loss that the window's outcomes will show (chances, or a model of losses), or None and, where rows are to blame, why."""
    window, pairs = look.window, look.traffic.promised.pairs
    chances = bool(np.isfinite(window.loss_if).any())
    by = window.score if chances else window.expected
    if pairs is None or by is None or len(pairs) < (FEWEST if chances else FEWEST_PAIRS):
        return None, ""
    told = np.isfinite(by)
    if not told.any():
        return None, ""
    unlike = np.zeros(len(window), bool) if window.unlike is None else window.unlike
    share = float(unlike[told].mean())
    if share > MOST_UNLIKE:
        return None, f"no estimate before outcomes: {share:.0%} of rows are of a kind that the reference hardly has"
    if chances:
        told &= np.isfinite(window.loss_if).all(axis=1)
        return from_chances(by[told], window.loss_if[told], pairs, unlike[told], level=level, seed=seed), ""
    return from_expected(by[told], pairs, unlike[told], level=level), ""
