"""Fixed costs, packs and minimums that last for several windows: orders beside the exact (s, S) and beside tuned rules."""

from dataclasses import dataclass

import numpy as np
import pytest

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.min_max import best_min_max, min_max_cost
from holdgood.decisions.inventory.one_step_cost import poisson_chances
from holdgood.decisions.inventory.projected import best_orders
from holdgood.decisions.simulator import MinMax, World, simulate, tuned

LEVELS = np.arange(-12, 68, 2)


def orders_at(levels, mean, *, lead=0, samples=400, seed=5, **how):
    """The order of one item at each of these stocks, all from the same paths."""
    n = len(levels)
    terms = Terms.of(n, lead=lead, **how)
    one = np.random.default_rng(seed).poisson(mean, (1, samples, lead + 1)).astype(float)
    stock = Stock(np.maximum(levels, 0.0), np.zeros((n, lead)), np.maximum(-levels, 0.0))
    return best_orders(np.repeat(one, n, axis=0), stock, terms)


@pytest.mark.parametrize(("mean", "fixed", "shortage", "lead"), [(10, 64, 9, 0), (20, 64, 9, 0), (10, 64, 9, 2)])
def test_with_a_fixed_cost_it_is_nearly_the_exact_rule(mean, fixed, shortage, lead):
    levels = LEVELS.astype(float) + lead * mean
    best = orders_at(levels, mean, lead=lead, holding=1, shortage=shortage, fixed=fixed, lost_sales=False)
    ordered = best.quantity > 0
    assert (np.diff(ordered.astype(int)) <= 0).all() and ordered.any()  # up to a stock, and never above it
    reorder, up_to = int(levels[ordered].max()), round(float(np.median((levels + best.quantity)[ordered])))
    chances = poisson_chances(mean)
    exact = best_min_max(chances, 1, shortage, fixed, lead)
    assert min_max_cost(chances, 1, shortage, fixed, reorder, up_to, lead) < 1.02 * exact.cost
    assert (best.at_stake[ordered] >= -1e-9).all()


@dataclass
class Tabled:
    """Orders of every whole stock, as they were decided once: demand and terms never change."""

    quantity: np.ndarray
    name: str = "best orders"

    def order(self, seen):
        return self.quantity[np.minimum(seen.stock.on_hand.astype(int), len(self.quantity) - 1)]

    def take(self, rows):
        return self


@pytest.mark.parametrize(
    ("mean", "how"),
    [
        (1, {"holding": 0.5, "shortage": 10, "pack": 24}),
        (1, {"holding": 0.5, "shortage": 10, "minimum": 20}),
        (10, {"holding": 1, "shortage": 9, "fixed": 100}),
        (0.3, {"holding": 1, "shortage": 9, "pack": 1}),
    ],
)
def test_where_sales_are_lost_it_is_as_good_as_a_rule_tuned_on_the_same_futures(mean, how):
    rng = np.random.default_rng(1)
    n = 30
    stock = Stock(np.full(n, float(mean)), np.zeros((n, 0)), np.zeros(n))
    future = rng.poisson(mean, (n, 1, 200)).astype(float)
    world = World(Terms.of(n, **how), stock, future, np.zeros((n, 1)), np.ones((n, 1), bool))
    ours = simulate(Tabled(orders_at(np.arange(0.0, 40.0), mean, **how).quantity), world)
    rules = [MinMax(float(low), float(high), 0) for low in (0, 1, 2, 4, 7) for high in (low + 1, 30, 40, 50)]
    theirs = simulate(tuned(rules, [world]).policy, world)
    assert ours.loss.mean() < 1.02 * theirs.loss.mean()
    assert ours.fill_rate > theirs.fill_rate - 0.02


def test_a_single_unit_is_no_pack():
    one = orders_at(np.arange(0.0, 6.0), 0.3, lead=1, holding=1, shortage=9, pack=1)
    free = orders_at(np.arange(0.0, 6.0), 0.3, lead=1, holding=1, shortage=9)
    assert one.quantity.tolist() == free.quantity.tolist() and not len(one.several.rows)
    assert len(orders_at(np.arange(0.0, 6.0), 0.3, lead=1, holding=1, shortage=9, pack=2).several.rows) == 6


def test_what_a_maximum_forbids_is_not_ordered():
    best = orders_at(np.arange(0.0, 40.0, 5.0), 10, holding=1, shortage=9, fixed=64, maximum=18)
    assert best.quantity.max() == 18
    none = orders_at(np.arange(0.0, 40.0, 5.0), 10, holding=1, shortage=9, fixed=64, pack=24, maximum=18)
    assert (none.quantity == 0).all()


def test_the_convex_cost_with_what_follows_lies_below_and_meets_it():
    best = orders_at(np.arange(0.0, 40.0, 5.0), 10, holding=1, shortage=9, fixed=64)
    convex = best.several.curve(best.projection.curve)
    assert (np.diff(convex.slope, axis=1) >= -1e-9).all()
    for quantity in (0.0, 11.0, 25.0, 40.0):
        asked = np.full(8, quantity)
        whole = best.projection.curve.at(asked) - best.several.saved(asked)
        assert (convex.at(asked) <= whole + 0.3).all()
    ordered = best.quantity > 0
    assert (convex.at(best.quantity) + 64)[ordered] == pytest.approx(best.cost[ordered], rel=0.02)
