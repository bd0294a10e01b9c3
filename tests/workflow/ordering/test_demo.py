"""The demo's orders: what came is walked only where it is known, and the files are there."""

import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.core.records import OrderPlan
from holdgood.core.records.envelope import read as read_record
from holdgood.workflow.ordering.demo import demo_orders

TERMS = """
[orders]
holding_rate = 0.26
currency = "EUR"
unit_cost = 6.0
shortage = 4.0
lead_time = 1.0
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, project, bundle, history):
    folder = tmp_path_factory.mktemp("demo")
    history.to_csv(folder / "sales.csv", index=False)
    toml = (project / "holdgood.toml").read_text(encoding="utf-8")
    (folder / "holdgood.toml").write_text(toml.split("[orders]")[0] + TERMS, encoding="utf-8")
    (folder / "data" / "later").mkdir(parents=True)
    return folder


def test_both_ways_are_walked_over_what_came_and_the_files_are_there(shop, bundle, whole, history):
    whole.to_csv(shop / "data" / "later" / "sales.csv", index=False)
    done = demo_orders(shop, bundle, steps=5, samples=50)
    came = whole[whole.week > history.week.max()]
    demand = np.stack([came[came.article == f"A{i}"].pieces.to_numpy()[:5] for i in range(8)])
    assert done.replayed.ours.units.demand.sum() == done.replayed.theirs.units.demand.sum()
    assert done.replayed.steps == 4  # no order of now reaches the first
    assert done.replayed.ours.units.demand.sum() == pytest.approx(demand[:, 1:].sum())
    assert read_record(done.plan, OrderPlan).digest == done.planned.plan.digest
    assert done.desk.exists() and (shop / "orders" / "state.csv").exists() and len(done.planned.plan.lines) == 8


@pytest.mark.parametrize("fault", ["short", "unknown", "gone"])
def test_months_that_nobody_knows_are_no_demand_of_nothing(shop, bundle, whole, history, fault):
    later = whole.copy()
    new = later.week > history.week.max()
    if fault == "short":
        later = later[~((later.article == "A2") & (later.week == later.week.max()))]
    elif fault == "unknown":
        later.loc[later.index[new & (later.article == "A2")][1], "pieces"] = np.nan
    else:
        later = later[later.article != "A2"]
    later.to_csv(shop / "data" / "later" / "sales.csv", index=False)
    (shop / "orders").mkdir(exist_ok=True)
    (shop / "orders" / "orders.xlsx").write_bytes(fault.encode())  # somebody's own file
    with pytest.raises(
        DataError, match="1 series without a value in each of the 6 steps after history, the first is 'A2'"
    ):
        demo_orders(shop, bundle, steps=6, samples=20)
    assert fault.encode() in [f.read_bytes() for f in (shop / "orders").glob("orders-before*.xlsx")]
