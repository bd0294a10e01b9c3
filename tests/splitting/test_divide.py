import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import SplitSpec
from holdgood.core.errors import SplitError
from holdgood.core.task import Task
from holdgood.splitting import DEVELOPMENT, HOLDOUT, NO_OUTCOME, UNUSED, divide
from holdgood.splitting.divide import UNKNOWN_TIME, iso, moment

BINARY = Task(kind="binary", classes=(False, True))
THREE = Task(kind="multiclass", classes=("a", "b", "c"))
NUMBER = Task(kind="regression", metric="rmse")
DAY = 86_400_000_000


def made(n, seed=0, days=40, groups=12):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(float)
    y[rng.random(n) < 0.05] = np.nan
    return y, rng.integers(0, days, n) * DAY, rng.integers(0, groups, n)


@given(st.integers(60, 400), st.integers(0, 5), st.sampled_from(["random", "stratified", "group", "time"]))
@settings(max_examples=50, deadline=None)
def test_parts_are_a_partition_that_keeps_its_promises(n, seed, kind):
    y, time, groups = made(n, seed)
    given_ = groups if kind == "group" else None
    found = divide(SplitSpec(kind=kind), BINARY, y, time=time, groups=given_, seed=seed)
    part, split = found.part, found.split
    assert (split.development, split.holdout, split.unused, split.no_outcome) == tuple(np.bincount(part, minlength=4))
    assert np.array_equal(part == NO_OUTCOME, np.isnan(y))
    development, holdout = found.rows(DEVELOPMENT), found.rows(HOLDOUT)
    share = len(holdout) / (len(holdout) + len(development))
    assert 0.1 < share < 0.42
    if kind == "group":
        assert not np.isin(groups[development], groups[holdout]).any()
    if kind == "time":
        assert time[development].max() < time[holdout].min()
    if kind == "stratified":
        assert abs(y[development].mean() - y[holdout].mean()) < 0.06


@given(st.integers(60, 300), st.integers(0, 5), st.sampled_from(["group", "time"]))
@settings(max_examples=30, deadline=None)
def test_shuffled_rows_get_the_same_parts(n, seed, kind):
    y, time, groups = made(n, seed)
    order = np.random.default_rng(seed + 1).permutation(n)
    by = groups if kind == "group" else None
    once = divide(SplitSpec(kind=kind), BINARY, y, time=time, groups=by, seed=seed)
    again = divide(
        SplitSpec(kind=kind), BINARY, y[order], time=time[order], groups=None if by is None else by[order], seed=seed
    )
    assert np.array_equal(once.part[order], again.part)
    assert once.split == again.split


def test_same_seed_same_division_other_seed_another():
    y, _, _ = made(200)
    one, two, three = (divide(SplitSpec(), BINARY, y, seed=s).part for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_auto_takes_time_then_group_then_classes():
    y, time, groups = made(200)
    spec = SplitSpec()
    assert divide(spec, BINARY, y, time=time).split.how == "time"
    assert divide(spec, BINARY, y, time=time, groups=time // DAY).split.how == "time"
    assert divide(spec, BINARY, y, time=np.zeros(200, np.int64), groups=groups).split.how == "group"
    assert divide(spec, BINARY, y).split.how == "stratified"
    assert divide(spec, NUMBER, np.arange(200.0)).split.how == "random"
    assert divide(SplitSpec(kind="stratified"), NUMBER, np.arange(200.0)).split.how == "random"


def test_cutoff_end_and_gap():
    y, time = np.tile([0.0, 1.0], 50), np.arange(100) * DAY
    spec = SplitSpec(cutoff="1970-03-01", end="1970-04-01", gap="3 days")
    found = divide(spec, BINARY, y, time=time)
    assert found.rows(HOLDOUT).tolist() == list(range(59, 90))
    assert found.rows(UNUSED).tolist() == [56, 57, 58, *range(90, 100)]
    assert (found.split.cutoff, found.split.end) == ("1970-03-01", "1970-04-01")
    assert "31 from then on until 1970-04-01" in found.split.sentence
    assert "13 not used" in found.split.sentence


def test_a_tie_of_time_never_straddles_and_unknown_times_are_unused():
    y, time = np.tile([0.0, 1.0], 50), np.repeat(np.arange(4), 25) * DAY
    time[0] = UNKNOWN_TIME
    found = divide(SplitSpec(holdout=0.3), BINARY, y, time=time)
    assert found.rows(HOLDOUT).tolist() == list(range(75, 100))
    assert found.rows(UNUSED).tolist() == [0]


def test_groups_of_the_holdout_leave_development_in_a_split_by_time():
    y, time = np.tile([0.0, 1.0], 50), np.arange(100) * DAY
    groups = np.arange(100) // 2
    groups[99] = 0
    found = divide(SplitSpec(kind="time"), BINARY, y, time=time, groups=groups)
    assert found.part[0] == UNUSED
    assert not np.isin(groups[found.rows(DEVELOPMENT)], groups[found.rows(HOLDOUT)]).any()


def test_a_class_that_development_never_saw_is_counted():
    y, time = np.r_[np.tile([0.0, 1.0], 45), np.full(10, 2.0)], np.arange(100)
    found = divide(SplitSpec(), THREE, y, time=time)
    assert found.unseen_classes == (2,)
    assert "10 holdout rows are of a class that development never saw" in found.split.sentence


def test_a_class_of_one_row_stays_in_development():
    y = np.r_[np.tile([0.0, 1.0], 50), 2.0]
    assert divide(SplitSpec(), THREE, y).part[100] == DEVELOPMENT


def test_times_beyond_the_calendar_are_divided_and_told():
    time = np.arange(200, dtype=np.int64) * 10**15 + 4 * 10**18  # what milliseconds read as microseconds come to
    found = divide(SplitSpec(), Task(kind="regression"), np.arange(200.0), time=time)
    assert found.split.how == "time"
    assert (time[found.part == DEVELOPMENT].max() < time[found.part == HOLDOUT].min()).all()
    assert "before 1" in found.split.sentence
    assert iso(UNKNOWN_TIME + 1).startswith("-290308-12-21T19:59:05")
    assert iso(253402300799_000_001) == "9999-12-31T23:59:59.000001"


def test_moment_reads_zones():
    assert moment("1970-01-01T02:00+02:00", "x") == 0
    assert moment("1969-12-31", "x") == -DAY


CLASSES = np.tile([0.0, 1.0], 50)
TIMES = np.arange(100) * DAY


@pytest.mark.parametrize(
    ("spec", "y", "time", "groups", "said"),
    [
        (SplitSpec(), CLASSES[:19], None, None, "19 rows with an outcome"),
        (SplitSpec(), np.full(100, np.nan), None, None, "0 rows with an outcome (of 100)"),
        (SplitSpec(), np.zeros(0), None, None, "0 rows with an outcome"),
        (SplitSpec(), np.zeros(100), None, None, "are of one class (False)"),
        (SplitSpec(cutoff="2050-01-01"), CLASSES, TIMES, None, "leaves the holdout empty"),
        (SplitSpec(cutoff="1960-01-01"), CLASSES, TIMES, None, "leaves development empty"),
        (SplitSpec(cutoff="1970-01-05"), CLASSES, TIMES, None, "4 rows are left for development"),
        (SplitSpec(cutoff="yesterday"), CLASSES, TIMES, None, "split.cutoff = 'yesterday' is not a date"),
        (SplitSpec(cutoff="1970-02-01", end="1970-01-20"), CLASSES, TIMES, None, "is not before split.end"),
        (SplitSpec(end="1960-01-01"), CLASSES, TIMES, None, "leaves no rows"),
        (SplitSpec(gap="90 days"), CLASSES, TIMES, None, "0 rows are left for development"),
        (SplitSpec(kind="time"), CLASSES, None, None, "the main table has no time"),
        (SplitSpec(cutoff="1970-02-01"), CLASSES, None, None, "the main table has no time"),
        (SplitSpec(kind="time"), CLASSES, np.zeros(100, np.int64), None, "all rows have the same time"),
        (SplitSpec(kind="time"), CLASSES, np.full(100, UNKNOWN_TIME), None, "no row has a known time"),
        (SplitSpec(by=["g"]), CLASSES, TIMES, np.arange(100) % 7, "split.by keeps 7 groups together"),
        (SplitSpec(kind="group"), CLASSES, None, None, "without groups"),
        (SplitSpec(kind="group"), CLASSES, None, np.zeros(100, int), "all rows are of one group"),
    ],
)
def test_what_cannot_be_divided_is_told(spec, y, time, groups, said):
    with pytest.raises(SplitError) as caught:
        divide(spec, BINARY, y, time=time, groups=groups)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 3
