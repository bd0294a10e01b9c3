"""What a change was worth: against a shop that is walked step by step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdgood.core.inventory import Stock, Terms
from holdgood.core.records import OverrideOutcome
from holdgood.decisions.leftover import cost_of_leftover
from holdgood.decisions.overrides import by_person, worth_of_change
from holdgood.decisions.run_out import run_out


def walked(demand, on_hand, coming, quantity, lead, review, holding, shortage, fixed):
    """Cost of the steps that an order decides, one step after the other, with lost sales."""
    hand, cost = on_hand, fixed if quantity else 0.0
    for t in range(lead + review):
        hand += coming[t] if t < len(coming) else 0.0
        hand += quantity if t == lead else 0.0
        short = max(demand[t] - hand, 0.0)
        hand = max(hand - demand[t], 0.0)
        if t >= lead:
            cost += holding * hand + shortage * short
    return cost


UNITS = st.integers(0, 20).map(float)


@given(
    st.lists(UNITS, min_size=5, max_size=5), UNITS, st.lists(UNITS, min_size=1, max_size=3), UNITS, UNITS, st.integers(0, 2),
    st.integers(1, 3), st.floats(0, 3), st.floats(0, 9), st.floats(0, 20),
)  # fmt: skip
def test_the_change_is_worth_what_walking_both_ways_says(
    demand, on_hand, coming, before, after, lead, review, holding, shortage, fixed
):
    need = lead + review
    stock = Stock(np.array([on_hand]), np.array([coming]), np.zeros(1))
    terms = Terms.of(1, holding=holding, shortage=shortage, lead=lead, fixed=fixed)
    # endless usual demand: what is left over is sold at once, and the window alone counts
    found = worth_of_change(
        np.array([demand[:need]]), np.array([1e15]), stock, terms, np.array([before]), np.array([after]), review=review
    )
    said = [walked(demand, on_hand, coming, q, lead, review, holding, shortage, fixed) for q in (before, after)]
    assert found.added[0] == pytest.approx(said[0] - said[1], abs=1e-6)


def test_what_is_left_over_is_held_until_it_is_sold():
    stock, terms = Stock(np.zeros(1), np.zeros((1, 1)), np.zeros(1)), Terms.of(1, holding=1.0, shortage=5.0)
    found = worth_of_change(
        np.array([[10.0]]), np.array([10.0]), stock, terms, np.array([10.0]), np.array([30.0]), review=1
    )
    # 20 units more: one step in the window, then one step on average until they are sold at 10 a step
    assert found.added[0] == pytest.approx(-(20 * 1 + 20 * 1))
    assert cost_of_leftover(np.array(5.0), np.array(2.0), np.array(0.0), 7.0) == 70.0


def test_an_empty_shelf_hides_demand():
    stock, terms = Stock(np.array([4.0, 4.0]), np.zeros((2, 1)), np.zeros(2)), Terms.of(2, holding=1.0, shortage=5.0)
    found = worth_of_change(
        np.array([[9.0], [8.0]]), np.ones(2), stock, terms, np.array([10.0, 10.0]), np.array([5.0, 5.0]), review=1
    )
    assert found.seen.tolist() == [False, True]


def outcome(who, added):
    return OverrideOutcome(item="A", who=who, reason="", before=1, after=2, demand=1, added=added)


def test_by_person_with_intervals():
    one = [outcome("Pat", v) for v in (10.0, 12.0, 11.0, 9.0, 13.0)]
    other = [outcome("Kim", v) for v in (-5.0, 6.0, -1.0)]
    found = {p.who: p for p in by_person(one + other)}
    assert found["Pat"].verdict == "added"
    assert found["Pat"].added.value == pytest.approx(55.0)
    # Student's t of the five, by hand
    half = 2.7764451 * np.std([10, 12, 11, 9, 13], ddof=1) / math.sqrt(5) * 5
    assert found["Pat"].added.high == pytest.approx(55 + half, rel=1e-5)
    assert found["Kim"].verdict == "not proven"
    assert found["all"].overrides == 8
    (alone,) = by_person([outcome("Pat", 1e9)])
    assert alone.verdict == "not proven" and alone.added.low == -math.inf


@given(
    st.lists(st.lists(UNITS, min_size=4, max_size=4), min_size=1, max_size=5),
    UNITS,
    st.lists(UNITS, min_size=1, max_size=4),
)
def test_run_out_counts_the_paths_that_have_run_short(paths, on_hand, coming):
    chances = run_out(np.array([paths]), Stock(np.array([on_hand]), np.array([coming]), np.zeros(1)))
    for t in range(4):
        short = 0
        for path in paths:
            supply, gone = on_hand, False
            for k in range(t + 1):
                supply += coming[k] if k < len(coming) else 0.0
                supply -= path[k]
                gone |= supply < 0
            short += gone
        assert chances[0, t] == pytest.approx(short / len(paths))
