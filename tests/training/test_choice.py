from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from holdgood.core.protocols import Candidate
from holdgood.core.task import Task
from holdgood.metrics import metric
from holdgood.metrics.units import DAY
from holdgood.training.choice import bearable, by_appearance, family_steps, judged, units
from holdgood.training.progress import Progress
from holdgood.training.score import Judge
from holdgood.training.selection import blend, joining
from holdgood.training.work import FoldFit

TASK = Task(kind="regression", metric="rmse")


def trial(index, family, rung, folds, level=1.0, of=4):
    p = Progress(index, Candidate(f"{family}-{index}", family, rung, "codes", lambda: None, lambda: None), of, True)
    p.done = {f: FoldFit(f, np.zeros(50), row_ms=1.0, size_bytes=10) for f in folds}
    p.losses = {f: np.full(50, level) + 0.01 * np.arange(50) for f in folds}
    p.status = "ok" if len(folds) == of else "stopped"
    return p


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (
            [("prior", 0, range(4), 3.0), ("linear", 1, range(4), 2.0), ("boost", 4, range(2), 2.0)],
            (["prior", "linear"], 4),
        ),
        (
            [("prior", 0, range(4), 3.0), ("linear", 1, range(3), 2.0), ("boost", 4, range(2), 2.0)],
            (["prior", "linear"], 3),
        ),
        (
            [("prior", 0, range(4), 3.0), ("linear", 1, range(3), 2.0), ("boost", 4, range(1), 1.0)],
            (["prior", "linear", "boost"], 1),
        ),
        ([("prior", 0, range(4), 3.0), ("linear", 1, [], 2.0)], (["prior"], 4)),
        ([("prior", 0, [1, 2], 3.0), ("linear", 1, [], 2.0)], ([], 0)),
        ([("prior", 0, [], 3.0), ("linear", 1, range(2), 2.0)], (["linear"], 2)),
    ],
)
def test_trials_are_judged_on_the_folds_that_the_best_ones_share(trials, expected):
    progress = [trial(i, *t) for i, t in enumerate(trials)]
    found, k = judged(progress, 4)
    assert ([p.candidate.family for p in found], k) == expected
    assert all(p.status == "ok" for p in found)
    assert all(("judged on" in p.reason) == (k < 4) for p in found)


def test_failed_trials_and_those_far_behind_are_not_judged():
    progress = [trial(0, "prior", 0, range(4)), trial(1, "a", 1, range(4)), trial(2, "b", 2, range(4))]
    progress[1].status, progress[2].behind = "failed", True
    assert [p.index for p in judged(progress, 4)[0]] == [0]


def test_the_winner_of_a_family_is_chosen_on_the_other_folds():
    rng = np.random.default_rng(0)
    n, fold_of = 300, np.arange(300) % 3
    y = rng.normal(size=n)
    judge = Judge(TASK, metric("rmse", TASK), y, fold_of)
    # the second is perfect on fold 0 and poor elsewhere: on fold 0 itself it must not be credited for that
    first, second = y + 0.8, np.where(fold_of == 0, y, y + 1.0)
    trials = [trial(0, "a", 1, range(3), of=3), trial(1, "a", 1, range(3), of=3)]
    (step,) = family_steps(trials, {0: first, 1: second}, judge)
    assert step.trial == "a-1"  # chosen for delivery: it is the best over all folds
    for fold in range(3):
        others = fold_of != fold
        sums = [
            np.mean([np.sqrt(np.mean(np.square(p - y)[fold_of == f])) for f in range(3) if f != fold])
            for p in (first, second)
        ]
        winner = (first, second)[int(np.argmin(sums))]
        assert (step.prediction[~others] == winner[~others]).all()
    assert step.of == 2


def test_with_one_fold_too_a_winner_is_chosen_on_other_rows():
    rng = np.random.default_rng(1)
    n = 200
    clusters = np.repeat(np.arange(20), 10)
    y = rng.normal(size=n)
    judge = Judge(TASK, metric("rmse", TASK), y, np.zeros(n, int), clusters)
    even = clusters % 2 == 0
    first, second = np.where(even, y, y + 1.0), np.where(even, y + 0.9, y)
    trials = [trial(0, "a", 1, [0], of=1), trial(1, "a", 1, [0], of=1)]
    (step,) = family_steps(trials, {0: first, 1: second}, judge)
    assert (step.prediction[even] == second[even]).all()
    assert (step.prediction[~even] == first[~even]).all()


def test_refits_that_are_there_cost_nothing_and_where_one_too_many_is_there_the_least_goes():
    keep = partial(bearable, needs=[5.0, 1.0, 1.0, 0.0], parallel=1)
    assert keep(np.array([0.4, 0.3, 0.2, 0.1]), room=7.5) == [0, 1, 2, 3]
    assert keep(np.array([0.4, 0.3, 0.2, 0.1]), room=6.5) == [0, 1, 3]
    assert keep(np.array([0.9, 0.0, 0.02, 0.08]), room=5.5) == [0, 3]
    assert keep(np.array([0.0, 0.9, 0.1, 0.0]), room=0.0) == [1] == keep(np.array([0.0, 1.0, 0.0, 0.0]), room=0.0)
    assert bearable(np.array([0.4, 0.3, 0.3]), needs=[0.0] * 3, room=-1.0, parallel=1) == [0, 1, 2]


@pytest.mark.parametrize(
    ("weights", "needs", "room", "kept"),
    [
        ([0.9, 0.05, 0.05], [8.0, 0.1, 0.1], 8.1, [0, 1]),  # a crumb goes, not what carries all
        ([0.6, 0.35, 0.05], [8.0, 2.0, 0.1], 10.0, [0, 1]),
        ([0.5, 0.2, 0.2, 0.1], [9.0, 1.0, 1.0, 0.1], 2.2, [1, 2, 3]),
        ([0.4, 0.3, 0.2, 0.1], [4.0, 4.0, 3.0, 3.0], 7.0, [0, 2]),  # two have to go: what fits comes back by weight
    ],
)
def test_what_carries_most_is_left_out_last(weights, needs, room, kept):
    assert bearable(np.array(weights), needs=needs, room=room, parallel=1) == kept


def test_only_those_with_a_weight_take_time_and_the_rest_is_weighed_anew():
    rng = np.random.default_rng(1)
    y = rng.normal(size=4000)
    near, also, other = y + rng.normal(size=4000), y + rng.normal(size=4000), y + 1.2 * rng.normal(size=4000)
    useless = y + 30.0 * rng.normal(size=4000)
    parts = np.arange(4000) % 4
    needs = [1.0, 1.0, 1.0, 1e6]
    predictions = [near, also, other, useless]
    cut = partial(bearable, needs=needs, room=2.5, parallel=1)
    mixed = blend(TASK, y, predictions, parts, list, bearable=cut)
    assert mixed.weights[:2].min() > 0.3
    assert mixed.weights[2:].tolist() == [0.0, 0.0]
    assert mixed.weights.sum() == pytest.approx(1.0)
    whole = blend(TASK, y, predictions, parts, list, bearable=partial(bearable, needs=needs, room=3.5, parallel=1))
    assert (whole.weights > 0).tolist() == [True, True, True, False]  # what has no weight costs nothing


def test_an_ensemble_is_chosen_among_the_best_of_each_family_not_among_one_family_that_was_searched_most():
    families = ["searched"] * 30 + ["other", "third", "other", "other"]
    assert joining(range(34), families=families) == [0, 1, 2, 30, 31, 32, 33]
    assert joining([30, *range(30)], families=families) == [30, 0, 1, 2, 3, 4]  # few families: filled up by rank
    assert joining(range(30), families=["searched"] * 30) == [0, 1, 2, 3, 4, 5]
    many = [f"f{i // 4}" for i in range(30)]
    assert joining(range(30), families=many) == [i for i in range(16) if i % 4 < 3]  # twelve at the most


def test_units_are_declared_clusters_else_blocks_of_days_else_nothing():
    when, rows = np.repeat(np.arange(30), 2) * DAY, np.arange(0, 60, 2)
    assert units(None, None, rows) == (None, "rows taken as independent")
    codes, words = units(None, when, rows)
    assert codes.tolist() == (np.arange(30) // 3).tolist()
    assert words == "blocks of 3 days"
    assert units(np.repeat([9, 4], 30), when, rows)[0].tolist() == [0] * 15 + [1] * 15


def test_steps_come_simplest_first_with_the_costs_of_their_trials():
    judge = Judge(TASK, metric("rmse", TASK), np.zeros(6), np.arange(6) % 2)
    trials = [trial(0, "b", 3, range(2), of=2), trial(1, "a", 0, range(2), of=2)]
    steps = family_steps(trials, {0: np.ones(6), 1: np.zeros(6)}, judge)
    assert [s.family for s in steps] == ["a", "b"]
    assert (steps[0].row_ms, steps[0].size_bytes, steps[0].of) == (1.0, 10, 1)


def test_codes_follow_the_first_appearance_whatever_clusters_are_called():
    assert by_appearance(np.array([7, 7, 3, 9, 3])).tolist() == [0, 0, 1, 2, 1]
    assert by_appearance(np.array(["x", "x", "b", "k", "b"])).tolist() == [0, 0, 1, 2, 1]
