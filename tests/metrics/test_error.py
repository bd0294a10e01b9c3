import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from holdgood.metrics import error


def test_binary_losses_agree_with_sklearn(scored):
    y, p = scored
    p = np.clip(p, 0.01, 0.99)
    assert error.log_loss(y, p) == pytest.approx(sk.log_loss(y, p))
    assert error.brier(y, p) == pytest.approx(sk.brier_score_loss(y, p))


def test_multiclass_losses_agree_with_sklearn(three_scored):
    y, p = three_scored
    assert error.log_loss(y, p) == pytest.approx(sk.log_loss(y, p, labels=[0, 1, 2]))
    assert error.brier(y, p) == pytest.approx(np.mean(np.sum((p - np.eye(3)[y.astype(int)]) ** 2, axis=1)))


def test_a_sure_mistake_is_clipped_not_infinite():
    rows = error.log_loss_rows(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert rows[0] == pytest.approx(34.539, abs=0.01)
    assert rows[1] == pytest.approx(0.0, abs=1e-12)


def test_a_class_never_seen_is_charged_the_maximum():
    p = np.array([[0.2, 0.8], [0.2, 0.8]])
    rows = error.log_loss_rows(np.array([1.0, 2.0]), p)
    assert rows[1] == pytest.approx(-math.log(1e-15))
    assert error.brier_rows(np.array([2.0]), p[:1])[0] == pytest.approx(0.04 + 0.64 + 1.0)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=40))
@settings(max_examples=50, deadline=None)
def test_regression_errors_agree_with_sklearn(pairs):
    y, p = np.array(pairs).T
    assert error.rmse(y, p) == pytest.approx(sk.root_mean_squared_error(y, p))
    assert error.mae(y, p) == pytest.approx(sk.mean_absolute_error(y, p))
    if np.std(y) > 1e-3:
        assert error.r2(y, p) == pytest.approx(sk.r2_score(y, p), rel=1e-6, abs=1e-6)


def test_r2_of_a_constant_truth_and_of_nothing():
    assert error.r2(np.ones(3), np.ones(3)) == 1.0
    assert error.r2(np.ones(3), np.array([1.0, 1.0, 2.0])) == 0.0
    assert math.isnan(error.r2(np.ones(1), np.ones(1)))
    assert math.isnan(error.log_loss(np.zeros(0), np.zeros(0)))
