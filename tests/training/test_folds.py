from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import SplitError
from holdgood.core.task import Task
from holdgood.training.folds import FEWEST_ROWS, alike, checked, latest_first, set_apart, stop_rows

BINARY = Task(kind="binary", classes=(0, 1))
NUMBER = Task(kind="regression", metric="rmse")


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        ([], "no folds"),
        ([([0, 1], [])], "0 validation rows"),
        ([([0, 1], [1])], "rows that it trains on"),
        ([([0, 1], [9])], "rows up to 9"),
        ([([0, 1], [-1])], "names rows"),
        ([([0], [1, 2]), ([3], [1])], "folds 2 to 2 validate other rows"),
        ([([0], [1]), ([0], [2]), ([2], [1])], "3 folds in repeats of 2"),
    ],
)
def test_folds_that_cannot_be_used_are_refused(folds, said):
    with pytest.raises(SplitError, match=said):
        checked([(np.array(a, np.int64), np.array(b, np.int64)) for a, b in folds], 5)


def test_folds_in_time_begin_with_the_one_that_learns_from_the_latest_rows():
    time = np.array([50, 10, 40, 20, 30])
    chain = [(np.array([1]), np.array([3])), (np.array([1, 3]), np.array([4])), (np.array([1, 3, 4]), np.array([0, 2]))]
    assert [len(train) for train, _ in latest_first(chain, time)] == [3, 2, 1]
    assert [len(train) for train, _ in latest_first(chain, None)] == [1, 2, 3]
    assert not alike(chain)
    blocks = [
        (np.array([0, 2, 3, 4]), np.array([1])),
        (np.array([0, 1, 2, 4]), np.array([3])),
        (np.array([1, 2, 3, 4]), np.array([0])),
    ]
    assert [int(valid[0]) for _, valid in latest_first(blocks, time)] == [1, 3, 0]
    assert alike(blocks)


def test_good_folds_come_back_as_integers():
    ((train, valid),) = checked([([0, 1, 2], [4])], 5)
    assert train.dtype == valid.dtype == np.int64


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(FEWEST_ROWS, 400),
    seed=st.integers(0, 5),
    kind=st.sampled_from(["plain", "time", "groups", "numbers"]),
)
def test_stop_rows_are_a_small_sorted_part_of_the_training_rows(n, seed, kind):
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(2 * n)[:n])
    y = rng.integers(0, 2, 2 * n).astype(float)
    time = rng.integers(0, 50, 2 * n) if kind == "time" else None
    groups = rng.integers(0, 30, 2 * n) if kind == "groups" else None
    task = NUMBER if kind == "numbers" else BINARY
    stop = stop_rows(rows, y, task, time=time, groups=groups, seed=seed)
    assert (np.diff(stop) > 0).all()
    assert stop[0] >= 0
    assert stop[-1] < n
    assert 0.05 * n < len(stop) < 0.4 * n
    again = stop_rows(rows, y, task, time=time, groups=groups, seed=seed)
    assert (stop == again).all()
    rest = np.setdiff1d(np.arange(n), stop)
    if time is not None:
        assert time[rows[rest]].max() < time[rows[stop]].min()
    if groups is not None:
        assert not set(groups[rows[rest]]) & set(groups[rows[stop]])
    if kind == "plain":
        assert abs(y[rows[stop]].mean() - y[rows].mean()) < 0.1


def test_few_rows_and_one_big_group_keep_nothing_for_stopping():
    rows = np.arange(FEWEST_ROWS - 1)
    assert stop_rows(rows, np.zeros(FEWEST_ROWS), BINARY, time=None, groups=None, seed=0) is None
    rows = np.arange(100)
    assert stop_rows(rows, np.zeros(100), BINARY, time=None, groups=np.zeros(100), seed=0) is None


def test_one_moment_that_holds_most_rows_is_cut_only_then():
    time = np.r_[np.arange(40), np.full(60, 99)]
    stop = stop_rows(np.arange(100), np.zeros(100), NUMBER, time=time, groups=None, seed=0)
    assert stop.tolist() == list(range(88, 100))
    mostly_early = np.r_[np.zeros(95), np.full(5, 7)]
    assert stop_rows(np.arange(100), np.zeros(100), NUMBER, time=mostly_early, groups=None, seed=0).tolist() == list(
        range(95, 100)
    )


def test_what_groups_are_called_decides_nothing():
    groups = np.random.default_rng(0).integers(0, 20, 200)
    renamed = np.random.default_rng(1).permutation(20)[groups]
    one, two = (
        stop_rows(np.arange(200), np.zeros(200), NUMBER, time=None, groups=g, seed=3) for g in (groups, renamed)
    )
    assert (one == two).all()


def test_what_lies_between_learned_and_stop_rows_is_not_used():
    rows, time = np.arange(100, 200), np.arange(300) // 2
    stop = stop_rows(rows, np.zeros(300), NUMBER, time=time, groups=None, seed=0)
    kept, at = set_apart(rows, stop, time, 5)
    assert (kept[at] == rows[stop]).all()
    learned = np.delete(kept, at)
    assert time[kept[at]].min() - time[learned].max() == 6  # further apart than 5, as the folds are
    assert learned[0] == 100 and (np.diff(learned) == 1).all()


def test_where_nothing_is_declared_or_too_little_is_left_rows_stay_as_they_are():
    rows, time = np.arange(100), np.arange(100)
    stop = np.arange(88, 100)
    for given_stop, given_time, apart in ((stop, time, 0), (stop, None, 5), (None, time, 5)):
        kept, at = set_apart(rows, given_stop, given_time, apart)
        assert kept is rows and at is given_stop
    assert len(set_apart(rows, stop, time, 37)[1]) == 12  # half of the rows are left
    kept, at = set_apart(rows, stop, time, 60)
    assert kept is rows and at is None
