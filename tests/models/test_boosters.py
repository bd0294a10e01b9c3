"""What the three boosters have in common: stop rows, given rounds, the clock, names, precision, and the way to another process."""

import pickle

import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.models.tabular.catboost import SymmetricBoosting
from holdgood.models.tabular.lightgbm import Boosting
from holdgood.models.tabular.xgboost import HistogramBoosting

BINARY = Task(kind="binary", classes=(0, 1))
BOOSTERS = {
    "lightgbm": lambda: Boosting({}),
    "xgboost": lambda: HistogramBoosting({"eta": 0.2, "max_depth": 4}),
    "catboost": lambda: SymmetricBoosting({"learning_rate": 0.2, "depth": 4, "border_count": 32}),
}


@pytest.fixture(params=BOOSTERS)
def make(request):
    """A fresh booster of one library."""
    return BOOSTERS[request.param]


def test_stop_rows_are_not_learned_from(make, make_rows):
    matrix, y = make_rows(BINARY, n=400)
    stop = np.arange(0, 400, 4)
    order = np.concatenate([np.setdiff1d(np.arange(400), stop), stop])
    a = make().fit(matrix, y, None, FitContext(BINARY, stop_rows=stop))
    b = make().fit(matrix.take(order), y[order], None, FitContext(BINARY, stop_rows=np.arange(300, 400)))
    assert np.array_equal(a.predict(matrix), b.predict(matrix))


def test_given_rounds_use_all_rows_and_stop_rows_are_ignored(make, make_rows):
    matrix, y = make_rows(BINARY)
    stop = np.arange(0, 500, 5)
    a = make().fit(matrix, y, None, FitContext(BINARY, rounds=25, stop_rows=stop))
    b = make().fit(matrix, y, None, FitContext(BINARY, rounds=25))
    assert a.rounds == b.rounds == 25
    assert np.array_equal(a.predict(matrix), b.predict(matrix))


def test_keeps_to_the_clock_and_tells_what_share_was_made(make, make_rows):
    matrix, y = make_rows(BINARY)
    model = make()
    model.fit(matrix, y, None, FitContext(BINARY, rounds=40, seconds=0.0))
    assert (model.rounds, model.finished) == (1, 1 / 40)
    for seconds in (600.0, np.inf):
        model.fit(matrix, y, None, FitContext(BINARY, rounds=40, seconds=seconds))
        assert (model.rounds, model.finished) == (40, 1.0)


def test_the_same_fit_gives_the_same_bytes_and_names_never_enter(make, make_rows):
    matrix, y = make_rows(BINARY)
    renamed = Matrix(matrix.values, tuple(f"very secret {i}" for i in range(6)), matrix.categorical)
    a, b = (make().fit(m, y, None, FitContext(BINARY, rounds=9)).to_parts().files for m in (matrix, renamed))
    assert a == b
    (file,) = b.values()
    for word in (b"secret", b"learning_rate", b"parameters", b"guid", b"train_finish_time"):
        assert word not in file


def test_weights_on_one_side_of_the_stop_rows_are_learned_from(make, make_rows):
    matrix, y = make_rows(BINARY)
    stop = np.arange(0, 500, 5)
    for inside in (0.0, 1.0):
        weight = np.full(500, 1.0 - inside)
        weight[stop] = inside
        model = make().fit(matrix, y, weight, FitContext(BINARY, stop_rows=stop))
        assert np.isfinite(model.predict(matrix)).all()


def test_large_numbers_keep_their_precision(make, make_rows):
    task = Task(kind="regression")
    matrix, y = make_rows(task)
    near, far = (make().fit(matrix, v, None, FitContext(task, rounds=40)) for v in (y, y + 1e9))
    assert np.abs(far.predict(matrix) - 1e9 - near.predict(matrix)).max() < 0.01 * y.std()


def test_travels_between_processes_and_large_batches_have_the_bits_of_small_ones(make, make_rows):
    matrix, y = make_rows(BINARY, n=6000)
    model = make().fit(matrix, y, None, FitContext(BINARY, rounds=9))
    answers = model.predict(matrix)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(matrix), answers)
    pieces = [model.predict(matrix.take(np.arange(i, i + 100))) for i in range(0, 6000, 100)]
    assert np.array_equal(np.concatenate(pieces), answers)


def test_unfitted(make):
    with pytest.raises(DataError):
        make().predict(Matrix(np.zeros((1, 1)), ("a",)))
