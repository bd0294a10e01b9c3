"""A column with a sign: answers never move the other way along it, whatever the rows say; what it may say is learned."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core import plugins
from holdgood.core.frame import Feature, Frame, Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.features.encode.dense import DenseEncoder
from holdgood.models.tabular.additive import AdditiveFamily
from holdgood.models.tabular.linear import Linear

TASKS = {"binary": Task(kind="binary", classes=(0, 1)), "regression": Task(kind="regression", metric="rmse")}
NAMES = ("up", "down", "free", "code")
SIGNS = (1, -1, 0, 0)


def made_up(kind, seed, n=400):
    """Rows in which ``up`` and ``down`` pull either way, alone, bent and together with others; a few gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    x[:, 1] += 0.7 * x[:, 0]
    x[:, 3] = rng.integers(0, 4, n)
    pull = rng.normal(size=5)
    y = pull[0] * x[:, 0] + pull[1] * x[:, 1] + pull[2] * np.sin(3 * x[:, 0]) + pull[3] * x[:, 0] * x[:, 2]
    y = y + pull[4] * (x[:, 3] > 1) * x[:, 1] + 0.3 * rng.normal(size=n)
    x[rng.random(n) < 0.1, 0] = np.nan
    return Matrix(x, NAMES, (3,), SIGNS), (y > np.median(y)).astype(float) if kind == "binary" else y


def wrong_way(model, matrix, column, sign):
    """By how much answers move against the sign at most, along a column of 25 rows."""
    grid = np.r_[-1e6, np.linspace(-4, 4, 60), 1e6]
    rows = np.repeat(matrix.values[:25], len(grid), axis=0)
    rows[:, column] = np.tile(grid, 25)
    steps = np.diff(model.predict(Matrix(rows, matrix.names, matrix.categorical)).reshape(25, -1), axis=1)
    return float((-sign * steps).max())


def family_and_name():
    return st.sampled_from(
        [
            (f, n)
            for f in ("linear", "additive")
            for n, _ in plugins.load("holdgood.models", f).configurations(TASKS["binary"], 400, 4)
        ]
    )


@settings(max_examples=30, deadline=None)
@given(which=family_and_name(), kind=st.sampled_from(sorted(TASKS)), seed=st.integers(0, 10**6), weighted=st.booleans())
def test_answers_never_move_the_other_way(which, kind, seed, weighted):
    family, name = which
    matrix, y = made_up(kind, seed)
    task = TASKS[kind]
    model = plugins.load("holdgood.models", family).make(
        dict(plugins.load("holdgood.models", family).configurations(task, 400, 4))[name]
    )
    weight = np.random.default_rng(seed).gamma(2.0, size=len(y)) if weighted else None
    model.fit(matrix, y, weight, FitContext(task, stop_rows=np.arange(0, len(y), 6)))
    unit = float(np.ptp(y))
    assert wrong_way(model, matrix, 0, 1) <= 1e-9 * unit
    assert wrong_way(model, matrix, 1, -1) <= 1e-9 * unit


@pytest.mark.parametrize("kind", sorted(TASKS))
@pytest.mark.parametrize("name", ["linear", "linear-spline", "linear-elastic"])
def test_without_a_sign_they_do(kind, name):
    family = plugins.load("holdgood.models", "linear")
    matrix, y = made_up(kind, 5)
    fits = {}
    for signs in ((), SIGNS):
        model = family.make(dict(family.configurations(TASKS[kind], 400, 4))[name])
        model.fit(replace(matrix, monotone=signs), y, None, FitContext(TASKS[kind]))
        fits[signs] = max(wrong_way(model, matrix, 0, 1), wrong_way(model, matrix, 1, -1))
    assert fits[()] > 0.01
    assert fits[SIGNS] <= 1e-9


@pytest.mark.parametrize("name", ["additive", "additive-pairs", "additive-smooth"])
def test_the_curve_itself_moves_one_way_and_has_no_surface(name):
    matrix, y = made_up("regression", 3)
    task = TASKS["regression"]
    model = AdditiveFamily.make(dict(AdditiveFamily.configurations(task, 400, 4))[name])
    model.fit(matrix, y, None, FitContext(task, rounds=120))
    for curve in model.curves():
        if SIGNS[curve.axis.column]:
            steps = np.diff(curve.values[:-1, 0])  # the last one is for missing
            assert (SIGNS[curve.axis.column] * steps >= -1e-12).all()
    for surface in model.surfaces():
        assert not SIGNS[surface.first.column] and not SIGNS[surface.second.column]


def test_a_bent_line_that_rises_is_learned_as_well_as_without_the_sign():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (1200, 2))
    y = np.tanh(2 * x[:, 0]) + 0.5 * x[:, 1] + 0.2 * rng.normal(size=1200)
    losses = []
    for signs in ((), (1, 1)):
        model = Linear(pieces=12).fit(
            Matrix(x[:800], ("a", "b"), (), signs), y[:800], None, FitContext(TASKS["regression"])
        )
        losses.append(np.mean((model.predict(Matrix(x[800:], ("a", "b"))) - y[800:]) ** 2))
    assert losses[1] < 1.05 * losses[0] < 0.1


def test_the_dense_encoder_gives_the_sign_to_the_number_and_not_to_its_gaps():
    rng = np.random.default_rng(0)
    n = 300
    skewed = np.where(rng.random(n) < 0.1, np.nan, np.exp(2 * rng.normal(size=n)))
    gaps_only = np.where(rng.random(n) < 0.5, np.nan, 7.0)
    frame = Frame(
        (Feature("price", "number", monotone=-1), Feature("flat", "number", monotone=1), Feature("size", "number")),
        (skewed, gaps_only, rng.normal(size=n)),
    )
    encoder = DenseEncoder()
    matrix = encoder.fit_transform(frame, rng.normal(size=n), FitContext(TASKS["regression"]))
    assert dict(zip(matrix.names, matrix.monotone, strict=True)) == {
        "price": -1, "price (missing)": 0, "flat (missing)": 0, "size": 0
    }  # fmt: skip
    rising = np.sort(skewed[np.isfinite(skewed)])
    seen = encoder.transform(Frame(frame.features, (rising, *(a[: len(rising)] for a in frame.arrays[1:])))).values
    assert (np.diff(seen[:, 0]) >= 0).all()
