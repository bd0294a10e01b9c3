"""MON010: people decide otherwise than the model more often than they did."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm
from holdgood.core.traffic import Look
from holdgood.monitoring.told_share import higher, spread_of_days

LEAST = 0.03
FEWEST = 50


class MoreOverrides:
    """Share of answers overridden, window against all earlier rows; exact, thinned by how much days differ by nature."""

    code: ClassVar[str] = "MON010"
    title: ClassVar[str] = "People overrule the model more often"
    todo: ClassVar[str] = "read their reasons; they know something that the model does not, or no longer trust it"

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """At most one alarm."""
        window, before = look.window, look.before
        if len(window) < FEWEST or len(before) < FEWEST:
            return []
        thin = spread_of_days(before.overridden.astype(np.float64), before.when)
        counts = int(window.overridden.sum()), len(window), int(before.overridden.sum()), len(before)
        p = higher(*(int(c / thin) for c in counts))
        now, was = counts[0] / counts[1], counts[2] / counts[3]
        if p >= alpha or now - was < LEAST:
            return []
        return [
            Alarm(
                code=self.code, title=self.title, subject="overrides", severity="high" if now >= 0.2 else "medium",
                message=f"{now:.1%} of answers were overruled, it was {was:.1%} (p = {p:.2g})",
                statistic=now - was, p=p, alpha=alpha, n_reference=len(before), n_current=len(window), todo=self.todo,
            )
        ]  # fmt: skip


DETECTOR = MoreOverrides()
