from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from holdgood.core.task import Task
from holdgood.metrics import metric
from holdgood.training.critical import joint_level
from holdgood.training.score import Judge

NUMBER = Task(kind="regression", metric="rmse")
CLASSES = Task(kind="binary", classes=(0, 1))
ALPHA = 0.05


def judge_of(n, task=NUMBER, y=None, clusters=None, folds=5):
    measure = "rmse" if task is NUMBER else "roc_auc"
    return Judge(task, metric(measure, task), np.zeros(n) if y is None else y, np.arange(n) % folds, clusters)


def p_of(level):
    """One-sided chance that one look is called better."""
    return (1 - level) / 2


def test_one_look_at_one_configuration_has_the_whole_chance():
    rng = np.random.default_rng(0)
    one, below = rng.normal(size=(2, 200))
    assert p_of(joint_level(judge_of(200), [((one,), below)], ALPHA)) == pytest.approx(ALPHA)


def test_looks_that_say_the_same_cost_nothing_and_independent_ones_cost_sidak():
    rng = np.random.default_rng(1)
    n, below = 3000, np.zeros(3000)
    same = rng.normal(size=n)
    alike = joint_level(judge_of(n), [((same,), below)] * 4, ALPHA)
    assert p_of(alike) == pytest.approx(ALPHA, abs=0.005)
    apart = joint_level(judge_of(n), [((e,), below) for e in rng.normal(size=(4, n))], ALPHA)
    assert p_of(apart) == pytest.approx(1 - (1 - ALPHA) ** 0.25, abs=0.002)


def test_between_them_it_is_the_max_t_of_the_correlation():
    rng = np.random.default_rng(2)
    n = 20_000
    below, own = rng.normal(size=n), rng.normal(size=(3, n))
    # gains share the loss of the step below: a correlation of one half
    found = joint_level(judge_of(n), [((e,), below) for e in own], ALPHA)
    z = np.random.default_rng(3).multivariate_normal(np.zeros(3), 0.5 + 0.5 * np.eye(3), 200_000).max(axis=1)
    assert p_of(found) == pytest.approx(norm.sf(np.quantile(z, 1 - ALPHA)), abs=0.002)


def test_picking_a_winner_is_paid_for_most_where_configurations_differ_most():
    rng = np.random.default_rng(4)
    n = 2000
    base = rng.normal(size=n)
    levels = {}
    for shared in (0.3, 0.9, 0.999):
        tries = tuple(shared * base + math.sqrt(1 - shared**2) * rng.normal(size=(6, n)))
        levels[shared] = p_of(joint_level(judge_of(n), [(tries, rng.normal(size=n))], ALPHA))
    assert levels[0.3] < 0.032 < levels[0.9] < levels[0.999]
    assert levels[0.999] == pytest.approx(ALPHA, abs=0.005)
    alone = p_of(joint_level(judge_of(n, folds=1), [(tries, base)], ALPHA))
    assert 0 < alone <= ALPHA


def test_clusters_decide_what_correlates():
    """Losses that differ row by row and agree cluster by cluster: one look where clusters are declared, three without."""
    rng = np.random.default_rng(5)
    of = np.repeat(np.arange(300), 10)
    common = rng.normal(size=300)[of]
    looks = []
    for _ in range(3):
        own = rng.normal(size=(300, 10))
        losses = 100 + common + 5 * (own - own.mean(axis=1, keepdims=True)).ravel()
        looks.append(((np.sqrt(losses),), np.zeros(3000)))
    assert p_of(joint_level(judge_of(3000, clusters=of), looks, ALPHA)) > 0.045
    assert p_of(joint_level(judge_of(3000), looks, ALPHA)) < 0.02


def test_areas_have_influences_too():
    rng = np.random.default_rng(6)
    n = 800
    y = (rng.random(n) < 0.3).astype(float)
    judge = judge_of(n, CLASSES, y)
    scores = 1 / (1 + np.exp(-(y + 2 * rng.normal(size=(4, n)))))
    level = joint_level(judge, [((s,), scores[0]) for s in scores[1:]], ALPHA)
    assert 1 - (1 - ALPHA) ** (1 / 3) - 0.003 < p_of(level) < ALPHA
    gain = judge.gain("a", scores[1], "b", scores[0], 0.95)
    rows = judge.influence(scores[1]) - judge.influence(scores[0])
    error = (gain.high - gain.low) / 2 / 1.96
    assert math.sqrt(np.sum(rows**2)) == pytest.approx(error, rel=0.02)


def test_a_look_at_the_same_prediction_is_harmless_and_the_level_is_the_same_again():
    rng = np.random.default_rng(7)
    one, below = rng.normal(size=(2, 300))
    looks = [((one,), below), ((below,), below)]
    assert joint_level(judge_of(300), looks, ALPHA) == joint_level(judge_of(300), looks, ALPHA)
    assert p_of(joint_level(judge_of(300), looks, ALPHA)) == pytest.approx(ALPHA, abs=0.005)
    assert p_of(joint_level(judge_of(300), [((below,), below)] * 2, ALPHA)) == pytest.approx(ALPHA)


def test_any_of_four_looks_is_called_better_as_often_as_stated():
    false = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        common = rng.normal(size=200)
        below, *steps = 0.7 * common + 0.7 * rng.normal(size=(5, 200))
        judge = judge_of(200)
        level = joint_level(judge, [((s,), below) for s in steps], ALPHA)
        false += any(judge.gain("a", s, "b", below, level).verdict == "better" for s in steps)
    assert binom.ppf(0.001, 200, ALPHA) <= false <= binom.ppf(0.999, 200, ALPHA)
