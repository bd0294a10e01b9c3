"""From finished trials to a choice: the rows to judge on, one honest step a family, the ensemble on top, the climb."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from holdgood.metrics import CostTable
from holdgood.metrics.score import Metric
from holdgood.metrics.units import resampling_units
from holdgood.training.calibrate import Calibration, calibrate
from holdgood.training.cost import Aim
from holdgood.training.ladder import Climb, Limits, Step, climb
from holdgood.training.progress import Progress, clearly_better, makespan
from holdgood.training.races import races
from holdgood.training.repeats import averaged, complete_repeats, side_by_side
from holdgood.training.score import Judge, Spend
from holdgood.training.selection import Blend, blend, joining
from holdgood.training.work import Work


@dataclass(eq=False)
class Choice:
    """The trials that are judged, the rows they are judged on (in order of time where there is one), and what was chosen.

    With ``repeats``, the judge has each row that many times, one repeat after the other (see ``repeats``).
    """

    judge: Judge
    rows: np.ndarray
    trials: list[Progress]
    predictions: dict[int, np.ndarray]
    steps: list[Step]
    climb: Climb
    blend: Blend | None = None
    members: list[Progress] = field(default_factory=list)
    units: str = ""
    repeats: int = 1
    calibration: Calibration | None = None
    in_time: bool = False

    def fold_scores(self, prediction: np.ndarray) -> tuple[float, ...]:
        """The metric a fold, in order of time where rows follow in it."""
        scores = self.judge.fold_scores(prediction)
        if not self.in_time:
            return scores
        begins = np.unique(self.judge.fold_of, return_index=True)[1]
        return tuple(scores[i] for i in np.argsort(begins))

    def once(self, prediction: np.ndarray) -> np.ndarray:
        """Predictions of the judged rows, averaged over repeats."""
        return averaged(prediction, self.repeats)

    @property
    def step(self) -> Step:
        """The chosen step."""
        return self.steps[self.climb.chosen]

    def trial_of(self, step: Step) -> Progress:
        """The trial behind a step; a step that is an ensemble has none."""
        return next(p for p in self.trials if p.candidate.name == step.trial)

    @property
    def prior(self) -> Progress:
        """The trial of the lowest rung."""
        return self.trial_of(self.steps[0])

    @property
    def simple(self) -> Progress | None:
        """The trial of the lowest rung above the prior."""
        return next((self.trial_of(s) for s in self.steps[1:] if not s.ensemble), None)

    @property
    def chosen(self) -> list[Progress]:
        """The chosen trial, or all members of a chosen ensemble."""
        return self.members if self.step.ensemble else [self.trial_of(self.step)]

    @property
    def wanted(self) -> list[Progress]:
        """What is to be refitted: the choice, the lowest rung above the prior, and the prior."""
        return [*self.chosen, *self.beside]

    @property
    def beside(self) -> list[Progress]:
        """What is refitted beside the choice: the lowest rung above the prior, and the prior."""
        return [*([self.simple] if self.simple else []), self.prior]

    @property
    def oof(self) -> np.ndarray:
        """Out-of-fold predictions of the choice; weights and calibration were chosen on the other folds."""
        return self.stated if self.calibration is None else self.calibration.prediction

    @property
    def stated(self) -> np.ndarray:
        """The same before calibration."""
        return self.step.prediction if self.step.ensemble else self.predictions[self.trial_of(self.step).index]


def judged(progress: Sequence[Progress], folds: int) -> tuple[list[Progress], int]:
    """Trials to judge, and on how many folds: all, or as many as the furthest trial above the prior has.

    Where the budget ended first and another trial is clearly better on the first fold than the furthest, as many as that
    one has: better judged on few rows than left out.
    """
    lowest = min(p.candidate.rung for p in progress)
    alive = [p for p in progress if p.status != "failed" and not p.behind]
    base = max((p.in_a_row for p in alive if p.candidate.rung == lowest), default=0)
    above = [p for p in alive if p.candidate.rung > lowest and p.in_a_row]
    k = min([base or folds, *(p.folds for p in alive if p.in_a_row)])
    if above:
        furthest = min(above, key=lambda p: (-p.in_a_row, p.loss(), p.index))
        best = min(above, key=lambda p: (float(np.mean(p.losses[0])), p.index))
        k = min(k, best.in_a_row if clearly_better(best, furthest) else furthest.in_a_row)
    elif not base:
        k = 0
    found = [p for p in alive if k and p.in_a_row >= k]
    for p in found:
        p.status, p.reason = "ok", p.reason if k == folds else f"judged on {k} of {folds} folds"
    return found, k


def choose(
    work: Work,
    metric: Metric,
    trials: list[Progress],
    folds: int,
    *,
    clusters: np.ndarray | None,
    costs: CostTable | None,
    prefer: str,
    limits: Limits,
    room: float,
    parallel: int,
    ready: Collection[int] = (),
    aim: Aim | None = None,
    counts: np.ndarray | None = None,
    spend: Spend | None = None,
    by_rows: bool = False,
    stopped: Sequence[Progress] = (),
) -> Choice:
    """Judge ``trials`` on the first ``folds`` folds. ``room``: seconds for refitting the members of an ensemble.

    ``ready``: trials (by index) that are refitted already. ``aim``: what an ensemble may cost in use. ``counts``: how much a
    row counts in money, or None; ``spend``: see ``Judge``. ``by_rows``: losses of rows choose the weights of an ensemble, not the
    user's own metric, which judges it all the same. ``stopped``: what the search proposed and its races stopped.
    """
    base = trials[0].base
    repeats = 1 if folds < base else max(1, *(complete_repeats(p.done, base) for p in trials))
    rows = np.concatenate([work.folds[f][1] for f in range(folds)])
    fold_of = np.concatenate([np.full(len(work.folds[f][1]), f) for f in range(folds)])
    # by time where there is one: thinning and sums then go along it, whatever order the table had
    order = np.argsort(rows, kind="stable") if work.time is None else np.lexsort((rows, work.time[rows]))
    rows, fold_of = rows[order], fold_of[order]
    predictions = {p.index: side_by_side(_predictions(p), work.folds, base, folds, rows, repeats) for p in trials}
    codes, words = units(clusters, work.time, rows)
    if repeats > 1:
        codes = np.tile(np.arange(len(rows)) if codes is None else codes, repeats)
        words = f"{words}, losses averaged over {repeats} repeats of the folds"
    seen = np.tile(rows, repeats)  # the repeats lie side by side: whatever a row counts, it counts in each
    judge = Judge(
        work.task, metric, work.y[seen], np.tile(fold_of, repeats), codes, work.weights(seen),
        None if counts is None else counts[seen], seen, spend,
    )  # fmt: skip
    steps = family_steps(trials, predictions, judge)
    mixed: Blend | None = None
    members: list[Progress] = []
    if prefer != "simple":
        lowest = min(p.candidate.rung for p in trials)
        above = [p for p in trials if p.candidate.rung > lowest]
        refit_rows = len(work.training_rows(None))
        needs = [0.0 if p.index in ready else p.refit_seconds(refit_rows) for p in above]
        families = [p.candidate.family for p in above]
        join = partial(joining, families=families)
        keep = partial(bearable, needs=needs, room=room, parallel=parallel)
        mixed, members = _blend(
            above, predictions, judge, join, keep, aim or Aim(), work.seed, None if by_rows else metric
        )
    if mixed is not None:
        steps.append(ensemble_step(mixed, members))
    raced = races(trials, stopped, predictions, folds, lambda of: side_by_side(of, work.folds, base, folds, rows, 1))
    top = None if mixed is None else len(steps) - 1
    result = climb(steps, judge, prefer=prefer, costs=costs, limits=limits, races=raced, mixed=top)
    in_time = work.time is not None
    choice = Choice(judge, rows, trials, predictions, steps, result, mixed, members, words, repeats, in_time=in_time)
    if choice.step is not steps[0]:
        choice.calibration = calibrate(judge, choice.stated)
    return choice


def units(clusters: np.ndarray | None, time: np.ndarray | None, rows: np.ndarray) -> tuple[np.ndarray | None, str]:
    """What belongs together among ``rows``, as codes in order of first appearance, and how it came about in words.

    Rows that follow in time are never taken as independent: neighbouring days share too much.
    """
    codes, words = resampling_units(None if clusters is None else clusters[rows], None if time is None else time[rows])
    return None if codes is None else by_appearance(codes), words


def by_appearance(clusters: np.ndarray) -> np.ndarray:
    """Codes in order of first appearance: neighbours in time are neighbours in code, whatever clusters are called."""
    _, first, codes = np.unique(clusters, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[codes]


def family_steps(trials: Sequence[Progress], predictions: dict[int, np.ndarray], judge: Judge) -> list[Step]:
    """One step a family: its best trial, with predictions in which the choice of that trial is cross-fitted."""
    families: dict[str, list[Progress]] = {}
    for p in sorted(trials, key=lambda p: (p.candidate.rung, p.index)):
        families.setdefault(p.candidate.family, []).append(p)
    parts = judge.parts
    names = np.unique(parts)
    sizes = np.array([np.sum(parts == f) for f in names], np.float64)
    steps = []
    for family, members in families.items():
        worth = np.array([[judge.worth(s) for s in judge.part_scores(predictions[p.index], parts)] for p in members])
        best = members[int(np.argmax(worth @ sizes))]
        crossed = predictions[best.index]
        if len(members) > 1 and len(names) > 1:
            crossed = np.empty_like(crossed)
            for i, name in enumerate(names):
                winner = members[int(np.argmax(np.delete(worth, i, axis=1) @ np.delete(sizes, i)))]
                inside = parts == name
                crossed[inside] = predictions[winner.index][inside]
        tries = tuple(predictions[p.index] for p in members)
        costs = best.row_ms(), best.size_bytes(), best.fit_seconds()
        steps.append(Step(family, best.candidate.name, family, crossed, *costs, tries))
    return steps


def _predictions(p: Progress) -> dict[int, np.ndarray]:
    return {f: fit.prediction for f, fit in p.done.items() if fit.prediction is not None}


def bearable(weights: np.ndarray, *, needs: Sequence[float], room: float, parallel: int) -> list[int]:
    """Those with a weight that can be refitted in ``room`` seconds; ``needs``: seconds a refit, none for those that are there.

    Where leaving out one is enough, the one of the least weight; else those of the least weight for their time go first, and what
    still fits comes back. One stays, whatever it takes.
    """
    able = np.flatnonzero(weights).tolist()

    def fit(some: Sequence[int]) -> bool:
        return makespan([needs[i] for i in some], parallel) <= max(room, 0.0)

    if fit(able):
        return able
    for i in sorted(able, key=lambda i: (weights[i], -i)):
        if len(able) > 1 and fit(rest := [k for k in able if k != i]):
            return rest
    kept = list(able)
    while len(kept) > 1 and not fit(kept):
        kept.remove(min(kept, key=lambda i: (weights[i] / max(needs[i], 1e-9), -i)))
    for i in sorted(able, key=lambda i: (-weights[i], i)):
        if i not in kept and fit([*kept, i]):
            kept.append(i)
    return sorted(kept)


def _blend(
    above: list[Progress],
    predictions: dict[int, np.ndarray],
    judge: Judge,
    join: Callable[[Sequence[int]], Sequence[int]],
    keep: Callable[[np.ndarray], Sequence[int]],
    aim: Aim,
    seed: int,
    metric: Metric | None,
) -> tuple[Blend | None, list[Progress]]:
    if len(above) < 2:
        return None, []
    share = (lambda chosen: aim.share([above[i] for i in chosen])) if aim.bounded else None
    mixed = blend(
        judge.task, judge.y, [predictions[p.index] for p in above], judge.parts, join, bearable=keep, share=share,
        seed=seed, weight=judge.weight, metric=metric,
    )  # fmt: skip
    used = [i for i, w in enumerate(mixed.weights) if w > 0]
    if len(used) < 2:
        return None, []
    return Blend(mixed.weights[used], mixed.prediction), [above[i] for i in used]


def ensemble_step(mixed: Blend, members: list[Progress]) -> Step:
    """The step of an ensemble, at what its members are known to take."""
    measured = Aim(by_clock=not any(math.isnan(p.row_ms()) for p in members))
    latency, size = measured.milliseconds(members, [1] * len(members)), sum(p.size_bytes() for p in members)
    fitted = sum(p.fit_seconds() for p in members)
    return Step("ensemble", "ensemble", "ensemble", mixed.prediction, latency, size, fitted, ensemble=True)
