"""Canaries of forecasting, small: where the future cannot be known, nobody beats the naive by looking at it. The full ones: bench-stats."""

import pytest

QUICK = {"models": ["theta", "lightgbm-lags"], "budget": "trials=5"}


@pytest.fixture(scope="module")
def canaries(bench):
    return bench("stats", "canaries")


def test_a_panel_whose_steps_are_shuffled_scores_as_the_naive(canaries):
    found = canaries.sung("shuffled", 60, 6, seed=0, **QUICK)
    assert found.ratio(found.naive) == pytest.approx(1.0, abs=0.03)
    assert found.better() != "better"
    # what the run says of itself, from past origins, is as little
    assert found.backtest == pytest.approx(found.backtest_naive, rel=0.03)


def test_noise_scores_as_its_level_and_no_better(canaries):
    found = canaries.sung("noise", 60, 6, seed=0, **QUICK)
    assert 0.98 < found.ratio(found.known) < 1.06
    assert found.ratio(found.naive) < 0.85  # the last value of noise is a poor forecast


def test_the_canary_notices_who_looks_ahead(canaries):
    found = canaries.sung("shuffled", 24, 6, seed=0, weeks=60, told=True, models=["lightgbm-lags"], budget="trials=4")
    assert found.ratio(found.naive) < 0.9 and found.better() == "better"
