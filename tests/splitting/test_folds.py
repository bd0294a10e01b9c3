import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import SplitError
from holdgood.core.task import Task
from holdgood.splitting import folds, number_of_folds

BINARY = Task(kind="binary", classes=(0, 1))
MANY = Task(kind="multiclass", classes=tuple("abcdef"))
NUMBER = Task(kind="regression", metric="rmse")


@given(
    st.integers(30, 300),
    st.integers(0, 4),
    st.sampled_from(["random", "stratified", "group", "time"]),
    st.integers(2, 6),
)
@settings(max_examples=50, deadline=None)
def test_rows_are_apart_and_promises_kept(n, seed, kind, k):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2.0
    time, groups = rng.integers(0, 25, n), rng.integers(0, 9, n)
    found = folds(
        BINARY, y, kind=kind, time=time, groups=groups if kind == "group" else None, seed=seed, n_folds=k, gap=1e-6
    )
    validated = np.concatenate([v for _, v in found])
    assert len(np.unique(validated)) == len(validated)
    for train, valid in found:
        assert len(train)
        assert len(valid)
        assert not np.isin(train, valid).any()
        if kind == "group":
            assert not np.isin(groups[train], groups[valid]).any()
        if kind == "time":
            assert time[train].max() < time[valid].min() - 1
        if kind == "stratified":
            assert abs(y[valid].mean() - 0.5) <= 1 / len(valid)
    if kind != "time":
        assert len(validated) == n
        assert len(found) == k


@given(st.integers(40, 200), st.integers(0, 4), st.sampled_from(["group", "time"]))
@settings(max_examples=30, deadline=None)
def test_shuffled_rows_get_the_same_folds(n, seed, kind):
    rng = np.random.default_rng(seed)
    y, time, groups = np.arange(n) % 2.0, rng.integers(0, 25, n), rng.integers(0, 9, n)
    order = rng.permutation(n)
    by = groups if kind == "group" else None
    once = folds(BINARY, y, kind=kind, time=time, groups=by, seed=seed)
    again = folds(BINARY, y[order], kind=kind, time=time[order], groups=None if by is None else by[order], seed=seed)
    assert len(once) == len(again)
    for (train, valid), (train_, valid_) in zip(once, again, strict=True):
        assert np.array_equal(train, np.sort(order[train_]))
        assert np.array_equal(valid, np.sort(order[valid_]))


def test_time_folds_expand_and_reach_the_end():
    time = np.repeat(np.arange(50), 4)
    found = folds(NUMBER, np.arange(200.0), kind="time", time=time, n_folds=4)
    assert len(found) == 4
    assert [len(t) for t, _ in found] == sorted(len(t) for t, _ in found)
    assert len(found[0][0]) >= 0.3 * 200 - 4
    assert found[-1][1].max() == 199


def test_groups_of_validation_leave_training_in_time_folds():
    time = np.arange(100)
    groups = np.arange(100) % 10
    groups[:30] = np.arange(100, 130)
    for train, valid in folds(NUMBER, np.zeros(100), kind="time", time=time, groups=groups, n_folds=3):
        assert not np.isin(groups[train], groups[valid]).any()


def test_small_classes():
    y = np.r_[np.arange(100) % 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0]
    found = folds(MANY, y, kind="stratified", n_folds=8)
    validated = np.concatenate([v for _, v in found])
    assert 100 not in validated  # the only row of its class is trained on
    for train, _ in found:
        assert set(y[train]) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_group_folds_are_balanced():
    rng = np.random.default_rng(0)
    groups = rng.zipf(1.6, 4000).clip(max=300)
    y = (rng.random(4000) < 0.1).astype(float)
    found = folds(BINARY, y, kind="group", groups=groups, n_folds=4)
    assert max(y[v].sum() for _, v in found[1:]) < 1.5 * min(y[v].sum() for _, v in found[1:])


def test_folds_follow_the_size():
    assert [number_of_folds(n) for n in (1999, 2000, 20_000, 20_001, 100_001)] == [8, 5, 5, 4, 3]
    assert len(folds(BINARY, np.arange(12) % 2.0)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "time"}, "without times"),
        ({"kind": "group"}, "without groups"),
        ({"kind": "group", "groups": np.zeros(40, int)}, "all rows are of one group"),
        ({"kind": "leave-one-out"}, "folds of kind 'leave-one-out'"),
        ({"kind": "time", "time": np.zeros(40, np.int64)}, "no usable fold"),
        ({"kind": "time", "time": np.arange(40), "gap": "1h"}, "no usable fold"),
    ],
)
def test_what_cannot_be_folded_is_told(arguments, said):
    with pytest.raises(SplitError, match=said):
        folds(BINARY, np.arange(40) % 2.0, **arguments)


def test_training_of_one_class_is_no_fold():
    y = np.r_[np.zeros(60), np.arange(40) % 2.0]
    found = folds(BINARY, y, kind="time", time=np.arange(100), n_folds=5)
    assert all(len(set(y[t])) == 2 for t, _ in found)
    assert len(found) < 5


@given(
    st.integers(30, 160),
    st.integers(0, 1_000),
    st.integers(2, 6),
    st.integers(0, 6),
    st.integers(0, 6),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_purge_and_embargo_hold_by_brute_force(n, seed, k, outcome_after, embargo, grouped):
    rng = np.random.default_rng(seed)
    second = 1_000_000
    time = rng.integers(0, 40, n) * second
    groups = rng.integers(0, 12, n) if grouped else None
    try:
        found = folds(
            NUMBER, np.zeros(n), kind="purged", time=time, groups=groups, n_folds=k, outcome_after=outcome_after,
            embargo=embargo,
        )  # fmt: skip
    except SplitError as error:
        assert "no usable fold" in str(error)
        return
    validated = np.concatenate([v for _, v in found])
    assert len(np.unique(validated)) == len(validated)
    for train, valid in found:
        first, last = time[valid].min(), time[valid].max()
        inside = (time >= first) & (time <= last)
        assert np.array_equal(np.flatnonzero(inside), valid), "a moment is never cut in two"
        for row in range(n):
            window = (time[row], time[row] + outcome_after * second)
            overlaps = any(
                window[0] <= time[v] + outcome_after * second and time[v] <= window[1]
                for v in (valid if n < 60 else valid[::7])
            )
            if row in train:
                assert not overlaps
                assert not last < time[row] <= last + (outcome_after + embargo) * second
                assert groups is None or groups[row] not in groups[valid]
        kept = (time + outcome_after * second < first) | (time > last + (outcome_after + embargo) * second)
        if groups is not None:
            kept &= ~np.isin(groups, groups[valid])
        assert np.array_equal(np.flatnonzero(kept), train), "nothing leaves without a reason"


@given(st.integers(40, 200), st.integers(0, 1_000), st.integers(0, 8))
@settings(max_examples=30, deadline=None)
def test_outcomes_that_came_too_late_do_not_train_forward_folds(n, seed, outcome_after):
    time = np.random.default_rng(seed).integers(0, 50, n)
    for train, valid in folds(
        NUMBER, np.zeros(n), kind="time", time=time * 1_000_000, n_folds=3, outcome_after=outcome_after
    ):
        assert time[train].max() + outcome_after < time[valid].min()


@given(st.integers(30, 200), st.integers(0, 1_000), st.integers(2, 6), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_every_class_that_can_be_is_in_every_fold(n, seed, k, classes):
    rng = np.random.default_rng(seed)
    y = np.r_[np.repeat(np.arange(classes, dtype=float), k), rng.integers(0, classes, n), float(classes)]
    task = Task(kind="multiclass", classes=tuple(range(classes + 1)))
    for train, valid in folds(task, y, kind="stratified", seed=seed, n_folds=k):
        assert set(y[valid]) == set(range(classes))
        assert set(y[train]) == set(range(classes + 1))
