"""Races and choice replayed where no trial is better than another: how large the largest gain of the looks then comes out.

Each trial's losses are drawn part by part with the covariance that the rows show (of two that were not shown the same folds, on
those that both were shown). In the order of the run each proposal then races against the best trial before it, as in ``further``;
those that are stopped in the draw are out, whoever was stopped in the run may be left, and each rung's winner is picked for a
part on the others. In a draw an ensemble's members are as good as those that are left on average, as its own are in the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from holdgood.metrics.interval import cluster_sums
from holdgood.training.races import Races, Runner
from holdgood.training.score import Judge

Look = tuple[Sequence[np.ndarray], np.ndarray]
"""The predictions that a rung's winner was picked from, and the prediction that it is compared with."""


def largest_raced(
    judge: Judge, looks: Sequence[Look], races: Races, draws: Callable[[int], int], most_rows: int
) -> np.ndarray:
    """Draws of the largest t over the looks under no gain, races replayed; (draws,). ``draws``: how many of so many numbers."""
    runners, count = races.runners, len(races.runners)
    known = {id(r.prediction): i for i, r in enumerate(runners) if r.prediction is not None}
    others: list[np.ndarray] = []
    for tries, below in looks:
        for one in (*tries, below):
            if id(one) not in known:
                known[id(one)] = count + len(others)
                others.append(one)
    step = max(1, races.rows // most_rows) if judge.clusters is None else 1
    at = np.arange(0, races.rows, step)
    fold_of, parts = judge.fold_of[at], judge.parts[: races.rows]
    folds = len(np.unique(fold_of))
    units = _units(judge, runners, others, at)
    seen = np.array([*(r.seen for r in runners), *(folds for _ in others)])
    clusters = None if judge.clusters is None else judge.clusters[at]
    plain = _covariance(units, fold_of, seen, None)
    values, vectors = np.linalg.eigh(plain if clusters is None else _covariance(units, fold_of, seen, clusters))
    root = vectors * np.sqrt(
        np.maximum(values, 0.0)
    )  # blocks from different rows may not fit together to the last digit
    shares = np.unique(parts, return_counts=True)[1] / len(parts)
    drawn = normal(len(shares), len(units), draws(len(shares) * len(units)))
    scores = (root @ drawn) * np.sqrt(shares)[:, None, None]
    alive = _left(scores, runners, _apart(plain), shares, folds)
    return _largest(scores, _apart(root @ root.T), looks, known, runners, alive, shares)


@lru_cache(maxsize=4)
def normal(*shape: int) -> np.ndarray:
    """The same standard normal draws every time: a ladder climbed again is climbed alike."""
    return np.random.default_rng(0).standard_normal(shape)


def _units(judge: Judge, runners: Sequence[Runner], others: Sequence[np.ndarray], at: np.ndarray) -> np.ndarray:
    """What each row of ``at`` adds to the deviation of each score, (runners and others, rows); 0 where it was not shown.

    Of a trial that was stopped only losses are known: their difference to those of a trial of its family takes the place of
    the difference in influence, in the scale that these have among the trials that are left.
    """
    units = np.zeros((len(runners) + len(others), len(at)))
    left = [i for i, r in enumerate(runners) if r.prediction is not None]
    for i in left:
        units[i] = judge.influence(runners[i].prediction)[at]  # type: ignore[arg-type]
    for i, other in enumerate(others):
        units[len(runners) + i] = judge.influence(other)[at]
    apart = [(units[i] - units[left[0]], (runners[i].losses - runners[left[0]].losses)[at]) for i in left[1:]]
    whole = sum(float(np.var(loss)) for _, loss in apart)
    scale = math.sqrt(sum(float(np.var(unit)) for unit, _ in apart) / whole) if whole > 0 else 1.0 / len(judge.y)
    for i, r in enumerate(runners):
        if r.prediction is None:
            like = next((j for j in left if runners[j].family == r.family), left[0])
            behind = (r.losses - runners[like].losses)[at]
            shown = ~np.isnan(behind)
            units[i, shown] = units[like, shown] - scale * behind[shown]
    return units / (np.max(np.abs(units)) or 1.0)


def _covariance(units: np.ndarray, fold_of: np.ndarray, seen: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """Covariance of all sums over the rows, (t, t), from the folds that both of a pair were shown."""
    out = np.zeros((len(units), len(units)))
    for folds in np.unique(seen):
        have, inside = np.flatnonzero(seen >= folds), fold_of < folds
        rows = units[have][:, inside]
        rows -= rows.mean(axis=1, keepdims=True)
        if clusters is not None:
            rows = np.array([cluster_sums(r, clusters[inside]) for r in rows])
        out[np.ix_(have, have)] = rows @ rows.T / inside.mean()
    return out


def _apart(covariance: np.ndarray) -> np.ndarray:
    """Variance of each pair's difference, (t, t)."""
    own = np.diag(covariance)
    found: np.ndarray = np.maximum(own[:, None] + own - 2.0 * covariance, 0.0)
    return found


def _left(
    scores: np.ndarray, runners: Sequence[Runner], apart: np.ndarray, shares: np.ndarray, folds: int
) -> np.ndarray:
    """Who is left after the races, (runners, draws); ``scores``: (parts, scores, draws)."""
    after, share, draw = scores.cumsum(axis=0), shares.cumsum(), np.arange(scores.shape[2])
    whole = after[-1]
    alive = np.ones((len(runners), len(draw)), bool)
    still = [i for i, r in enumerate(runners) if not r.looks]
    best = np.array(still)[np.argmax(whole[still], axis=0)]
    for i, r in enumerate(runners):
        for look, far in r.looks:
            at = (look if folds > 1 else len(shares)) - 1
            behind = after[at][best, draw] - after[at, i]
            alive[i] &= behind <= (far * np.sqrt(share[at] * apart[i]))[best]
        if r.looks:
            best = np.where(alive[i] & (whole[i] > whole[best, draw]), i, best)
    return alive


def _largest(
    scores: np.ndarray,
    apart: np.ndarray,
    looks: Sequence[Look],
    known: dict[int, int],
    runners: Sequence[Runner],
    alive: np.ndarray,
    shares: np.ndarray,
) -> np.ndarray:
    largest = np.full(scores.shape[2], -np.inf)
    for tries, below in looks:
        base, first = known[id(below)], known[id(tries[0])]
        if first >= len(runners):  # an ensemble
            members, there = [first], np.ones((1, scores.shape[2]), bool)
            gains = scores[:, [first]] - scores[:, [base]] + _flattered(scores, runners, alive)[:, None]
        else:
            members = [i for i, r in enumerate(runners) if r.family == runners[first].family]
            gains, there = scores[:, members] - scores[:, [base]], alive[members]
        variance = apart[members, base]
        if not np.all(variance > 0):  # a configuration that says what the one below says
            continue
        others = gains.sum(axis=0) - gains if len(shares) > 1 else gains
        winner = np.argmax(np.where(there, others, -np.inf), axis=1)
        gain = np.take_along_axis(gains, winner[:, None], axis=1).sum(axis=(0, 1))
        largest = np.maximum(largest, gain / np.sqrt(shares @ variance[winner]))
    return largest if np.isfinite(largest).all() else np.zeros(len(largest))


def _flattered(scores: np.ndarray, runners: Sequence[Runner], alive: np.ndarray) -> np.ndarray:
    """How much better those that are left in the draw are than those that are left in the run, on average; (parts, draws)."""
    run = np.array([r.prediction is not None for r in runners])
    own = scores[:, : len(runners)]
    found: np.ndarray = np.where(alive, own, 0.0).sum(axis=1) / alive.sum(axis=0) - own[:, run].mean(axis=1)
    return found
