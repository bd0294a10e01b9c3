"""Orders under constraints against every combination of order sizes, and what is told where none keeps them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.constrained import best_within
from holdgood.decisions.inventory.constraints import ConflictError, Constraints, JointMinimum, Limit
from holdgood.decisions.inventory.projected import best_orders


def made(seed, n, **terms):
    """Curves of n items whose demand is some ten units."""
    rng = np.random.default_rng(seed)
    paths = rng.poisson(rng.uniform(2, 9, n)[:, None, None], (n, 40, 3)).astype(float)
    terms = Terms.of(n, **{"holding": 0.3, "shortage": rng.integers(1, 9, n).astype(float), "lead": 1, **terms})
    return best_orders(paths, Stock(np.zeros(n), np.zeros((n, 1)), np.zeros(n)), terms, review=2), terms


def cheapest(curve, terms, constraints, most=100):
    """Money of the best of all combinations of allowed sizes."""
    choices = []
    for i in range(len(terms)):
        step = int(terms.pack[i])
        sizes = [q for q in range(step, most, step) if terms.minimum[i] <= q <= terms.maximum[i]]
        choices.append([0] if constraints.closed is not None and constraints.closed[i] else [0, *sizes])
    money = [
        curve.take(np.array([i])).at(np.array([c], float))[0] + terms.fixed[i] * (np.array(c) > 0)
        for i, c in enumerate(choices)
    ]
    plans = np.array(list(itertools.product(*choices)), float)
    cost = np.array(list(itertools.product(*money))).sum(axis=1)
    kept = np.ones(len(plans), bool)
    for limit in constraints.limits:
        kept &= plans @ limit.weight <= limit.most + 1e-9
    for s in constraints.joint:
        asked = (plans[:, s.items] > 0).any(axis=1) | s.obliged
        kept &= ~asked | (plans @ (s.weight * s.items) >= s.least - 1e-9)
        cost = cost + s.fixed * asked
    return cost[kept].min()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(0.2, 1.2),
    st.lists(st.sampled_from([4, 5, 7, 10]), min_size=3, max_size=3),
    st.sampled_from([0, 0, 8]),
    st.sampled_from([0, 0, 6]),
    st.sampled_from([None, 0.5, 1.5]),
    st.booleans(),
)
def test_no_combination_is_cheaper(seed, share, pack, minimum, fixed, joint, closed):
    free, terms = made(seed, 3, pack=np.array(pack, float), minimum=minimum, fixed=fixed)
    weight = np.array([1.0, 2.0, 1.5])
    take = float(weight @ free.quantity)
    limits = (Limit("budget", weight, share * take), Limit("space", weight[::-1], 1.1 * share * take))
    its = np.array([True, True, False])
    suppliers = (
        () if joint is None else (JointMinimum("A", its, np.ones(3), joint * float(free.quantity[:2].sum()), 3.0),)
    )
    constraints = Constraints(limits, suppliers, closed=np.array([False, False, True]) if closed else None)
    got = best_within(free.projection.curve, terms, constraints, gap=0.0)
    assert got.cost == pytest.approx(cheapest(free.projection.curve, terms, constraints), rel=1e-6)
    assert got.bound <= got.cost + 1e-6
    assert all(x.weight @ got.quantity <= x.most + 1e-6 for x in limits)
    assert (np.mod(got.quantity, terms.pack) < 1e-9).all()
    assert ((got.quantity == 0) | (got.quantity >= minimum)).all()
    assert not closed or got.quantity[2] == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_many_items_come_near_the_bound_and_keep_the_budget(seed, share):
    rng = np.random.default_rng(seed)
    free, terms = made(seed, 60, pack=rng.choice([0.0, 1.0, 6.0], 60), unit=rng.uniform(1, 20, 60))
    spend = float(terms.unit @ free.quantity)
    got = best_within(free.projection.curve, terms, Constraints((Limit("budget", terms.unit, share * spend),)))
    assert terms.unit @ got.quantity <= share * spend * (1 + 1e-6)
    assert got.gap <= 0.005 + 1e-9
    assert got.used["budget"] == pytest.approx(terms.unit @ got.quantity)


def test_without_constraints_every_item_gets_its_own_best():
    free, terms = made(3, 20, pack=2)  # nothing fixed and small packs: one window decides in both
    got = best_within(free.projection.curve, terms, Constraints())
    assert got.cost == pytest.approx(free.cost.sum())
    assert got.quantity.tolist() == free.quantity.tolist()
    assert (got.quantity > 0).any()


def test_a_unit_of_budget_is_worth_what_one_more_saves():
    free, terms = made(4, 80, unit=np.linspace(1, 9, 80))
    budget = 0.5 * float(terms.unit @ free.quantity)
    one = best_within(free.projection.curve, terms, Constraints((Limit("budget", terms.unit, budget),)), gap=0.0)
    more = best_within(free.projection.curve, terms, Constraints((Limit("budget", terms.unit, budget + 5),)), gap=0.0)
    assert (one.cost - more.cost) / 5 == pytest.approx(one.worth["budget"], rel=0.1)


def test_conflicts_are_named_with_the_nearest_that_can_be_kept():
    free, terms = made(5, 4, pack=5)
    ones, its = np.ones(4), np.array([True, True, False, False])
    constraints = Constraints(
        (Limit("budget", ones, 30.0), Limit("space", ones, 500.0)),
        (JointMinimum("A", its, ones, 42.0, obliged=True), JointMinimum("B", ~its, ones, 400.0)),
    )
    with pytest.raises(ConflictError, match="'budget' .at most 30. and 'A' .at least 42.") as caught:
        best_within(free.projection.curve, terms, constraints)
    error = caught.value
    assert set(error.conflict) == {"budget", "A"}
    assert error.nearest in ({"A": 30.0}, {"budget": 45.0})
    # the nearest is a plan in whole packs, and with its amounts declared there is one
    assert (error.quantity % 5 == 0).all()
    eased = Constraints(
        (Limit("budget", ones, error.nearest.get("budget", 30.0)), constraints.limits[1]),
        (JointMinimum("A", its, ones, error.nearest.get("A", 42.0), obliged=True), constraints.joint[1]),
    )
    assert best_within(free.projection.curve, terms, eased).used["budget"] <= eased.limits[0].most + 1e-6


def test_a_conflict_that_only_whole_packs_make_is_found():
    free, terms = made(6, 2, pack=10)
    floors = np.array([11.0, 11.0])  # two packs each
    constraints = Constraints((Limit("budget", np.ones(2), 25.0),), at_least=floors)
    with pytest.raises(ConflictError, match="what must be ordered of single items") as caught:
        best_within(free.projection.curve, terms, constraints)
    assert set(caught.value.conflict) == {"budget", "at_least"}


def test_a_floor_above_what_a_closed_supplier_gives_is_told():
    free, terms = made(7, 2)
    constraints = Constraints(at_least=np.array([0.0, 3.0]), closed=np.array([False, True]))
    with pytest.raises(ConflictError) as caught:
        best_within(free.projection.curve, terms, constraints)
    assert caught.value.conflict == ("at_least",)
    assert caught.value.floors.tolist() == [1]


@pytest.mark.parametrize(
    ("constraints", "error", "said"),
    [
        (
            Constraints((Limit("budget", np.array([1.0, np.nan]), 5.0),)),
            DataError,
            "weight of 'budget' of item 1 is nan",
        ),
        (Constraints((Limit("budget", np.ones(3), 5.0),)), DataError, "shape"),
        (Constraints((Limit("budget", np.ones(2), -5.0),)), DeclarationError, "'budget' is -5"),
        (
            Constraints((Limit("x", np.ones(2), 5.0), Limit("x", np.ones(2), 5.0))),
            DeclarationError,
            "two constraints named 'x'",
        ),
    ],
)
def test_constraints_that_cannot_be_read_are_refused(constraints, error, said):
    free, terms = made(8, 2)
    with pytest.raises(error, match=said):
        best_within(free.projection.curve, terms, constraints)
