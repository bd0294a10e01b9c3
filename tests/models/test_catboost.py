"""CatBoost: agreement with the library, early stopping, clock, rounds, categories, what its file tells and what it must not."""

import pickle
import subprocess
import sys

import catboost
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular import cbm
from holdgood.models.tabular.catboost import CatboostFamily, SymmetricBoosting
from holdgood.models.tabular.cbm_booster import CbmBooster, data_of

BINARY = Task(kind="binary", classes=(0, 1))
QUICK = {"learning_rate": 0.2, "depth": 4, "border_count": 32}


def _raw(model, matrix):
    native = catboost.CatBoost().load_model(blob=model.scorer.raw)
    return native.predict(data_of(matrix.values, matrix.categorical), prediction_type="RawFormulaVal")


def test_agrees_with_the_library(task, make_rows):
    matrix, y = make_rows(task)
    model = SymmetricBoosting(QUICK).fit(matrix, y, None, FitContext(task, rounds=12))
    raw = _raw(model, matrix).reshape(len(y), -1)
    if task.kind == "regression":
        wanted = raw[:, 0] * y.std() + y.mean()
    else:
        shares = (np.bincount(y.astype(int)) + 0.5) / (len(y) + 0.5 * task.n_classes)
        start = np.log(shares[1] / shares[0]) if task.kind == "binary" else np.log(shares)
        wanted = 1 / (1 + np.exp(-raw - start)) if task.kind == "binary" else np.exp(raw + start)
        wanted = wanted[:, 0] if task.kind == "binary" else wanted / wanted.sum(axis=1, keepdims=True)
    assert np.abs(model.predict(matrix) - wanted).max() < 1e-12 * max(1, np.abs(wanted).max())
    assert model.rounds == 12


def test_the_cells_of_a_row_get_what_its_matrix_gets(task, make_rows):
    matrix, y = make_rows(task)
    model = SymmetricBoosting(QUICK).fit(matrix, y, None, FitContext(task, rounds=12)).scorer
    odd = matrix.values[:40].copy()
    for at, value in enumerate([np.nan, np.inf, -np.inf, 1e300, -1.0, 2.7, 254.0, 1e12]):
        odd[at] = value
    answers = model.predict(Matrix(odd, matrix.names, matrix.categorical))
    assert all(np.array_equal(model.row(cells), answers[i : i + 1]) for i, cells in enumerate(odd.tolist()))
    with pytest.raises(DataError, match="columns, as in training"):
        model.row(odd[0].tolist()[1:])


def test_stops_early_at_the_best_round(make_rows):
    matrix, y = make_rows(BINARY, n=800)
    stop = np.arange(0, 800, 4)
    model = SymmetricBoosting(QUICK).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop))
    assert 1 <= model.rounds < 400
    part = matrix.take(stop)
    native = catboost.CatBoost().load_model(blob=model.scorer.raw)

    def loss(rounds):
        raw = native.predict(data_of(part.values, part.categorical), prediction_type="RawFormulaVal", ntree_end=rounds)
        sign = np.where(y[stop] == 1, -1.0, 1.0)
        return np.mean(np.log1p(np.exp(sign * (raw + model.scorer.margins[0]))))

    assert int(np.argmin([loss(r) for r in range(1, model.rounds + 1)])) + 1 == model.rounds


def test_categories_are_split_off_alone_and_missing_is_one_of_them():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 12, 3000).astype(float)
    code[rng.random(3000) < 0.1] = np.nan
    y = (np.isnan(code) | np.isin(code, [3, 7, 8])).astype(float)
    matrix = Matrix(code[:, None], ("g",), (0,))
    model = SymmetricBoosting(QUICK).fit(matrix, y, None, FitContext(BINARY, rounds=60))
    assert np.abs(model.predict(matrix) - y).max() < 0.1
    unseen, missing = model.predict(Matrix(np.array([[400.0], [np.nan]]), ("g",), (0,)))
    assert unseen == missing > 0.9


def test_a_column_of_more_codes_than_bytes_counts_as_a_number(make_rows):
    rng = np.random.default_rng(0)
    code = rng.integers(0, 900, 2000).astype(float)
    model = SymmetricBoosting(QUICK).fit(
        Matrix(code[:, None], ("g",), (0,)), (code > 450).astype(float), None, FitContext(BINARY, rounds=20)
    )
    assert model.scorer.categorical == ()
    CbmBooster.from_parts(model.to_parts())


def test_gaps_that_training_did_not_have_count_as_the_smallest_number(make_rows):
    matrix, y = make_rows(BINARY, gaps=0.0)
    gap, low = matrix.values[:9].copy(), matrix.values[:9].copy()
    gap[:, 0], low[:, 0] = np.nan, -1e30
    stop = matrix.values.copy()
    stop[::4, 1] = np.nan
    model = SymmetricBoosting(QUICK).fit(
        Matrix(stop, matrix.names, matrix.categorical), y, None, FitContext(BINARY, stop_rows=np.arange(0, 500, 4))
    )
    asked = [model.predict(Matrix(v, matrix.names, matrix.categorical)) for v in (gap, low)]
    assert np.array_equal(*asked)


def test_nothing_to_learn_answers_with_the_shares(task, make_rows):
    _, y = make_rows(task)
    flat = Matrix(np.zeros((len(y), 2)), ("a", "b"))
    model = SymmetricBoosting(QUICK).fit(flat, y, None, FitContext(task))
    answers = CbmBooster.from_parts(model.to_parts()).predict(flat)
    assert model.to_parts().files == {}
    wanted = y.mean() if task.kind == "regression" else np.bincount(y.astype(int)) / len(y)
    assert np.allclose(answers[0], wanted[1] if task.kind == "binary" else wanted, atol=0.01)


def test_no_configuration_is_larger_than_asked():
    for rows in (100, 50_000):
        named = CatboostFamily.configurations(BINARY, rows, 9)
        assert named[0][0] == "catboost"
        assert len({str(p) for _, p in named}) == len(named)


# ------------------------------------------------------------------------------------------------ damaged files

_RNG = np.random.default_rng(0)
_X = Matrix(np.c_[_RNG.normal(size=(300, 2)), _RNG.integers(0, 5, 300)], ("a", "b", "g"), (2,))
_Y = (_X.values[:, 0] + (_X.values[:, 2] > 2) > 0.5).astype(float)
PARTS = SymmetricBoosting(QUICK).fit(_X, _Y, None, FitContext(BINARY, rounds=6)).to_parts()
FILE = PARTS.files["model.cbm"]
SIZES = {"numbers": 2, "categories": 1, "outputs": 1}

SCORE = """
import sys, pickle, numpy as np, catboost
from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.models.tabular.cbm_booster import CbmBooster
rows = Matrix(np.array([[0.0, 1.0, 3.0], [np.nan] * 3, [9e9, -9.0, 50.0]]), ("a", "b", "g"), (2,))
passed = 0
for parts in pickle.load(sys.stdin.buffer):
    try:
        assert np.isfinite(CbmBooster.from_parts(parts).predict(rows)).all()
        passed += 1
    except BundleError:
        continue
print("alive", passed)
"""


def test_its_own_file_passes():
    assert cbm.check(FILE, **SIZES) == 6
    for other in ({"numbers": 3}, {"categories": 0}, {"outputs": 3}, {"numbers": 1, "categories": 2}):
        with pytest.raises(BundleError):
            cbm.check(FILE, **SIZES | other)


def test_what_passes_the_check_never_kills_the_library():
    """Every third byte changed, and many changed at random; those that pass are given to CatBoost in another process."""
    changed = []
    for at in range(0, len(FILE), 3):
        data = bytearray(FILE)
        data[at] ^= int(_RNG.integers(1, 256))
        changed.append(bytes(data))
    for _ in range(600):
        data = bytearray(FILE)
        for at in _RNG.integers(0, len(data), _RNG.integers(1, 9)):
            data[at] = int(_RNG.integers(0, 256))
        changed.append(bytes(data))
    sent = pickle.dumps([Parts(PARTS.json, {}, {"model.cbm": data}) for data in changed])
    done = subprocess.run([sys.executable, "-c", SCORE], input=sent, capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    word, passed = done.stdout.split()
    assert word == b"alive"
    assert 0 < int(passed) < len(changed)  # a leaf value or a border may change and still be one


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, len(FILE) - 1), more=st.binary(max_size=5))
def test_cut_or_longer_files_are_refused(cut, more):
    for data in (FILE[:cut], FILE[:cut] + more, FILE[:4] + (cut).to_bytes(4, "little") + FILE[8 : 8 + cut]):
        if data != FILE:
            with pytest.raises(BundleError):
                CbmBooster.from_parts(Parts(PARTS.json, {}, {"model.cbm": data}))


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_other_bytes_are_refused(data):
    for file in (data, b"CBM1" + len(data).to_bytes(4, "little") + data):
        with pytest.raises(BundleError):
            cbm.check(file, **SIZES)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "nonsense"}, {"kind": "regression"}, {"columns": 4}, {"columns": "x"}, {"n_classes": 3}, {"scale": float("nan")},
        {"rounds": 7}, {"rounds": None}, {"categorical": [5]}, {"categorical": [2, 2]}, {"categorical": []}, {"margins": []},
        {"margins": [0.0, 0.0]}, {"margins": [float("inf")]}, {"present": [0, 1]}, {"margins": None},
    ],
)  # fmt: skip
def test_json_that_does_not_fit_is_refused(change):
    with pytest.raises(BundleError):
        CbmBooster.from_parts(Parts(PARTS.json | change, {}, PARTS.files))


def test_missing_pieces_are_refused():
    for parts in (Parts(PARTS.json), Parts({}, {}, PARTS.files)):
        with pytest.raises(BundleError):
            CbmBooster.from_parts(parts)


def test_target_statistics_are_refused():
    texts = np.array([b"%d" % c for c in range(9)], dtype=object)[_X.values[:, 2].astype(int)][:, None]
    data = catboost.FeaturesData(num_feature_data=_X.values[:, :2].astype(np.float32), cat_feature_data=texts)
    model = catboost.CatBoost(
        {
            "iterations": 6,
            "loss_function": "Logloss",
            "one_hot_max_size": 2,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }
    )
    model.fit(catboost.Pool(data, _Y))
    for key in list(model.get_metadata().keys()):
        del model.get_metadata()[key]
    with pytest.raises(BundleError):
        cbm.check(model._serialize_model(), **SIZES)


def test_the_librarys_own_refusal_is_told_in_our_words():
    model = CbmBooster.from_parts(PARTS)
    model.raw = b"CBM1 and nothing else"
    with pytest.raises(BundleError, match="refuses"):
        model.predict(_X)
