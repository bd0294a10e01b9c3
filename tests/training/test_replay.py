"""What is known of races, and what replaying them does to a critical value; the level itself: tests/benchmarks/test_stats.py."""

from __future__ import annotations

import numpy as np
import pytest

from holdgood.core.protocols import Candidate
from holdgood.core.task import Task
from holdgood.metrics import metric
from holdgood.training.critical import joint_level
from holdgood.training.further import race
from holdgood.training.progress import Progress
from holdgood.training.races import Races, Runner, races
from holdgood.training.score import Judge
from holdgood.training.work import FoldFit

NUMBER = Task(kind="regression", metric="rmse")
FOLDS, N, ALPHA = 5, 500, 0.05
FOLD_OF = np.arange(N) % FOLDS


def judge_of(clusters=None):
    return Judge(NUMBER, metric("rmse", NUMBER), np.zeros(N), FOLD_OF, clusters)


def ran(index, answers, rival=None, family="trees"):
    """A trial as it stands after its race; ``answers``: its predictions of outcomes that are all zero."""
    made = Candidate(f"t{index}", family, 1, "codes", list, list)
    p = Progress(index, made, FOLDS, False, searched=rival is not None, rival=rival)
    for f in range(FOLDS):
        own = answers[f == FOLD_OF]
        p.done[f], p.losses[f] = FoldFit(f, own), own**2
        race(p)
        if p.status != "open":
            return p
    p.status = "ok"
    return p


def scattered(losses):
    out = np.empty(N)
    for f, own in losses.items():
        out[f == FOLD_OF] = own
    return out


def known_of(trials, answers):
    left = [p for p in trials if p.status == "ok"]
    stopped = [p for p in trials if p.behind]
    predictions = {p.index: answers[p.index] for p in left}
    return races(left, stopped, predictions, FOLDS, scattered), predictions


@pytest.fixture
def searched():
    """A first trial and twelve proposals, all as good; the last is far behind on its first fold."""
    rng = np.random.default_rng(1)
    common = rng.normal(size=N)
    answers = 0.9 * common + 0.4 * rng.normal(size=(13, N))
    answers[12] *= np.where(FOLD_OF == 0, 3.0, 1.0)
    first = ran(0, answers[0])
    return [first, *(ran(i, answers[i], first) for i in range(1, 13))], answers


def test_who_was_stopped_is_told_with_what_was_seen_of_it(searched):
    trials, answers = searched
    known, predictions = known_of(trials, answers)
    assert [r.prediction is None for r in known.runners] == [p.behind for p in trials]
    assert known.runners[0].looks == ()
    last = known.runners[12]
    assert last.seen == 1 and np.isnan(last.losses[FOLD_OF != 0]).all()
    assert np.array_equal(last.losses[FOLD_OF == 0], answers[12][FOLD_OF == 0] ** 2)
    assert [look for look, _ in last.looks] == [1, 2, 4]
    assert all(
        far >= 0.9 for _, far in known.runners[1].looks
    )  # a standard error at least, of a difference of usual size
    assert {id(r.prediction) for r in known.runners if r.prediction is not None} == {
        id(v) for v in predictions.values()
    }


def test_where_nobody_was_stopped_there_is_nothing_to_replay(searched):
    trials, answers = searched
    left = [p for p in trials if not p.behind]
    assert known_of(left, answers)[0] is None
    assert known_of([ran(0, answers[0])], answers)[0] is None


def p_of(level):
    return (1 - level) / 2


def test_a_race_makes_the_bar_higher_and_the_same_each_time(searched):
    trials, answers = searched
    known, predictions = known_of(trials, answers)
    below = np.random.default_rng(2).normal(size=N)
    look = [(tuple(predictions.values()), below)]
    told = joint_level(judge_of(), look, ALPHA, known)
    assert told == joint_level(judge_of(), look, ALPHA, known)
    assert 0.001 < p_of(told) < p_of(joint_level(judge_of(), look, ALPHA))
    mixed = np.mean(list(predictions.values()), axis=0)  # an ensemble of what is left is flattered as well
    assert p_of(joint_level(judge_of(), [((mixed,), below)], ALPHA, known)) < ALPHA


def test_races_of_twins_flatter_nobody():
    """Proposals that say nearly the same are not stopped by chance, nor is anything gained by picking among them."""
    rng = np.random.default_rng(3)
    one = rng.normal(size=N)
    twins = [one + 1e-4 * rng.normal(size=N) for _ in range(3)]
    runners = [Runner("trees", one, one**2, FOLDS)]
    runners += [Runner("trees", t, t**2, FOLDS, ((1, 50.0), (2, 50.0), (4, 50.0))) for t in twins]
    level = joint_level(judge_of(), [((one, *twins), rng.normal(size=N))], ALPHA, Races(tuple(runners), N))
    assert p_of(level) == pytest.approx(ALPHA, abs=0.008)


def test_clusters_are_replayed_as_clusters(searched):
    """Rows that come in twenties: a race, which counts each for itself, stops by chance more often, and flatters more."""
    _, answers = searched
    codes = np.repeat(np.arange(N // 20), 20)
    own = np.random.default_rng(4).normal(size=(13, N // 20))[:, codes]
    alike = [answers[i] + own[i] for i in range(13)]
    first = ran(0, alike[0])
    known, predictions = known_of([first, *(ran(i, alike[i], first) for i in range(1, 13))], alike)
    look = [(tuple(predictions.values()), np.random.default_rng(5).normal(size=N))]
    assert (
        0 < p_of(joint_level(judge_of(codes), look, ALPHA, known)) < p_of(joint_level(judge_of(), look, ALPHA, known))
    )
