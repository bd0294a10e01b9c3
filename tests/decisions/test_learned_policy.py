"""The learning orders under the simulator's clock."""

import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.core.inventory import OrderPolicy, Stock, Terms
from holdgood.decisions.learned_policy import LearnedOrders
from holdgood.decisions.learning_orders import LearningOrders, Settings
from holdgood.decisions.simulator import World, simulate

QUICK = Settings(paths=16)


def world(demand, lead=1, leads=None, scenarios=1, **terms):
    n = len(demand)
    rules = Terms.of(n, holding=1, shortage=0, price=5, lead=lead, **terms)
    past = np.full((n, 6), 20.0)
    futures = np.repeat(demand[:, None], scenarios, axis=1)
    stock = Stock(np.full(n, 30.0), np.zeros((n, 1)), np.zeros(n))
    return World(rules, stock, futures, past, np.ones((n, 6), bool), leads)


def test_what_arrives_is_inferred_as_it_came(monkeypatch):
    seen = []
    watched = LearningOrders.observe

    def observe(self, arrived, demand, at_least=None):
        seen.append((arrived.copy(), demand.copy(), at_least.copy()))
        watched(self, arrived, demand, at_least)

    monkeypatch.setattr(LearningOrders, "observe", observe)
    demand = np.array([[20.0, 22, 60, 18, 20, 21, 19, 20], [20.0, 18, 20, 25, 18, 20, 22, 20]])
    leads = np.array([[[1, 2, 0, 1, np.inf, 1, 1, 1]]], float)
    policy = LearnedOrders(QUICK)
    assert isinstance(policy, OrderPolicy)
    out = simulate(policy, world(demand, leads=leads))
    came = np.array([a for a, _, _ in seen])
    # the last step is never observed: nothing is ordered after it
    assert len(seen) == 7 and (came >= 0).all() and came.sum() > 0
    sold = np.array([d for _, d, _ in seen])
    hidden = np.array([h for _, _, h in seen])
    assert np.where(hidden, sold <= demand.T[:7], sold == demand.T[:7]).all() and hidden.any()
    last = out.units.received.sum() - came.sum()
    assert 0 <= last <= out.units.ordered.sum()


def test_every_future_begins_anew():
    demand = np.tile([[20.0, 23, 18, 21]], (1, 1))
    out = simulate(LearnedOrders(QUICK, seed=3), world(demand, scenarios=2))
    assert out.units.ordered[0, 0] == out.units.ordered[0, 1] > 0


def test_near_the_end_nothing_is_ordered_that_nobody_can_sell():
    demand = np.full((1, 6), 20.0)
    ended = simulate(LearnedOrders(QUICK, steps=6), world(demand, lead=0))
    on = simulate(LearnedOrders(QUICK), world(demand, lead=0))
    assert ended.units.on_hand[0, 0] <= on.units.on_hand[0, 0]


@pytest.mark.parametrize(
    ("rule", "said"), [({"pack": 6}, "a pack of 6 of item 0"), ({"lost_sales": False}, "waits"), ({"shelf_life": 3}, "shelf_life of 3")]
)  # fmt: skip
def test_rules_that_are_not_weighed_are_refused(rule, said):
    with pytest.raises(DataError, match=said):
        simulate(LearnedOrders(QUICK), world(np.ones((1, 3)), **rule))
