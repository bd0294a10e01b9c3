import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.decisions.online_demand import DemandBelief

PATHS = 400


def learned(series, first=5):
    """A belief that has seen all of the series; (n, T)."""
    belief = DemandBelief(series[:, :first])
    for column in series[:, first:].T:
        belief.update(column)
    return belief


def test_a_step_is_followed_within_a_few_figures():
    rng = np.random.default_rng(0)
    series = np.concatenate([rng.normal(100, 15, (6, 25)), rng.normal(200, 15, (6, 4))], 1).round()
    mean = learned(series).paths(1, PATHS, rng)[:, :, 0].mean(1)
    assert np.all(np.abs(mean - 200) < 35)


def test_noise_is_not_followed():
    rng = np.random.default_rng(1)
    series = rng.normal(100, 15, (20, 45)).round()
    mean = learned(series).paths(1, PATHS, rng)[:, :, 0].mean(1)
    assert np.sqrt(((mean - 100) ** 2).mean()) < 7


def test_a_season_of_unknown_length_and_a_trend_are_foreseen():
    rng = np.random.default_rng(2)
    t = np.arange(46)
    season = 100 + 50 * np.sin(2 * np.pi * t / 10)
    trend = 100 + 4.0 * t
    series = np.stack([season, trend]) + rng.normal(0, 5, (2, 46))
    ahead = learned(np.maximum(series[:, :40], 0)).paths(6, PATHS, rng).mean(1)
    assert np.abs(ahead[0] - season[40:]).max() < 25
    assert np.abs(ahead[1] - trend[40:]).max() < 30


def test_the_shares_of_paths_below_what_comes_are_even():
    rng = np.random.default_rng(3)
    series = rng.normal(100, 20, (300, 30)).round()
    belief = learned(series[:, :-1])
    below = (belief.paths(1, PATHS, rng)[:, :, 0] < series[:, -1:]).mean(1)
    for level in (0.1, 0.5, 0.9):
        assert abs((below < level).mean() - level) < 0.08


def test_wandering_on_the_log_scale_does_not_make_demand_grow_on_average():
    rng = np.random.default_rng(8)
    steps = 0.25 * rng.standard_normal((40, 40))
    series = np.round(200 * np.exp(np.cumsum(steps - 0.25**2 / 2, 1)))
    paths = learned(series).paths(8, PATHS, rng)
    now, later = paths[:, :, 0].mean(1), paths[:, :, 7].mean(1)
    assert later.sum() < 1.12 * now.sum()


def test_items_do_not_know_of_each_other():
    rng = np.random.default_rng(4)
    series = rng.poisson(30, (3, 20)).astype(float)
    together, alone = DemandBelief(series[:, :5]), DemandBelief(series[1:2, :5])
    for column in series[:, 5:].T:
        np.testing.assert_allclose(together.update(column)[1], alone.update(column[1:2])[0], rtol=1e-9)


def test_units_do_not_matter_to_what_is_foreseen_of_large_demand():
    rng = np.random.default_rng(5)
    series = rng.normal(5000, 900, (4, 25)).round()
    small, large = learned(series), learned(100 * series)
    a = small.paths(3, PATHS, np.random.default_rng(0)).mean((1, 2))
    b = large.paths(3, PATHS, np.random.default_rng(0)).mean((1, 2))
    np.testing.assert_allclose(b, 100 * a, rtol=0.02)


def test_demand_that_stock_hid_is_at_least_what_was_sold():
    rng = np.random.default_rng(6)
    belief = learned(rng.normal(100, 15, (3, 25)).round())
    least = np.array([20.0, 110.0, 5000.0])
    mean = belief.expected_above(least, PATHS, rng)
    assert np.all(mean >= least)
    assert mean[0] == pytest.approx(100, abs=12)
    assert mean[2] == 5000.0


def test_nothing_below_zero_is_drawn_and_nothing_endless():
    belief = learned(np.array([[0.0, 0, 1, 0, 2, 9, 40, 160, 600]]))
    paths = belief.paths(20, PATHS, np.random.default_rng(7))
    assert np.isfinite(paths).all()
    assert paths.min() >= 0
    assert paths.max() <= 4 * 600 + 10


@pytest.mark.parametrize("history", [np.zeros((2, 0)), np.array([[1.0, np.nan]]), np.array([[1.0, -2.0]]), np.ones(3)])
def test_a_history_that_cannot_be_learned_from_is_refused(history):
    with pytest.raises(DataError, match="history of shape"):
        DemandBelief(history)
