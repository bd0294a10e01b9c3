import numpy as np

from holdgood.core.task import Task
from holdgood.splitting.draw import draw_groups, draw_rows, draw_stratified, one_class

BINARY = Task(kind="binary", classes=(0, 1))


def test_shares_come_out_right():
    rng = np.random.default_rng(0)
    assert len(draw_rows(1000, 0.25, rng)) == 250
    assert len(draw_rows(3, 0.01, rng)) == 1
    y = np.r_[np.zeros(90), np.ones(10)]
    held = draw_stratified(y, 0.25, rng)
    assert len(held) == 25
    assert y[held].sum() in (2, 3)


def test_a_giant_group_does_not_swallow_the_holdout():
    groups = np.r_[np.zeros(800, int), np.repeat(np.arange(1, 41), 5)]
    y = np.tile([0.0, 1.0], 500)
    for seed in range(10):
        held = draw_groups(groups, y, BINARY, 0.2, np.random.default_rng(seed))
        assert 0 not in groups[held]
        assert abs(len(held) - 200) <= 5


def test_development_keeps_two_classes_where_it_can():
    groups = np.repeat(np.arange(4), 25)
    y = np.zeros(100)
    y[:25] = np.tile([0, 1], 13)[:25]  # only group 0 has positives
    for seed in range(10):
        held = draw_groups(groups, y, BINARY, 0.25, np.random.default_rng(seed))
        assert 0 not in groups[held]


def test_one_class():
    assert one_class(np.zeros(0))
    assert one_class(np.ones(3))
    assert not one_class(np.array([0.0, 1.0]))
