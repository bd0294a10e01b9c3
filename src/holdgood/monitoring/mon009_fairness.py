"""MON009: groups are treated more differently than when the model was let live, in answers or, once outcomes are known, in errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from holdgood.core.records import Alarm, Interval
from holdgood.core.traffic import Look, Traffic
from holdgood.metrics.quantile import normal_quantile

THIN = 50
LEAST = 0.05
SELECTED = "selection_rate"
WORDS = {
    SELECTED: "how often the model asks to act",
    "true_positive_rate": "how often the model asks to act where it should have",
    "false_positive_rate": "how often the model asks to act where it should not have",
    "accuracy": "how often the model was right",
    "error": "how often the model was wrong",
}
"""What a share of rows says, by the measure of fairness."""
_ENDING = {measure: f", {measure.replace('_', ' ')}" for measure in WORDS if measure != SELECTED}
"""Of an alarm's subject, where outcomes told."""


@dataclass(frozen=True)
class GapNow:
    """The largest difference of a share (``measure``) between groups, with an interval for all pairs at once; thin groups are left out by name."""

    attribute: str
    measure: str
    gap: Interval
    between: tuple[str, str]
    thin: tuple[str, ...]


class WiderGap:
    """The largest gap in use against the upper end of the promised one; simultaneous over pairs, attributes and measures.

    Measures: how often the model asks to act, of all answers; and what fairness was judged by in evaluation, of those whose outcome is known.
    """

    code: ClassVar[str] = "MON009"
    title: ClassVar[str] = "Groups drift apart"
    todo: ClassVar[str] = (
        "compare who comes from each group now and then; run the fairness review again before anything else"
    )

    def watch(self, look: Look, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """One alarm an attribute and measure, widest first."""
        promised = look.traffic.promised.gaps
        found = []
        for now in gaps_now(look.window, level=1.0 - 2.0 * alpha):
            at_first = promised.get(now.measure, {}).get(now.attribute)
            if (
                at_first is None
                or now.gap.low <= max(at_first.high, at_first.value)
                or now.gap.value - at_first.value < LEAST
            ):
                continue
            found.append(
                Alarm(
                    code=self.code, title=self.title, severity="high",
                    subject=now.attribute + _ENDING.get(now.measure, ""),
                    message=(
                        f"{now.attribute}: {now.between[0]} and {now.between[1]} are {now.gap.value:.1%} apart in {WORDS[now.measure]} "
                        f"(at least {now.gap.low:.1%}); it was {at_first.value:.1%}"
                    ),
                    statistic=now.gap.value - at_first.value, alpha=alpha, n_reference=at_first.n, n_current=now.gap.n,
                    todo=self.todo,
                )
            )  # fmt: skip
        return sorted(found, key=lambda a: -a.statistic)


DETECTOR = WiderGap()


def of_outcomes(subject: str) -> bool:
    """Whether an alarm about ``subject`` can only be seen where outcomes are known."""
    return subject.endswith(tuple(_ENDING.values()))


def told_by(window: Traffic, subject: str) -> int:
    """How many groups have enough rows in a window to tell an alarm about ``subject``; below two it could not be found."""
    measure = next((m for m, ending in _ENDING.items() if subject.endswith(ending)), SELECTED)
    told, names = window.fair.get(measure), window.groups.get(subject.removesuffix(_ENDING.get(measure, "")))
    return 0 if told is None or names is None else int((_by_group(told, names)[1] >= THIN).sum())


def gaps_now(window: Traffic, *, level: float) -> list[GapNow]:
    """Gaps of every attribute that has two groups that are not thin, by measure.

    Bonferroni over pairs, attributes and measures; shares of Agresti & Caffo (2000).
    """
    measures = {measure: told for measure, told in window.fair.items() if np.isfinite(told).any()}
    family = len(window.groups) * len(measures)
    found = []
    for measure, told in measures.items():
        for attribute, names in window.groups.items():
            gap = _widest(told, names, 1.0 - (1.0 - level) / family, level)
            if gap is not None:
                found.append(GapNow(attribute, measure, *gap))
    return found


def _widest(
    told: np.ndarray, names: np.ndarray, each: float, level: float
) -> tuple[Interval, tuple[str, str], tuple[str, ...]] | None:
    """The largest difference of shares between groups, between which two, and who is thin; ``each``: the level for all pairs of these groups."""
    groups, rows, hits = _by_group(told, names)
    thin = rows < THIN
    pairs = int((~thin).sum()) * (int((~thin).sum()) - 1) / 2
    if pairs < 1:
        return None
    z = normal_quantile(1.0 - (1.0 - each) / (2.0 * pairs))
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
    return gap, (str(groups[a[at]]), str(groups[b[at]])), tuple(map(str, groups[thin]))


def _by_group(told: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names (groups,), and of each how many rows tell and how many of them say yes."""
    here = np.isfinite(told) & np.array([n is not None for n in names], bool)
    groups, codes = np.unique(names[here].astype("U"), return_inverse=True)
    rows = np.bincount(codes, minlength=len(groups)).astype(np.float64)
    return groups, rows, np.bincount(codes, weights=told[here], minlength=len(groups))
