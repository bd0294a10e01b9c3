"""What a sale brings: policies and simulator must mean the same money."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.decisions.inventory.gain import gain_of_sale
from holdgood.decisions.inventory.projected import best_orders
from holdgood.decisions.simulator import World, simulate


@dataclass
class Always:
    """One quantity."""

    units: float
    name: str = "always"

    def order(self, seen: Observation) -> np.ndarray:
        return np.full(len(seen.terms), self.units)


def both(terms: Terms, demand: np.ndarray, units: float) -> tuple[float, float]:
    """What ``units`` save against nothing, in one step: by the policy's curve and by the simulator."""
    stock = Stock(np.zeros(1), np.zeros((1, 1)), np.zeros(1))
    curve = best_orders(demand, stock, terms).projection.curve
    world = World(terms, stock, demand, np.zeros((1, 0)), np.ones((1, 0), bool))
    of_none, of_units = (float(simulate(Always(q), world).loss.mean()) for q in (0.0, units))
    return float(curve.none[0] - curve.at(np.array([units]))[0]), of_none - of_units


@settings(max_examples=40, deadline=None)
@given(
    price=st.sampled_from([0.0, 2.0, 9.0]),
    unit=st.floats(0, 8),
    shortage=st.floats(0, 12),
    waste=st.floats(0, 3),
    units=st.integers(0, 12),
    seed=st.integers(0, 99),
)
def test_the_policy_and_the_simulator_mean_the_same_money(price, unit, shortage, waste, units, seed):
    demand = np.random.default_rng(seed).integers(0, 10, (1, 25, 1)).astype(float)
    # one step, and what is left of it spoils: nothing is paid later
    terms = Terms.of(1, holding=0, shortage=shortage, price=price, unit=unit, waste=waste, shelf_life=1)
    worth_serving = shortage + (price - unit if price > 0 else 0.0) >= 0
    said, seen = both(terms, demand, float(units))
    if worth_serving:
        assert said == pytest.approx(seen, abs=1e-9)
    else:
        assert said <= 1e-9  # nothing is ordered for what costs more than it brings


def test_without_a_price_shortage_is_the_margin_net_of_the_unit():
    terms = Terms.of(1, holding=0, shortage=2, unit=5, shelf_life=1)
    assert gain_of_sale(terms).tolist() == [2.0]
    assert both(terms, np.full((1, 1, 1), 4.0), 4.0) == (8.0, 8.0)  # four sold: four margins
    assert both(terms, np.full((1, 1, 1), 4.0), 6.0) == (-2.0, -2.0)  # and two that spoil, at 5 each


def test_a_sale_below_cost_is_worth_only_what_is_left_of_the_shortage():
    assert gain_of_sale(Terms.of(2, holding=0, shortage=[4.0, 1.0], price=5, unit=8)).tolist() == [1.0, 0.0]
