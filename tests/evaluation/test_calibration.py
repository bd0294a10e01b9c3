import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.task import Task
from holdgood.evaluation import calibration as module
from holdgood.evaluation.calibration import calibration

BINARY = Task(kind="binary", classes=(0, 1))


def draw(rng, n, shift=0.0):
    p = rng.beta(2, 4, n)
    return (rng.random(n) < np.clip(p + shift, 0, 1)).astype(float), p


def test_true_chances_have_a_small_debiased_error(binary):
    found = calibration(binary.task, binary.y, binary.prediction, None, 0)
    plain = np.sqrt(
        sum(c * (s - o) ** 2 for c, s, o in zip(found.counts, found.stated, found.observed)) / len(binary.y)
    )
    assert found.error.value < plain
    assert found.error.low == 0.0
    assert found.p > 0.05
    assert sum(found.counts) == len(binary.y)
    assert max(found.counts) <= 1.1 * min(found.counts)


def test_a_shift_is_found_and_sized():
    y, p = draw(np.random.default_rng(0), 5000, 0.12)
    found = calibration(BINARY, y, p, None, 0)
    assert found.p <= 0.01
    assert found.error.value == pytest.approx(0.12, abs=0.03)
    assert found.error.low <= 0.12 <= found.error.high
    assert "more than chance" in found.sentence


def test_level_and_cover_by_simulation():
    rng = np.random.default_rng(1)
    runs, rejected, covered = 200, 0, 0
    for run in range(runs):
        y, p = draw(rng, 400)
        rejected += calibration(BINARY, y, p, None, run).p < 0.05
        y, p = draw(rng, 400, 0.1)
        error = calibration(BINARY, y, p, None, run).error
        covered += error.low <= 0.1 <= error.high
    assert binom.sf(rejected - 1, runs, 0.05) > 0.001
    assert binom.cdf(covered, runs, 0.95) > 0.001


def test_many_rows_give_the_same_p_by_either_road(monkeypatch):
    """Above a variance of 100 a bin the sums are drawn, not the rows; both say how often chance goes as far."""
    y, p = draw(np.random.default_rng(3), 12_000, 0.006)
    sums = [calibration(BINARY, y, p, None, seed).p for seed in range(4)]
    monkeypatch.setattr(module, "NEARLY_NORMAL", np.inf)
    rows = [calibration(BINARY, y, p, None, seed).p for seed in range(4)]
    assert np.mean(sums) == pytest.approx(np.mean(rows), abs=0.05)
    assert 0.01 < np.mean(rows) < 0.9


@pytest.mark.parametrize("days", [20, 80])
def test_clustered_p_holds_its_level_roughly(days):
    """The hardest case: all rows of a day are one row repeated, so that independent rows would always reject."""
    rng = np.random.default_rng(2)
    runs, rejected = 100, 0
    for run in range(runs):
        day = np.repeat(np.arange(days), 20)
        chance = rng.beta(2, 4, days)
        y = np.repeat((rng.random(days) < chance).astype(float), 20)
        rejected += calibration(BINARY, y, np.repeat(chance, 20), day, run).p < 0.05
    assert rejected <= 15


def test_bins_hold_several_clusters_each():
    y, p = draw(np.random.default_rng(6), 1000)
    assert len(calibration(BINARY, y, p, np.arange(1000) // 100, 0).counts) == 10
    nested = np.argsort(np.argsort(p)) // 100  # ten clusters, each in a narrow range of chances
    assert len(calibration(BINARY, y, p, nested, 0).counts) == 1


def test_regression_in_standard_deviations(regression):
    good = calibration(regression.task, regression.y, regression.prediction, None, 0)
    assert good.p > 0.01
    off = calibration(regression.task, regression.y, regression.prediction + 2.0, None, 0)
    assert off.error.value == pytest.approx(2.0 / np.std(regression.y), abs=0.05)
    assert off.p < 0.01


def test_multiclass_looks_at_the_likeliest_class(multiclass):
    found = calibration(multiclass.task, multiclass.y, multiclass.prediction, None, 0)
    sure = multiclass.prediction.max(axis=1)
    assert np.average(found.stated, weights=found.counts) == pytest.approx(sure.mean())
    assert found.error.high < 0.1


def test_row_order_does_not_matter_with_ties():
    y, p = draw(np.random.default_rng(4), 1000)
    p = np.round(p, 1)
    back = calibration(BINARY, y[::-1], p[::-1], None, 0)
    there = calibration(BINARY, y, p, None, 0)
    assert there.counts == back.counts
    assert there.observed == pytest.approx(back.observed)


def test_few_rows_give_one_bin_and_one_row_gives_none():
    y, p = draw(np.random.default_rng(5), 20)
    assert len(calibration(BINARY, y, p, None, 0).counts) == 1
    assert calibration(BINARY, y[:1], p[:1], None, 0) is None
