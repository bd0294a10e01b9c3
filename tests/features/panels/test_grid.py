import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, DeclarationError
from holdgood.features.panels.frequency import infer, seasons_of
from holdgood.features.panels.grid import declared

ALIASES = [
    "D",
    "B",
    "W-MON",
    "W-SUN",
    "2W-TUE",
    "MS",
    "ME",
    "QS-JAN",
    "QE-DEC",
    "YS-JAN",
    "YE-DEC",
    "h",
    "15min",
    "30s",
    "2D",
]


def us(dates):
    return np.asarray(dates, "M8[us]").astype(np.int64)


@pytest.mark.parametrize("alias", ALIASES)
def test_the_step_is_found_and_goes_on_as_pandas_goes_on(alias):
    dates = pd.date_range("2023-01-01", periods=60, freq=alias)
    moments = us(dates[:50])
    grid = infer(moments, np.zeros(50, int))
    assert np.array_equal(np.diff(grid.number(moments)), np.ones(49))
    ahead = grid.stamps(grid.number(moments)[-1] + 1 + np.arange(10))
    assert np.array_equal(ahead, dates[50:].to_numpy().astype("M8[us]"))
    assert pd.tseries.frequencies.to_offset(grid.frequency) == dates.freq


@pytest.mark.parametrize("alias", ALIASES)
def test_a_declared_step_is_the_same_grid(alias):
    dates = pd.date_range("2023-03-01", periods=40, freq=alias)
    grid = declared(alias, us(dates))
    assert np.array_equal(grid.stamps(grid.number(us(dates))), dates.to_numpy().astype("M8[us]"))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ALIASES), st.integers(-3000, 3000))
def test_a_number_is_a_moment_and_back(alias, number):
    grid = declared(alias, us(pd.date_range("2020-01-01", periods=30, freq=alias)))
    assert int(grid.number(grid.moment(np.array([number])))[0]) == number


def test_rows_that_are_missing_do_not_hide_the_step():
    keep = np.sort(np.random.default_rng(0).choice(200, 120, replace=False))
    for alias in ("D", "W-MON", "MS", "h"):
        dates = pd.date_range("2020-01-01", periods=200, freq=alias)[keep]
        assert pd.tseries.frequencies.to_offset(
            infer(us(dates), np.zeros(120, int)).frequency
        ) == pd.tseries.frequencies.to_offset(alias)


def test_days_that_a_clock_change_made_longer_or_shorter_stay_days():
    local = pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Paris").tz_convert("UTC").tz_localize(None)
    grid = infer(us(local), np.zeros(60, int))
    assert grid.frequency == "D"
    assert np.array_equal(np.diff(grid.number(us(local))), np.ones(59))


def test_readings_a_little_early_or_late_fall_on_their_step():
    random = np.random.default_rng(1)
    moments = us(pd.date_range("2024-01-01", periods=100, freq="15min")) + random.integers(-20, 20, 100) * 10**6
    assert infer(moments, np.zeros(100, int)).frequency == "15min"


def test_no_step_is_told_with_what_there_is():
    moments = np.sort(np.random.default_rng(2).integers(0, 10**13, 300))
    with pytest.raises(DataError, match="cannot be found") as caught:
        infer(moments, np.zeros(300, int))
    assert "frequency" in str(caught.value)
    with pytest.raises(DataError, match="one and the same time"):
        infer(us(["2024-01-01"]), np.zeros(1, int))


@pytest.mark.parametrize("alias", ["fortnight", "", "W-ABC", "0D", "M-XYZ"])
def test_an_alias_that_is_none_is_refused(alias):
    with pytest.raises(DeclarationError, match="frequency"):
        declared(alias, us(["2024-01-01"]))


@pytest.mark.parametrize(
    ("alias", "seasons"),
    [
        ("MS", (12,)),
        ("QS", (4,)),
        ("YS", (1,)),
        ("W-MON", (52,)),
        ("D", (7,)),
        ("B", (5,)),
        ("h", (24, 168)),
        ("30min", (48, 336)),
    ],
)
def test_seasons_by_step(alias, seasons):
    assert seasons_of(declared(alias, us(pd.date_range("2024-01-01", periods=5, freq=alias)))) == seasons
