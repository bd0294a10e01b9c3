"""Errors of forecasts against definitions written another way, and against the published M3 methods."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.metrics import series

DATA = Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_naive_scale_is_the_mean_of_seasonal_steps():
    y = np.array([1.0, 5.0, 2.0, 9.0, np.nan, 4.0])
    by_hand = np.mean([abs(2 - 1), abs(9 - 5), abs(4 - 9)])
    assert series.naive_scale(y, 2) == pytest.approx(by_hand)
    assert np.isnan(series.naive_scale(np.ones(9)))


def test_scales_fall_back_to_a_season_of_one():
    short, long = np.array([1.0, 2.0, 4.0]), np.arange(30.0)
    assert series.scales([short, long], 12).tolist() == [1.5, 12.0]


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=3, max_size=30), st.floats(-60, 60))
def test_crps_is_the_energy_form(samples, outcome):
    x = np.array(samples)
    n = len(x)
    pairs = np.abs(x[:, None] - x[None, :]).sum() / (n * (n - 1))
    expected = np.abs(x - outcome).mean() - 0.5 * pairs
    assert series.crps(np.array([outcome]), x[None])[0] == pytest.approx(expected, abs=1e-9)


def test_pinball_is_smallest_at_the_quantile():
    rng = np.random.default_rng(0)
    y = rng.normal(size=20_000)
    levels = np.array([0.9])
    losses = [series.pinball(y, np.full((len(y), 1), q), levels).mean() for q in (1.0, 1.2816, 1.6)]
    assert losses[1] == min(losses)


def test_smape_is_zero_where_both_are_and_two_hundred_where_one_is():
    found = series.smape_points(np.array([[0.0, 0.0, np.nan]]), np.array([[0.0, 3.0, 1.0]]))
    assert found[0, :2].tolist() == [0.0, 200.0] and np.isnan(found[0, 2])


def test_quantile_loss_of_many_levels_is_the_crps():
    rng = np.random.default_rng(3)
    y, samples = rng.normal(size=(5, 3)), rng.normal(size=(5, 3, 400))
    levels = (np.arange(400) + 0.5) / 400
    found = series.quantile_loss(y, samples, levels)
    # the plain CRPS, of the samples' own distribution, from its integral over thresholds
    grid = np.linspace(-6, 6, 24_001)
    by_integral = [
        np.trapezoid(((np.searchsorted(np.sort(x), grid, side="right") / 400) - (grid >= v)) ** 2, grid)
        for v, x in zip(y.ravel(), samples.reshape(-1, 400), strict=True)
    ]
    assert found.ravel() == pytest.approx(by_integral, abs=6e-3)
    assert series.crps(y, samples).ravel() == pytest.approx(by_integral, abs=6e-3)  # the fair form


def test_wape_and_bias_weigh_by_volume():
    y, f = np.array([[10.0, 0.0], [90.0, np.nan]]), np.array([[12.0, 1.0], [81.0, 5.0]])
    assert series.wape(y, f) == pytest.approx(12 / 100)
    assert series.bias(y, f) == pytest.approx(-6 / 100)


def test_naive2_repeats_a_flat_series_and_follows_a_season():
    assert series.naive2(np.arange(5.0), 1, 2).tolist() == [4.0, 4.0]
    y = np.tile([1.0, 2.0, 3.0, 2.0], 8) * 10
    assert series.naive2(y, 4, 4) == pytest.approx([10, 20, 30, 20])


@pytest.mark.parametrize("gone", [[9], [5, 6, 7], [0, 1, 2], [31], [30, 31], [3, 17, 22]])
def test_naive2_keeps_its_place_in_the_season_where_values_are_missing(gone):
    whole = np.tile([1.0, 2.0, 3.0, 2.0], 8) * 10
    y = whole.copy()
    y[gone] = np.nan
    assert series.naive2(y, 4, 6) == pytest.approx([10, 20, 30, 20, 10, 20], rel=0.05)


def test_naive2_is_the_decomposition_of_statsmodels_where_all_is_there():
    seasonal = pytest.importorskip("statsmodels.tsa.seasonal")
    rng = np.random.default_rng(4)
    y = (50 + np.arange(45)) * np.resize([0.8, 1.0, 1.3, 0.9], 45) * rng.uniform(0.95, 1.05, 45)
    figure = seasonal.seasonal_decompose(y, model="multiplicative", period=4).seasonal
    expected = y[-1] / figure[-1] * figure[np.arange(45, 50) % 4]
    assert series.naive2(y, 4, 5) == pytest.approx(expected)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason=f"no shared data at {DATA}: set HOLDGOOD_DATA")
def test_naive2_scores_as_published_on_m3():
    """Yearly M3, Naive2: sMAPE 17.88 in Makridakis & Hibon (2000)."""
    m3 = pd.read_parquet(DATA / "forecast" / "m3.parquet")
    yearly = m3[m3["period"].str.lower().str.startswith("y")].sort_values(["unique_id", "ds"])
    found = []
    for _, one in yearly.groupby("unique_id"):
        y, test = one.loc[one["split"] == "train", "y"], one.loc[one["split"] == "test", "y"]
        forecast = series.naive2(y.to_numpy(float), 1, len(test))
        found.append(series.smape(test.to_numpy(float)[None], forecast[None])[0])
    assert np.mean(found) == pytest.approx(17.88, abs=0.01)
