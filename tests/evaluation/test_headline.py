import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics as sk

from holdgood.evaluation.headline import at_threshold, average_precision_influence, measure, ratio_influence
from holdgood.metrics.ranking import average_precision


def test_binary_values_are_those_of_sklearn(binary):
    found = measure(binary.task, binary.y, binary.prediction, None)
    y, p = binary.y, binary.prediction
    assert found["log_loss"].value == pytest.approx(sk.log_loss(y, p))
    assert found["roc_auc"].value == pytest.approx(sk.roc_auc_score(y, p))
    assert found["average_precision"].value == pytest.approx(sk.average_precision_score(y, p))
    assert found["brier"].value == pytest.approx(sk.brier_score_loss(y, p))
    assert found["balanced_accuracy"].value == pytest.approx(sk.balanced_accuracy_score(y, p >= 0.5))
    assert found["f1"].value == pytest.approx(sk.f1_score(y, p >= 0.5))


def test_every_interval_holds_its_value_and_says_how(binary, regression, multiclass):
    for case in (binary, regression, multiclass):
        for name, found in measure(case.task, case.y, case.prediction, None).items():
            assert found.low <= found.value <= found.high, name
            assert found.low < found.high, name
            assert found.n == len(case.y)
            assert found.method


def test_regression_values(regression):
    found = measure(regression.task, regression.y, regression.prediction, None)
    assert found["r2"].value == pytest.approx(sk.r2_score(regression.y, regression.prediction))
    assert found["rmse"].value == pytest.approx(sk.root_mean_squared_error(regression.y, regression.prediction))


def bootstrapped_width(score, n):
    """Width of the percentile bootstrap of a statistic of row positions."""
    rng = np.random.default_rng(1)
    return float(np.diff(np.quantile([score(rng.integers(0, n, n)) for _ in range(200)], [0.025, 0.975]))[0])


@pytest.mark.parametrize("name", ["average_precision", "balanced_accuracy", "f1"])
def test_influence_intervals_agree_with_the_bootstrap(binary, name):
    task, y, p = binary.task, binary.y, binary.prediction
    score = {
        "average_precision": lambda r: average_precision(y[r], p[r]),
        "balanced_accuracy": lambda r: sk.balanced_accuracy_score(y[r], p[r] >= 0.5),
        "f1": lambda r: sk.f1_score(y[r], p[r] >= 0.5),
    }[name]
    found = measure(task, y, p, None)[name]
    assert (found.high - found.low) / bootstrapped_width(score, len(y)) == pytest.approx(1.0, abs=0.25)


def test_r2_interval_agrees_with_the_bootstrap(regression):
    y, p = regression.y, regression.prediction
    found = measure(regression.task, y, p, None)["r2"]
    width = bootstrapped_width(lambda r: sk.r2_score(y[r], p[r]), len(y))
    assert (found.high - found.low) / width == pytest.approx(1.0, abs=0.25)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=3, max_size=40))
def test_average_precision_influence_is_the_derivative(rows):
    y = np.array([float(a) for a, _ in rows])
    score = np.array([b / 5 for _, b in rows])
    if y.sum() == 0:
        return
    influence = average_precision_influence(y, score)
    assert influence.sum() == pytest.approx(0.0, abs=1e-9)
    step = 1e-6
    for i in range(len(y)):
        weight = np.ones(len(y))
        weight[i] += step
        moved = sk.average_precision_score(y, score, sample_weight=weight)
        base = sk.average_precision_score(y, score)
        assert (moved - base) / step * len(y) == pytest.approx(influence[i], abs=1e-2)


def test_ratio_influence_of_nothing_is_zero():
    assert ratio_influence(np.ones(3), np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_clusters_widen_intervals_where_rows_repeat(binary):
    repeated = np.repeat(np.arange(300), 10)
    y, p = np.repeat(binary.y[:300], 10), np.repeat(binary.prediction[:300], 10)
    alone = measure(binary.task, y, p, None)
    together = measure(binary.task, y, p, repeated)
    for name in alone:
        assert together[name].high - together[name].low > 2 * (alone[name].high - alone[name].low), name


def test_average_precision_interval_covers():
    rng = np.random.default_rng(3)
    big = rng.normal(size=400_000)
    chance = 1 / (1 + np.exp(-(-1 + 1.5 * big)))
    truth = average_precision((rng.random(len(big)) < chance).astype(float), chance)
    hits, runs = 0, 300
    for _ in range(runs):
        x = rng.normal(size=400)
        p = 1 / (1 + np.exp(-(-1 + 1.5 * x)))
        y = (rng.random(400) < p).astype(float)
        from holdgood.core.task import Task

        found = measure(Task(kind="binary", classes=(0, 1)), y, p, None)["average_precision"]
        hits += found.low <= truth <= found.high
    assert binom.cdf(hits, runs, 0.95) > 0.001


def test_one_class_has_no_area_but_a_loss(binary):
    found = measure(binary.task, np.zeros(50), binary.prediction[:50], None)
    assert np.isnan(found["roc_auc"].value)
    assert np.isfinite(found["log_loss"].value)


def test_at_threshold_counts_by_hand():
    y, answer = np.array([1.0, 1, 0, 0, 0]), np.array([1, 0, 1, 0, 0])
    found = at_threshold(y, answer, None)
    assert found["accuracy_at_threshold"].value == 0.6
    assert found["precision_at_threshold"].value == 0.5
    assert found["recall_at_threshold"].value == 0.5
    assert found["recall_at_threshold"].n == 2


def test_a_perfect_model_keeps_its_intervals_inside_the_unit(binary):
    found = measure(binary.task, binary.y, np.clip(binary.y, 1e-9, 1 - 1e-9), None)
    for name in ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1"):
        assert found[name].value == pytest.approx(1.0)
        assert 0.0 <= found[name].low <= found[name].high <= 1.0
