from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.chain import Chain
from holdgood.core.errors import BundleError, DataError
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.metrics import loss_rows, metric
from holdgood.training.calibrate import calibrate, effective, fitted
from holdgood.training.calibrated import Calibrated, Recalibration, log_odds
from holdgood.training.score import Judge

BINARY = Task(kind="binary", classes=(0, 1))
THREE = Task(kind="multiclass", classes=("a", "b", "c"))


def judged(task, y, folds=4, weight=None):
    return Judge(task, metric("log_loss", task), y, np.arange(len(y)) % folds, weight=weight)


def chances(n=3000, seed=0):
    """True chances and outcomes drawn with them."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(size=n)))
    return p, (rng.random(n) < p).astype(float)


def test_what_is_too_sure_is_cooled_by_as_much():
    p, y = chances()
    sure = 1 / (1 + np.exp(-3.0 * log_odds(p)))
    assert fitted("temperature", BINARY, y, sure).numbers[0] == pytest.approx(3.0, rel=0.15)
    found = calibrate(judged(BINARY, y), sure)
    assert found.gain.verdict == "better"
    assert loss_rows(BINARY, y, found.prediction).mean() < loss_rows(BINARY, y, p).mean() + 0.005
    assert "log loss lower by" in found.words


def test_a_shifted_line_and_a_bent_curve_are_found_by_their_methods():
    p, y = chances()
    shifted = 1 / (1 + np.exp(-(log_odds(p) + 1.5)))
    assert calibrate(judged(BINARY, y), shifted).recalibration.method == "platt"
    bent = np.where(p < 0.5, 0.2 + 0.1 * p, 0.75 + 0.1 * p)
    assert calibrate(judged(BINARY, y), bent).recalibration.method == "isotonic"


def test_what_is_calibrated_stays_as_it_is():
    used = 0
    for seed in range(30):
        p, y = chances(600, seed)
        used += calibrate(judged(BINARY, y), p) is not None
    assert used <= 4  # the level is 5%: beyond four of thirty has a chance of 2%


def test_the_fit_and_the_proof_are_of_weighted_rows():
    """Half of the rows are stated as they come true, the other half shifted: whichever counts is what is answered for."""
    p, y = chances(4000)
    shifted = np.arange(4000) % 8 >= 4  # as many in each fold
    stated = np.where(shifted, 1 / (1 + np.exp(-(log_odds(p) + 1.5))), p)
    true, wrong = np.where(shifted, 1e-4, 1.0), np.where(shifted, 1.0, 1e-4)
    assert calibrate(judged(BINARY, y, weight=true), stated) is None
    found = calibrate(judged(BINARY, y, weight=wrong), stated)
    before, after = (np.abs(q - p)[shifted].mean() for q in (stated, found.recalibration(stated)))
    assert after < 0.15 * before
    assert fitted("platt", BINARY, y, stated, wrong).numbers == pytest.approx([1.0, -1.5], abs=0.15)
    plain = calibrate(judged(BINARY, y), stated)
    assert plain is not None and plain.gain.difference < found.gain.difference


@pytest.mark.parametrize("method", ["temperature", "platt"])
def test_a_row_of_weight_three_is_three_rows(method):
    p, y = chances(900)
    sure = 1 / (1 + np.exp(-2.0 * log_odds(p)))
    weight = np.random.default_rng(1).integers(0, 4, 900)
    one = fitted(method, BINARY, y, sure, weight.astype(float))
    two = fitted(method, BINARY, np.repeat(y, weight), np.repeat(sure, weight))
    assert one.numbers == pytest.approx(two.numbers, abs=1e-4)


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_only_ratios_of_weights_matter_and_equal_ones_not_at_all(method):
    p, y = chances(900)
    weight = np.random.default_rng(1).gamma(2.0, size=900)
    one, two = (fitted(method, BINARY, y, p, w).numbers for w in (weight, 1024.0 * weight))
    assert one == pytest.approx(two, abs=1e-9)
    plain, equal = (fitted(method, BINARY, y, p, w).numbers for w in (None, np.full(900, 0.5)))
    assert plain == pytest.approx(equal, abs=1e-9)


def test_weighted_chances_that_are_calibrated_stay_as_they_are():
    """Rows weighted at large, and classes weighted: what was learned under weights is not drawn back to plain rows."""
    used = {"rows": 0, "classes": 0}
    for seed in range(30):
        p, y = chances(600, seed)
        weight = np.random.default_rng(seed).gamma(2.0, size=600)
        used["rows"] += calibrate(judged(BINARY, y, weight=weight), p) is not None
        tilted = 5 * p / (5 * p + 1 - p)
        used["classes"] += calibrate(judged(BINARY, y, weight=np.where(y == 1, 5.0, 1.0)), tilted) is not None
        if seed < 5:  # the same chances, were they for plain rows, are far off
            assert calibrate(judged(BINARY, y), tilted) is not None
    assert max(used.values()) <= 4  # the level is 5%: beyond four of thirty has a chance of 2%


def test_a_few_heavy_rows_prove_nothing():
    p, y = chances(3000)
    sure = 1 / (1 + np.exp(-3.0 * log_odds(p)))
    weight = np.where(np.arange(3000) < 100, 1.0, 1e-6)
    assert effective(weight) < 200
    assert calibrate(judged(BINARY, y, weight=weight), sure) is None
    one = np.where(np.arange(3000) == 0, 1e9, 1.0)
    knots = fitted("isotonic", BINARY, y, p, one).numbers
    assert ((knots[1] > 0) & (knots[1] < 1)).all()


def test_several_classes_are_cooled_under_weights():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(4000, 3))
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p]).astype(float)
    hot = np.arange(4000) % 8 >= 4
    stated = np.where(hot[:, None], p**2.5 / (p**2.5).sum(axis=1, keepdims=True), p)
    found = calibrate(judged(THREE, y, weight=np.where(hot, 1.0, 1e-4)), stated)
    assert found.recalibration.numbers[0] == pytest.approx(2.5, rel=0.15)
    assert calibrate(judged(THREE, y, weight=np.where(hot, 1e-4, 1.0)), stated) is None


def test_outcomes_of_a_fold_calibrate_nothing_for_that_fold():
    p, y = chances()
    sure = 1 / (1 + np.exp(-3.0 * log_odds(p)))
    changed = np.where(np.arange(len(y)) % 4 == 1, 1 - y, y)
    for method in ("temperature", "platt", "isotonic"):
        others = np.arange(len(y)) % 4 != 1
        before, after = (fitted(method, BINARY, v[others], sure[others]) for v in (y, changed))
        assert (before.numbers == after.numbers).all()


def test_several_classes_share_one_temperature():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(4000, 3))
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p]).astype(float)
    sure = p**2.5 / (p**2.5).sum(axis=1, keepdims=True)
    found = calibrate(judged(THREE, y), sure)
    assert found.recalibration.numbers[0] == pytest.approx(2.5, rel=0.1)
    assert np.allclose(found.prediction.sum(axis=1), 1)
    assert (np.argmax(found.prediction, axis=1) == np.argmax(sure, axis=1)).all()


def test_few_rows_one_part_and_amounts_are_left_alone():
    p, y = chances(150)
    assert calibrate(judged(BINARY, y), p**3) is None
    number = Task(kind="regression", metric="rmse")
    assert calibrate(Judge(number, metric("rmse", number), y, np.arange(150) % 3), p) is None


@settings(max_examples=40, deadline=None)
@given(
    method=st.sampled_from(["temperature", "platt", "isotonic"]),
    seed=st.integers(0, 50),
    values=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    spread=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_maps_rise_stay_between_0_and_1_and_see_one_row_at_a_time(method, seed, values, spread):
    p, y = chances(400, seed)
    weight = np.exp(spread * np.random.default_rng(seed).normal(size=400))
    mapped = fitted(method, BINARY, y, p, weight if spread else None)
    given_ = np.sort(np.array(values))
    out = mapped(given_)
    assert (np.diff(out) >= -1e-12).all()
    assert ((out >= 0) & (out <= 1)).all()
    assert all(mapped(given_[i : i + 1])[0] == out[i] for i in range(len(out)))


@pytest.mark.parametrize("extreme", [0.0, 1.0])
def test_isotonic_is_never_certain(extreme):
    p = np.random.default_rng(0).random(300)
    out = fitted("isotonic", BINARY, np.full(300, extreme), p)(np.array([0.0, 0.5, 1.0]))
    assert ((out > 0) & (out < 1)).all()


@pytest.fixture
def model(make_data, families):
    frame, y, task = make_data()
    (candidate,) = families(task, "linear")
    return Calibrated(
        Chain.of(candidate).fit(frame, y, None, FitContext(task)), Recalibration("platt", np.array([2.0, 0.1]))
    ), frame


def test_what_is_rebuilt_from_its_parts_predicts_the_same_bits(model):
    calibrated, frame = model
    again = Calibrated.from_parts(calibrated.to_parts())
    assert (again.predict(frame) == calibrated.predict(frame)).all()
    assert (again.predict(frame) != again.inner.predict(frame)).any()


@pytest.mark.parametrize(
    "damage",
    [
        lambda j, a: j.pop("method"),
        lambda j, a: j.__setitem__("method", "isotonic"),
        lambda j, a: j["parts"].pop("inner"),
        lambda j, a: a.__setitem__("numbers", np.array([-1.0, 0.0])),
        lambda j, a: a.__setitem__("numbers", np.array([np.nan, 0.0])),
        lambda j, a: a.pop("numbers"),
    ],
)
def test_a_damaged_bundle_is_refused(model, damage):
    parts = model[0].to_parts()
    damage(parts.json, parts.arrays)
    with pytest.raises(BundleError):
        Calibrated.from_parts(Parts(parts.json, parts.arrays, parts.files))


@pytest.mark.parametrize("numbers", [[[0.0, 1.0], [0.9, 0.1]], [[1.0, 0.0], [0.1, 0.9]], [[0.0, 1.0], [0.1, 1.5]]])
def test_isotonic_knots_must_rise_within_0_and_1(numbers):
    with pytest.raises(DataError):
        Recalibration("isotonic", np.array(numbers))


def test_serving_a_calibrated_model_loads_no_trainer():
    code = "import sys, holdgood.training.calibrated; print([m for m in ('loky', 'sklearn', 'optuna', 'scipy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
