"""Policies in the simulator, service levels, lead times as samples, working calendars."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.decisions.inventory.base_stock import base_stock_levels
from holdgood.decisions.inventory.newsvendor import poisson_level
from holdgood.decisions.inventory.position_policies import OrderUpTo, ReorderQuantity
from holdgood.decisions.inventory.projected import best_orders
from holdgood.decisions.inventory.projected_policy import ProjectedOrders
from holdgood.decisions.inventory.sampled_leads import sampled_arrivals, sampled_leads
from holdgood.decisions.inventory.service import needed_for_service, orders_for_service, service_curve
from holdgood.decisions.inventory.working_days import lead_and_review
from holdgood.decisions.simulator import World, simulate


def seen_with(stock, terms, step=-1):
    n = len(terms)
    return Observation(step, np.zeros((n, 1)), np.ones((n, 1), bool), stock, terms)


def test_levels_are_those_of_the_distribution():
    paths = np.random.default_rng(0).poisson(6.0, (1, 60_000, 4)).astype(float)
    for lead in (0, 1, 3):
        terms = Terms.of(1, holding=1, shortage=7, lead=lead, lost_sales=False)
        assert base_stock_levels(paths, terms)[0] == poisson_level(6, 1, 7, lead).level
    terms = Terms.of(1, holding=1, shortage=7, lead=1, lost_sales=False)
    assert base_stock_levels(paths, terms, service=0.9)[0] == 17.0  # Poisson 12: 0.898 up to 16, 0.937 up to 17


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2), st.integers(1, 3))
def test_where_demand_waits_the_position_is_all_that_counts(seed, lead, review):
    rng = np.random.default_rng(seed)
    paths = rng.poisson(4.0, (5, 30, 6)).astype(float)
    terms = Terms.of(5, holding=1, shortage=5, lead=lead, lost_sales=False)
    arriving = rng.integers(0, 4, (5, lead)).astype(float)
    stock = Stock(rng.integers(0, 9, 5).astype(float), arriving, np.zeros(5))
    level = base_stock_levels(paths, terms, review=review)
    order = best_orders(paths, stock, terms, review=review)
    missing = np.maximum(level - stock.position, 0.0)
    assert order.projection.curve.at(missing) == pytest.approx(order.cost)


def test_projected_orders_lose_less_than_levels_of_the_position_where_sales_are_lost():
    rng = np.random.default_rng(1)
    n, lead = 40, 4
    future = rng.poisson(3.0, (n, 3, 150)).astype(float)
    terms = Terms.of(n, holding=1, shortage=4, lead=lead)
    stock = Stock(np.full(n, 12.0), np.zeros((n, lead + 1)), np.zeros(n))
    world = World(terms, stock, future, np.full((n, 1), 3.0), np.ones((n, 1), bool))

    def foresee(seen, steps):
        return np.random.default_rng(seen.step + 1).poisson(3.0, (len(seen.terms), 60, steps)).astype(float)

    level = base_stock_levels(rng.poisson(3.0, (n, 4000, lead + 1)).astype(float), terms)
    ours = simulate(ProjectedOrders(foresee), world).loss.mean()
    assert ours < simulate(OrderUpTo(level), world).loss.mean()


def test_positions_are_reviewed_and_orders_come_in_packs():
    terms = Terms.of(3, holding=1, shortage=1, pack=4, minimum=6, maximum=20)
    stock = Stock(np.array([10.0, 9.0, 0.0]), np.array([[2.0], [0.0], [0.0]]), np.zeros(3))
    policy = OrderUpTo(np.array([12.0, 10.0, 90.0]), review=2)
    assert policy.order(seen_with(stock, terms)).tolist() == [0, 8, 20]
    assert policy.order(seen_with(stock, terms, step=0)).tolist() == [0, 0, 0]
    assert policy.take(np.array([2])).order(
        seen_with(stock.take(np.array([2])), terms.take(np.array([2])))
    ).tolist() == [20]
    free = Terms.of(3, holding=1, shortage=1)
    several = ReorderQuantity(np.array([11.0, 9.0, 11.0]), np.array([5.0, 5.0, 5.0]))
    assert several.order(seen_with(stock, free)).tolist() == [
        0,
        5,
        15,
    ]  # 12 is above; 9 is at it; 0 + 3 * 5 is above 11


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.95), st.sampled_from(["cycle", "fill"]))
def test_orders_for_a_service_level_are_the_smallest_that_reach_it(seed, level, kind):
    rng = np.random.default_rng(seed)
    paths = rng.poisson(5.0, (3, 25, 4)).astype(float)
    terms = Terms.of(3, holding=1, shortage=1, lead=1, pack=np.array([1.0, 1.0, 4.0]))
    stock = Stock(rng.integers(0, 12, 3).astype(float), np.zeros((3, 1)), np.zeros(3))
    projection = best_orders(paths, stock, terms, review=2).projection

    def reached(q):
        short = np.maximum(projection.need - q[:, None], 0.0)
        return (short <= 1e-9).mean(1) if kind == "cycle" else 1 - short.sum(1) / projection.demand.sum(1)

    quantity = orders_for_service(projection, terms, level, kind)
    assert (reached(quantity) >= level - 1e-9).all()
    fewer = quantity - terms.pack
    # a fill rate may be met by a fraction of a unit less than the pack: one pack less never does
    assert (reached(np.maximum(fewer, 0.0))[fewer >= 0] < level + 1e-9).all()
    assert (np.mod(quantity, terms.pack) == 0).all()


def test_a_level_of_service_is_reached_not_interpolated():
    # 4 of 5 samples are served by 8; between two samples the level would be missed
    paths = np.array([2.0, 4.0, 6.0, 8.0, 20.0]).reshape(1, 5, 1)
    terms, stock = Terms.of(1, holding=1, shortage=1), Stock(np.zeros(1), np.zeros((1, 0)), np.zeros(1))
    projection = best_orders(paths, stock, terms).projection
    assert needed_for_service(projection, 0.8).tolist() == [8.0]
    assert needed_for_service(projection, 0.75).tolist() == [8.0]  # 7 by interpolation: 3 of 5
    assert needed_for_service(projection, 0.81).tolist() == [20.0]


def test_more_service_takes_more_stock():
    paths = np.random.default_rng(2).poisson(5.0, (20, 500, 3)).astype(float)
    terms = Terms.of(20, holding=1, shortage=9, lead=1)
    stock = Stock(np.full(20, 4.0), np.zeros((20, 1)), np.zeros(20))
    best = best_orders(paths, stock, terms)
    curve = service_curve(best.projection, terms)
    assert np.all(np.diff([p.units for p in curve]) > 0)
    assert np.all(np.diff([p.left for p in curve]) > 0)
    assert np.all(np.diff([p.met for p in curve]) > 0)
    assert min(p.cost for p in curve) >= best.cost.sum() - 1e-9
    # nine in ten is what these costs ask for
    assert curve[2].cost == pytest.approx(best.cost.sum())
    with pytest.raises(DeclarationError, match="between 0 and 1"):
        service_curve(best.projection, terms, [1.0])


def test_lead_times_are_drawn_as_often_as_they_were_seen():
    rng = np.random.default_rng(3)
    seen = np.array([[1.0, 1.0, 2.0, np.inf], [3.0, np.nan, np.nan, np.nan]])
    drawn = sampled_leads(seen, (2, 8000), rng)
    assert np.mean(drawn[0] == 1) == pytest.approx(0.5, abs=0.03)
    assert np.mean(np.isinf(drawn[0])) == pytest.approx(0.25, abs=0.03)
    assert (drawn[1] == 3).all()
    with pytest.raises(DataError, match="no lead time was seen of item 1"):
        sampled_leads(np.array([[1.0], [np.nan]]), (2, 5), rng)


def test_open_orders_come_when_their_wait_still_allows():
    rng = np.random.default_rng(4)
    seen = np.array([0.0, 1.0, 3.0, np.inf])
    # placed two steps ago: 0 and 1 have passed, 3 means the second step from now, or it never comes
    arrivals = sampled_arrivals(np.array([[6.0]]), np.array([[2.0]]), seen, 4, 4000, rng)
    assert set(np.unique(arrivals)) == {0.0, 6.0}
    assert (arrivals[0, :, 1] == 6).mean() == pytest.approx(0.5, abs=0.04)
    assert arrivals[0, :, [0, 2, 3]].sum() == 0
    # two orders that come together add up
    both = sampled_arrivals(np.array([[6.0, 2.0]]), np.array([[1.0, 0.0]]), np.array([1.0]), 3, 2, rng)
    assert both[0].tolist() == [[6.0, 2.0, 0.0]] * 2
    # longer out than any ever was: lost
    assert sampled_arrivals(np.array([[6.0]]), np.array([[9.0]]), np.array([1.0, 2.0]), 3, 5, rng).sum() == 0


def test_working_days_make_lead_time_and_review():
    # a week from Friday, twice: no work at the weekend; orders on Fridays and Tuesdays, deliveries on working days
    days = "FSSMTWT" * 3
    working = np.array([[d not in "S" for d in days]])
    orders = np.array([[i % 7 in (0, 4) for i in range(21)]])
    lead, review, closed = lead_and_review(orders, working, working, np.array([1.0]))
    # Friday's order skips Monday and is there on Tuesday (step 4: three steps later than the next one); Tuesday's is there on Thursday
    assert (lead.tolist(), review.tolist(), closed.tolist()) == ([3], [2], [False])
    assert lead_and_review(orders[:, 1:], working[:, 1:], working[:, 1:], np.array([1.0]))[2].tolist() == [True]
    # without a calendar it is the plain clock: an order that is there for the next step has lead 0
    plain = np.ones((1, 9), bool)
    assert [x.tolist() for x in lead_and_review(plain, plain, plain, np.array([2.0]))] == [[2], [1], [False]]
    with pytest.raises(DeclarationError, match="next order is not delivered"):
        lead_and_review(plain[:, :3], plain[:, :3], plain[:, :3], np.array([2.0]))
