"""Which forecast is delivered: the ladder of families, and the best combination on top, its weights judged on series they did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdgood.training.ladder import Climb, Step, climb
from holdgood.training.panels.combine import Blend, blended, learned
from holdgood.training.panels.judged import Rows, loss
from holdgood.training.panels.panel_ladder import PARTS, judge_of, steps_of
from holdgood.training.panels.race import Ran
from holdgood.training.score import Judge

FEW = 20
"""Series below which weights are learned over origins, not over series."""
LEAST = 8
"""Units below which no proof is asked of ``best``."""
SHARED = (
    "Series, and where they are few their origins too, are taken as independent: shocks that all share are not in the intervals, "
    "so that what is proven holds for the origins that were looked at"
)
"""Said beside the rule where no clusters are declared; what it comes to: docs/decisions/0010."""
MOST_WORSE = 1.6
"""A candidate whose loss is so many times the best one's is in no combination."""


@dataclass(frozen=True, eq=False)
class Choice:
    """The step taken: its blend with weights from all rows, its points with weights from other rows, and the ladder.

    ``losses``: by name of candidate or combination, a series (those of the judge).
    """

    name: str
    blend: Blend
    honest: np.ndarray
    losses: dict[str, np.ndarray]
    judge: Judge
    climb: Climb


def choose(done: Sequence[Ran], rows: Rows, metric: str, prefer: str, clusters: np.ndarray | None, seed: int) -> Choice:
    """Climb the ladder. ``clusters``: codes a series of the panel, or None.

    A series counts once, by its mean over origins; where there are fewer than FEW, each origin of a series counts. Below LEAST
    of these nothing can be proven: ``best`` then takes the best score and says so.
    """
    single = loss(metric, rows.points, rows.scored, rows.scale)
    who, series = np.unique(rows.series, return_inverse=True)
    code = series if len(who) >= FEW else np.arange(len(rows.y))
    count = np.bincount(code)

    def by_unit(values: np.ndarray) -> np.ndarray:
        mean: np.ndarray = np.bincount(code, weights=values) / count
        return mean

    groups = None if clusters is None or len(who) < FEW else clusters[who]
    judge = judge_of(metric, len(count), groups, seed)
    names = [r.candidate.name for r in done]
    found = {n: by_unit(s) for n, s in zip(names, single, strict=True)}
    steps = steps_of(done, list(found.values()), judge)
    good = np.flatnonzero(single.mean(axis=1) <= MOST_WORSE * single.mean(axis=1).min())
    blends = {b.name: b for b in _learned(rows, good, np.arange(len(rows.y)), seed)} if len(good) > 1 else {}
    honest = _honest(blends, rows, good, _parts(rows, len(who), series, seed), seed)
    if blends:
        kinds = {n: by_unit(loss(metric, p, rows.scored, rows.scale)) for n, p in honest.items()}
        best = min(kinds, key=lambda n: float(kinds[n].mean()))
        row_ms, fit_s = sum(s.row_ms for s in steps), sum(s.fit_seconds for s in steps)
        tries = tuple(kinds.values())
        steps.append(
            Step(best, best, "combination", kinds[best], row_ms, fit_seconds=fit_s, tries=tries, ensemble=True)
        )
        found |= kinds
    climbed = climb(steps, judge, prefer=prefer)
    if groups is None:
        climbed = replace(climbed, rule=f"{climbed.rule} {SHARED}.")
    if prefer == "best" and len(count) < LEAST:
        by_score = int(np.argmin([float(s.prediction.mean()) for s in steps]))
        said = f"the best score; {len(count)} forecasts at past origins are too few to prove anything"
        climbed = replace(climbed, chosen=by_score, reason=said)
    step = steps[climbed.chosen]
    if step.family == "combination":
        return Choice(step.name, blends[step.name], honest[step.name], found, judge, climbed)
    one = names.index(step.trial)
    return Choice(step.name, Blend(step.name, np.eye(len(done))[one]), rows.points[one], found, judge, climbed)


def _honest(
    blends: dict[str, Blend], rows: Rows, good: np.ndarray, part: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Points of each kind of combination, with weights learned on the other parts."""
    honest = {name: np.empty_like(rows.y) for name in blends}
    parts = np.unique(part)
    for p in parts if blends else ():
        inside = np.flatnonzero(part == p)
        outside = np.flatnonzero(part != p) if len(parts) > 1 else inside
        others = {b.name: b for b in _learned(rows, good, outside, seed)}
        past = None if rows.past is None else rows.past[inside]
        for name, whole in blends.items():
            honest[name][inside] = blended(rows.points[:, inside], others.get(name, whole), past)
    return honest


def _learned(rows: Rows, good: np.ndarray, at: np.ndarray, seed: int) -> list[Blend]:
    past = None if rows.past is None else rows.past[np.ix_(at, good)]
    found = learned(rows.points[np.ix_(good, at)], rows.scored[at], rows.scale[at], past, seed)
    out = []
    for blend in found:
        weights = np.zeros(len(rows.points))
        weights[good] = blend.weights
        out.append(Blend(blend.name, weights, blend.median, blend.sharpness))
    return out


def _parts(rows: Rows, series: int, code: np.ndarray, seed: int) -> np.ndarray:
    """What each row's weights may not be learned from: its part of the series, or where there are few, its origin."""
    if series >= FEW:
        part: np.ndarray = (np.random.default_rng(seed + 1).permutation(series) % PARTS)[code]
        return part
    return rows.origin
