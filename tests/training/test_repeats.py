from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import SplitError
from holdgood.core.task import Task
from holdgood.metrics import metric, paired
from holdgood.splitting import repeated_folds
from holdgood.training.repeats import averaged, complete_repeats, repeats_of, side_by_side
from holdgood.training.score import Judge

TASK = Task(kind="regression", metric="rmse")


def divisions(n, k, repeats, seed=0):
    folds = []
    for r in range(repeats):
        order = np.random.default_rng([seed, r]).permutation(n)
        folds += [(np.sort(np.setdiff1d(order, order[i::k])), np.sort(order[i::k])) for i in range(k)]
    return folds


def test_repeats_are_counted_and_uneven_ones_refused():
    folds = divisions(20, 4, 3)
    assert repeats_of(folds) == 3
    assert repeats_of(folds[:4]) == 1
    with pytest.raises(SplitError, match="7 folds in repeats of 4"):
        repeats_of(folds[:7])
    train, valid = folds[7]
    with pytest.raises(SplitError, match="folds 5 to 8 validate other rows"):
        repeats_of([*folds[:7], (train, valid[:-1])])


@settings(max_examples=30, deadline=None)
@given(n=st.integers(30, 80), k=st.integers(2, 5), repeats=st.integers(1, 4), seed=st.integers(0, 99))
def test_gains_over_repeats_are_those_of_losses_averaged_a_row_first(n, k, repeats, seed):
    rng = np.random.default_rng(seed)
    folds, y, rows = divisions(n, k, repeats, seed), rng.normal(size=n), np.arange(n)
    one, two = ({f: rng.normal(size=len(v)) for f, (_, v) in enumerate(folds)} for _ in range(2))
    stacked = [side_by_side(p, folds, k, k, rows, repeats) for p in (one, two)]
    judge = Judge(TASK, metric("rmse", TASK), np.tile(y, repeats), np.zeros(n * repeats, int), np.tile(rows, repeats))
    gain = judge.gain("one", stacked[0], "two", stacked[1], 0.95)
    losses = [np.square(s - np.tile(y, repeats)).reshape(repeats, n).mean(axis=0) for s in stacked]
    by_row = paired(losses[0], losses[1], first="one", second="two", clusters=rows)
    assert gain.difference == pytest.approx(by_row.difference)
    assert (gain.low, gain.high) == (pytest.approx(by_row.low), pytest.approx(by_row.high))


def test_a_trial_with_fewer_repeats_shows_its_own_in_turn():
    folds, rows = divisions(12, 3, 4), np.array([3, 0, 7])
    full = {f: np.full(len(v), 100.0 * (f // 3)) + v for f, (_, v) in enumerate(folds)}
    two = {f: p for f, p in full.items() if f < 6}
    assert side_by_side(full, folds, 3, 3, rows, 4).tolist() == [100.0 * r + i for r in range(4) for i in rows]
    assert side_by_side(two, folds, 3, 3, rows, 4).tolist() == [100.0 * (r % 2) + i for r in range(4) for i in rows]
    assert averaged(side_by_side(two, folds, 3, 3, rows, 2), 2).tolist() == [50.0 + i for i in rows]


def test_classes_keep_their_columns():
    folds, rows = divisions(9, 3, 2), np.arange(9)
    given = {f: np.column_stack([v, v + f]).astype(float) for f, (_, v) in enumerate(folds)}
    stacked = side_by_side(given, folds, 3, 3, rows, 2)
    assert stacked.shape == (18, 2)
    assert averaged(stacked, 2)[:, 0].tolist() == rows.tolist()


def test_only_whole_repeats_count():
    assert complete_repeats(dict.fromkeys(range(7)), 3) == 2
    assert complete_repeats(dict.fromkeys([0, 1, 3, 4, 5]), 3) == 0


@pytest.mark.parametrize("kind", ["stratified", "random"])
def test_repeated_folds_of_the_splitter_are_such_repeats(kind):
    task, y = Task(kind="binary", classes=(0, 1)), np.r_[np.zeros(70), np.ones(29), 1.0]
    folds = repeated_folds(task, y, kind=kind, repeats=3)
    assert repeats_of(folds) == 3
    k = len(folds) // 3
    assert any((folds[0][1].tolist() != folds[k + i][1].tolist()) for i in range(k))


def test_folds_in_time_are_not_repeated_and_groups_stay_together():
    task, y = TASK, np.random.default_rng(0).normal(size=300)
    assert repeats_of(repeated_folds(task, y, kind="time", time=np.arange(300), repeats=3)) == 1
    groups = np.random.default_rng(1).integers(0, 40, 300)
    folds = repeated_folds(task, y, kind="group", groups=groups, repeats=3)
    assert repeats_of(folds) >= 1
    for train, valid in folds:
        assert not set(groups[train]) & set(groups[valid])
