"""A backtest as a record: its numbers by another road, and the cover that PIT values promise."""

import numpy as np
import pytest

from holdgood.evaluation.forecasts import PastForecasts, evaluate_forecasts, randomised_pit

KINDS = ("smooth", "erratic", "intermittent", "lumpy")


def past(series=60, origins=2, horizon=4, seed=0, **changes):
    random = np.random.default_rng(seed)
    shape = (origins, series, horizon)
    y = random.poisson(20.0, shape).astype(float)
    points, naive = np.full(shape, 20.0), random.poisson(20.0, shape).astype(float)
    ids = np.array([f"s{i}" for i in range(series)])
    made = PastForecasts(ids, y, points, naive, np.full((origins, series), 4.0), np.arange(series) % 2, KINDS)
    return PastForecasts(**{**made.__dict__, **changes})


def test_losses_by_hand():
    made = past()
    made.y[1, 3, 2] = np.nan
    found = evaluate_forecasts(made, metric="mase")
    by_series = np.nanmean(np.abs(made.y - made.points) / 4.0, axis=(0, 2))
    assert found.overall.loss == pytest.approx(by_series.mean())
    assert found.overall.wape == pytest.approx(np.nansum(np.abs(made.y - made.points)) / np.nansum(made.y))
    assert found.segments[1].loss == pytest.approx(by_series[1::2].mean())
    assert [s.name for s in found.steps] == ["1", "2", "3", "4"]
    assert found.steps[2].loss == pytest.approx(np.nanmean(np.abs(made.y - made.points)[:, :, 2] / 4.0))
    assert found.overall.value_added.verdict == "better"
    assert found.worst[0].loss == pytest.approx(by_series.max())


def test_a_forecast_that_is_the_naive_adds_nothing():
    made = past()
    same = evaluate_forecasts(past(points=made.naive, naive=made.naive), metric="smape")
    assert same.overall.value_added.difference == 0
    assert same.overall.value_added.verdict == "not proven"
    assert same.better_than_naive == 0


def test_series_that_nobody_judged_are_in_no_number():
    made = past()
    for values in (made.y, made.points, made.naive):
        values[:, :10] = np.nan
    found = evaluate_forecasts(made, metric="mase")
    assert found.overall.series == 50
    assert all(int(s.series[1:]) >= 10 for s in found.worst)


@pytest.mark.parametrize("rate", [0.3, 3.0, 300.0])
def test_randomised_pit_of_a_right_forecast_is_uniform_for_counts_too(rate):
    random = np.random.default_rng(1)
    n = 4_000
    y, samples = random.poisson(rate, n).astype(float), random.poisson(rate, (n, 100)).astype(float)
    pit = randomised_pit(y, samples, random.random(n))
    for level in (0.5, 0.8, 0.9):
        # 4 standard errors of a share of 4,000
        assert abs(np.mean(np.abs(pit - 0.5) <= level / 2) - level) < 4 * np.sqrt(level * (1 - level) / n)
    assert np.isnan(randomised_pit(np.array([np.nan]), samples[:1], np.zeros(1))).all()


def test_the_service_level_is_one_sided():
    random = np.random.default_rng(2)
    pit = random.random((2, 60, 4))
    found = evaluate_forecasts(past(pit=pit), metric="mase", service_level=0.9)
    assert found.service_reached == pytest.approx(np.mean(pit <= 0.9))
    assert set(found.overall.cover) == {"0.5", "0.8", "0.9", "0.95"}
