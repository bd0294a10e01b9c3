"""Performance now against the season's promise: seasons are no falls, falls are seen, false falls are as rare as stated."""

import numpy as np
import pytest
from scipy.stats import poisson

from holdgood.core.errors import DataError
from holdgood.retraining import Losses, of_season, performance

RATE = 20


def world(rng: np.random.Generator, first: int, last: int, *, fall: float = 0.0, since: float = np.inf) -> Losses:
    """Losses of 20 rows a day; winters are harder."""
    days = np.repeat(np.arange(first, last), RATE) + rng.random((last - first) * RATE)
    hard = 1.0 + 0.5 * np.cos(2 * np.pi * days / 365.25)
    return Losses(days, hard * rng.gamma(2.0, 0.5, len(days)) + np.where(days >= since, fall, 0.0))


def test_a_hard_season_is_no_fall_and_without_the_season_it_would_be_one():
    rng = np.random.default_rng(0)
    promised, now = world(rng, -730, 0), world(rng, 330, 365)
    seasonal = performance(promised, now, 365.0, false_a_year=0.5)
    plain = performance(promised, now, 365.0, false_a_year=0.5, seasonal=False)
    assert seasonal.verdict == "not proven"
    assert (seasonal.second, plain.second) == ("promised for the season", "promised")
    before = world(rng, 300, 330)  # weeks just before know no season, near as they are
    assert performance(before, now, 365.0, false_a_year=0.5).second == "promised"
    assert plain.verdict == "worse"


@pytest.mark.parametrize(("fall", "days"), [(0.6, 7), (0.25, 28)])
def test_a_fall_is_seen_soon(fall, days):
    rng = np.random.default_rng(1)
    found = performance(
        world(rng, -730, 0), world(rng, 0, 100 + days, fall=fall, since=100), 100.0 + days, false_a_year=0.5
    )
    assert found.verdict == "worse"
    assert -found.difference == pytest.approx(fall, rel=0.5)
    assert found.first == "now" and found.n <= RATE * 56


def test_false_falls_a_year_are_as_rare_as_stated():
    rng = np.random.default_rng(2)
    years, false = 6, 0
    for _ in range(years):
        promised, now = world(rng, -730, 0), world(rng, 0, 365)
        for week in range(2, 53):
            seen = Losses(now.days[now.days < 7 * week], now.loss[now.days < 7 * week])
            false += performance(promised, seen, 7.0 * week, false_a_year=0.5).verdict == "worse"
    assert false <= poisson.ppf(0.999, 0.5 * years)


def test_no_outcomes_and_too_few_days_say_nothing():
    rng = np.random.default_rng(3)
    promised = world(rng, -730, 0)
    assert performance(promised, Losses(np.zeros(0), np.zeros(0)), 0.0, false_a_year=0.5) is None
    assert performance(promised, Losses(np.arange(9.0), np.full(9, np.nan)), 9.0, false_a_year=0.5) is None
    assert performance(promised, world(rng, 0, 3), 3.0, false_a_year=0.5) is None
    with pytest.raises(DataError, match="one moment a loss"):
        Losses(np.zeros(2), np.zeros(3))


def test_a_season_that_no_year_has_falls_back_on_all_rows():
    rng = np.random.default_rng(4)
    summer = world(rng, -230, -130)
    assert of_season(summer, -200, -190) is not summer
    assert of_season(summer, 340, 365) is summer
