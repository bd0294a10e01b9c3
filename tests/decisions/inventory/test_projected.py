"""Orders from sample paths against a plain simulation of every path, unit by unit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError
from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.allowed import best_allowed
from holdgood.decisions.inventory.projected import best_orders, project


def walked(path, on_hand, waiting, arriving, q, lead, end, *, holding, gain, lost, life=math.inf, spoil=0.0):
    """Money of the window on one path: batches used oldest first, the order of now spoils, the rest keeps."""
    old, new, backlog, money, age = on_hand, 0.0, waiting, 0.0, 0
    for j, demand in enumerate(path):
        if j >= end and not math.isfinite(life):
            break
        old += arriving[j] if j < len(arriving) else 0.0
        if j == lead:
            new, age = q, 0
        wanted = demand + backlog
        from_old = min(old, wanted)
        from_new = min(new, wanted - from_old)
        old, new = old - from_old, new - from_new
        short = wanted - from_old - from_new
        backlog = 0.0 if lost else short
        if lead <= j < end:
            money += holding * (old + new) + gain * short
        if j >= lead:
            age += 1
            if age == life:
                money += spoil * new
                new = 0.0
    return money


@st.composite
def worlds(draw, perishable=False):
    lead, review = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    # a perishable order is all that is there: what keeps and comes later would be used in its stead
    steps = lead + review + (draw(st.integers(2, 4)) if perishable else draw(st.integers(0, 2)))
    whole = lambda high: st.integers(0, high).map(float)  # noqa: E731
    samples = draw(st.integers(1, 4))
    paths = np.array(
        draw(st.lists(st.lists(whole(9), min_size=steps, max_size=steps), min_size=samples, max_size=samples))
    )
    arriving = np.array(draw(st.lists(whole(6), min_size=0, max_size=steps)))
    lost = draw(st.booleans()) or perishable
    on_hand = draw(whole(12))
    waiting = 0.0 if lost or on_hand else draw(whole(6))
    life = float(draw(st.integers(1, steps - lead))) if perishable else math.inf
    if perishable:
        arriving = arriving[: lead + 1]
    return {
        "paths": paths, "lead": lead, "review": review, "arriving": arriving, "on_hand": on_hand, "waiting": waiting, "lost": lost, "life": life,
        "holding": draw(st.integers(1, 4)) / 2, "gain": float(draw(st.integers(1, 9))), "spoil": float(draw(st.integers(0, 5))),
    }  # fmt: skip


def inputs(w, **more):
    terms = Terms.of(
        1,
        holding=w["holding"],
        shortage=w["gain"],
        lead=w["lead"],
        shelf_life=w["life"],
        waste=w["spoil"],
        lost_sales=w["lost"],
        **more,
    )
    stock = Stock(np.array([w["on_hand"]]), w["arriving"][None], np.array([w["waiting"]]))
    return w["paths"][None], stock, terms


def by_walking(w, q):
    return np.mean(
        [
            walked(p, w["on_hand"], w["waiting"], w["arriving"], q, w["lead"], w["lead"] + w["review"],
                   holding=w["holding"], gain=w["gain"], lost=w["lost"], life=w["life"], spoil=w["spoil"])
            for p in w["paths"]
        ]
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_the_curve_is_the_cost_of_every_path_walked(w):
    projection = project(*inputs(w), review=w["review"])
    amounts = np.arange(0.0, 30.0, 1.5)
    assert projection.curve.at(amounts[None])[0] == pytest.approx([by_walking(w, q) for q in amounts])


@settings(max_examples=150, deadline=None)
@given(worlds(perishable=True))
def test_spoiling_costs_what_walking_the_paths_says(w):
    curve = project(*inputs(w), review=w["review"]).curve
    amounts = np.arange(0.0, 30.0, 1.5)
    # what is sold after the window or spoils early is held for its own time: differences of a unit more, holding aside
    w = {**w, "holding": 0.0}
    free = project(*inputs(w), review=w["review"]).curve
    assert free.at(amounts[None])[0] == pytest.approx([by_walking(w, q) for q in amounts])
    assert curve.lowest()[0] <= free.lowest()[0] + 1e-9


@settings(max_examples=100, deadline=None)
@given(worlds(), st.integers(0, 4), st.integers(0, 8), st.integers(0, 20), st.integers(0, 8))
def test_the_best_order_of_one_window_is_the_cheapest_allowed(w, pack, minimum, room, fixed):
    paths, stock, terms = inputs(w, pack=pack, minimum=minimum, maximum=minimum + room, fixed=fixed)
    curve = project(paths, stock, terms, review=w["review"]).curve
    quantity = best_allowed(curve, terms)
    amounts = [0.0] + [q for q in range(1, 90) if (not pack or q % pack == 0) and minimum <= q <= minimum + room]
    money = [by_walking(w, float(q)) + (fixed if q else 0) for q in amounts]
    assert float(quantity[0]) in amounts
    assert curve.at(quantity)[0] + (fixed if quantity[0] else 0) == pytest.approx(min(money))
    assert curve.none[0] == pytest.approx(money[0])


@settings(max_examples=15, deadline=None)
@given(worlds(), st.integers(0, 4), st.integers(0, 8), st.integers(0, 20), st.integers(0, 8))
def test_orders_for_several_windows_are_allowed_and_save(w, pack, minimum, room, fixed):
    paths, stock, terms = inputs(w, pack=pack, minimum=minimum, maximum=minimum + room, fixed=fixed)
    best = best_orders(paths, stock, terms, review=w["review"])
    quantity = float(best.quantity[0])
    assert quantity == 0 or minimum - 1e-9 <= quantity <= minimum + room + 1e-9
    assert not pack or quantity % pack == 0
    assert best.at_stake[0] >= -1e-6


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(1, 9))
def test_a_dearer_shortage_never_orders_less(w, more):
    dearer = {**w, "gain": w["gain"] + more}
    before = best_orders(*inputs(w), review=w["review"]).quantity
    assert best_orders(*inputs(dearer), review=w["review"]).quantity >= before


def test_two_stocks_of_one_position_are_told_apart_where_sales_are_lost():
    # ten units for tomorrow's demand of ten: on hand they are sold, arriving the day after they wait for the window
    paths = np.full((2, 5, 3), 10.0)
    stock = Stock(np.array([10.0, 0.0]), np.array([[0.0, 0.0], [0.0, 10.0]]), np.zeros(2))
    orders = best_orders(paths, stock, Terms.of(2, holding=1, shortage=9, lead=2))
    assert orders.quantity.tolist() == [10.0, 10.0]
    stock = Stock(np.array([30.0, 10.0]), np.array([[0.0, 0.0], [0.0, 20.0]]), np.zeros(2))
    assert best_orders(paths, stock, Terms.of(2, holding=1, shortage=9, lead=2)).quantity.tolist() == [0.0, 0.0]
    stock = Stock(np.array([20.0, 0.0]), np.array([[0.0, 0.0], [0.0, 20.0]]), np.zeros(2))
    assert best_orders(paths, stock, Terms.of(2, holding=1, shortage=9, lead=2)).quantity.tolist() == [10.0, 0.0]


def test_orders_that_may_never_come_are_covered_by_more():
    rng = np.random.default_rng(0)
    paths = rng.poisson(6.0, (1, 4000, 12)).astype(float)
    stock = Stock(np.array([10.0]), np.zeros((1, 2)), np.zeros(1))
    terms = Terms.of(1, holding=1, shortage=9, lead=2)
    sure = best_orders(paths, stock, terms).quantity
    leads = np.full((1, 4000), 2.0)
    assert best_orders(paths, stock, terms, leads=leads).quantity == sure
    leads[0, rng.random(4000) < 0.3] = np.inf
    assert best_orders(paths, stock, terms, leads=leads).quantity > sure
    assert best_orders(paths, stock, terms, leads=np.full((1, 4000), np.inf)).quantity == 0


def test_open_orders_by_path_are_followed_path_by_path():
    paths = np.full((1, 2, 3), 5.0)
    stock = Stock(np.array([5.0]), np.zeros((1, 1)), np.zeros(1))
    arriving = np.array([[[0.0, 10.0], [0.0, 0.0]]])  # there on the first path, lost on the second
    orders = best_orders(paths, stock, Terms.of(1, holding=1, shortage=3, lead=2), arriving=arriving)
    assert orders.projection.need.tolist() == [[0.0, 5.0]]
    assert orders.quantity.tolist() == [5.0]  # worth 3 in one half, costs 1 in the other


def test_blocks_do_not_change_the_answer(monkeypatch):
    rng = np.random.default_rng(1)
    paths = rng.poisson(3.0, (7, 50, 6)).astype(float)
    stock = Stock(rng.integers(0, 9, 7).astype(float), np.zeros((7, 1)), np.zeros(7))
    terms = Terms.of(7, holding=1, shortage=5, lead=np.array([0, 1, 2, 3, 0, 1, 2]))
    whole = best_orders(paths, stock, terms, review=2)
    monkeypatch.setattr("holdgood.decisions.inventory.projected._AT_ONCE", 700)
    pieces = best_orders(paths, stock, terms, review=2)
    assert pieces.quantity.tolist() == whole.quantity.tolist()
    assert pieces.cost == pytest.approx(whole.cost)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"on_hand": np.array([-1.0, 2.0])}, "on_hand of item 0 is -1"),
        ({"arriving": np.array([[0.0], [np.nan]])}, "arriving of item 1 is nan"),
        ({"waiting": np.zeros(3)}, "waiting of shape"),
    ],
)
def test_stock_that_cannot_be_is_refused(change, said):
    stock = Stock(**{"on_hand": np.ones(2), "arriving": np.zeros((2, 1)), "waiting": np.zeros(2), **change})
    with pytest.raises(DataError, match=said):
        best_orders(np.ones((2, 3, 2)), stock, Terms.of(2, holding=1, shortage=1))


def test_paths_that_end_too_early_or_have_holes_are_refused():
    stock = Stock(np.ones(1), np.zeros((1, 1)), np.zeros(1))
    with pytest.raises(DataError, match="paths of 4 steps or more"):
        best_orders(np.ones((1, 3, 3)), stock, Terms.of(1, holding=1, shortage=1, lead=3))
    with pytest.raises(DataError, match="holes"):
        best_orders(np.full((1, 3, 3), np.nan), stock, Terms.of(1, holding=1, shortage=1))
    with pytest.raises(DataError, match="whole number of steps"):
        best_orders(np.ones((1, 3, 3)), stock, Terms.of(1, holding=1, shortage=1, lead=0.5))
