from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.features.encode.block import Targets
from holdgood.features.encode.codes import CodesEncoder
from holdgood.features.encode.crosses import Cross, learn
from holdgood.testing.transformer import through_files

BINARY, NUMBER = Task(kind="binary", classes=(0, 1)), Task(kind="regression", metric="rmse")
N = 3000


@pytest.fixture
def data():
    """A frame, and what answers may depend on: two columns together, or each by itself."""
    rng = np.random.default_rng(0)
    x, level = rng.normal(size=(N, 4)), rng.integers(0, 15, N)
    typical = 3.0 * rng.normal(size=15)
    numbers = (x[:, 0], x[:, 1], np.exp(x[:, 2]), x[:, 3] + typical[level])
    place = np.array([f"p{v}" for v in level], object)
    features = (*(Feature(n, "number") for n in "abcd"), Feature("place", "category"))
    frame = Frame(features, (*numbers, place))
    depends = {
        "a * b": 2.0 * x[:, 0] * x[:, 1],
        "b / c": 2.0 * numbers[1] / numbers[2],
        "b - c": 2.0 * np.sign(numbers[1] - numbers[2]),
        "d less its mean in place": 2.0 * np.sign(x[:, 3]),
        "each": x[:, 0] + x[:, 1] + np.where(level % 2, 1.0, -1.0),
        "nothing": 0.0 * x[:, 0],
    }
    return frame, depends


def drawn(raw, seed=1):
    return (np.random.default_rng(seed).random(N) < 1 / (1 + np.exp(-raw))).astype(float)


def found(frame, y, task=BINARY, seed=0):
    return learn(frame, Targets.of(y, FitContext(task, seed=seed)), regression=task.kind == "regression")


@pytest.mark.parametrize("way", ["a * b", "b / c", "b - c", "d less its mean in place"])
def test_what_two_columns_say_together_is_found(data, way):
    frame, depends = data
    cross = found(frame, drawn(depends[way]))[0][0]
    assert (cross.first, cross.second) == (way[0], way.split()[-1])
    assert (cross.kind == "deviation") == ("mean" in way)
    assert found(frame, np.exp(depends[way]), NUMBER)  # skewed amounts go by their ranks


def test_columns_that_speak_for_themselves_and_shuffled_outcomes_give_none(data):
    """The canary: at one in a hundred over all that are looked at, next to never anything where there is nothing."""
    frame, depends = data
    made = [len(found(frame, drawn(depends["nothing"], seed))) for seed in range(15)]
    assert sum(m > 0 for m in made) <= 2  # expected 0.15 at most; three have a chance of one in a thousand
    assert not found(frame, drawn(depends["each"]))
    shuffled = np.random.default_rng(5).permutation(drawn(depends["a * b"]))
    plain, crossed = (CodesEncoder(c).fit_transform(frame, shuffled, FitContext(BINARY)) for c in (False, True))
    assert np.array_equal(plain.values, crossed.values, equal_nan=True)  # not a column more: nothing to gain by


def test_a_rows_own_number_is_not_in_the_mean_that_it_is_held_against(data):
    frame, depends = data
    y = drawn(depends["d less its mean in place"])
    before = next(column for cross, column in found(frame, y) if cross.kind == "deviation")
    d = frame.column("d").copy()
    d[7] += 1e-3
    after = next(column for cross, column in found(frame.with_column("d", d), y) if cross.kind == "deviation")
    assert after[7] - before[7] == pytest.approx(1e-3, abs=1e-6)


def test_monotone_features_are_not_crossed(data):
    frame, depends = data
    kept = found(frame.constrained({"a": 1}), drawn(depends["a * b"]))
    assert all("a" not in (c.first, c.second) for c, _ in kept)


@pytest.mark.parametrize("way", ["b / c", "d less its mean in place"])
def test_one_row_a_batch_and_a_bundle_give_the_same_bits(data, way):
    frame, depends = data
    encoder = CodesEncoder(crossed=True)
    matrix = encoder.fit_transform(frame, drawn(depends[way]), FitContext(BINARY))
    assert way in matrix.names
    odd = Frame(
        frame.features,
        (*(np.array([1.5, np.nan, 0.0, -np.inf]) for _ in range(4)), np.array(["p1", None, "new", "p2"], object)),
    )
    batch = encoder.transform(odd).values
    again = CodesEncoder.from_parts(through_files(encoder.to_parts())).transform(odd).values
    one = encoder.single(frame.names)
    alone = np.array([one([a[i] for a in odd.arrays]) for i in range(4)])
    assert np.array_equal(batch, again, equal_nan=True)
    assert np.array_equal(batch, alone, equal_nan=True)


def test_a_feature_that_is_not_there_and_damaged_parts_are_refused(data):
    frame, depends = data
    encoder = CodesEncoder(crossed=True)
    encoder.fit_transform(frame, drawn(depends["a * b"]), FitContext(BINARY))
    with pytest.raises(DataError, match="'a' is not there"):
        encoder.transform(frame.select(["b", "c", "d", "place"]))
    parts = encoder.to_parts()
    for crosses in (7, [{"kind": "power"}], [parts.json["crosses"][0] | {"levels": ["x"]}]):
        with pytest.raises(BundleError):
            CodesEncoder.from_parts(Parts(parts.json | {"crosses": crosses}, parts.arrays))


def test_ratios_that_are_no_numbers_are_missing():
    made = Cross("ratio", "a", "b").of(np.array([1.0, 1.0, np.inf, 0.0]), np.array([2.0, 0.0, 1.0, 0.0]))
    assert np.array_equal(made, [0.5, np.nan, np.nan, np.nan], equal_nan=True)


def test_memory_holds_what_is_taken_and_not_all_that_is_looked_at():
    """Of 16 numbers there are 360 crosses: on a large table all of their columns together would not fit."""
    rng = np.random.default_rng(0)
    n = 40_000
    frame = Frame(tuple(Feature(f"x{i}", "number") for i in range(16)), tuple(rng.normal(size=(16, n))))
    tracemalloc.start()
    learn(frame, Targets.of(rng.normal(size=n), FitContext(NUMBER, seed=0)), regression=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 360 * n * 8 / 2
