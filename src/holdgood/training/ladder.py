"""The ladder: each family's best against the best below it, and where to stop climbing.

A rung is judged by predictions in which the choice of its winner sits inside the resampling: a fold's rows are predicted
by the configuration that was best on the other folds. Gains are paired over the same rows. All rungs together are proven
at one level, one-sided: where all rungs are equal in truth, any climb at all comes with probability ``ALPHA``, however
many rungs and configurations were looked at (see ``critical``), or stopped by a race before they were (see ``replay``).
What is proven is set apart and the rest is looked at again, from the rung that was reached (step-down, Romano & Wolf 2005).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.core.records import Comparison, Rung
from holdgood.metrics import CostTable, answers, band, holm, paired, weighted
from holdgood.training.critical import joint_level
from holdgood.training.plain import misses, plain, plain_gain
from holdgood.training.races import Races
from holdgood.training.replay import Look
from holdgood.training.score import Judge

ALPHA = 0.05
WORTH = 0.01
"""Balanced: a proven gain below this share of what is left to gain is not worth a more complex model, unless money says so."""
TINY, DEAR = 0.005, 3.0
"""Balanced: no ensemble for less than TINY of what is left at DEAR times the cost, whatever else is proven."""
RULES = {
    "simple": f"The lowest rung is taken that is not proven worse than the best one, at {1 - ALPHA:.0%} over all rungs together",
    "balanced": "A rung is climbed only where its gain over the best rung taken below it is proven and worth its cost",
    "best": "The rung with the best score is taken, whatever it costs within the limits that are set",
}
"""When to climb, by ``prefer``. What is said of the level holds for all three: the choice must beat the prior."""
BEST = "the best score out of fold, whatever its cost"
TOGETHER = ", but the ensemble where that rung is not proven better than it"
LEVEL = (
    f"where no rung is truly better than the simplest, the chance of climbing at all is {ALPHA:.0%} at most, "
    "over all rungs and all configurations together, those included that a search stopped early"
)


@dataclass(frozen=True, eq=False)
class Step:
    """A candidate for a rung: the trial behind it, its honest out-of-fold prediction (n,) or (n, k), and its cost.

    ``tries``: predictions of all configurations that its winner was picked from; empty: there was nothing to pick.
    ``fit_seconds``: of its fits on the folds.
    """

    name: str
    trial: str
    family: str
    prediction: np.ndarray
    row_ms: float = math.nan
    size_bytes: float = math.nan
    fit_seconds: float = math.nan
    tries: tuple[np.ndarray, ...] = ()
    ensemble: bool = False

    @property
    def of(self) -> int:
        """How many configurations its winner was picked from."""
        return max(1, len(self.tries))

    def against(self, below: Step) -> Look:
        """What a comparison with the step below looks at."""
        return self.tries or (self.prediction,), below.prediction


@dataclass(frozen=True)
class Limits:
    """What may be spent on a prediction; None: no limit. ``by_size``: compare costs by size, not by measured time."""

    latency_ms: float | None = None
    size_mb: float | None = None
    by_size: bool = False

    def broken_by(self, step: Step) -> str:
        """The limit that a step breaks, in words; empty where none."""
        if self.size_mb is not None and step.size_bytes > self.size_mb * 1e6:
            return f"{step.size_bytes / 1e6:,.0f} MB, more than the {self.size_mb:g} MB allowed"
        if self.latency_ms is not None and not self.by_size and step.row_ms > self.latency_ms:
            return f"{step.row_ms:.3g} ms a row, more than the {self.latency_ms:g} ms allowed"
        return ""

    def ratio(self, step: Step, below: Step) -> float:
        """How many times dearer a step is than the one below it."""
        one, two = (step.size_bytes, below.size_bytes) if self.by_size else (step.row_ms, below.row_ms)
        return one / two if two > 0 else math.nan

    @property
    def what(self) -> str:
        """What the ratio is of."""
        return "size" if self.by_size else "latency"


@dataclass(frozen=True)
class Climb:
    """The ladder as a record, the position of the chosen step, and why; ``rule``: when it is climbed, in one sentence."""

    rungs: tuple[Rung, ...]
    chosen: int
    reason: str
    rule: str


@dataclass(frozen=True)
class _Look:
    """One step against the step it is compared with."""

    below: int
    gain: Comparison
    relative: float

    @property
    def proven(self) -> bool:
        """Whether the step is better, at the level of its gain."""
        return self.gain.verdict == "better"


def climb(
    steps: Sequence[Step],
    judge: Judge,
    *,
    prefer: str = "balanced",
    costs: CostTable | None = None,
    limits: Limits | None = None,
    races: Races | None = None,
    mixed: int | None = None,
) -> Climb:
    """Climb ``steps`` (simplest first) as far as ``prefer`` wants.

    ``simple``: the lowest step that is not proven worse than the best. ``balanced``: each step whose gain over the best
    one below it is proven and worth its cost. ``best``: the best score at any cost, but the step at ``mixed`` (an
    ensemble) where that score is not proven better than its. In every case the lowest step (the prior) unless the choice is
    proven better than it. ``races``: those of the search that the trials come from.
    """
    allowed = limits or Limits()
    answered = [_answered(step, judge, costs) for step in steps]
    money = [_money(step, judge, costs, answer) for step, answer in zip(steps, answered, strict=True)]
    missed = [misses(judge, costs, answer) for answer in answered]
    looks, taken = _walk(steps, judge, costs, money, allowed, races)
    chosen, reason = _choose(steps, judge, prefer, looks, taken, allowed, races, mixed)
    path = {i for i in taken if i <= chosen} | {chosen, 0} if prefer != "simple" else {0, chosen}
    rungs = tuple(
        _rung(i, steps, judge, looks, costs, money, missed, allowed, i in path, prefer) for i in range(len(steps))
    )
    together = prefer == "best" and mixed is not None and not allowed.broken_by(steps[mixed])
    rule = RULES[prefer] + (TOGETHER if together else "")
    return Climb(rungs, chosen, reason, f"{rule}: {LEVEL}.")


def _walk(
    steps: Sequence[Step],
    judge: Judge,
    costs: CostTable | None,
    money: list[np.ndarray | None],
    limits: Limits,
    races: Races | None,
) -> tuple[dict[int, _Look], list[int]]:
    """Compare each step with the best one taken below it, by the rule of ``balanced``.

    Each round follows what is proven so far and looks at everything else on the way at one level; it ends with a round
    that proves nothing more.
    """
    proven: dict[tuple[int, int], float] = {}
    while True:
        looks: dict[int, _Look] = {}
        unseen: list[tuple[int, int]] = []
        taken = [0]
        for i in range(1, len(steps)):
            below = taken[-1]
            if (i, below) not in proven:
                unseen.append((i, below))
                continue
            looks[i] = look = _look(steps, judge, i, below, proven[i, below])
            earned = _earned(money, i, below, judge, look.gain.level, steps)
            if not limits.broken_by(steps[i]) and _worth(steps[i], steps[below], look, costs, earned, limits):
                taken.append(i)
        if unseen:
            level = joint_level(judge, [steps[i].against(steps[below]) for i, below in unseen], ALPHA, races)
            looks |= {i: _look(steps, judge, i, below, level) for i, below in unseen}
        found = {(i, below): looks[i].gain.level for i, below in unseen if looks[i].proven}
        if not found:
            return looks, taken
        proven |= found


def _look(steps: Sequence[Step], judge: Judge, i: int, below: int, level: float) -> _Look:
    gain = judge.gain(steps[i].name, steps[i].prediction, steps[below].name, steps[below].prediction, level)
    left = judge.left(steps[below].prediction)
    return _Look(below, gain, gain.difference / left if left > 0 else 0.0)


def _worth(
    step: Step, below: Step, look: _Look, costs: CostTable | None, earned: Comparison | None, limits: Limits
) -> bool:
    ratio = limits.ratio(step, below)
    if step.ensemble and look.relative < TINY and ratio >= DEAR:
        return False
    declared = costs is not None and not costs.assumed
    return look.relative >= WORTH or (declared and earned is not None and earned.verdict == "better")


def _choose(
    steps: Sequence[Step],
    judge: Judge,
    prefer: str,
    looks: dict[int, _Look],
    taken: list[int],
    limits: Limits,
    races: Races | None,
    mixed: int | None,
) -> tuple[int, str]:
    # what breaks a limit is no choice, however good or simple; the lowest step is the ground
    broken = {i for i, step in enumerate(steps) if i and limits.broken_by(step)}
    scores = [-math.inf if i in broken else judge.worth(judge.whole(s.prediction)) for i, s in enumerate(steps)]
    best = int(np.argmax(scores))
    if prefer == "simple":
        chosen = _simplest(steps, judge, best, broken)
        reason = f"the simplest that is not proven worse than the best ({steps[best].name}), at {1 - ALPHA:.0%} over all rungs"
    elif prefer == "best":
        chosen, reason = _strongest(steps, judge, scores, mixed, races)
    else:
        chosen = taken[-1]
        reason = f"the highest rung whose gain is proven (at {1 - ALPHA:.0%} over all rungs) and worth its cost"
    if chosen > 0 and prefer == "balanced":
        return chosen, reason  # each step up to here was proven over the one below it, all at one level
    if chosen == 0:
        return 0, reason if prefer == "simple" else "nothing is proven better than " + steps[0].name
    level = joint_level(judge, [step.against(steps[0]) for step in steps[1:]], ALPHA, races)
    over = judge.gain(steps[chosen].name, steps[chosen].prediction, steps[0].name, steps[0].prediction, level)
    if over.verdict == "better":
        return chosen, reason
    said = f"{steps[chosen].name} is not proven better than {steps[0].name}: {_span(over)}"
    if prefer == "best" and best not in (chosen, 0):  # an ensemble that is nothing itself keeps nobody from the best
        best_over = judge.gain(steps[best].name, steps[best].prediction, steps[0].name, steps[0].prediction, level)
        if best_over.verdict == "better":
            return best, f"{BEST}; {said}"
    return 0, said


def _simplest(steps: Sequence[Step], judge: Judge, best: int, broken: Collection[int]) -> int:
    others = [i for i in range(len(steps)) if i != best and i not in broken]
    gains = [
        judge.gain(steps[best].name, steps[best].prediction, steps[i].name, steps[i].prediction, 1 - ALPHA)
        for i in others
    ]
    adjusted = holm([g.p for g in gains])
    worse = {i for i, g, p in zip(others, gains, adjusted, strict=True) if g.difference > 0 and p < ALPHA}
    return min(i for i in (best, *others) if i not in worse)


def _strongest(
    steps: Sequence[Step], judge: Judge, scores: Sequence[float], mixed: int | None, races: Races | None
) -> tuple[int, str]:
    """The ensemble at ``mixed``, unless the best of the others is proven better than it; ``scores``: more is better, minus infinity: no choice.

    The best score of several steps flatters whoever has it, by more the fewer rows there are; a mean of several models is
    seldom far behind the best of them on new rows, a single one that looked best often is (docs/decisions/0025). That it was
    picked among all others counts: where none is truly better, any is called so with probability ``ALPHA`` at most.
    """
    best = int(np.argmax(scores))
    if mixed is None or mixed == best or scores[mixed] == -math.inf:
        return best, BEST
    together, one = steps[mixed], steps[best]
    others = [step.against(together) for i, step in enumerate(steps) if i != mixed and scores[i] > -math.inf]
    level = joint_level(judge, others, ALPHA, races)
    ahead = judge.gain(one.name, one.prediction, together.name, together.prediction, level)
    if ahead.verdict == "better":
        return best, f"{BEST}, and proven better than the {together.name}"
    return mixed, f"{one.name} scores better out of fold, but is not proven better: {_span(ahead)}"


def _answered(step: Step, judge: Judge, costs: CostTable | None) -> np.ndarray | None:
    """The answers of a step, (n,) class codes or values; thresholds are chosen on the other folds, as in use."""
    if costs is None or judge.task.kind != "binary":
        return None if costs is None else answers(costs, step.prediction)
    parts = judge.parts
    out = np.empty(len(judge.y), np.int64)
    for part in np.unique(parts):
        inside = parts == part
        threshold = judge.threshold(costs, step.prediction, ~inside)
        out[inside] = answers(costs, step.prediction[inside], threshold)
    return out


def _money(step: Step, judge: Judge, costs: CostTable | None, answered: np.ndarray | None) -> np.ndarray | None:
    """What each row costs with this step's answers."""
    if costs is None or answered is None:
        return None
    if judge.task.kind == "regression" and not costs.assumed:
        return weighted(_newsvendor(step, judge, costs), judge.counts)
    if judge.task.kind != "binary":
        return weighted(judge.cost(costs, answered), judge.counts)
    out, parts = np.empty(len(judge.y)), judge.parts
    for part in np.unique(parts):
        inside = parts == part
        out[inside] = judge.cost(costs, answered[inside], inside)
    return weighted(out, judge.counts)


def _newsvendor(step: Step, judge: Judge, costs: CostTable) -> np.ndarray:
    """What each row costs with the amount that costs least, learned from the residuals of the other folds."""
    out, parts = np.empty(len(judge.y)), judge.parts
    for part in np.unique(parts):
        inside = parts == part
        counts = None if judge.counts is None else judge.counts[~inside]
        learned = band(judge.y[~inside], step.prediction[~inside], over=costs.over, under=costs.under, weight=counts)
        out[inside] = judge.cost(costs, learned.answer(step.prediction[inside]), inside)
    return out


def _earned(
    money: list[np.ndarray | None],
    i: int,
    below: int,
    judge: Judge,
    level: float,
    steps: Sequence[Step],
    unit: str = "",
) -> Comparison | None:
    one, two = money[i], money[below]
    if one is None or two is None:
        return None
    return paired(
        one,
        two,
        first=steps[i].name,
        second=steps[below].name,
        clusters=judge.clusters,
        unit=unit,
        level=level,
    )


def _rung(
    i: int,
    steps: Sequence[Step],
    judge: Judge,
    looks: dict[int, _Look],
    costs: CostTable | None,
    money: list[np.ndarray | None],
    missed: list[np.ndarray | None],
    limits: Limits,
    taken: bool,
    prefer: str,
) -> Rung:
    step, score, mine = steps[i], judge.score(steps[i].prediction), missed[i]
    rung = Rung(
        name=step.name,
        trial=step.trial,
        family=step.family,
        score=score,
        tries=step.of,
        fit_seconds=step.fit_seconds,
        predict_ms=step.row_ms,
        size_bytes=step.size_bytes or math.nan,
        plain=None if mine is None else plain(judge, mine),
        taken=taken,
        why="the ladder stands on it",
        sentence=f"{step.name}: {judge.metric.name} {score.value:.4g}; the ladder stands on it",
    )
    if i == 0:
        return rung
    look = looks[i]
    below = steps[look.below]
    unit = (
        "" if costs is None else f"{costs.currency or 'mistakes'}{' (ASSUMED)' if costs.assumed else ''} a {costs.per}"
    )
    theirs, level = missed[look.below], look.gain.level
    why = _why(step, below, look, limits, taken, prefer)
    return rung.model_copy(
        update={
            "gain": look.gain,
            "money_gain": _earned(money, i, look.below, judge, level, steps, unit),
            "plain_gain": None
            if mine is None or theirs is None
            else plain_gain(judge, step.name, mine, below.name, theirs, level),
            "latency_ratio": step.row_ms / below.row_ms if below.row_ms > 0 else math.nan,
            "why": why,
            "sentence": _sentence(step, below, look, taken, why),
        }
    )


def _span(gain: Comparison) -> str:
    return f"{gain.difference:.3g} ({gain.low:.3g} to {gain.high:.3g}) {gain.unit}"


def _why(step: Step, below: Step, look: _Look, limits: Limits, taken: bool, prefer: str) -> str:
    ratio = limits.ratio(step, below)
    times = f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"
    dearer = f" at {times} times the {limits.what}" if math.isfinite(ratio) else ""
    if not look.proven:
        verdict = "proven worse" if look.gain.high < 0 else "not proven"
        return f"{verdict}, wanted by prefer = {prefer}" if taken else verdict
    if taken:
        return f"proven{dearer}"
    if broken := limits.broken_by(step):
        return f"proven, but {broken}"
    return f"proven, but not worth it{dearer}"


def _sentence(step: Step, below: Step, look: _Look, taken: bool, why: str) -> str:
    picked = f", the best of {step.of} configurations," if step.of > 1 else ""
    start = f"{step.name}{picked} against {below.name}: gain {_span(look.gain)}, {look.relative:.1%} of what is left"
    return f"{start}: {why}; {'taken' if taken else 'not taken'}"
