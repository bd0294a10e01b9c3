"""LightGBM: early stopping, clock, rounds, categories, names."""

import lightgbm
import numpy as np
import pytest

from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.models.tabular.lightgbm import Boosting, LightgbmFamily

BINARY = Task(kind="binary", classes=(0, 1))


def _configurations(task, rows):
    return dict(LightgbmFamily.configurations(task, rows, 6))


def test_agrees_with_the_library(task, make_rows):
    matrix, y = make_rows(task)
    model = Boosting({}).fit(matrix, y, None, FitContext(task, rounds=30))
    wanted = lightgbm.Booster(model_str=model.scorer.text).predict(matrix.values)
    if task.kind == "regression":
        assert abs(model.scorer.offset - y.mean()) < 1e-12
        wanted = wanted * y.std() + y.mean()
    assert np.array_equal(model.predict(matrix), wanted)


def test_stops_early_at_the_best_round(task, make_rows):
    matrix, y = make_rows(task, n=800)
    stop = np.arange(0, 800, 4)
    model = Boosting({"learning_rate": 0.1}).fit(matrix, y, None, FitContext(task, stop_rows=stop))
    assert 1 <= model.rounds < 500
    assert model.scorer.text.count("Tree=") == model.rounds * (task.n_classes if task.kind == "multiclass" else 1)

    def loss(rounds):
        raw = lightgbm.Booster(model_str=model.scorer.text).predict(matrix.values[stop], num_iteration=rounds)
        if task.kind == "regression":
            return np.mean((raw * model.scorer.scale + model.scorer.offset - y[stop]) ** 2)
        hit = (
            np.where(y[stop] == 1, raw, 1 - raw)
            if task.kind == "binary"
            else raw[np.arange(len(stop)), y[stop].astype(int)]
        )
        return -np.mean(np.log(np.maximum(hit, 1e-15)))

    losses = [loss(r) for r in range(1, model.rounds + 1)]
    assert int(np.argmin(losses)) + 1 == model.rounds


def test_keeps_to_the_clock(make_rows):
    matrix, y = make_rows(BINARY, n=20_000, d=20)
    stop = np.arange(0, 20_000, 5)
    model = Boosting({"learning_rate": 0.001}).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop, seconds=1.0))
    assert 1 <= model.rounds < 3000


def test_where_nothing_is_left_to_split_fewer_rounds_than_asked_are_all_there_is(make_rows):
    matrix, _ = make_rows(BINARY)
    model = Boosting({}).fit(matrix.take(np.arange(30)), np.zeros(30), None, FitContext(BINARY, rounds=40))
    assert model.finished == 1.0


@pytest.mark.parametrize("rows", [12, 40, 150])
def test_few_rows_do_not_degenerate(rows, task, make_rows):
    matrix, y = make_rows(task, n=rows, gaps=0.0)
    for name, parameters in _configurations(task, rows).items():
        model = Boosting(parameters).fit(matrix, y, None, FitContext(task, rounds=20))
        assert np.unique(model.predict(matrix), axis=0).shape[0] > 1, name


def test_categories_are_sets_not_numbers(make_rows):
    rng = np.random.default_rng(0)
    code = rng.integers(0, 40, 4000).astype(float)
    y = (np.isin(code, [3, 7, 8, 15, 22, 23, 31, 39]) ^ (rng.random(4000) < 0.05)).astype(float)
    x = code[:, None]
    as_set = Boosting({"num_leaves": 2}).fit(Matrix(x, ("g",), (0,)), y, None, FitContext(BINARY, rounds=10))
    as_number = Boosting({"num_leaves": 2}).fit(Matrix(x, ("g",)), y, None, FitContext(BINARY, rounds=10))
    spread = [np.corrcoef(m.predict(Matrix(x, ("g",))), y)[0, 1] for m in (as_set, as_number)]
    assert spread[0] > 0.85
    assert spread[0] > spread[1] + 0.2
    assert "cat_threshold" in as_set.scorer.text


def test_extremes_of_training_rows_stay_out_of_the_text(make_rows):
    matrix, y = make_rows(BINARY)
    values = matrix.values.copy()
    values[0, 0] = 987654.0
    model = Boosting({}).fit(Matrix(values, matrix.names, matrix.categorical), y, None, FitContext(BINARY, rounds=9))
    assert "987654" not in model.scorer.text
