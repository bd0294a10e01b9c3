import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import Costs
from holdgood.core.task import Task
from holdgood.metrics import best_threshold, cost_rows, resolve
from holdgood.metrics.flat_range import flat_range

TABLE = resolve(Costs(miss=3, false_alarm=1), Task(kind="binary", classes=(False, True)))


def saved(y, p, threshold):
    act = (p >= threshold).astype(int)
    return cost_rows(TABLE, y, 0 * act).sum() - cost_rows(TABLE, y, act).sum()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8]), st.booleans()), min_size=1, max_size=40))
def test_by_brute_force(rows):
    p, y = (np.array(v, float) for v in zip(*rows, strict=True))
    low, high = flat_range(TABLE, y, p)
    best = best_threshold(TABLE, y, p)
    assert low <= best <= high
    enough = 0.99 * saved(y, p, best) - 1e-9
    inside = [t for t in np.linspace(0.001, 0.999, 333) if low < t <= high]
    assert all(saved(y, p, t) >= enough for t in inside)
    # just beyond either end it is less
    if low > 0:
        assert saved(y, p, low) < enough
    if high < 1:
        assert saved(y, p, np.nextafter(high, 2)) < enough


def test_chances_that_rank_well_leave_room_and_others_do_not():
    n = 4000
    clear = np.r_[np.linspace(0, 0.05, n), np.linspace(0.95, 1, n)]
    y = np.r_[np.zeros(n), np.ones(n)]
    low, high = flat_range(TABLE, y, clear)
    assert low <= 0.05 and high >= 0.95
    rng = np.random.default_rng(0)
    p = rng.random(2 * n)
    low, high = flat_range(TABLE, (rng.random(2 * n) < p).astype(float), p)
    assert low < 0.25 < high and high - low < 0.3


def test_rows_that_differ_in_worth():
    p, y = np.array([0.9, 0.8, 0.1]), np.array([1.0, 1.0, 0.0])
    low, high = flat_range(TABLE, y, p, worth=np.array([1000.0, 5.0, -500.0]))
    assert (low, high) == (0.1, 0.9)  # the second row brings half a percent
