import numpy as np
from scipy.stats import norm

from holdgood.decisions.learning_orders import LearningOrders, Settings
from holdgood.decisions.rollout_orders import Futures, rollout_orders


def futures(demand, lead, k, out=None):
    """Paths with one known lead time."""
    n, m, steps = demand.shape
    return Futures(
        demand,
        np.zeros((n, k)) if out is None else out,
        np.broadcast_to(np.full(k, lead), (n, m, k)),
        np.full((n, m, steps), lead),
        np.ones((n, k)),
    )


def test_without_lead_time_the_order_is_near_the_newsvendor_quantile_in_money():
    rng = np.random.default_rng(0)
    demand = rng.normal(100, 25, (3, 600, 12))
    price = np.array([1.0, 4.0, 19.0])
    order = rollout_orders(np.zeros(3), price, np.ones(3), futures(demand, 0, 1), 8)
    judged = rng.normal(100, 25, (20_000, 1))

    def money(q):
        return price * np.minimum(judged, q).mean(0) - np.maximum(q - judged, 0).mean(0)

    best = money(100 + 25 * norm.ppf(price / (price + 1)))
    assert np.all(money(order) > best - 0.03 * price * 100)
    assert order[0] < order[1] < order[2]


def test_steady_demand_with_a_lead_time_is_ordered_as_it_is_used():
    demand = np.full((1, 8, 16), 50.0)
    on_the_way = np.array([[0.0, 50.0, 50.0, 50.0, 50.0]])  # lead time 4: one of these comes each step
    order = rollout_orders(np.zeros(1), np.array([4.0]), np.ones(1), futures(demand, 4, 5, on_the_way), 10)
    assert order[0] == 50


def test_what_is_on_hand_is_not_ordered_again():
    demand = np.full((1, 8, 12), 50.0)
    order = rollout_orders(np.array([500.0]), np.array([4.0]), np.ones(1), futures(demand, 0, 1), 6)
    assert order[0] == 0


def test_all_is_proportional_to_the_unit():
    rng = np.random.default_rng(1)
    demand = rng.gamma(4, 250, (2, 64, 14))
    small = rollout_orders(np.array([200.0, 0]), np.array([4.0, 1]), np.ones(2), futures(demand, 2, 3), 9)
    large = rollout_orders(np.array([2000.0, 0]), np.array([4.0, 1]), np.ones(2), futures(10 * demand, 2, 3), 9)
    np.testing.assert_allclose(large, 10 * small, atol=10)


def test_nothing_is_ordered_that_could_only_come_after_the_end():
    policy = LearningOrders(np.full((1, 6), 40.0), np.array([4.0]), np.ones(1), np.array([0]), Settings(paths=32))
    for _ in range(4):
        q = policy.decide(np.zeros(1), np.array([10]))
        policy.observe(q, np.full(1, 40.0))
    assert policy.decide(np.array([400.0]), np.array([1]))[0] == 0


def test_a_supplier_that_loses_orders_is_ordered_more_from():
    def last_order(lost):
        rng = np.random.default_rng(2)
        policy = LearningOrders(np.full((1, 6), 40.0), np.array([4.0]), np.ones(1), np.array([0]), Settings(paths=64))
        on_hand = np.zeros(1)
        orders = []
        for t in range(24):
            q = policy.decide(on_hand)
            orders.append(q[0])
            came = np.zeros(1) if lost and t % 2 else q
            on_hand = np.maximum(on_hand + came - 40, 0)
            policy.observe(came, np.round(rng.normal(40, 2, 1)))
        return np.mean(orders[10:])

    assert last_order(True) > 1.3 * last_order(False)
