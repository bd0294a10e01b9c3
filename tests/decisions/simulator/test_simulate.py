from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.decisions.simulator import Drawn, MinMax, World, simulate


@dataclass(frozen=True)
class Planned:
    """Orders written down beforehand, (rows, steps)."""

    orders: np.ndarray
    name: str = "planned"

    def order(self, seen: Observation) -> np.ndarray:
        return self.orders[:, seen.step + 1]

    def take(self, rows: np.ndarray) -> Planned:
        return Planned(self.orders[rows])


def world(terms: Terms, demand: np.ndarray, on_hand: object = 0.0, arriving: object = None, **more: object) -> World:
    n = len(terms)
    stock = Stock(
        np.broadcast_to(np.asarray(on_hand, float), (n,)).copy(),
        np.zeros((n, 0)) if arriving is None else np.asarray(arriving, float),
        np.asarray(more.pop("waiting", np.zeros(n)), float),
    )
    past = more.pop("past", np.zeros((n, 0)))
    return World(terms, stock, demand, past, np.ones(past.shape, bool), **more)  # type: ignore[arg-type]


cases = st.fixed_dictionaries({
    "n": st.integers(1, 4),
    "scenarios": st.integers(1, 3),
    "steps": st.integers(1, 9),
    "lead": st.integers(0, 3),
    "life": st.sampled_from([math.inf, 1.0, 2.0, 3.0]),
    "lost": st.booleans(),
    "random": st.booleans(),
    "since": st.integers(0, 3),
    "seed": st.integers(0, 10_000),
})  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(cases)
def test_equals_the_scalar_simulator(scalar: Callable[..., Any], case: dict[str, object]) -> None:
    n, scenarios, steps = int(case["n"]), int(case["scenarios"]), int(case["steps"])
    rng = np.random.default_rng(int(case["seed"]))
    lost, since = bool(case["lost"]), min(int(case["since"]), steps - 1)
    demand = rng.integers(0, 6, (n, scenarios, steps)).astype(float)
    orders = rng.integers(0, 6, (n, steps)) * rng.integers(0, 2, (n, steps))
    on_hand, arriving = rng.integers(0, 7, n), rng.integers(0, 4, (n, 2))
    waiting = np.zeros(n, int) if lost else rng.integers(0, 3, n)
    lead = rng.integers(0, int(case["lead"]) + 1, n)
    leads = None
    if case["random"]:
        leads = rng.choice([0.0, 1.0, 2.0, 4.0, math.inf], (n, scenarios, steps))
    terms = Terms.of(n, holding=1, shortage=5, lead=lead, shelf_life=float(case["life"]), lost_sales=lost)
    got = simulate(
        Planned(orders.astype(float)),
        world(terms, demand, on_hand, arriving, waiting=waiting, leads=leads, since=since),
    )
    for item in range(n):
        for scenario in range(scenarios):
            takes = [float(lead[item])] * steps if leads is None else leads[item, scenario].tolist()
            want = scalar(
                demand[item, scenario].astype(int).tolist(), orders[item].tolist(), takes, int(on_hand[item]),
                arriving[item].tolist(), int(waiting[item]), float(case["life"]), lost, since,
            )  # fmt: skip
            for f in fields(got.units):
                if f.name != "excess":
                    assert getattr(got.units, f.name)[item, scenario] == getattr(want, f.name), f.name


@settings(max_examples=60, deadline=None)
@given(cases)
def test_no_unit_appears_or_is_lost_from_sight(case: dict[str, object]) -> None:
    n, scenarios, steps = int(case["n"]), int(case["scenarios"]), int(case["steps"])
    rng = np.random.default_rng(int(case["seed"]))
    demand = rng.gamma(1.0, 3.0, (n, scenarios, steps))
    on_hand, arriving = rng.gamma(1.0, 5.0, n), rng.gamma(1.0, 1.0, (n, 2))
    leads = rng.choice([0.0, 1.0, 3.0, math.inf], (n, 1, steps)) if case["random"] else None
    terms = Terms.of(
        n, holding=1, shortage=4, lead=int(case["lead"]), shelf_life=float(case["life"]), lost_sales=bool(case["lost"])
    )
    past = rng.gamma(1.0, 3.0, (n, 6))
    policy = MinMax(1.0, 3.0, 4)
    u = simulate(policy, world(terms, demand, on_hand, arriving, past=past, leads=leads)).units
    start = on_hand[:, None]
    np.testing.assert_allclose(start + u.received, u.sold + u.wasted + u.on_hand, atol=1e-9)
    np.testing.assert_allclose(arriving.sum(1)[:, None] + u.ordered, u.received + u.on_order, atol=1e-9)
    np.testing.assert_allclose(u.demand, u.sold + (u.short if case["lost"] else u.waiting), atol=1e-9)
    assert all((getattr(u, f.name) >= -1e-9).all() for f in fields(u))


def test_side_by_side_is_one_after_the_other_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    demand = rng.poisson(3.0, (5, 40, 30)).astype(float)
    terms = Terms.of(5, holding=1, shortage=4, lead=[0, 1, 2, 1, 0], shelf_life=[np.inf, 3, np.inf, 2, 5])
    past = rng.poisson(3.0, (5, 8)).astype(float)
    policy = MinMax(np.array([1.0, 2.0, 3.0, 2.0, 1.0]), np.array([2.0, 4.0, 5.0, 3.0, 4.0]), 8)

    class Alone:
        name = "alone"

        def order(self, seen: Observation) -> np.ndarray:
            assert len(seen.stock) == 5  # a world of all items at once
            return policy.order(seen)

    together = simulate(policy, world(terms, demand, 4.0, past=past))
    apart = simulate(Alone(), world(terms, demand, 4.0, past=past))
    threaded = simulate(policy, world(terms, demand, 4.0, past=past), threads=3)
    drawn = simulate(policy, world(terms, Drawn(40, 30, lambda a, b: demand[:, a:b]), 4.0, past=past))  # type: ignore[arg-type]
    for f in fields(together.units):
        np.testing.assert_array_equal(getattr(together.units, f.name), getattr(apart.units, f.name))
        np.testing.assert_array_equal(getattr(together.units, f.name), getattr(drawn.units, f.name))
        np.testing.assert_array_equal(getattr(together.units, f.name), getattr(threaded.units, f.name))


def test_a_policy_sees_the_past_and_open_orders_only() -> None:
    seen_by_step: list[Observation] = []

    class Watching:
        name = "watching"

        def order(self, seen: Observation) -> np.ndarray:
            seen_by_step.append(Observation(seen.step, seen.sales.copy(), seen.in_stock.copy(), Stock(
                seen.stock.on_hand.copy(), seen.stock.arriving.copy(), seen.stock.waiting.copy()), seen.terms))  # fmt: skip
            return np.array([4.0])

    demand = np.array([[[3.0, 9.0, 1.0, 2.0]]])
    simulate(
        Watching(),
        world(Terms.of(1, holding=1, shortage=1, lead=2), demand, 5.0, [[1.0, 2.0]], past=np.array([[7.0]])),
    )
    first, second, third, fourth = seen_by_step
    assert first.step == -1 and first.sales.tolist() == [[7.0]] and first.stock.arriving.tolist() == [[1.0, 2.0]]
    # 5 + 1 - 3 are left, 2 still come, and what was ordered comes one step later
    assert second.stock.on_hand.tolist() == [3.0] and second.stock.arriving.tolist() == [[2.0, 4.0]]
    # 3 + 2 against 9: all that can be known is that 5 were sold and the shelf is empty
    assert third.sales.tolist() == [[7.0, 3.0, 5.0]] and third.in_stock.tolist() == [[True, True, False]]
    assert fourth.sales.tolist() == [[7.0, 3.0, 5.0, 1.0]] and fourth.stock.on_hand.tolist() == [3.0]


def test_late_orders_are_shown_as_due_and_early_ones_disappear() -> None:
    shown: list[list[float]] = []

    class Once:
        name = "once"

        def order(self, seen: Observation) -> np.ndarray:
            shown.append(seen.stock.arriving[0].tolist())
            return np.array([7.0 if seen.step == -1 else 0.0])

    demand = np.zeros((1, 1, 5))
    terms = Terms.of(1, holding=1, shortage=1, lead=1)
    for takes, want in {
        0.0: [[0], [0], [0], [0], [0]],
        1.0: [[0], [7], [0], [0], [0]],
        3.0: [[0], [7], [7], [7], [0]],
        math.inf: [[0], [7], [7], [7], [7]],
    }.items():
        shown.clear()
        simulate(Once(), world(terms, demand, leads=np.full((1, 1, 5), takes)))
        assert shown == want, takes


@pytest.mark.parametrize(
    ("orders", "terms", "words"),
    [
        (-1.0, {}, "orders -1"),
        (np.nan, {}, "orders nan"),
        (5.0, {"pack": 2}, "multiples of 2"),
        (5.0, {"minimum": 6}, "6 to inf"),
        (5.0, {"maximum": 4}, "0 to 4"),
    ],
)
def test_orders_that_no_supplier_takes_are_refused(orders: float, terms: dict[str, float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        simulate(
            Planned(np.full((1, 3), orders)),
            world(Terms.of(1, holding=1, shortage=1, **terms), np.ones((1, 1, 3))),  # type: ignore[arg-type]
        )


def test_worlds_that_cannot_be_are_refused() -> None:
    terms = Terms.of(1, holding=1, shortage=1)
    with pytest.raises(DataError, match="on hand of item 0 is -1"):
        world(terms, np.ones((1, 1, 3)), -1.0)
    with pytest.raises(DataError, match="demand of item 0 is nan"):
        world(terms, np.full((1, 1, 3), np.nan))
    with pytest.raises(DataError, match="lead time of 1.5"):
        world(Terms.of(1, holding=1, shortage=1, lead=1.5), np.ones((1, 1, 3)))
    with pytest.raises(DataError, match="leads of shape"):
        world(terms, np.ones((1, 1, 3)), leads=np.ones((1, 2, 3)))


def test_money_and_shares() -> None:
    # step 0: 5 on hand, 3 asked, 2 held; step 1: 4 asked of 2, 2 lost; step 2: 6 come, none asked, 6 held
    demand = np.array([[[3.0, 4.0, 0.0]]])
    terms = Terms.of(1, holding=0.2, shortage=1.0, price=10, fixed=3, unit=2, lead=2)
    out = simulate(Planned(np.array([[6.0, 0.0, 0.0]])), world(terms, demand, 5.0), sensible=np.array([5.0]))
    assert out.holding[0, 0] == pytest.approx(0.2 * 8) and out.shortage[0, 0] == 2 and out.ordering[0, 0] == 15
    assert out.revenue[0, 0] == 50 and out.loss[0, 0] == pytest.approx(1.6 + 2 + 15 - 50)
    assert out.fill_rate == pytest.approx(5 / 7) and out.stock_out_share == pytest.approx(1 / 3)
    assert out.excess_share == pytest.approx(1 / 8)


@pytest.mark.parametrize("what", ["on_hand", "arriving", "waiting", "sales", "in_stock", "shortage", "lead"])
def test_a_policy_cannot_write_in_the_world(what):
    class Cheat:
        name = "cheat"

        def order(self, seen):
            for part in (seen, seen.stock, seen.terms):
                if hasattr(part, what):
                    getattr(part, what)[:] = 100
            return np.zeros(len(seen.terms))

    terms = Terms.of(1, holding=1.0, shortage=2.0, lead=1)
    stock = Stock(np.zeros(1), np.zeros((1, 1)), np.zeros(1))
    world = World(terms, stock, np.full((1, 1, 5), 7.0), np.zeros((1, 1)), np.ones((1, 1), bool))
    with pytest.raises(ValueError, match="read-only"):
        simulate(Cheat(), world)
