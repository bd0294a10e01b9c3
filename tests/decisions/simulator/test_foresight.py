from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.simulator import MinMax, World, foresight, simulate

STEPS, MOST = 4, 6


def best_of_all(
    scalar: Callable[..., Any], terms: Terms, demand: list[int], leads: list[float], on_hand: int, arriving: list[int]
) -> float:
    """Every order book there is."""
    best = math.inf
    brings = terms.unit[0] if terms.lost_sales and terms.price[0] == 0 else terms.price[0]
    for orders in itertools.product(range(MOST + 1), repeat=STEPS):
        t = scalar(demand, list(orders), leads, on_hand, arriving, 0, terms.shelf_life[0], terms.lost_sales)
        cost = t.held * terms.holding[0] + t.missed * terms.shortage[0] + t.wasted * terms.waste[0]
        cost += t.orders * terms.fixed[0] + t.ordered * terms.unit[0] - t.sold * brings
        best = min(best, cost)
    return best


@pytest.mark.parametrize(
    ("how", "leads"),
    [
        ({"lead": 0}, None),
        ({"lead": 1, "unit": 0.4, "price": 0.9}, None),
        ({"lead": 0, "unit": 2.0}, None),
        ({"lead": 0, "fixed": 1.5, "unit": 0.1}, None),
        ({"lead": 1, "fixed": 0.7}, None),
        ({"lead": 0, "fixed": 1.5, "shelf_life": 2, "waste": 0.5}, None),
        ({"lead": 0, "shelf_life": 2, "waste": 0.3}, [0, 2, math.inf, math.inf]),
        ({"lead": 1}, [0, 3, math.inf, 1]),
        ({"lead": 0, "unit": 0.3, "price": 1.5}, [1, 0, math.inf, 0]),
        ({"lead": 1, "lost_sales": False, "unit": 0.5}, None),
        ({"lead": 0, "lost_sales": False, "unit": 5.0}, None),
        ({"lead": 1, "lost_sales": False, "unit": 2.0, "price": 0.4}, None),
    ],
)
def test_nobody_does_better_and_somebody_does_as_well(
    how: dict[str, float], leads: list[float] | None, scalar: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(int(sum(map(ord, str(how)))))
    for _ in range(2):
        demand = rng.integers(0, 3, STEPS)
        on_hand, arriving = int(rng.integers(0, 3)), rng.integers(0, 2, 1)
        terms = Terms.of(1, holding=0.3, shortage=1.1, **how)  # type: ignore[arg-type]
        stock = Stock(np.array([float(on_hand)]), arriving[None].astype(float), np.zeros(1))
        drawn = None if leads is None else np.array(leads)[None, None]
        world = World(terms, stock, demand[None, None].astype(float), np.zeros((1, 0)), np.ones((1, 0), bool), drawn)
        got = foresight(world)
        takes = [terms.lead[0]] * STEPS if leads is None else leads
        want = best_of_all(scalar, terms, demand.tolist(), takes, on_hand, arriving.tolist())
        assert got.exact
        assert got.loss[0, 0] == pytest.approx(want), (demand, on_hand, arriving)


def test_where_rules_are_relaxed_it_is_a_bound_and_says_so() -> None:
    rng = np.random.default_rng(0)
    demand = rng.poisson(3.0, (6, 4, 20)).astype(float)
    terms = Terms.of(6, holding=0.3, shortage=2.0, lead=1, fixed=3.0, pack=5)
    stock = Stock(np.full(6, 5.0), np.zeros((6, 0)), np.zeros(6))
    past = rng.poisson(3.0, (6, 10)).astype(float)
    world = World(terms, stock, demand, past, np.ones(past.shape, bool))
    got = foresight(world)
    outcome = simulate(MinMax(2.0, 4.0, 10), world)
    assert not got.exact
    assert (got.loss <= outcome.loss + 1e-9).all()
    assert got.value(outcome) == pytest.approx((outcome.loss - got.loss).sum() / 4)


def test_steps_that_no_order_can_change_are_left_out() -> None:
    demand = np.array([[[5.0, 5.0, 5.0, 5.0]]])
    terms = Terms.of(1, holding=0.2, shortage=1.0, lead=2)
    stock = Stock(np.array([1.0]), np.zeros((1, 2)), np.zeros(1))
    world = World(terms, stock, demand, np.zeros((1, 0)), np.ones((1, 0), bool), since=2)
    assert foresight(world).loss[0, 0] == 0 and foresight(world).exact
    whole = World(terms, stock, demand, np.zeros((1, 0)), np.ones((1, 0), bool))
    assert foresight(whole).loss[0, 0] == 9


def test_where_demand_waits_nobody_does_better_whatever_the_terms(scalar: Callable[..., Any]) -> None:
    rng = np.random.default_rng(4)
    for _ in range(6):
        holding, shortage, unit, price = rng.uniform(0.0, 3.0, 4)
        terms = Terms.of(
            1,
            holding=holding,
            shortage=shortage,
            unit=unit,
            price=price,
            lead=int(rng.integers(0, 2)),
            lost_sales=False,
        )
        demand, on_hand, arriving = rng.integers(0, 3, STEPS), int(rng.integers(0, 3)), rng.integers(0, 3, 3)
        stock = Stock(np.array([float(on_hand)]), arriving[None].astype(float), np.zeros(1))
        world = World(terms, stock, demand[None, None].astype(float), np.zeros((1, 0)), np.ones((1, 0), bool))
        leads = [float(terms.lead[0])] * STEPS
        want = best_of_all(scalar, terms, demand.tolist(), leads, on_hand, arriving.tolist())
        assert foresight(world).loss[0, 0] == pytest.approx(want), (terms, demand, on_hand, arriving)


def test_a_unit_dearer_than_its_wait_is_not_bought() -> None:
    terms = Terms.of(1, holding=0.2, shortage=2.0, unit=5.0, lost_sales=False)
    stock = Stock(np.zeros(1), np.zeros((1, 0)), np.zeros(1))
    world = World(terms, stock, np.array([[[0.0, 0.0, 10.0]]]), np.zeros((1, 0)), np.ones((1, 0), bool))
    assert foresight(world).loss[0, 0] == 20.0
