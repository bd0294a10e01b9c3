"""Linear: coefficients by scikit-learn, scores by hand, time, bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression, Ridge

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.linear import Linear
from holdgood.models.tabular.links import sigmoid, softmax


def _standardised(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def test_agrees_with_sklearn(task, make_rows):
    matrix, y = make_rows(task, gaps=0.0)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    model = Linear(strength=1.0).fit(matrix, y, weight, FitContext(task))
    z, w = _standardised(matrix.values), weight / weight.mean()
    if task.kind == "regression":
        scaled = (y - y.mean()) / y.std()
        wanted = Ridge(alpha=1.0).fit(z, scaled, sample_weight=w).predict(z) * y.std() + y.mean()
    else:
        wanted = LogisticRegression(C=1.0, max_iter=1000, tol=1e-10).fit(z, y, sample_weight=w).predict_proba(z)
        wanted = wanted[:, 1] if task.kind == "binary" else wanted
    assert np.abs(model.predict(matrix) - wanted).max() < (1e-8 if task.kind == "regression" else 2e-3)


def test_score_is_the_plain_sum(make_rows):
    task = Task(kind="binary", classes=(0, 1))
    matrix, y = make_rows(task)
    model = Linear().fit(matrix, y, None, FitContext(task))
    x = np.where(np.isnan(matrix.values), model.center, matrix.values)
    z = np.clip((x - model.center) / model.unit, -10, 10)
    wanted = 1 / (1 + np.exp(-(z @ model.coefficients[0] + model.intercept[0])))
    assert np.abs(model.predict(matrix) - wanted).max() < 1e-12


@settings(max_examples=30, deadline=None)
@given(
    x=hnp.arrays(np.float64, st.tuples(st.integers(2, 40), st.just(13)), elements=st.floats(allow_nan=True, width=64)),
    kind=st.sampled_from(["binary", "multiclass", "regression"]),
    seed=st.integers(0, 5),
)
def test_any_row_alone_has_the_same_bits(x, kind, seed):
    rng = np.random.default_rng(seed)
    outputs = 4 if kind == "multiclass" else 1
    arrays = {
        "center": rng.normal(size=13),
        "unit": rng.uniform(0.1, 3, 13),
        "coefficients": rng.normal(size=(outputs, 13)),
    }
    arrays |= {"intercept": rng.normal(size=outputs), "bounds": np.array([-np.inf, np.inf])}
    model = Linear.from_parts(Parts({"kind": kind}, arrays))
    with np.errstate(over="ignore", invalid="ignore"):
        names = tuple(map(str, range(13)))
        together = model.predict(Matrix(x, names))
        alone = np.concatenate([model.predict(Matrix(x[i : i + 1].copy(), names)) for i in range(len(x))])
    assert np.array_equal(together, alone)
    assert np.isfinite(together).all()


@settings(max_examples=30, deadline=None)
@given(raw=hnp.arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(2, 6)), elements=st.floats(-1e4, 1e4)))
def test_sigmoid_and_softmax(raw):
    shares = softmax(raw)
    assert np.allclose(shares.sum(axis=1), 1)
    assert ((shares >= 0) & (shares <= 1)).all()
    two = softmax(np.column_stack([np.zeros(len(raw)), raw[:, 0]]))
    assert np.allclose(two[:, 1], sigmoid(raw[:, 0].copy()), atol=1e-15)


def test_wide_batches_cross_blocks(make_rows):
    task = Task(kind="regression")
    rng = np.random.default_rng(0)
    matrix = Matrix(rng.normal(size=(700, 1500)), tuple(map(str, range(1500))))
    y = matrix.values[:, 3] + rng.normal(size=700)
    model = Linear(strength=0.01).fit(matrix, y, None, FitContext(task))
    answers = model.predict(matrix)
    for row in (0, 173, 174, 175, 699):
        assert model.predict(matrix.take(np.array([row])))[0] == answers[row]


def test_extrapolation_is_bounded():
    task = Task(kind="regression")
    x = np.linspace(0, 1, 200)[:, None]
    model = Linear(strength=1e6).fit(Matrix(x, ("a",)), 100 * x[:, 0], None, FitContext(task))
    inside, outside = Matrix(np.array([[0.5]]), ("a",)), Matrix(np.array([[1e9], [-1e9]]), ("a",))
    assert model.predict(inside)[0] == pytest.approx(50, abs=0.1)
    assert model.predict(outside).tolist() == [125.0, -25.0]


def test_penalty_is_chosen_where_columns_are_noise():
    task = Task(kind="binary", classes=(0, 1))
    rng = np.random.default_rng(3)
    x, fresh = rng.normal(size=(150, 100)), rng.normal(size=(3000, 100))
    y, truth = ((v[:, 0] + rng.normal(size=len(v)) > 0).astype(float) for v in (x, fresh))
    names = tuple(map(str, range(100)))

    def loss(model):
        p = model.fit(Matrix(x, names), y, None, FitContext(task)).predict(Matrix(fresh, names))
        return -np.mean(np.log(np.maximum(np.where(truth == 1, p, 1 - p), 1e-15)))

    assert loss(Linear()) < loss(Linear(strength=10.0)) - 0.2


def test_a_hint_fixes_the_penalty_and_is_told_after_every_fit(task, make_rows):
    matrix, y = make_rows(task)
    chosen = Linear().fit(matrix, y, None, FitContext(task, stop_rows=np.arange(0, 500, 7)))
    hinted = Linear()
    hinted.hints = dict(chosen.hints)
    hinted.fit(matrix, y, None, FitContext(task))
    fixed = Linear(strength=chosen.hints["strength"]).fit(matrix, y, None, FitContext(task))
    assert (hinted.predict(matrix) == fixed.predict(matrix)).all()
    assert hinted.hints == fixed.hints == chosen.hints


def test_a_fit_that_is_cut_short_is_still_usable():
    task = Task(kind="multiclass", classes=tuple(range(8)))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 60))
    y = np.argmax(x[:, :8] + rng.normal(size=(20_000, 8)), axis=1).astype(float)
    model = Linear().fit(Matrix(x, tuple(map(str, range(60)))), y, None, FitContext(task, seconds=0.05))
    assert (model.predict(Matrix(x, tuple(map(str, range(60))))).argmax(axis=1) == y).mean() > 0.3


def test_wrong_width_unfitted_and_damaged(make_rows):
    task = Task(kind="regression")
    matrix, y = make_rows(task)
    model = Linear().fit(matrix, y, None, FitContext(task))
    with pytest.raises(DataError, match="columns"):
        model.predict(Matrix(matrix.values[:, :3].copy(), ("a", "b", "c")))
    with pytest.raises(DataError):
        Linear().predict(matrix)
    parts = model.to_parts()
    for name, array in (
        ("unit", np.ones(2)),
        ("center", np.full(6, np.nan)),
        ("coefficients", np.zeros((3, 6))),
        ("intercept", np.zeros(1, dtype=np.int64)),
    ):
        with pytest.raises(BundleError):
            Linear.from_parts(Parts(parts.json, parts.arrays | {name: array}))
