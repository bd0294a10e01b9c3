"""MON011: the model earns less than was promised. Also the ledger: what each period promised and what outcomes show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from holdgood.core.records import Alarm, Benefit, Interval
from holdgood.core.traffic import Look
from holdgood.monitoring.delay import learned
from holdgood.monitoring.late_mean import LateMean, against, late_mean
from holdgood.monitoring.usual_days import usual_days

FEWEST = 30
LEAST = 0.1


class LessBenefit:
    """Money saved a row of known outcome, weighted for those that still wait, against the promise. One-sided at ``alpha``."""

    code: ClassVar[str] = "MON011"
    title: ClassVar[str] = "Earns less than promised"
    todo: ClassVar[str] = (
        "hold prices and costs in the declaration against today's; then performance (MON007) and overrides (MON010)"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """At most one alarm; ``stake`` is what the window fell short by."""
        promised, window = look.traffic.promised, look.window
        if promised.saved is None or not window.labelled.any():
            return []
        seen = saved_a_row(look)
        found = against(promised.saved, seen, alpha=2.0 * alpha, unit=promised.currency, lower_is_better=False)
        p = 0.5 * found.p if found.difference < 0 else 1.0
        if not p < alpha or seen.rows < FEWEST or -found.difference < LEAST * abs(promised.saved.value):
            return []
        short = -found.difference * len(window)
        return [
            Alarm(
                code=self.code, title=self.title, subject="benefit", severity="high" if seen.value < 0 else "medium",
                message=(
                    f"{seen.value:.4g} {promised.currency} saved a row, {promised.saved.value:.4g} was promised "
                    f"(p = {p:.2g}); {len(window):,} rows fell short by {short:,.0f} {promised.currency}"
                ),
                statistic=-found.difference, p=p, alpha=alpha, n_reference=promised.saved.n, n_current=seen.rows,
                stake=short, currency=promised.currency, todo=self.todo,
            )
        ]  # fmt: skip


DETECTOR = LessBenefit()


def saved_a_row(look: Look) -> LateMean:
    """The window's mean; days of large sums are also days of large spread, so that all days have a say in its error."""
    usual = usual_days(look, look.traffic.saved)
    return late_mean(look.window, look.window.saved, learned(look.traffic), usual=usual)


def ledger(look: Look) -> Benefit | None:
    """What the window's rows were promised to save and what outcomes show, in money of all its rows; None where nothing was promised."""
    promised, window = look.traffic.promised, look.window
    if promised.saved is None or len(window) == 0:
        return None
    rows = len(window)
    seen = saved_a_row(look)
    return Benefit(
        model=look.traffic.model, bundle_digest=look.traffic.bundle_digest, begins=_iso(look.begins), ends=_iso(look.ends),
        promised=_times(promised.saved, rows), realised=_times(seen.interval(0.95), rows), currency=promised.currency,
        rows=rows, labelled=int(window.labelled.sum()), against=promised.against, share=seen.share,
    )  # fmt: skip


def _times(interval: Interval, rows: int) -> Interval:
    ends = {k: getattr(interval, k) * rows for k in ("value", "low", "high")}
    return interval.model_copy(update=ends)


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1e6, UTC).isoformat()
