"""Penalised: the elastic net against scikit-learn's slower solvers."""

import time

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.models.tabular.linear import Linear
from holdgood.models.tabular.penalised import Penalty, solve

FAR = float("inf")


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 12))
    return z, z[:, 0] - 0.7 * z[:, 1] + 0.3 * rng.normal(size=300), rng.uniform(0.2, 2, 300)


@pytest.mark.parametrize("strength", [0.01, 0.1])
def test_regression_agrees_with_coordinate_descent(rows, strength):
    z, y, weight = rows
    y = (y - y.mean()) / y.std()
    slopes, level = solve(z, y, weight, Task(kind="regression"), Penalty(strength, 0.5), FAR)
    wanted = ElasticNet(alpha=1 / strength / weight.sum(), l1_ratio=0.5, tol=1e-10, max_iter=100_000)
    wanted.fit(z, y, sample_weight=weight)
    assert np.abs(slopes[0] - wanted.coef_).max() < 1e-3
    assert abs(level[0] - wanted.intercept_) < 1e-3
    assert ((slopes[0] == 0) == (wanted.coef_ == 0)).mean() > 0.9
    assert (slopes[0] == 0).any()


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_agree_with_saga(rows, classes):
    z, y, weight = rows
    y = np.digitize(y, [0.0] if classes == 2 else [-0.6, 0.6]).astype(float)
    task = Task(kind="binary" if classes == 2 else "multiclass", classes=tuple(range(classes)))
    slopes, level = solve(z, y, weight, task, Penalty(0.1, 0.5), FAR)
    wanted = LogisticRegression(solver="saga", l1_ratio=0.5, C=0.1, tol=1e-8, max_iter=20_000)
    wanted.fit(z, y, sample_weight=weight)
    assert np.abs(slopes - wanted.coef_).max() < 2e-3
    spread = wanted.intercept_ - level
    assert np.abs(spread - spread[0]).max() < 2e-3
    assert (slopes == 0).any()


def test_noise_gets_exact_zeros_and_the_clock_ends_it():
    task = Task(kind="binary", classes=(0, 1))
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 60))
    y = (2 * x[:, 0] + rng.normal(size=400) > 0).astype(float)
    names = tuple(map(str, range(60)))
    model = Linear(strength=0.05, l1=0.9).fit(Matrix(x, names), y, None, FitContext(task))
    assert (model.coefficients[0, 1:] == 0).mean() > 0.5
    assert model.coefficients[0, 0] > 0.5
    hasty, _ = solve(x, y, None, task, Penalty(1.0, 0.5), time.monotonic() - 1)
    whole, _ = solve(x, y, None, task, Penalty(1.0, 0.5), FAR)
    assert np.isfinite(hasty).all() and not np.allclose(hasty, whole, atol=1e-3)


@pytest.mark.parametrize("kind", ["binary", "regression"])
@pytest.mark.parametrize("l1", [0.0, 0.5])
def test_signs_that_the_data_agree_with_change_nothing(rows, kind, l1):
    z, y, weight = rows
    task = Task(kind=kind, classes=(0, 1) if kind == "binary" else ())
    y = (y > 0).astype(float) if kind == "binary" else y
    free, level = solve(z, y, weight, task, Penalty(1.0, l1), FAR)
    held, same = solve(z, y, weight, task, Penalty(1.0, l1, (1, -1) + (0,) * 10), FAR)
    assert np.abs(free - held).max() < 2e-3
    assert abs(level[0] - same[0]) < 2e-3


@pytest.mark.parametrize("kind", ["binary", "regression"])
@pytest.mark.parametrize("l1", [0.0, 0.5])
def test_a_column_held_to_the_other_sign_is_left_out_and_the_rest_is_as_without_it(rows, kind, l1):
    z, y, weight = rows
    task = Task(kind=kind, classes=(0, 1) if kind == "binary" else ())
    y = (y > 0).astype(float) if kind == "binary" else y
    held, level = solve(z, y, weight, task, Penalty(1.0, l1, (-1,) + (0,) * 11), FAR)
    without, same = solve(z[:, 1:], y, weight, task, Penalty(1.0, l1), FAR)
    assert held[0, 0] == 0.0
    assert np.abs(held[:, 1:] - without).max() < 2e-3
    assert abs(level[0] - same[0]) < 2e-3


def test_signs_agree_with_non_negative_ridge(rows):
    z, y, weight = rows
    held, level = solve(z, y, weight, Task(kind="regression"), Penalty(0.1, 0.0, (1,) * 12), FAR)
    wanted = Ridge(alpha=10.0, positive=True, tol=1e-8).fit(z, y, sample_weight=weight)
    assert (held >= 0).all() and (held == 0).sum() >= 3
    assert np.abs(held[0] - wanted.coef_).max() < 1e-3
    assert abs(level[0] - wanted.intercept_) < 1e-3
