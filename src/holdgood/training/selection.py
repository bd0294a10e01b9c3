"""Greedy selection of an ensemble, with replacement (Caruana et al. 2004), judged on rows that chose no weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from holdgood.core.task import Task
from holdgood.metrics.error import mean, stated
from holdgood.metrics.score import Metric, loss_rows

STEPS = 25
MOST_ROWS = 20_000
"""Weights are chosen on at most this many rows, evenly spread: a few weights need no more."""
SMALLEST_WEIGHT = 0.04
FEW_ROWS, MANY_MEMBERS, BAGS, SHARE_OF_MEMBERS = 5_000, 8, 8, 0.6
"""On few rows and among many candidates, weights are the mean of those chosen among random parts (bagged selection)."""
OF_ONE_FAMILY, FEWEST_TO_TRY, MOST_IN_ENSEMBLE = 3, 6, 12
"""Those that may join: the best so many of each family, filled up by rank to so many where families are few, and so many at the most. After a long search
the best dozen are of one family, and differ by what one division of the rows happens to like."""
PRICE = 0.002
"""A member that takes all of a limit must lower the loss by this share; one that takes a tenth, by a tenth of it."""
Share = Callable[[Sequence[int]], float]


@dataclass(frozen=True)
class Blend:
    """Weights (one a trial, zero for those left out) and what they predict out of fold, cross-fitted."""

    weights: np.ndarray
    prediction: np.ndarray


def blend_loss(
    task: Task, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None, metric: Metric | None
) -> float:
    """What an ensemble lowers: the user's own metric where there is one, else the mean of ``loss_rows``."""
    if metric is None or not metric.own:
        return mean(loss_rows(task, y, prediction), weight)
    score = metric.score(task, y, prediction, weight)
    return np.inf if np.isnan(score) else -score if metric.higher_is_better else score


def greedy(
    task: Task,
    y: np.ndarray,
    predictions: Sequence[np.ndarray],
    steps: int = STEPS,
    share: Share | None = None,
    weight: np.ndarray | None = None,
    metric: Metric | None = None,
) -> np.ndarray:
    """Weights of sum one: begin with the best, add the one that gives the lowest mean loss, keep the best number of steps.

    Not stopped at the first step that gains nothing: small weights are reached only through such steps. ``share``: what
    the members at the given positions take of what they may cost together; beyond 1 nobody joins, and below it each pays.
    """
    counts = np.zeros(len(predictions))
    total = np.zeros_like(predictions[0])
    picked, best = counts, np.inf
    for step in range(1, steps + 1):
        losses = np.array([blend_loss(task, y, (total + p) / step, weight, metric) for p in predictions])
        if share is not None:  # of the size of the loss: a metric of which more is better comes as a number below zero
            losses = losses + np.abs(losses) * _dues(counts, share)
        winner = int(np.argmin(losses))
        counts = counts.copy()
        counts[winner] += 1
        total = total + predictions[winner]
        # more steps for less than a hundred-thousandth of the loss are noise that costs members
        if step == 1 or losses[winner] < best - 1e-5 * abs(best):
            picked, best = counts, losses[winner]
    weights: np.ndarray = picked / picked.sum()
    weights[weights < SMALLEST_WEIGHT] = 0.0
    weights /= weights.sum()
    return weights


def _dues(counts: np.ndarray, share: Share) -> np.ndarray:
    """What each would add to the loss if it joined, as a share of it; infinite where it would break a limit."""
    members = np.flatnonzero(counts).tolist()
    taken = np.array([share(sorted({*members, i})) for i in range(len(counts))])
    # the first member may be as dear as it is: that a single model breaks a limit is judged by the ladder
    return PRICE * taken if not members else np.where((taken > 1.0) & (counts == 0), np.inf, PRICE * taken)


def blend(
    task: Task,
    y: np.ndarray,
    predictions: Sequence[np.ndarray],
    parts: np.ndarray,
    joining: Callable[[Sequence[int]], Sequence[int]],
    *,
    bearable: Callable[[np.ndarray], Sequence[int]] | None = None,
    share: Share | None = None,
    seed: int = 0,
    weight: np.ndarray | None = None,
    metric: Metric | None = None,
) -> Blend:
    """Choose members and weights on all rows; predict each part's rows with those chosen on the other parts.

    ``parts``: two or more, see ``Judge.parts``. ``joining`` cuts positions, best first, to those that may take part;
    ``bearable`` says which of those with a weight there is time to refit (default: all), and weights are then chosen anew
    among these. Ranking, cuts and bags thus sit inside the resampling as the weights do. ``share``: see ``greedy``; with
    it, members are few and no bags are drawn.
    """
    pick = partial(
        _chosen,
        *_as_judged(task, y, predictions, metric),
        joining=joining,
        bearable=bearable,
        share=share,
        seed=seed,
        weight=weight,
        metric=metric,
    )
    crossed = np.empty_like(predictions[0])
    for part in np.unique(parts):
        inside = parts == part
        crossed[inside] = mix(pick(np.flatnonzero(~inside)), [p[inside] for p in predictions])
    return Blend(pick(np.arange(len(y))), crossed)


def _as_judged(
    task: Task, y: np.ndarray, predictions: Sequence[np.ndarray], metric: Metric | None
) -> tuple[Task, np.ndarray, Sequence[np.ndarray]]:
    """The same question with the least to mix: of several classes, log loss sees the chance of the one that happened only."""
    if task.kind != "multiclass" or (metric is not None and metric.own):
        return task, y, predictions
    return Task(kind="binary", classes=(0, 1)), np.ones(len(y)), [stated(y, p) for p in predictions]


def mix(weights: np.ndarray, predictions: Sequence[np.ndarray]) -> np.ndarray:
    """The weighted mean."""
    total = np.zeros_like(predictions[0])
    for weight, prediction in zip(weights, predictions, strict=True):
        if weight > 0:
            total += weight * prediction
    return total


def _chosen(
    task: Task,
    y: np.ndarray,
    predictions: Sequence[np.ndarray],
    rows: np.ndarray,
    *,
    joining: Callable[[Sequence[int]], Sequence[int]],
    bearable: Callable[[np.ndarray], Sequence[int]] | None,
    share: Share | None,
    seed: int,
    weight: np.ndarray | None,
    metric: Metric | None,
) -> np.ndarray:
    """Weights (one a prediction) chosen on some rows: rank, cut, then greedy; again where not all can be refitted."""
    few = len(rows) <= FEW_ROWS
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]
    here, counts = [p[rows] for p in predictions], None if weight is None else weight[rows]
    losses = [blend_loss(task, y[rows], p, counts, metric) for p in here]
    select = partial(greedy, task, y[rows], weight=counts, metric=metric)

    def among(members: Sequence[int]) -> np.ndarray:
        weights = np.zeros(len(predictions))
        if share is not None:
            mine: Share = lambda chosen: share([members[i] for i in chosen])  # noqa: E731
            weights[members] = select([here[i] for i in members], share=mine)
        elif few and len(members) >= MANY_MEMBERS:
            weights = _bagged(select, here, members, np.random.default_rng([seed, 43]))
        else:
            weights[members] = select([here[i] for i in members])
        return weights

    weights = among(list(joining(sorted(range(len(here)), key=lambda i: (losses[i], i)))))
    kept = None if bearable is None else list(bearable(weights))
    return weights if kept is None or len(kept) == np.count_nonzero(weights) else among(kept)


def joining(order: Sequence[int], families: Sequence[str]) -> list[int]:
    """Of ``order``, best first, those that may join an ensemble: the first of each family; where these are few, the next ones, too."""
    seen: dict[str, int] = {}
    places: list[tuple[bool, int]] = []
    for place, i in enumerate(order):
        seen[families[i]] = seen.get(families[i], 0) + 1
        places.append((seen[families[i]] > OF_ONE_FAMILY, place))
    first = sum(not further for further, _ in places)
    kept = sorted(places)[: max(first, FEWEST_TO_TRY)]
    return [order[place] for place in sorted(place for _, place in kept)][:MOST_IN_ENSEMBLE]


def _bagged(
    select: Callable[[Sequence[np.ndarray]], np.ndarray],
    predictions: Sequence[np.ndarray],
    members: Sequence[int],
    rng: np.random.Generator,
) -> np.ndarray:
    """The mean weights over selections among random parts of the members: what a few rows happen to like counts less."""
    weights = np.zeros(len(predictions))
    size = max(2, round(SHARE_OF_MEMBERS * len(members)))
    for _ in range(BAGS):
        drawn = sorted(rng.choice(len(members), size, replace=False).tolist())
        own = [members[i] for i in drawn]
        weights[own] += select([predictions[i] for i in own]) / BAGS
    weights[weights < SMALLEST_WEIGHT] = 0.0
    together: np.ndarray = weights / weights.sum()
    return together
