from __future__ import annotations

import numpy as np
import pytest

from holdgood.core.inventory import Terms
from holdgood.decisions.simulator import sensible_stock


def test_the_far_percentile_of_demand_until_the_next_order_and_what_one_order_brings() -> None:
    rng = np.random.default_rng(0)
    demand = rng.poisson(4.0, (4, 50, 60)).astype(float)
    terms = Terms.of(4, holding=[1, 1, 2, 1], shortage=9, lead=[0, 2, 0, 0], pack=[0, 0, 0, 12], fixed=[0, 0, 25, 0])
    got = sensible_stock(demand, terms)
    one = np.sort(demand[0].ravel())
    assert got[0] == one[int(np.ceil(0.999 * (len(one) - 1)))]
    sums = np.sort(np.concatenate([demand[1, :, i : i + 58] for i in range(3)]).reshape(3, 50, 58).sum(0).ravel())
    assert got[1] == sums[int(np.ceil(0.999 * (len(sums) - 1)))]
    assert got[2] - sensible_stock(demand, Terms.of(4, holding=2, shortage=9))[2] == pytest.approx(
        np.sqrt(2 * 25 * demand[2].mean() / 2)
    )
    assert got[3] - sensible_stock(demand, Terms.of(4, holding=1, shortage=9))[3] == 12


def test_items_that_nobody_asks_for_need_nothing() -> None:
    assert sensible_stock(np.zeros((2, 3, 5)), Terms.of(2, holding=0, shortage=1, fixed=9)).tolist() == [0.0, 0.0]
