from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from holdgood.core.inventory import Observation

VN2 = Path(__file__).resolve().parents[2] / "benchmarks" / "vn2"
PAIRS, PAST = 40, 90


@pytest.fixture(scope="module")
def vn2(bench):
    names = {}
    for module in ("panel", "paths", "rules", "features", "agent"):
        names |= vars(bench("vn2", module))
    return SimpleNamespace(**names)


def tables(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    state = pd.DataFrame({
        "Store": np.arange(PAIRS) // 8, "Product": np.arange(PAIRS) % 8, "order": rng.permutation(PAIRS),
        "Department": np.arange(PAIRS) % 2, "End Inventory": rng.integers(0, 9, PAIRS),
        "In Transit W+1": rng.integers(0, 4, PAIRS), "In Transit W+2": rng.integers(0, 4, PAIRS),
    })  # fmt: skip
    weeks = pd.date_range("2021-04-12", periods=PAST, freq="7D")
    rate = rng.gamma(2.0, 1.5, PAIRS)
    history = pd.concat([
        pd.DataFrame({
            "Store": s, "Product": p, "ds": weeks, "y": rng.poisson(m, PAST).astype(float), "in_stock": rng.random(PAST) > 0.1,
        })
        for s, p, m in zip(state["Store"], state["Product"], rate, strict=True)
    ])  # fmt: skip
    history["y"] = history["y"].where(history["in_stock"], 0.0)
    return state, history.sample(frac=1.0, random_state=1)


def test_rows_stand_in_the_order_of_the_state_and_empty_shelves_are_no_demand(vn2) -> None:
    state, history = tables()
    sales, recorded = vn2.sales_of(history, state)
    row = state[state["order"] == 7].iloc[0]
    own = history[(history["Store"] == row["Store"]) & (history["Product"] == row["Product"])].sort_values("ds")
    np.testing.assert_array_equal(recorded[7], own["y"])
    np.testing.assert_array_equal(np.isnan(sales.units[7]), ~own["in_stock"])


def test_the_benchmark_policy_by_hand(vn2) -> None:
    state, history = tables()
    sales, _ = vn2.sales_of(history, state)
    flat = vn2.benchmark_levels(type(sales)(np.full((3, 60), 5.0), *(np.zeros(3, int),) * 3, np.arange(60) % 52 + 1))
    np.testing.assert_allclose(flat, 20.0)
    units = np.where(np.arange(60) % 52 + 1 == 9, 10.0, 5.0)[None].repeat(3, 0)  # week 9 sells twice as much
    units[0, -2] = np.nan
    twice = vn2.benchmark_levels(type(sales)(units, *(np.zeros(3, int),) * 3, np.arange(60) % 52 + 1))
    np.testing.assert_allclose(twice, 25.0)  # 60 weeks end in week 8


def test_smoothed_levels_by_hand(vn2) -> None:
    units = np.full((4, 60), 2.0)
    units[1, 56:] = np.nan  # an empty shelf says nothing of the level
    units[2, -10] = 500.0  # nor does one sale in bulk, beyond three times the level
    units[3, -13:] = 8.0
    found = vn2.smoothed(units)
    assert found.shape == (4, len(vn2.SMOOTHINGS) + 1)
    np.testing.assert_allclose(found[:2], 2.0, rtol=0.03)
    assert found[2, -1] == pytest.approx((51 * 2 + 3 * found[2, 0]) / 52) and found[2, -1] < 4 < 500 / 52
    assert (np.diff(found[3, :-1]) > 0).all() and found[3, -2] == pytest.approx(8, abs=0.3)


def test_what_is_left_after_the_last_round_has_no_later_use(vn2) -> None:
    first = pd.Timestamp("2024-04-08")
    covers = [vn2.cover_after(first + pd.Timedelta(weeks=k), 0.7) for k in range(vn2.ROUNDS)]
    assert covers == [0.7] * 5 + [pytest.approx(1 / 1.2)]


@dataclass(frozen=True)
class Nothing:
    name: str = "nothing"

    def order(self, seen: Observation) -> np.ndarray:
        assert -1 <= seen.step < 7
        return np.zeros(len(seen.stock))


@dataclass(frozen=True)
class Same:
    """The benchmark's own orders, by way of an agent."""

    vn2: SimpleNamespace
    sales: object
    known: int
    name: str = "same"

    def order(self, seen: Observation) -> np.ndarray:
        level = self.vn2.benchmark_levels(self.sales.until(self.known + seen.step + 1))
        return np.maximum(np.round(level - seen.stock.position), 0.0)


def test_both_begin_from_one_state_and_only_weeks_that_orders_decide_are_paid(vn2) -> None:
    state, history = tables()
    sales, recorded = vn2.sales_of(history, state)
    known = PAST - vn2.WEEKS
    usual = vn2.played(vn2.BENCHMARK, sales, recorded, known)
    assert usual.steps == vn2.WEEKS - 2 == vn2.ROUNDS
    np.testing.assert_array_equal(vn2.played(Same(vn2, sales, known), sales, recorded, known).cost, usual.cost)
    none = vn2.played(Nothing(), sales, recorded, known)
    assert none.shortage.sum() > usual.shortage.sum() and none.holding.sum() < usual.holding.sum()
    np.testing.assert_array_equal(none.units.demand, recorded[:, known + 2 : known + vn2.WEEKS].sum(1)[:, None])
    assert vn2.WARM > 2 * 3


def test_spread_comes_back_from_paths_drawn_with_it(vn2) -> None:
    rng = np.random.default_rng(0)
    means = np.full((20_000, 3), 6.0)
    level, week = rng.gamma(10.0, 0.1, (20_000, 1)), rng.gamma(5.0, 0.2, (20_000, 3))
    found = vn2.spread_of(means, rng.poisson(means * level * week).astype(float))
    assert found.shared[0] == pytest.approx(0.1, abs=0.02)
    assert found.total[0] == pytest.approx(1.1 * 1.2 - 1, abs=0.03)
    state, history = tables()
    sales, _ = vn2.sales_of(history, state)
    paths = vn2.sample_paths(sales, np.full((PAIRS, 3), 6.0), found, 4000)
    np.testing.assert_allclose(paths.mean(axis=(1, 2)), 6.0, rtol=0.06)
    assert np.corrcoef(paths[:, :, 0].ravel(), paths[:, :, 2].ravel())[0, 1] > 0.1


def test_the_agent_as_a_process(tmp_path: Path, vn2) -> None:
    state, history = tables()
    state.sample(frac=1.0, random_state=2).to_parquet(tmp_path / "state.parquet")
    history.to_parquet(tmp_path / "sales.parquet")
    for out in ("orders.csv", "again.csv"):
        arguments = [str(tmp_path / name) for name in ("state.parquet", "sales.parquet", out)]
        done = subprocess.run(
            [sys.executable, str(VN2 / "agent.py"), *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    orders = pd.read_csv(tmp_path / "orders.csv")
    expected = state.sort_values("order")
    assert orders.columns.tolist() == ["Store", "Product", "quantity"]
    np.testing.assert_array_equal(orders[["Store", "Product"]], expected[["Store", "Product"]])
    assert orders["quantity"].dtype == np.int64 and (orders["quantity"] >= 0).all() and orders["quantity"].sum() > 0
    assert (tmp_path / "orders.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    position = expected[["End Inventory", "In Transit W+1", "In Transit W+2"]].sum(axis=1).to_numpy()
    # order up to something: who has more orders less
    assert np.corrcoef(position, orders["quantity"])[0, 1] < 0
    state.drop(columns="End Inventory").to_parquet(tmp_path / "state.parquet")
    done = subprocess.run(
        [sys.executable, str(VN2 / "agent.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "STATE has no column End Inventory" in done.stderr
    assert vn2.terms(2).lead.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda state, sales: (pd.concat([state, state.iloc[:1]]), sales), "names a pair twice: store 0 product 0"),
        (lambda state, sales: (state, sales[(sales["Store"] > 0) | (sales["Product"] > 1)]), "no row of store 0 product 0, store 0 product 1"),
        (lambda state, sales: (state.assign(**{"End Inventory": np.nan}), sales), "no number of zero or more for store 0 product 0"),
        (lambda state, sales: (state.assign(**{"In Transit W+1": -1}), sales), "no number of zero or more for store 0 product 0"),
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_ordered_for_is_refused_with_the_pair(vn2, spoil, said) -> None:
    with pytest.raises(SystemExit, match=said):
        vn2.checked(*spoil(*tables()))
