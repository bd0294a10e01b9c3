"""MON001: a feature's distribution, or how often it is missing, is not what it was in development."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock
from holdgood.core.records import Alarm
from holdgood.monitoring.beyond import Links, beyond_others
from holdgood.monitoring.compared import Compared, compare
from holdgood.monitoring.scores import BEYOND, Scores, distance, scores
from holdgood.monitoring.told_apart import LEAST_ROWS

LEAST_EFFECT = 0.02
"""Shifts below two points of distribution (KS distance, total variation, missing share) are never an alarm, however sure."""
SURE = 0.05
"""Adjusted p from which a feature that moved is taken to be the reason why others lie oddly beside it."""


@dataclass(frozen=True)
class Moved:
    """A feature that moved: its position, how far, its adjusted p, and the score that moved surest (place, spread …)."""

    feature: int
    effect: float
    p: float
    kind: int
    shift: float


class FeatureDrift:
    """Mean scores a feature: place, spread, skewness and tails of numbers, shares of levels, shares of gaps.

    Where features hang together, a number's place is also compared beyond what the others let expect, which sees sooner what moved one alone.
    Both sides count as samples. The family-wise rate ``alpha`` holds whatever the correlation between features. With a
    clock, what the calendar explains in the reference is taken out first. Texts are watched by their length.
    """

    code: ClassVar[str] = "MON001"
    title: ClassVar[str] = "A feature has drifted"
    todo: ClassVar[str] = (
        "find out what changed at the source of this column; repair the feed or, if the world changed, retrain"
    )

    def look(
        self, reference: Frame, current: Frame, *, alpha: float = 0.05, seed: int = 0, clock: Clock | None = None
    ) -> list[Alarm]:
        """Alarms, smallest p-value first; with no change, any at all comes with probability at most ``alpha``."""
        moved, found = moves(reference, current, seed=seed, clock=clock)
        beyond = f", beyond {' and '.join(found.explains)}" if found.explains else ""
        return [
            Alarm(
                code=self.code,
                title=self.title,
                subject=(name := reference.features[one.feature].name),
                severity=severity(one.effect),
                message=f"{name}: {told(one, reference, current)}{beyond} (p = {one.p:.2g} after correction for everything looked at)",
                statistic=one.effect,
                p=one.p,
                alpha=alpha,
                n_reference=len(reference),
                n_current=len(current),
                todo=self.todo,
            )
            for one in moved
            if one.p < alpha and one.effect >= LEAST_EFFECT
        ]


DETECTOR = FeatureDrift()


def moves(reference: Frame, current: Frame, *, seed: int, clock: Clock | None = None) -> tuple[list[Moved], Compared]:
    """What moved of each feature, surest first; empty where a side is too small to say anything."""
    if [(f.name, f.type) for f in reference.features] != [(f.name, f.type) for f in current.features]:
        raise DataError(
            "the rows in use have other features than the reference",
            "the same features in the same order",
            "build both with the same bundle",
        )
    if min(len(reference), len(current)) < LEAST_ROWS:
        return [], Compared(np.zeros(0), np.zeros(0), np.zeros(0))
    scored, links = beyond_others(scores(reference, current))
    found = compare(scored, clock, seed)
    moved = [_of(i, scored, found) for i in np.unique(scored.owner)]
    moved.sort(key=lambda one: (one.p, -one.effect))
    return (moved if links is None else _blamed(moved, links, scored, found)), found


def _blamed(moved: list[Moved], links: Links, scored: Scores, found: Compared) -> list[Moved]:
    """Features surest first, none of them for what another did: one that moves much lies oddly beside all others, and they beside it.

    What a feature moved beyond the others counts where it stays, by half at least, when those that moved more surely are not among them.
    """
    out: list[Moved] = []
    sure: list[int] = []
    for one in moved:
        if one.kind == BEYOND and sure:
            again = links.shift(one.feature, found.shift, sure)
            if again * np.sign(one.shift) < 0.5 * abs(one.shift):
                one = _of(one.feature, scored, found, beyond=False)
        out.append(one)
        if one.p < SURE:
            sure.append(one.feature)
    return sorted(out, key=lambda one: (one.p, -one.effect))


def _of(feature: int, scored: Scores, found: Compared, *, beyond: bool = True) -> Moved:
    mine = np.flatnonzero((scored.owner == feature) & (beyond | (scored.kind != BEYOND)))
    surest = mine[int(np.argmin(found.p[mine]))]
    return Moved(
        feature=int(feature),
        effect=distance(found.shift[mine], scored.kind[mine]),
        p=float(found.adjusted[mine].min()),
        kind=int(scored.kind[surest]),
        shift=float(found.shift[surest]),
    )


def severity(effect: float) -> Literal["high", "medium", "low"]:
    """How bad a distance of distributions is."""
    if effect >= 0.3:
        return "high"
    return "medium" if effect >= 0.1 else "low"


_RANKS = {
    1: ("values are lower than before", "values are higher than before"),
    2: ("values lie closer together than before", "values lie further apart than before"),
    3: ("the shape leans the other way", "the shape leans the other way"),
    4: ("fewer values lie far out", "more values lie far out"),
    BEYOND: (
        "values are lower than the other columns let expect",
        "values are higher than the other columns let expect",
    ),
}


def told(one: Moved, reference: Frame, current: Frame) -> str:
    """What moved, in words and a number that the user can check."""
    kind = reference.features[one.feature].type
    before, now = reference.arrays[one.feature], current.arrays[one.feature]
    if one.kind == -1:
        a, b = (float(np.mean(_missing(kind, side))) for side in (before, now))
        return f"missing in {b:.1%} of rows, it was {a:.1%}"
    if kind == "category":
        seen = {v for v in before if v is not None}
        present = [v for v in now if v is not None]
        fresh = sum(v not in seen for v in present) / max(1, len(present))
        return f"{one.effect:.1%} of rows hold other values than before" + (
            f", {fresh:.1%} hold new ones" if fresh else ""
        )
    what = "length of text: " if kind == "text" else ""
    if one.kind == 0:
        return f"{what}{one.effect:.1%} of rows hold other values than before"
    return f"{what}{_RANKS[one.kind][int(one.shift > 0)]}, distance {one.effect:.3f} of 1"


def _missing(kind: str, values: np.ndarray) -> np.ndarray:
    return np.isnan(values) if kind == "number" else np.array([v is None for v in values], bool)
