"""Seasons come from the data, not from what was declared."""

import numpy as np
import pytest

from holdgood.models.forecasting.seasons import Seasons, seasons_of, year_of


def weekly(n, length, strength, seed=0):
    rng = np.random.default_rng(seed)
    week = np.arange(length)
    return [
        np.exp(strength * np.cos(2 * np.pi * (week + i % 3) / 52) + 0.2 * rng.normal(size=length)) for i in range(n)
    ]


def test_a_year_of_weeks_is_found_where_none_is_declared(made):
    panel = made.panel_of(weekly(30, 160, 0.6), frequency="W", seasons=(1,), unit="W", start="2015-01-01")
    found = seasons_of(panel)
    assert found.short == 1
    assert abs(found.long - 52) <= 1


def test_noise_has_no_season_but_the_year_of_its_calendar(made):
    rng = np.random.default_rng(1)
    noise = [rng.normal(size=160) for _ in range(30)]
    assert seasons_of(made.panel_of(noise, frequency="W", seasons=(1,), unit="W")) == Seasons(1, 52)
    assert seasons_of(made.panel_of(noise, frequency="YS", seasons=(1,), unit="Y")) == Seasons(1, 0)


def test_a_declared_season_that_shows_is_kept_and_one_that_does_not_is_dropped(made):
    rng = np.random.default_rng(2)
    month = np.arange(96)
    seasonal = [10 + np.sin(2 * np.pi * month / 12) + 0.5 * rng.normal(size=96) for _ in range(20)]
    assert seasons_of(made.panel_of(seasonal)).short == 12
    assert seasons_of(made.panel_of([rng.normal(size=96) for _ in range(20)])).short == 1


def test_two_seasons_of_hours(made):
    rng = np.random.default_rng(3)
    hour = np.arange(24 * 7 * 12)
    weekend = (hour // 24) % 7 >= 5
    y = (2 + np.sin(2 * np.pi * hour / 24)) * np.where(weekend, 0.6, 1.0) + 0.1 * rng.normal(size=len(hour))
    assert seasons_of(made.panel_of([y], frequency="h", seasons=(24,), unit="h")) == Seasons(24, 168)


@pytest.mark.parametrize(
    "series", [[], [np.array([1.0])], [np.zeros(60)], [np.full(60, 7.0)], [np.full(60, np.nan)]], ids=str
)
def test_nothing_to_find(made, series):
    if not series:
        series = [np.empty(0)]
    assert seasons_of(made.panel_of(series, seasons=(12,))).long in (0, 12)


@pytest.mark.parametrize(
    ("alias", "steps"), [("W-FRI", 52), ("MS", 12), ("ME", 12), ("QS-JAN", 4), ("D", 364), ("YS", 0)]
)
def test_steps_of_a_year(alias, steps):
    assert year_of(alias) == steps
