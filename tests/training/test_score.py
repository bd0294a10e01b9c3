from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import log_loss, roc_auc_score

from holdgood.core.task import Task
from holdgood.metrics import metric
from holdgood.metrics.units import DAY
from holdgood.training.choice import units
from holdgood.training.score import Judge

BINARY = Task(kind="binary", classes=(0, 1))


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600).astype(float)
    good = np.clip(0.5 + 0.25 * (2 * y - 1) + 0.2 * rng.normal(size=600), 0.01, 0.99)
    return y, good, np.clip(good + 0.2 * rng.normal(size=600), 0.01, 0.99)


@pytest.mark.parametrize(("name", "other"), [("log_loss", log_loss), ("roc_auc", roc_auc_score)])
def test_scores_are_those_of_scikit_learn_pooled_and_by_fold(answers, name, other):
    y, p, _ = answers
    judge = Judge(BINARY, metric(name, BINARY), y, np.arange(600) % 4)
    score = judge.score(p)
    assert score.value == pytest.approx(other(y, p))
    assert score.low < score.value < score.high
    assert judge.fold_scores(p) == pytest.approx([other(y[f::4], p[f::4]) for f in range(4)])


def test_gains_are_in_the_units_of_the_metric_and_positive_where_the_first_is_better(answers):
    y, good, worse = answers
    by_loss = Judge(BINARY, metric("log_loss", BINARY), y, np.zeros(600, int))
    gain = by_loss.gain("good", good, "worse", worse, 0.95)
    assert gain.difference == pytest.approx(log_loss(y, worse) - log_loss(y, good))
    assert (gain.unit, gain.verdict) == ("log loss", "better")
    by_area = Judge(BINARY, metric("roc_auc", BINARY), y, np.zeros(600, int))
    gain = by_area.gain("good", good, "worse", worse, 0.95)
    assert gain.difference == pytest.approx(roc_auc_score(y, good) - roc_auc_score(y, worse))
    assert gain.unit == "area under the ROC curve"
    assert by_area.left(good) == pytest.approx(1 - roc_auc_score(y, good))


def test_metrics_that_are_no_means_get_their_interval_from_the_folds(answers):
    y, p, _ = answers
    judge = Judge(BINARY, metric("f1", BINARY), y, np.arange(600) % 5)
    score = judge.score(p)
    scores = np.array(judge.fold_scores(p))
    half = 2.7764451 * math.sqrt(scores.var(ddof=1) * (1 / 5 + 1 / 4))
    assert score.high - score.value == pytest.approx(half)
    assert math.isnan(Judge(BINARY, metric("f1", BINARY), y, np.zeros(600, int)).score(p).low)


def test_days_that_lean_one_way_prove_nothing_more_often_than_stated():
    """Rows of a day share what one model gains on it: as in flights, where a day's weather is everybody's."""
    task = Task(kind="regression", metric="rmse")
    rmse, simulations, days, a_day = metric("rmse", task), 300, 60, 40
    when = np.repeat(np.arange(days), a_day) * DAY
    codes, words = units(None, when, np.arange(len(when)))
    assert words == "blocks of 4 days"
    found = {"rows": 0, "days": 0}
    for seed in range(simulations):
        rng = np.random.default_rng(seed)
        lean, own = np.repeat(rng.normal(size=days), a_day), rng.normal(size=len(when))
        one, two = (np.sqrt(1 + 0.3 * np.tanh(s * lean / 2 + own / 2)) for s in (1, -1))
        for name, clusters in (("rows", None), ("days", codes)):
            judge = Judge(task, rmse, np.zeros(len(when)), np.zeros(len(when), int), clusters)
            found[name] += judge.gain("a", one, "b", two, 0.95).verdict != "not proven"
    # exact binomial acceptance at one in a thousand
    assert found["days"] <= binom.ppf(0.999, simulations, 0.05)
    assert found["rows"] > 5 * binom.ppf(0.999, simulations, 0.05)


@pytest.mark.parametrize(("name", "kind"), [("rmse", "regression"), ("roc_auc", "binary"), ("log_loss", "binary")])
def test_scores_too_are_as_wide_as_days_make_them(name, kind):
    task = Task(kind=kind, classes=() if kind == "regression" else (0, 1), metric=name)
    rng = np.random.default_rng(2)
    good_days = np.repeat(rng.normal(size=50), 30)
    y = rng.integers(0, 2, 1500).astype(float)
    p = y + good_days if kind == "regression" else 1 / (1 + np.exp(-(2 * y - 1) * (0.5 + 1.5 * good_days)))
    codes, _ = units(None, np.repeat(np.arange(50), 30) * DAY, np.arange(1500))
    spans = []
    for clusters in (None, codes):
        score = Judge(task, metric(name, task), y, np.zeros(1500, int), clusters).score(p)
        spans.append(score.high - score.low)
    assert spans[1] > 1.8 * spans[0]


def test_a_perfect_ranking_is_proven_better_than_a_constant(answers):
    y = answers[0]
    judge = Judge(BINARY, metric("roc_auc", BINARY), y, np.zeros(600, int))
    gain = judge.gain("perfect", 0.1 + 0.8 * y, "constant", np.full(600, y.mean()), 0.95)
    assert (gain.difference, gain.verdict, gain.unit) == (0.5, "better", "area under the ROC curve")
    assert 0.45 < gain.low < 0.5 < gain.high
    assert gain.p < 1e-50


def test_with_one_fold_the_parts_are_halves_that_part_no_cluster():
    judge = Judge(BINARY, metric("log_loss", BINARY), np.zeros(12), np.zeros(12, int), np.repeat(np.arange(4), 3))
    assert judge.parts.tolist() == [0, 0, 0, 1, 1, 1] * 2
    assert replace(judge, clusters=None).parts.tolist() == [0, 1] * 6
    assert replace(judge, clusters=np.zeros(12, int)).parts.tolist() == [0, 1] * 6
    assert replace(judge, fold_of=np.arange(12) % 3).parts.tolist() == [0, 1, 2] * 4


def test_what_could_not_be_scored_comes_last():
    task = Task(kind="regression", metric="rmse")
    judge = Judge(task, metric("rmse", task), np.zeros(3), np.zeros(3, int))
    assert judge.worth(float("nan")) == -math.inf
    assert judge.worth(2.0) == -2.0
