"""Textbook cases to the digits printed (computed with stockpyl 1.0.2), and each model by another road."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdgood.core.errors import DataError, DeclarationError
from holdgood.decisions.inventory.eoq import discounted_order, economic_order
from holdgood.decisions.inventory.lot_sizing import lot_plan
from holdgood.decisions.inventory.min_max import best_min_max, min_max_cost
from holdgood.decisions.inventory.newsvendor import normal_level, poisson_level, sampled_levels
from holdgood.decisions.inventory.one_step_cost import StepCost, poisson_chances
from holdgood.decisions.inventory.reorder_point import normal_reorder_point, poisson_reorder_point
from holdgood.decisions.inventory.serial import serial_levels


def test_case_1_economic_order_quantity():
    lot = economic_order(8, 0.225, 1300)
    assert (round(lot.quantity, 4), round(lot.cost, 4)) == (304.0468, 68.4105)
    lot = economic_order(8, 0.225, 1300, shortage=5)
    assert (round(lot.quantity, 4), round(lot.short, 5), round(lot.cost, 4)) == (310.8126, 0.04306, 66.9214)


def test_case_2_discounts_on_all_units():
    lot = discounted_order(8, 1300, 0.3, breaks=[0, 400, 800], prices=[0.75, 0.72, 0.68])
    assert (round(lot.quantity, 1), round(lot.cost, 1)) == (800.0, 978.6)


def test_case_3_wagner_whitin():
    plan = lot_plan(np.array([90, 120, 80, 70]), fixed=500, holding=2)
    assert plan.orders.tolist() == [210, 0, 150, 0]
    assert plan.cost == 1380


def test_case_4_newsvendor():
    best = normal_level(50, 8, holding=0.18, shortage=0.70)
    assert (round(best.level, 4), round(best.cost, 5)) == (56.6040, 1.99761)
    best = normal_level(50, 8, holding=0.18, shortage=0.70, lead=4)
    assert (round(best.level, 4), round(best.cost, 5)) == (264.7669, 4.46678)
    best = poisson_level(20, holding=1, shortage=4)
    assert (best.level, round(best.cost, 5)) == (24, 6.43800)


@pytest.mark.parametrize(
    ("mean", "shortage", "fixed", "s", "S", "cost", "digits"),
    [
        (6, 4, 5, 4, 10, 8.034112, 6),
        (10, 9, 64, 6, 40, 35.022, 3),
        (20, 9, 64, 14, 62, 49.173, 3),
        (50, 9, 64, 42, 108, 70.975, 3),
        (75, 9, 64, 67, 86, 79.554, 3),
    ],
)
def test_case_5_min_max(mean, shortage, fixed, s, S, cost, digits):
    best = best_min_max(poisson_chances(mean), 1, shortage, fixed)
    assert (best.reorder, best.up_to, round(best.cost, digits)) == (s, S, cost)


def test_case_6_reorder_point():
    best = normal_reorder_point(1300, 150, holding=0.225, shortage=7.5, fixed=8, lead=1 / 12)
    assert (round(best.reorder, 3), round(best.quantity, 3), round(best.cost, 3)) == (213.970, 318.590, 95.451)
    best = poisson_reorder_point(1.5, holding=20, shortage=150, fixed=100, lead=2)
    assert (best.reorder, best.quantity, round(best.cost, 4)) == (3, 5, 107.9236)


@given(st.floats(1, 100), st.floats(0.1, 5), st.floats(1, 1000), st.floats(0.5, 50))
def test_no_order_size_beats_the_economic_one(fixed, holding, rate, shortage):
    lot = economic_order(fixed, holding, rate, shortage)
    size = lot.quantity * np.linspace(0.3, 3, 200)[:, None]
    short = np.linspace(0, 1, 101)
    cost = holding * size * (1 - short) ** 2 / 2 + shortage * size * short**2 / 2 + fixed * rate / size
    assert lot.cost <= cost.min() * (1 + 1e-9)
    assert lot.cost == pytest.approx(cost.min(), rel=0.01)
    assert lot.quantity >= economic_order(fixed, holding, rate).quantity * (1 - 1e-12)


@settings(max_examples=50)
@given(st.lists(st.integers(1, 900), min_size=0, max_size=3, unique=True), st.floats(1, 90), st.integers(0, 10**6))
def test_no_order_size_beats_the_discounted_one(more, fixed, seed):
    breaks = [0, *sorted(more)]
    prices = np.sort(np.random.default_rng(seed).uniform(0.5, 3, len(breaks)))[::-1]
    sizes = np.concatenate([np.linspace(0.5, 3000, 6000), breaks[1:]])
    price = prices[np.searchsorted(breaks, sizes, side="right") - 1]
    cost = price * 700 + fixed * 700 / sizes + 0.3 * price * sizes / 2
    lot = discounted_order(fixed, 700, 0.3, breaks, prices)
    assert lot.cost <= cost.min() * (1 + 1e-9)
    assert lot.cost == pytest.approx(cost.min(), rel=1e-3)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 20), st.integers(0, 3), st.integers(0, 10**6)
)
def test_no_set_of_order_steps_beats_wagner_and_whitin(demand, fixed, holding, seed):
    demand, price = np.array(demand, float), np.random.default_rng(seed).integers(0, 5, len(demand)).astype(float)
    costs = []
    for steps in itertools.product([False, True], repeat=len(demand)):
        orders, at = np.zeros(len(demand)), None
        for t, asked in enumerate(demand):
            at = t if steps[t] else at
            if at is None:
                if asked:
                    break
            else:
                orders[at] += asked
        else:
            left = np.cumsum(orders - demand)
            costs.append((orders > 0).sum() * fixed + holding * left.sum() + price @ orders)
    plan = lot_plan(demand, fixed, holding, price)
    assert plan.cost == pytest.approx(min(costs))
    assert (np.cumsum(plan.orders - demand) >= -1e-9).all()
    left = np.cumsum(plan.orders - demand)
    assert plan.cost == pytest.approx((plan.orders > 0).sum() * fixed + holding * left.sum() + price @ plan.orders)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.5, 30), st.floats(0.2, 3), st.floats(0.5, 30), st.integers(0, 3))
def test_poisson_levels_by_enumeration(mean, holding, shortage, lead):
    d = np.arange(600)
    chances = stats.poisson.pmf(d, mean * (lead + 1))
    cost = [chances @ (holding * np.maximum(y - d, 0) + shortage * np.maximum(d - y, 0)) for y in range(300)]
    best = poisson_level(mean, holding, shortage, lead)
    assert best.cost == pytest.approx(min(cost), rel=1e-6)
    assert cost[int(best.level)] == pytest.approx(min(cost), rel=1e-9)
    step = StepCost(poisson_chances(mean * (lead + 1)), holding, shortage)
    assert [step.at(y) for y in range(200)] == pytest.approx(cost[:200], rel=1e-8)
    assert step.at(-3) == pytest.approx(shortage * (mean * (lead + 1) + 3))


def test_levels_of_samples_come_near_those_of_the_distribution():
    samples = np.random.default_rng(0).normal(50, 8, (1, 100_000))
    assert sampled_levels(samples, 0.18, 0.70)[0] == pytest.approx(56.604, abs=0.15)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(1, 9), st.integers(1, 9))
def test_no_sample_level_is_cheaper(demand, holding, shortage):
    d = np.array(demand, float)
    level = sampled_levels(d[None], float(holding), float(shortage))[0]
    cost = lambda y: (holding * np.maximum(y - d, 0) + shortage * np.maximum(d - y, 0)).mean()  # noqa: E731
    assert cost(level) == pytest.approx(min(cost(y) for y in d))


def chain_cost(chances, holding, shortage, fixed, s, S, lead=0):
    """The long-run cost of (s, S) from the stationary distribution of the position after ordering."""
    states = np.arange(s + 1, S + 1)
    move = np.zeros((len(states), len(states)))
    ordered = np.zeros(len(states))
    for i, y in enumerate(states):
        for d, p in enumerate(chances):
            if y - d <= s:
                ordered[i] += p
                move[i, -1] += p
            else:
                move[i, i - d] += p
    a = np.vstack([(move - np.eye(len(states))).T, np.ones(len(states))])
    share = np.linalg.lstsq(a, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    total = chances
    for _ in range(lead):
        total = np.convolve(total, chances)
    d = np.arange(len(total))
    step = np.array([total @ (holding * np.maximum(y - d, 0) + shortage * np.maximum(d - y, 0)) for y in states])
    return share @ (step + fixed * ordered)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=2, max_size=5).filter(lambda w: sum(w[1:]) > 0 and w[-1] > 0),
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(0, 12),
    st.integers(0, 2),
)
def test_no_min_max_beats_the_best_one(weights, holding, shortage, fixed, lead):
    chances = np.array(weights, float) / sum(weights)
    best = best_min_max(chances, holding, shortage, fixed, lead)
    others = {
        (s, S): chain_cost(chances, holding, shortage, fixed, s, S, lead)
        for S in range(best.up_to - 3, best.up_to + 4)
        for s in range(best.reorder - 3, min(best.reorder + 4, S))
    }
    assert others[best.reorder, best.up_to] == pytest.approx(best.cost)
    assert min(others.values()) >= best.cost - 1e-7
    assert min_max_cost(chances, holding, shortage, fixed, best.reorder, best.up_to, lead) == pytest.approx(best.cost)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 8), st.floats(0.5, 20), st.floats(1, 200), st.floats(0, 100), st.floats(0.3, 3))
def test_no_reorder_point_beats_the_poisson_one(rate, holding, shortage, fixed, lead):
    best = poisson_reorder_point(rate, holding, shortage, fixed, lead)
    d = np.arange(400)
    chances = stats.poisson.pmf(d, rate * lead)
    near = range(int(best.reorder) - 6, int(best.reorder + best.quantity) + 7)
    step = {y: chances @ (holding * np.maximum(y - d, 0) + shortage * np.maximum(d - y, 0)) for y in near}
    cost = lambda r, q: (fixed * rate + sum(step[y] for y in range(r + 1, r + q + 1))) / q  # noqa: E731
    r, q = int(best.reorder), int(best.quantity)
    assert cost(r, q) == pytest.approx(best.cost, rel=1e-8)
    for i, j in itertools.product(range(-3, 4), range(-3, 4)):
        if q + j >= 1:
            assert cost(r + i, q + j) >= best.cost - 1e-7 * best.cost


def test_the_normal_reorder_point_is_at_the_bottom_of_its_cost():
    best = normal_reorder_point(1300, 150, holding=0.225, shortage=7.5, fixed=8, lead=1 / 12)
    over, spread = 1300 / 12, 150 / math.sqrt(12)

    def cost(r, q):
        z = (r - over) / spread
        short = spread * (stats.norm.pdf(z) - z * stats.norm.sf(z))
        return 0.225 * (r - over + q / 2) + 8 * 1300 / q + 7.5 * 1300 * short / q

    assert best.cost == pytest.approx(cost(best.reorder, best.quantity))
    for i, j in itertools.product([-2, 0, 2], [-5, 0, 5]):
        assert cost(best.reorder + i, best.quantity + j) >= best.cost - 1e-9


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: economic_order(0, 1, 1), "fixed is 0"),
        (lambda: discounted_order(1, 1, 0.1, [0, 5], [1]), "breaks"),
        (lambda: normal_level(1, 0, 1, 1), "sd 0"),
        (lambda: poisson_level(1, 0, 1), "holding 0"),
        (lambda: best_min_max(np.array([1.0]), 1, 1, 1), "not all of it at 0"),
        (lambda: best_min_max(np.array([0.5, 0.2]), 1, 1, 1), "sum to 0.7"),
        (lambda: min_max_cost(np.array([0.5, 0.5]), 1, 1, 1, 3, 3), "s below S"),
        (lambda: normal_reorder_point(100, 10, 5, 0.01, 8, 1), "worth holding"),
        (lambda: poisson_reorder_point(0, 1, 1, 1, 1), "a mean of 0"),
        (lambda: serial_levels(5, 1, np.array([2.0, 4.0]), np.ones(2), 9), "dearer the nearer"),
        (lambda: best_min_max(np.array([np.nan, 0.5, 0.5]), 1, 4, 5), "sum to nan"),
        (lambda: best_min_max(np.array([0.5, 0.5]), 1, 4, float("nan")), "fixed nan"),
        (lambda: best_min_max(np.array([0.5, 0.5]), 1, float("inf"), 5), "shortage inf"),
        (lambda: min_max_cost(np.array([0.5, 0.5]), 1, 1, float("nan"), 1, 3), "fixed nan"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(DeclarationError, match=said):
        wrong()


def test_demand_with_holes_has_no_lot_plan():
    with pytest.raises(DataError, match="numbers of zero or more"):
        lot_plan(np.array([1.0, np.nan]), 1, 1)


@pytest.mark.parametrize("wrong", [float("nan"), -5.0, float("inf")])
def test_costs_that_are_none_have_no_lot_plan(wrong):
    demand = np.array([1.0, 2.0, 3.0])
    for name, costs in (("fixed", (wrong, 1.0)), ("holding", (1.0, wrong)), ("unit", (1.0, 1.0, wrong))):
        with pytest.raises(DataError, match=name):
            lot_plan(demand, *costs)


def test_case_7_a_line_of_three_stages():
    # Snyder and Shen, example 6.1, as stockpyl computes it on its grid: echelon levels 6.48, 12.03, 22.72 and cost 47.665
    found = serial_levels(5.0, 1.0, np.array([7.0, 4.0, 2.0]), np.array([1.0, 1.0, 2.0]), 37.12)
    np.testing.assert_allclose(found.levels, [6.48, 12.03, 22.72], atol=0.015)
    assert found.cost == pytest.approx(47.665, abs=0.006)
    # one stage is the newsvendor; a second one that costs next to nothing more and is there at once changes nothing
    one = serial_levels(50.0, 8.0, np.array([0.18]), np.array([1.0]), 0.70)
    level = normal_level(50.0, 8.0, 0.18, 0.70)
    assert one.levels[0] == pytest.approx(level.level, abs=0.006) and one.cost == pytest.approx(level.cost, abs=1e-4)
    two = serial_levels(50.0, 8.0, np.array([0.18, 1e-9]), np.array([1.0, 1e-6]), 0.70)
    assert two.levels[0] == pytest.approx(level.level, abs=0.02) and two.cost == pytest.approx(level.cost, abs=1e-3)


def test_a_line_costs_what_drawn_demand_says_and_other_levels_cost_more():
    holding, leads, shortage = np.array([7.0, 4.0, 2.0]), np.array([1.0, 1.0, 2.0]), 37.12
    found = serial_levels(5.0, 1.0, holding, leads, shortage)
    rng = np.random.default_rng(0)
    asked = rng.normal(5.0 * leads, np.sqrt(leads), (400_000, 3))

    def cost(levels):
        stock, total = np.full(len(asked), np.inf), np.zeros(len(asked))
        for k in (2, 1, 0):  # down the line: what a stage can be sent is what the one above has
            stock = np.minimum(levels[k], stock) - asked[:, k]
            total += (holding - np.append(holding[1:], 0.0))[k] * stock
        return (total + (shortage + holding[0]) * np.maximum(-stock, 0.0)).mean()

    assert cost(found.levels) == pytest.approx(found.cost, abs=0.08)
    for k in range(3):
        for other in (-0.4, 0.4):
            assert cost(found.levels + other * np.eye(3)[k]) > cost(found.levels)
