"""Both encoders against the contract, and on columns that are out of the ordinary."""

import time

import numpy as np
import pytest

from holdgood.core.errors import BundleError, DataError, DeclarationError
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.features.encode.codes import CodesEncoder
from holdgood.features.encode.dense import DenseEncoder
from holdgood.features.encode.for_needs import ENCODERS, encoder_for
from holdgood.testing.transformer import check_transformer, outcome, sample, through_files

BINARY = Task(kind="binary", classes=(False, True))
BOTH = pytest.mark.parametrize("make", [CodesEncoder, DenseEncoder])


def objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


@BOTH
def test_contract(make):
    check_transformer(make)


@BOTH
@pytest.mark.parametrize("kind", ["number", "category", "text"])
def test_one_feature_of_each_kind_alone(make, kind):
    frame = sample()
    frame = frame.select([f.name for f in frame.features if f.type == kind])
    matrix = make().fit_transform(frame, outcome(BINARY), FitContext(BINARY))
    assert matrix.values.shape[0] == 240


@BOTH
def test_a_frame_where_nothing_varies_gives_one_column(make):
    frame = Frame((Feature("a", "number"), Feature("b", "category")), (np.ones(9), objects(["x"] * 9)))
    matrix = make().fit_transform(frame, np.zeros(9), FitContext(BINARY))
    assert matrix.values.shape[1] >= 1
    assert np.isfinite(matrix.values).all()


@BOTH
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows(make, rows):
    frame = sample(rows)
    matrix = make().fit_transform(frame, np.arange(rows) % 2.0, FitContext(BINARY))
    assert len(matrix) == rows


@BOTH
def test_nothing_to_learn_from_is_refused(make):
    with pytest.raises(DataError, match="0 rows"):
        make().fit_transform(sample().take(np.array([], np.int64)), np.empty(0), FitContext(BINARY))
    with pytest.raises(DataError, match="0 features"):
        make().fit_transform(Frame((), ()), np.empty(0), FitContext(BINARY))
    with pytest.raises(DataError, match="3 outcomes"):
        make().fit_transform(sample(), np.zeros(3), FitContext(BINARY))


@BOTH
def test_an_absent_feature_is_named(make):
    encoder, frame = make(), sample()
    encoder.fit_transform(frame, outcome(BINARY), FitContext(BINARY))
    with pytest.raises(DataError, match="'skewed' is not there"):
        encoder.transform(frame.select([n for n in frame.names if n != "skewed"]))


@BOTH
def test_five_thousand_columns(make):
    draw = np.random.default_rng(0)
    values = draw.normal(size=(5000, 60))
    frame = Frame(tuple(Feature(f"f{i}", "number") for i in range(5000)), tuple(values))
    encoder = make()
    y = (values[4321] > 0).astype(float)
    matrix = encoder.fit_transform(frame, y, FitContext(BINARY))
    assert matrix.values.shape[1] == (5000 if make is CodesEncoder else 3000)
    assert "f4321" in matrix.names, "the column that tells most was dropped"
    again = type(encoder).from_parts(through_files(encoder.to_parts()))
    np.testing.assert_array_equal(again.transform(frame).values, encoder.transform(frame).values)


@BOTH
def test_values_that_are_not_text_are_taken_as_their_text(make):
    values = objects([1, "1", float("nan"), None] * 30)
    frame = Frame((Feature("a", "category"), Feature("b", "number")), (values, np.arange(120.0)))
    encoder = make()
    encoder.fit_transform(frame, np.arange(120) % 2.0, FitContext(BINARY))
    few, many = encoder.transform(frame.take(np.arange(4))), encoder.transform(frame.take(np.tile(np.arange(4), 100)))
    np.testing.assert_array_equal(np.tile(few.values, (100, 1)), many.values)
    assert few.values[0, 0] == few.values[1, 0]


@BOTH
@pytest.mark.parametrize("task", [BINARY, Task(kind="regression", metric="rmse")])
def test_a_meaningless_category_tells_nothing_of_the_outcome(make, task):
    """Out of fold: on noise, what training rows get must not go along with the outcome."""
    draw = np.random.default_rng(2)
    n = 4000
    frame = Frame((Feature("id", "category"),), (objects([f"v{i}" for i in draw.integers(0, 1500, n)]),))
    y = draw.integers(0, 2, n).astype(float) if task.kind == "binary" else draw.normal(size=n)
    encoder = make()
    training = encoder.fit_transform(frame, y, FitContext(task)).values[:, 0]
    spread = training.std()
    if spread > 0:
        assert abs(np.corrcoef(training, y)[0, 1]) < 0.08
    seen = encoder.transform(frame).values[:, 0]
    assert seen.std() == 0 or np.corrcoef(seen, y)[0, 1] > 0.2, "the check would not notice a leak"


@pytest.mark.parametrize("harm", ["features", "kind", "array", "levels", "type"])
@BOTH
def test_damaged_parts_are_refused(make, harm):
    encoder = make()
    encoder.fit_transform(sample(), outcome(BINARY), FitContext(BINARY))
    parts = through_files(encoder.to_parts())
    json, arrays = parts.json, parts.arrays
    if harm == "features":
        json = {}
    elif harm == "kind":
        json["features"][0]["kind"] = "subprocess"
    elif harm == "array":
        arrays = {k: v[:-1] for k, v in arrays.items()}
    elif harm == "levels":
        json["features"][4]["json"]["levels"] = ["x", "x"]
    else:
        json["features"][0]["type"] = "picture"
    with pytest.raises(BundleError):
        make.from_parts(Parts(json, arrays))


def test_encoder_for():
    assert [type(encoder_for(n)) for n in ENCODERS] == [CodesEncoder, DenseEncoder]
    with pytest.raises(DeclarationError, match="did you mean 'dense'"):
        encoder_for("dens")


def test_speed_of_codes():
    """180,000 rows of 30 numbers and 8 categories: 1.5 CPU s to learn, 0.7 s to encode; 1 ms for a row. Twice that is a fault."""
    n, draw = 180_000, np.random.default_rng(0)
    columns = [draw.normal(size=n) for _ in range(30)]
    for levels in (2, 5, 12, 30, 60, 200, 3000, 20_000):
        columns.append(objects([f"level {i}" for i in draw.integers(0, levels, n)]))
    frame = Frame(tuple(Feature(f"f{i}", "number" if i < 30 else "category") for i in range(38)), tuple(columns))
    y, encoder = draw.integers(0, 2, n).astype(float), CodesEncoder()
    start = time.process_time()
    encoder.fit_transform(frame, y, FitContext(BINARY))
    learned = time.process_time()
    encoder.transform(frame)
    encoded = time.process_time()
    one = frame.take(np.array([0]))
    for _ in range(200):
        encoder.transform(one)
    assert learned - start < 3.0
    assert encoded - learned < 1.4
    assert (time.process_time() - encoded) / 200 < 0.002
