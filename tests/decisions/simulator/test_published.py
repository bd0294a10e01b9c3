"""Published games of InventoryBench: what their baseline earned with its own orders, and what perfect foresight would have."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.decisions.simulator import World, foresight, simulate


@dataclass(frozen=True)
class Written:
    orders: np.ndarray
    name: str = "as published"

    def order(self, seen: Observation) -> np.ndarray:
        return self.orders[:, seen.step + 1]


def games() -> pd.DataFrame:
    folder = Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).parents[4] / "shared" / "data"))
    path = folder / "forecast" / "inventorybench_dev.parquet"
    if not path.exists():
        pytest.skip(f"no {path.name}: set HOLDGOOD_DATA")
    return pd.read_parquet(path).sort_values(["unique_id", "t"])


def test_every_reward_comes_out_as_published() -> None:
    table = games()
    shares: list[pd.Series] = []
    length = table.groupby("unique_id")["t"].transform("size")
    for steps in sorted(set(length)):
        some = table[length == steps]
        demand, leads, orders = (some[c].to_numpy(float).reshape(-1, steps) for c in ("y", "lead_time", "or_order"))
        first = some.groupby("unique_id").first()
        n = len(first)
        terms = Terms.of(n, holding=first["h"], shortage=0.0, price=first["p"], lead=first["L"])
        stock = Stock(np.zeros(n), np.zeros((n, 0)), np.zeros(n))
        world = World(
            terms, stock, demand[:, None], np.zeros((n, 0)), np.ones((n, 0), bool), np.asarray(leads)[:, None]
        )
        np.testing.assert_allclose(-simulate(Written(orders), world).loss[:, 0], first["or_reward"])
        best = foresight(world)
        assert best.exact
        shares.append(
            pd.Series(-best.loss[:, 0] / (first["p"].to_numpy() * demand.sum(axis=1)), first["lead_setting"].to_numpy())
        )
    share = pd.concat(shares)
    assert round(share.mean(), 3) == 0.869
    assert share.groupby(level=0).mean().round(3).tolist() == [1.0, 0.904, 0.704]
