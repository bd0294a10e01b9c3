"""MON009: groups are treated more differently than when the model was let live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm, Interval
from holdgood.core.traffic import Look, Traffic
from holdgood.metrics.quantile import normal_quantile

THIN = 50
LEAST = 0.05


@dataclass(frozen=True)
class GapNow:
    """The largest difference of the share acted on between groups, with an interval for all pairs at once; thin groups are left out by name."""

    attribute: str
    gap: Interval
    between: tuple[str, str]
    thin: tuple[str, ...]


class WiderGap:
    """The largest gap in use against the upper end of the promised one; simultaneous over pairs and attributes."""

    code: ClassVar[str] = "MON009"
    title: ClassVar[str] = "Groups drift apart"
    todo: ClassVar[str] = (
        "compare who comes from each group now and then; run the fairness review again before anything else"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """One alarm an attribute, widest first."""
        promised = look.traffic.promised.gaps
        found = []
        for now in gaps_now(look.window, level=1.0 - 2.0 * alpha):
            at_first = promised.get(now.attribute)
            if (
                at_first is None
                or now.gap.low <= max(at_first.high, at_first.value)
                or now.gap.value - at_first.value < LEAST
            ):
                continue
            found.append(
                Alarm(
                    code=self.code, title=self.title, subject=now.attribute, severity="high",
                    message=(
                        f"{now.attribute}: {now.between[0]} and {now.between[1]} are {now.gap.value:.1%} apart in how often the "
                        f"model asks to act (at least {now.gap.low:.1%}); it was {at_first.value:.1%}"
                    ),
                    statistic=now.gap.value - at_first.value, alpha=alpha, n_reference=at_first.n, n_current=now.gap.n,
                    todo=self.todo,
                )
            )  # fmt: skip
        return sorted(found, key=lambda a: -a.statistic)


DETECTOR = WiderGap()


def gaps_now(window: Traffic, *, level: float) -> list[GapNow]:
    """Gaps of every attribute that has two groups that are not thin. Bonferroni over pairs and attributes, Agresti & Caffo's (2000) shares."""
    found = []
    attributes = len(window.groups)
    for attribute, names in window.groups.items():
        told = np.isfinite(window.acted) & np.array([n is not None for n in names], bool)
        groups, codes = np.unique(names[told].astype("U"), return_inverse=True)
        rows = np.bincount(codes, minlength=len(groups)).astype(np.float64)
        hits = np.bincount(codes, weights=window.acted[told], minlength=len(groups))
        thin = rows < THIN
        pairs = int((~thin).sum()) * (int((~thin).sum()) - 1) / 2
        if pairs < 1:
            continue
        z = normal_quantile(1.0 - (1.0 - level) / (2.0 * pairs * attributes))
        share = (hits + 1.0) / (rows + 2.0)
        error = np.sqrt(share * (1.0 - share) / (rows + 2.0))
        fat = np.flatnonzero(~thin)
        a, b = (fat[k] for k in np.triu_indices(len(fat), 1))
        away, half = np.abs(share[a] - share[b]), z * np.hypot(error[a], error[b])
        seen = np.abs(hits[a] / rows[a] - hits[b] / rows[b])
        at = int(np.argmax(seen))
        gap = Interval(
            value=float(seen[at]), low=float(max(0.0, np.max(away - half))), high=float(min(1.0, np.max(away + half))),
            level=level, n=int(rows[fat].sum()), method=f"simultaneous over {pairs:.0f} pairs of groups",
        )  # fmt: skip
        found.append(GapNow(attribute, gap, (str(groups[a[at]]), str(groups[b[at]])), tuple(map(str, groups[thin]))))
    return found
