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
NEAR = 1.15
"""A family whose loss is at most so many times that of the best one is in the plain median."""
PLAIN = "median of families"
LEARNED = 0.99
"""Level at which learned weights must be better than the plain median, or ``best`` takes the latter: 0.05 over five kinds of them.
Origins are few and share their shocks, which no pairing over series sees; a median of good methods needs no luck
(docs/decisions/0016)."""
ASKED = "learned weights only where they are proven better than a median in which nothing is learned"


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
    family = {s.family: s for s in steps}
    good = np.flatnonzero(single.mean(axis=1) <= MOST_WORSE * single.mean(axis=1).min())
    blends = {b.name: b for b in _learned(rows, good, np.arange(len(rows.y)), seed)} if len(good) > 1 else {}
    honest = _honest(blends, rows, good, _parts(rows, len(who), series, seed), seed)
    plain = _plain(done, single)
    if plain is not None:
        blends[PLAIN], honest[PLAIN] = plain, blended(rows.points, plain)
        found[PLAIN] = by_unit(loss(metric, honest[PLAIN], rows.scored, rows.scale))
        members = [family[done[i].candidate.family] for i in plain.members]
        steps.append(_together(PLAIN, "median", found[PLAIN], members))
    kinds = {n: by_unit(loss(metric, p, rows.scored, rows.scale)) for n, p in honest.items() if n != PLAIN}
    if kinds:
        best = min(kinds, key=lambda n: float(kinds[n].mean()))
        steps.append(_together(best, "combination", kinds[best], list(family.values()), tuple(kinds.values())))
        found |= kinds
    climbed = climb(steps, judge, prefer=prefer)
    if prefer == "best" and plain is not None and steps[climbed.chosen].family == "combination":
        climbed = _unless_proven(climbed, steps, judge)
        climbed = replace(climbed, rule=f"{climbed.rule}; {ASKED}")
    if groups is None:
        climbed = replace(climbed, rule=f"{climbed.rule} {SHARED}.")
    if prefer == "best" and len(count) < LEAST:
        by_score = int(np.argmin([float(s.prediction.mean()) for s in steps]))
        said = f"the best score; {len(count)} forecasts at past origins are too few to prove anything"
        climbed = replace(climbed, chosen=by_score, reason=said)
    step = steps[climbed.chosen]
    if step.name in blends:
        return Choice(step.name, blends[step.name], honest[step.name], found, judge, climbed)
    one = names.index(step.trial)
    return Choice(step.name, Blend(step.name, np.eye(len(done))[one]), rows.points[one], found, judge, climbed)


def _together(
    name: str, family: str, losses: np.ndarray, members: Sequence[Step], tries: tuple[np.ndarray, ...] = ()
) -> Step:
    """A step that costs what its members cost."""
    row_ms, fit_seconds = sum(m.row_ms for m in members), sum(m.fit_seconds for m in members)
    return Step(name, name, family, losses, row_ms, fit_seconds=fit_seconds, tries=tries, ensemble=True)


def _plain(done: Sequence[Ran], single: np.ndarray) -> Blend | None:
    """The median of the best configuration of each family that fits a series at a time, without a weight that is learned.

    ``single`` (candidates, rows): losses. Families far from the best one are left out; None where fewer than three are left.
    """
    mean = single.mean(axis=1)
    best: dict[str, int] = {}
    for i, ran in enumerate(done):
        family = ran.candidate.family
        if ran.candidate.local and (family not in best or mean[i] < mean[best[family]]):
            best[family] = i
    near = [i for i in best.values() if mean[i] <= NEAR * min(mean[j] for j in best.values())]
    if len(near) < 3:
        return None
    weights = np.zeros(len(done))
    weights[near] = 1.0 / len(near)
    return Blend(PLAIN, weights, median=True)


def _unless_proven(climbed: Climb, steps: Sequence[Step], judge: Judge) -> Climb:
    """The plain median in place of learned weights that are not proven better than it."""
    plain = next(i for i, s in enumerate(steps) if s.name == PLAIN)
    taken = steps[climbed.chosen]
    gain = judge.gain(taken.name, taken.prediction, PLAIN, steps[plain].prediction, LEARNED)
    if gain.verdict == "better":
        return climbed
    said = (
        f"{taken.name} is not proven better ({gain.difference:+.3g}, {LEARNED:.0%}: {gain.low:.3g} to {gain.high:.3g})"
    )
    return replace(climbed, chosen=plain, reason=f"a median in which no weight is learned; {said}")


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
