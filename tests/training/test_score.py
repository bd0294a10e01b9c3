from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from holdgood.core.task import Task
from holdgood.metrics import metric
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


def test_rows_that_follow_in_time_are_judged_in_blocks():
    task = Task(kind="regression", metric="rmse")
    rng = np.random.default_rng(1)
    drift = np.repeat(rng.normal(size=40), 25)
    judges = [Judge(task, metric("rmse", task), np.zeros(1000), np.zeros(1000, int), ordered=o) for o in (False, True)]
    plain, blocks = (j.gain("a", 1 + 0.3 * drift, "b", np.full(1000, 1.02), 0.95) for j in judges)
    assert blocks.high - blocks.low > 1.5 * (plain.high - plain.low)


def test_what_could_not_be_scored_comes_last():
    task = Task(kind="regression", metric="rmse")
    judge = Judge(task, metric("rmse", task), np.zeros(3), np.zeros(3, int))
    assert judge.worth(float("nan")) == -math.inf
    assert judge.worth(2.0) == -2.0
