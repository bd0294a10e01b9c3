"""Additive: the curves are the model, they find what is there, and they say each thing once."""

from bisect import bisect_left

import numpy as np
import pytest

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.additive import Additive, AdditiveFamily
from holdgood.models.tabular.curves import Axis, Curve, Surface, Terms

REGRESSION = Task(kind="regression")
BINARY = Task(kind="binary", classes=(0, 1))


def _made(task, name="additive"):
    return AdditiveFamily.make(dict(AdditiveFamily.configurations(task, 500, 6))[name])


def _step(axis, value):
    """The step of one value, by hand."""
    edges = axis.edges.tolist()
    if axis.categorical:
        return edges.index(value) if value in edges else len(edges)
    return len(edges) + 1 if np.isnan(value) else bisect_left(edges, value)


@pytest.mark.parametrize("name", ["additive", "additive-pairs", "additive-smooth"])
def test_curves_and_intercept_add_up_to_the_link_of_the_prediction(task, make_rows, name):
    matrix, y = make_rows(task, n=700)
    model = _made(task, name).fit(matrix, y, None, FitContext(task, stop_rows=np.arange(0, 700, 5)))
    rows = matrix.values[:120]
    total = np.tile(model.terms.intercept, (120, 1))
    for curve in model.curves():
        for i, row in enumerate(rows):
            total[i] += curve.values[_step(curve.axis, row[curve.axis.column])]
    for surface in model.surfaces():
        for i, row in enumerate(rows):
            a, b = surface.first, surface.second
            total[i] += surface.values[_step(a, row[a.column]), _step(b, row[b.column])]
    answers = model.predict(Matrix(rows, matrix.names, matrix.categorical))
    if task.kind == "regression":
        assert np.abs(total[:, 0] - answers).max() < 1e-9 * np.abs(answers).max()
    elif task.kind == "binary":
        assert np.abs(total[:, 0] - np.log(answers / (1 - answers))).max() < 1e-9
    else:
        shares = np.log(answers)
        assert np.abs((total - total[:, :1]) - (shares - shares[:, :1])).max() < 1e-9


def test_a_known_sum_of_curves_is_found():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (4000, 4))
    parts = np.column_stack([np.sin(x[:, 0]), (x[:, 1] > 1) * 2.0, 0.3 * x[:, 2]])
    matrix = Matrix(x, ("a", "b", "c", "noise"))
    model = _made(REGRESSION).fit(matrix, parts.sum(axis=1), None, FitContext(REGRESSION, rounds=600))
    assert not model.surfaces()
    by_column = {c.axis.column: c for c in model.curves()}
    for column in range(3):
        curve = by_column[column]
        drawn = curve.values[curve.axis.steps(x[:, column]), 0]
        truth = parts[:, column] - parts[:, column].mean()
        assert np.abs(drawn.mean()) < 1e-9
        assert np.sqrt(np.mean((drawn - truth) ** 2)) < 0.1
    assert 3 not in by_column or np.ptp(by_column[3].values[:-1]) < 0.1


def test_what_only_two_columns_tell_together_needs_a_surface():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3000, 5))
    y = 3.0 * (x[:, 1] > 0) * (x[:, 3] > 0) + x[:, 0] + 0.1 * rng.normal(size=3000)
    matrix, fresh = Matrix(x[:2000], tuple("abcde")), Matrix(x[2000:].copy(), tuple("abcde"))
    stop = np.arange(0, 2000, 5)
    losses = {}
    for name in ("additive", "additive-pairs"):
        model = _made(REGRESSION, name).fit(matrix, y[:2000], None, FitContext(REGRESSION, stop_rows=stop))
        losses[name] = np.mean((model.predict(fresh) - y[2000:]) ** 2)
    assert losses["additive-pairs"] < 0.3 * losses["additive"]
    sizes = {(s.first.column, s.second.column): np.abs(s.values).mean() for s in model.surfaces()}
    assert max(sizes, key=sizes.get) == (1, 3)
    learned = np.delete(matrix.values, stop, axis=0)
    for surface in model.surfaces():  # what a surface says of one column alone is in that column's curve
        a, b = surface.first, surface.second
        cells = surface.values[a.steps(learned[:, a.column]), b.steps(learned[:, b.column]), 0]
        for steps in (a.steps(learned[:, a.column]), b.steps(learned[:, b.column])):
            means = np.bincount(steps, cells) / np.maximum(1, np.bincount(steps))
            assert np.abs(means).max() < 0.02


def test_a_refit_keeps_the_rounds_of_the_surfaces(make_rows):
    matrix, y = make_rows(BINARY)
    model = _made(BINARY, "additive-pairs").fit(matrix, y, None, FitContext(BINARY, stop_rows=np.arange(0, 500, 5)))
    again = _made(BINARY, "additive-pairs")
    again.hints = dict(model.hints)
    again.fit(matrix, y, None, FitContext(BINARY, rounds=model.rounds))
    assert (again.rounds, again.hints) == (model.rounds, model.hints)
    assert model.hints["pair_rounds"] >= 1


def test_the_clock_ends_it(make_rows):
    matrix, y = make_rows(BINARY)
    model = _made(BINARY, "additive-pairs").fit(matrix, y, None, FitContext(BINARY, seconds=0.0))
    assert model.rounds == 1 and model.finished < 1.0 and not model.surfaces()
    assert np.isfinite(model.predict(matrix)).all()


def test_missing_adds_nothing_where_it_was_never_seen(make_rows):
    matrix, y = make_rows(REGRESSION, gaps=0.0)
    model = _made(REGRESSION, "additive-pairs").fit(matrix, y, None, FitContext(REGRESSION, rounds=80))
    nothing = Matrix(np.full((1, 6), np.nan), matrix.names, matrix.categorical)
    assert model.predict(nothing)[0] == model.terms.intercept[0]
    assert abs(model.terms.intercept[0] - model.predict(matrix).mean()) < 1e-4 * y.std()


def test_missing_is_learned_where_it_tells(make_rows):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1000, 2))
    gone = rng.random(1000) < 0.3
    x[gone, 0] = np.nan
    matrix = Matrix(x, ("a", "b"))
    model = _made(REGRESSION).fit(matrix, 5.0 * gone + x[:, 1], None, FitContext(REGRESSION, rounds=300))
    with_gap, without = Matrix(np.array([[np.nan, 0.0]]), ("a", "b")), Matrix(np.array([[0.0, 0.0]]), ("a", "b"))
    assert model.predict(with_gap)[0] - model.predict(without)[0] == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_purifying_moves_no_score(seed):
    rng = np.random.default_rng(seed)
    axes = [Axis(0, np.sort(rng.normal(size=4))), Axis(1, np.sort(rng.normal(size=7))), Axis(2, np.arange(3.0), True)]
    curves = tuple(Curve(a, rng.normal(size=(a.size, 2))) for a in axes)
    pairs = [(axes[0], axes[2]), (Axis(0, np.sort(rng.normal(size=3))), axes[1])]
    surfaces = tuple(Surface(a, b, rng.normal(size=(a.size, b.size, 2))) for a, b in pairs)
    x = rng.normal(size=(200, 3))
    x[:, 2] = rng.integers(0, 3, 200)
    x[rng.random(x.shape) < 0.2] = np.nan
    terms = Terms(rng.normal(size=2), curves, surfaces)
    pure = terms.purified(x)
    assert np.abs(pure.score(x) - terms.score(x)).max() < 1e-9
    assert np.abs(pure.score(x).mean(axis=0) - pure.intercept).max() < 1e-3
    again = Terms.from_parts(pure.to_parts(), columns=3, outputs=2)
    assert np.array_equal(again.score(x), pure.score(x))


def test_tables_that_do_not_answer_as_the_trees_did_are_not_saved(make_rows):
    matrix, y = make_rows(BINARY)
    model = _made(BINARY).fit(matrix, y, None, FitContext(BINARY, rounds=20))
    model.to_parts()
    model.terms.curves[0].values[:] += 1e-6
    with pytest.raises(BundleError, match="trees"):
        model.to_parts()


def test_unfitted_and_damaged(make_rows):
    with pytest.raises(DataError):
        _made(BINARY).predict(Matrix(np.zeros((1, 1)), ("a",)))
    matrix, y = make_rows(BINARY)
    model = _made(BINARY, "additive-pairs").fit(matrix, y, None, FitContext(BINARY, rounds=20))
    with pytest.raises(DataError, match="columns"):
        model.predict(Matrix(np.zeros((1, 2)), ("a", "b")))
    parts = model.to_parts()
    assert model.surfaces()
    for name, array in (
        ("intercept", np.array([np.nan])),
        ("curve.0.edges", parts.arrays["curve.0.edges"][::-1]),
        ("curve.0.values", np.zeros((2, 1))),
        ("surface.0.values", np.zeros((2, 2, 1))),
        ("surface.0.first", np.array([np.inf])),
    ):
        with pytest.raises(BundleError):
            Additive.from_parts(Parts(parts.json, parts.arrays | {name: array}))
    for key, value in (
        ("kind", "nonsense"),
        ("columns", 1),
        ("curves", [[99, False]]),
        ("surfaces", None),
        ("curves", 3),
    ):
        with pytest.raises(BundleError):
            Additive.from_parts(Parts(parts.json | {key: value}, parts.arrays))
