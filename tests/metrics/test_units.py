import numpy as np

from holdgood.metrics.units import DAY, resampling_units


def test_declared_clusters_win():
    codes, how = resampling_units(np.array(["b", "a", "b"]), np.arange(3))
    assert codes.tolist() == [1, 0, 1]
    assert "2 declared clusters" in how


def test_days_are_joined_to_blocks():
    time = np.arange(64) * DAY
    codes, how = resampling_units(None, time)
    assert codes.max() == 15
    assert np.all(np.diff(codes) >= 0)
    assert how == "blocks of 4 days"


def test_short_holdouts_get_blocks_of_equal_rows_and_ties_stay_together():
    time = np.repeat(np.arange(100), 3) * 60_000_000
    codes, _ = resampling_units(None, time)
    assert 10 <= codes.max() + 1 <= 12
    assert all(len(set(codes[time == t])) == 1 for t in np.unique(time))


def test_nothing_to_go_by_means_independent_rows():
    assert resampling_units(None, None)[0] is None
    assert resampling_units(None, np.zeros(5, np.int64))[0] is None
