"""MON006: outcomes come later, or for fewer rows, than they used to."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm
from holdgood.core.traffic import DAY, Look
from holdgood.metrics.quantile import normal_quantile, t_two_sided
from holdgood.monitoring.delay import learned
from holdgood.monitoring.told_share import spread_of_days

FEWEST = 50
LEAST = 0.05


class LateLabels:
    """Rows of the window of whose outcome something is known by now against the chance of it at their age, learned from earlier rows (Kaplan-Meier)."""

    code: ClassVar[str] = "MON006"
    title: ClassVar[str] = "Outcomes come late"
    todo: ClassVar[str] = "ask whoever reports outcomes; until they come, performance is judged on fewer and other rows"

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """At most one alarm."""
        window, before = look.window, look.before
        if len(window) < FEWEST or int(before.told.sum()) < FEWEST:
            return []
        chance = learned(before).by((window.as_of - window.when) / DAY)
        expected, got = float(chance.sum()), float(window.told.sum())
        variance = float(np.sum(chance * (1.0 - chance)))
        # The curve is learned too, and days differ by nature.
        variance += expected**2 / max(1.0, float(before.told.sum()))
        old = (before.as_of - before.when) / DAY > np.nanmedian(before.delay)
        variance *= spread_of_days(before.told[old].astype(np.float64), before.when[old])
        if variance <= 0:
            return []
        z = (expected - got) / math.sqrt(variance)
        p = 0.5 * t_two_sided(z, 1e7) if z > 0 else 1.0
        if z <= normal_quantile(1.0 - alpha) or expected - got < LEAST * len(window):
            return []
        return [
            Alarm(
                code=self.code, title=self.title, subject="outcomes", severity="medium",
                message=f"{got:,.0f} of {len(window):,} rows have an outcome by now; at their age {expected:,.0f} should (p = {p:.2g})",
                statistic=(expected - got) / len(window), p=p, alpha=alpha, n_reference=len(before), n_current=len(window),
                todo=self.todo,
            )
        ]  # fmt: skip


DETECTOR = LateLabels()
