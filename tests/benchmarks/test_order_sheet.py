"""The order sheet of make bench-decide: nothing is gained where nothing can be foreseen, and nobody sees a window before it comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from holdgood.core.inventory import Observation, Stock, Terms


@pytest.fixture(scope="module")
def decide(bench):
    names = {}
    for module in ("foreseen", "ways", "sheet"):
        names |= vars(bench("decide", module))
    return SimpleNamespace(**names)


@pytest.mark.filterwarnings("ignore")
def test_a_null_world_shows_no_gain(decide):
    case = replace(decide.NULL, windows=2, tuning=20, averages=(26, 52))
    row = decide.measured(case, decide.null(20, seed=1))
    for against in row["compared"][-2:]:
        assert against["items"][0] <= 0.0, against
        assert abs(against["saved"]) < 0.15, against


def test_a_learned_level_is_taken_only_where_it_is_proven_better(decide):
    windows, origins, n, steps = len(decide.WINDOWS), 8, 40, 3

    def raced(signal, seed):
        rng = np.random.default_rng(seed)
        level = rng.lognormal(3.0, 0.7, n)
        course = signal * rng.normal(0.0, 1.0, (origins, n, 1))
        came = level[:, None] * np.exp(course) + np.sqrt(level)[:, None] * rng.normal(size=(origins, n, steps))
        wide = np.sqrt(level)[:, None]
        means = [level[:, None] + 0.15 * wide * rng.normal(size=(origins, n, 1)) for _ in range(windows)]
        learned = level[:, None] * np.exp(course) + 0.4 * wide * rng.normal(size=(origins, n, 1))
        points = np.stack([np.broadcast_to(m, came.shape) for m in (*means, learned)])
        return decide.raced(points, came, np.broadcast_to(level, (origins, n))).weights[-1]

    assert sum(raced(0.0, seed) > 0 for seed in range(12)) <= 2  # its level is noise: a window stands
    assert all(raced(0.3, seed) > 0.5 for seed in range(12))  # it foresees


def test_before_a_window_only_what_is_past_is_handed_out(decide):
    case = replace(decide.NULL, windows=2, tuning=20, averages=(26,))
    items, seen = decide.null(5), []

    def ways(sales, in_stock, start):
        assert sales.shape == in_stock.shape
        seen.append(start)
        np.testing.assert_array_equal(sales, items.demand[:, :start])
        return []

    found = decide.replayed(case, items, items.demand, np.ones(items.demand.shape, bool), ways)
    assert seen == [160 - 3 - 16, 160 - 3 - 8]
    assert [len(o) for o in found.values()] == [2]


def test_the_incumbent_knows_nothing_of_the_window(decide):
    case, rng = replace(decide.NULL, tuning=20, averages=(26,)), np.random.default_rng(0)
    past = rng.poisson(20.0, (6, 100)).astype(float)
    shown = np.ones(past.shape, bool)
    policy, stock = decide.incumbent(case, past, shown)
    again, same = decide.incumbent(case, past.copy(), shown)
    assert policy.policy.high == again.policy.high
    np.testing.assert_array_equal(stock.on_hand, same.on_hand)
    dear, _ = decide.incumbent(replace(case, shortage=50.0), past, shown)
    assert dear.policy.high > policy.policy.high


@dataclass
class Flat:
    sigma: np.ndarray

    def mean(self, seen, steps):
        return np.full((len(self.sigma), steps), 10.0)


def test_safety_stock_by_hand(decide):
    terms = Terms.of(2, holding=1.0, shortage=9.0, lead=3)
    stock = Stock(np.array([5.0, 90.0]), np.array([[1.0, 0, 0], [0, 0, 0]]), np.zeros(2))
    seen = Observation(-1, np.zeros((2, 1)), np.ones((2, 1), bool), stock, terms)
    policy = decide.AtReviews(decide.SafetyStock(Flat(np.array([2.0, 2.0])), 1, "hand"), 1)
    # 4 steps of 10, and 1.2816 (nine in ten) times 2 times the root of 4, less 6 on hand and on the way
    assert policy.order(seen) == pytest.approx([40 + 1.28155 * 4 - 6, 0.0], abs=1e-3)
    assert decide.AtReviews(policy, 7).order(replace(seen, step=3)).tolist() == [0.0, 0.0]


def test_what_is_saved_is_a_share_with_both_intervals(decide):
    def outcome(name, loss):
        return SimpleNamespace(policy=name, loss=np.array(loss)[:, None])

    cheap = [outcome("a", [1.0, 2.0, 3.0]), outcome("a", [2.0, 2.0, 4.0])]
    dear = [outcome("b", [2.0, 2.0, 4.0]), outcome("b", [2.0, 3.0, 3.0])]
    row = decide.compared(cheap, dear)
    assert row["saved"] == pytest.approx(2 / 16)
    assert row["items"][0] < row["saved"] < row["items"][1]
    assert (row["wins"], row["of"]) == (1, 2)
