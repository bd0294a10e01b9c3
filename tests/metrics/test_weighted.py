"""A row of weight two is two rows: in every metric, in means and their spread, in thresholds; and the jackknife."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from holdgood.core.declaration import Costs
from holdgood.core.task import Task
from holdgood.metrics import (
    METRICS,
    answers,
    best_threshold,
    cost_rows,
    jackknife_gain,
    jackknife_interval,
    mean_interval,
    paired,
    resolve,
    share_interval,
    weighted,
)
from holdgood.metrics.cost import as_they_are, bayes_threshold

TASKS = {
    "binary": Task(kind="binary", classes=(0, 1)),
    "multiclass": Task(kind="multiclass", classes=("a", "b", "c")),
    "regression": Task(kind="regression", metric="rmse"),
}


def rows(kind, seed, n=60):
    rng = np.random.default_rng(seed)
    if kind == "binary":
        return rng.integers(0, 2, n).astype(float), np.round(rng.random(n), 2)
    if kind == "multiclass":
        p = rng.dirichlet(np.ones(3), n)
        return rng.integers(0, 3, n).astype(float), p
    y = rng.normal(size=n)
    return y, y + rng.normal(size=n)


@pytest.mark.parametrize("name", sorted(METRICS))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_whole_weights_are_repetitions(name, seed):
    metric = METRICS[name]
    for kind in metric.kinds:
        y, p = rows(kind, seed)
        counts = np.random.default_rng(seed + 1).integers(0, 4, len(y))
        repeated = np.repeat(np.arange(len(y)), counts)
        one = metric.score(TASKS[kind], y, p, counts.astype(float))
        two = metric.score(TASKS[kind], y[repeated], p[repeated])
        assert one == pytest.approx(two, rel=1e-9, abs=1e-12, nan_ok=True)


def test_weighted_areas_are_those_of_scikit_learn():
    y, p = rows("binary", 3)
    weight = np.random.default_rng(0).gamma(2.0, size=len(y))
    task = TASKS["binary"]
    assert METRICS["roc_auc"].score(task, y, p, weight) == pytest.approx(roc_auc_score(y, p, sample_weight=weight))
    assert METRICS["average_precision"].score(task, y, p, weight) == pytest.approx(
        average_precision_score(y, p, sample_weight=weight)
    )
    assert METRICS["f1"].score(task, y, p, weight) == pytest.approx(f1_score(y, p >= 0.5, sample_weight=weight))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), unit=st.floats(1e-3, 1e3))
def test_linearised_rows_have_the_weighted_mean_and_differences_of_them_the_weighted_difference(seed, unit):
    rng = np.random.default_rng(seed)
    one, two, weight = rng.normal(size=40), rng.normal(size=40), unit * rng.gamma(1.0, size=40)
    assert np.mean(weighted(one, weight)) == pytest.approx(np.average(one, weights=weight), abs=1e-12)
    found = paired(weighted(one, weight), weighted(two, weight), first="1", second="2")
    assert found.difference == pytest.approx(np.average(two - one, weights=weight), abs=1e-9)
    assert np.allclose(weighted(two, weight) - weighted(one, weight), weighted(two - one, weight))


def coverage(one, simulations=2000):
    """Simulations in which the truth lay inside, against the exact binomial acceptance at one in a thousand."""
    inside = sum(bool(one(np.random.default_rng(seed))) for seed in range(simulations))
    assert binom.ppf(0.001, simulations, 0.94) <= inside <= binom.ppf(0.999, simulations, 0.97), inside / simulations


def test_weighted_means_and_shares_are_covered_as_stated():
    def mean(rng):
        weight = rng.gamma(2.0, size=150)
        values = rng.normal(size=150) + 0.5 * weight  # the weighted mean of the population: 0.5 E w^2 / E w = 1.5
        found = mean_interval(weighted(values, weight))
        return found.low <= 1.5 <= found.high

    def share(rng):
        weight = rng.gamma(2.0, size=200)
        event = (rng.random(200) < 0.3).astype(float)
        found = share_interval(event, weight=weight)
        return found.low <= 0.3 <= found.high

    coverage(mean)
    coverage(share)


def test_the_jackknife_covers_a_score_that_is_no_mean():
    f1, task = METRICS["f1"], TASKS["binary"]

    def draw(rng, n):
        y = (rng.random(n) < 0.3).astype(float)
        return y, np.clip(0.35 + 0.3 * (y - 0.3) + 0.25 * rng.normal(size=n), 0.0, 1.0)

    truth = f1.score(task, *draw(np.random.default_rng(99), 2_000_000))

    def one(rng):
        y, p = draw(rng, 400)
        found = jackknife_interval(lambda rows: f1.score(task, y[rows], p[rows]), len(y))
        return found.low <= truth <= found.high

    coverage(one, 600)


def test_the_jackknife_of_a_mean_is_its_t_interval():
    values = np.random.default_rng(0).normal(size=40)
    found = jackknife_interval(lambda rows: float(np.mean(values[rows])), 40)
    plain = mean_interval(values)
    assert found.value == pytest.approx(plain.value)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=0.02)


@pytest.mark.parametrize("higher", [True, False])
def test_a_paired_jackknife_tells_the_better_of_two(higher):
    y, good = rows("binary", 5, 400)
    good = np.clip(0.2 + 0.6 * y + 0.1 * np.random.default_rng(1).normal(size=400), 0, 1)
    bad = np.full(400, 0.5)
    name = "average_precision" if higher else "brier"

    def of(p):
        return lambda rows: METRICS[name].score(TASKS["binary"], y[rows], p[rows])

    said = {"first": "good", "second": "bad", "higher_is_better": higher}
    found = jackknife_gain(of(good), of(bad), 400, **said)
    assert found.verdict == "better"
    assert jackknife_gain(of(bad), of(good), 400, **said).verdict == "worse"
    assert jackknife_gain(of(good), of(good), 400, **said).difference == 0.0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_thresholds_count_rows_by_weight(seed):
    table = resolve(Costs(miss=7.0, false_alarm=2.0), TASKS["binary"])
    y, p = rows("binary", seed)
    counts = np.random.default_rng(seed).integers(1, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), counts)
    assert best_threshold(table, y, p, counts.astype(float)) == best_threshold(table, y[repeated], p[repeated])


def test_class_weights_move_chances_and_never_declared_money():
    weight = np.array([1.0, 3.0, 0.5])
    p = np.random.default_rng(0).dirichlet(np.ones(3), 200)
    moved = p * weight / (p * weight).sum(axis=1, keepdims=True)
    costs = Costs(matrix={"a": {"b": 1, "c": 9}, "b": {"a": 4, "c": 2}, "c": {"a": 3, "b": 5}})
    plain, tilted = resolve(costs, TASKS["multiclass"]), resolve(costs, TASKS["multiclass"], weight)
    assert np.allclose(as_they_are(tilted, moved), p)
    assert np.array_equal(answers(plain, p), answers(tilted, moved))
    y = np.zeros(200)
    assert np.array_equal(cost_rows(plain, y, answers(plain, p)), cost_rows(tilted, y, answers(tilted, moved)))


def test_without_declared_costs_a_mistake_costs_what_its_class_weighs():
    weight = np.array([1.0, 4.0])
    table = resolve(Costs(), TASKS["binary"], weight)
    assert table.cost.tolist() == [[0.0, 1.0], [4.0, 0.0]]
    assert bayes_threshold(table) == 0.5  # of chances that were learned with the weights
    declared = resolve(Costs(miss=4.0, false_alarm=1.0), TASKS["binary"], weight)
    chance = 0.2  # the threshold of chances as they are: 1 / (1 + 4)
    assert bayes_threshold(declared) == pytest.approx(4 * chance / (4 * chance + 1 - chance))
