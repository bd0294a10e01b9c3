"""LightGBM: early stopping, clock, rounds, categories, names."""

import pickle

import lightgbm
import numpy as np
import pytest

from holdgood.core.errors import DataError
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


def test_stop_rows_are_not_learned_from(make_rows):
    matrix, y = make_rows(BINARY, n=400)
    stop = np.arange(0, 400, 4)
    a = Boosting({}).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop))
    kept = np.setdiff1d(np.arange(400), stop)
    rest = matrix.take(np.concatenate([kept, stop]))
    b = Boosting({}).fit(rest, y[np.concatenate([kept, stop])], None, FitContext(BINARY, stop_rows=np.arange(300, 400)))
    assert np.array_equal(a.predict(matrix), b.predict(matrix))


def test_given_rounds_use_all_rows_and_stop_rows_are_ignored(make_rows):
    matrix, y = make_rows(BINARY)
    stop = np.arange(0, 500, 5)
    a = Boosting({}).fit(matrix, y, None, FitContext(BINARY, rounds=25, stop_rows=stop))
    b = Boosting({}).fit(matrix, y, None, FitContext(BINARY, rounds=25))
    assert a.rounds == b.rounds == 25
    assert np.array_equal(a.predict(matrix), b.predict(matrix))


def test_keeps_to_the_clock(make_rows):
    matrix, y = make_rows(BINARY, n=20_000, d=20)
    stop = np.arange(0, 20_000, 5)
    model = Boosting({"learning_rate": 0.001}).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop, seconds=1.0))
    assert 1 <= model.rounds < 3000


def test_tells_what_share_was_made_before_the_clock(make_rows):
    matrix, y = make_rows(BINARY)
    model = Boosting({})
    model.fit(matrix, y, None, FitContext(BINARY, rounds=40, seconds=0.0))
    assert (model.rounds, model.finished) == (1, 1 / 40)
    model.fit(matrix, y, None, FitContext(BINARY, rounds=40))
    assert (model.rounds, model.finished) == (40, 1.0)
    # where nothing is left to split, fewer rounds than asked are all there is
    model.fit(matrix.take(np.arange(30)), np.zeros(30), None, FitContext(BINARY, rounds=40))
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


def test_names_and_threads_never_enter_the_model(make_rows):
    matrix, y = make_rows(BINARY)
    renamed = Matrix(matrix.values, tuple(f"very secret {i}" for i in range(6)), matrix.categorical)
    a, b = (Boosting({}).fit(m, y, None, FitContext(BINARY, rounds=9)) for m in (matrix, renamed))
    assert a.to_parts().files == b.to_parts().files
    assert b"secret" not in b.to_parts().files["model.txt"]
    assert b"parameters" not in b.to_parts().files["model.txt"]


def test_large_numbers_keep_their_precision(make_rows):
    task = Task(kind="regression")
    matrix, y = make_rows(task)
    near = Boosting({}).fit(matrix, y, None, FitContext(task, rounds=40))
    far = Boosting({}).fit(matrix, y + 1e9, None, FitContext(task, rounds=40))
    assert np.abs(far.predict(matrix) - 1e9 - near.predict(matrix)).max() < 0.01 * y.std()


def test_travels_between_processes(make_rows):
    matrix, y = make_rows(BINARY)
    model = Boosting({}).fit(matrix, y, None, FitContext(BINARY, rounds=9))
    answers = model.predict(matrix)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(matrix), answers)


def test_large_batches_have_the_bits_of_small_ones(make_rows):
    matrix, y = make_rows(BINARY, n=6000)
    model = Boosting({}).fit(matrix, y, None, FitContext(BINARY, rounds=20))
    pieces = [model.predict(matrix.take(np.arange(i, i + 1000))) for i in range(0, 6000, 1000)]
    assert np.array_equal(model.predict(matrix), np.concatenate(pieces))


def test_unfitted():
    with pytest.raises(DataError):
        Boosting({}).predict(Matrix(np.zeros((1, 1)), ("a",)))


def test_extremes_of_training_rows_stay_out_of_the_text(make_rows):
    matrix, y = make_rows(BINARY)
    values = matrix.values.copy()
    values[0, 0] = 987654.0
    model = Boosting({}).fit(Matrix(values, matrix.names, matrix.categorical), y, None, FitContext(BINARY, rounds=9))
    assert "987654" not in model.scorer.text
