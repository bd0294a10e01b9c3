"""MON004: more rows break the contract than did before."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm
from holdgood.core.traffic import Look
from holdgood.monitoring.told_share import higher, spread_of_days

LEAST = 0.01
"""A rise of less than one row in a hundred is never an alarm."""


class ContractBroken:
    """Shares of rows refused and warned of, against development and earlier traffic together: exact test of two samples.

    Days differ by nature: counts are thinned by how much more they vary than independent rows would.
    """

    code: ClassVar[str] = "MON004"
    title: ClassVar[str] = "More rows break the contract"
    todo: ClassVar[str] = (
        "read why rows were refused (holdgood journal, verdict and why); mend the feed, or renew the contract on purpose"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """Refused rows first. Half of ``alpha`` each."""
        window, before, promised = look.window, look.before, look.traffic.promised
        found = []
        for what, now, then, at_first in (
            ("refused", window.refused, before.refused, promised.refused),
            ("warned of", window.warned, before.warned, promised.warned),
        ):
            hits, rows = int(then.sum()) + at_first[0], len(then) + at_first[1]
            if len(now) == 0 or rows == 0:
                continue
            thin = spread_of_days(then.astype(np.float64), before.when)
            p = higher(*(int(x / thin) for x in (int(now.sum()), len(now), hits, rows)))
            share, was = float(now.mean()), hits / rows
            if p < 0.5 * alpha and share - was >= LEAST:
                found.append(
                    Alarm(
                        code=self.code, title=self.title, subject=what,
                        severity="high" if what == "refused" and share >= 0.05 else "medium",
                        message=f"{share:.1%} of rows were {what}, it was {was:.1%} (p = {min(1.0, 2.0 * p):.2g})",
                        statistic=share - was, p=min(1.0, 2.0 * p), alpha=alpha, n_reference=rows, n_current=len(now),
                        todo=self.todo,
                    )
                )  # fmt: skip
        return found


DETECTOR = ContractBroken()
