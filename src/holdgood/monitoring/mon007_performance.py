"""MON007: the model does worse in use than evaluation promised."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records import Alarm
from holdgood.core.records.common import Comparison
from holdgood.core.traffic import Look
from holdgood.monitoring.delay import learned
from holdgood.monitoring.late_mean import LateMean, against, late_mean
from holdgood.monitoring.usual_days import usual_days

LEAST = 0.02
"""A loss that is less than two hundredths of the promised one worse is never an alarm."""

FEWEST = 30


class WorsePerformance:
    """Mean loss of rows whose outcome is known, weighted for those that still wait, against the promised loss.

    One-sided at ``alpha``. Looks spend from one budget (``schedule``), so that looking often costs nothing.
    """

    code: ClassVar[str] = "MON007"
    title: ClassVar[str] = "Worse than promised"
    todo: ClassVar[str] = "see which slices lost (report of the look) and what drifted; retrain if the world changed"

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """At most one alarm."""
        found = performance(look, alpha=2.0 * alpha)
        if found is None or look.traffic.promised.loss is None:
            return []
        compared, seen = found
        promised = look.traffic.promised.loss.value
        p = 0.5 * compared.p if compared.difference < 0 else 1.0
        if not p < alpha or seen.rows < FEWEST or -compared.difference < LEAST * abs(promised):
            return []
        worse = -compared.difference / abs(promised) if promised else float("inf")
        return [
            Alarm(
                code=self.code, title=self.title, subject=look.traffic.promised.metric or "loss",
                severity="high" if worse >= 0.2 else "medium" if worse >= 0.1 else "low",
                message=(
                    f"{look.traffic.promised.metric or 'loss'} is {seen.value:.4g} a row in use, {promised:.4g} was promised "
                    f"({worse:.0%} worse, p = {p:.2g}; {seen.share:.0%} of rows have an outcome)"
                ),
                statistic=-compared.difference, p=p, alpha=alpha, n_reference=look.traffic.promised.loss.n,
                n_current=seen.rows, todo=self.todo,
            )
        ]  # fmt: skip


DETECTOR = WorsePerformance()


def performance(look: Look, *, alpha: float) -> tuple[Comparison, LateMean] | None:
    """Loss in use against the promise, two-sided at ``alpha``; None where nothing was promised or nothing is known yet."""
    promised, window = look.traffic.promised.loss, look.window
    if promised is None or not window.labelled.any():
        return None
    usual = usual_days(look, look.traffic.loss)
    seen = late_mean(window, window.loss, learned(look.traffic), usual=usual)
    unit = look.traffic.promised.metric
    return against(promised, seen, alpha=alpha, unit=unit, lower_is_better=True), seen
