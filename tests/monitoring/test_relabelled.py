"""Differences of covariance held against rows whose sides are dealt anew."""

from itertools import combinations

import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.monitoring import JointDrift
from holdgood.monitoring.relabelled import relabelled

LEFT, RIGHT = np.triu_indices(3, 1)


@pytest.mark.parametrize("n", [8, 4])
def test_it_is_the_share_of_all_ways_to_deal_that_lie_as_far(n):
    values = np.random.default_rng(0).exponential(size=(12, 3))

    def far(first):
        mine = np.isin(np.arange(12), first)
        one, two = (np.cov(values[side].T)[LEFT, RIGHT] for side in (mine, ~mine))
        centred = values - values.mean(axis=0)
        return np.abs(one - two) / (centred[:, LEFT] * centred[:, RIGHT]).std(axis=0)

    seen = far(range(n))
    order = np.argsort(-seen)
    ways = np.array([far(first) for first in combinations(range(12), n)])[:, order]
    exact, floor = np.empty(3), 0.0
    for place, k in enumerate(order):
        exact[k] = floor = max(floor, float(np.mean(ways[:, place:].max(axis=1) >= seen[k] - 1e-9)))
    assert relabelled(values, n, LEFT, RIGHT, 0) == pytest.approx(exact, abs=0.015)


def test_where_no_deal_lies_as_far_it_says_nothing():
    rng = np.random.default_rng(1)
    a, c = rng.normal(size=(2, 400))
    b = np.r_[a[:300], -a[300:]]
    p = relabelled(np.stack([a, b, c], axis=1), 300, LEFT, RIGHT, 0)
    assert p[0] == 0.0
    assert p[1] > 0.01


@pytest.mark.parametrize("seed", [122, 234])
def test_a_pair_of_rare_flags_is_no_alarm_where_only_the_approximation_is_sure(seed):
    """Two of sixty rows hold both flags: 0.0036 and 0.0022 by saddlepoints, which take what is lumpy for smooth."""

    def flags(rng, n):
        return Frame(
            tuple(Feature(x, "number") for x in "abc"), tuple((rng.random(n) < 0.06).astype(float) for _ in range(3))
        )

    rng = np.random.default_rng(seed)
    assert JointDrift().look(flags(rng, 1_000), flags(rng, 60), alpha=0.01) == []


def test_products_that_are_all_alike_are_no_nan():
    flag = np.tile([0.0, 1.0], 40)
    values = np.stack([flag, 1.0 - flag, np.random.default_rng(2).normal(size=80)], axis=1)
    p = relabelled(values, 60, LEFT, RIGHT, 0)
    assert np.isfinite(p).all()
    assert p.min() > 0.01
