"""The plan as a policy: it sees observations only, and its orders are those of the plan."""

from dataclasses import replace

import numpy as np
import pytest

import holdgood as hg
from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.workflow.ordering.policy import ForecastOrders, longer
from holdgood.workflow.ordering.replay import orders_table, replay, state_table, warehouse


@pytest.fixture
def read(model, history):
    return model.forecast(history).read


def terms(n=8, **more):
    return Terms.of(n, holding=0.1, shortage=2.0, lead=1.0, **more)


def test_a_longer_history_is_that_of_the_later_table(model, whole, history, read):
    later = model.panel_of(whole).panel
    new = np.stack([later.y[e - 6 : e] for e in later.indptr[1:]])
    grown = longer(read, new[:, :4], np.ones((8, 4), bool))
    assert grown.panel.y.tolist() == later.until(2).y.tolist()
    assert (grown.panel.ds == later.until(2).ds).all()
    assert (grown.panel.indptr == later.until(2).indptr).all()
    assert (grown.future.ds[:, 0] == later.ds[later.indptr[1:] - 2]).all()
    assert longer(read, new[:, :0], np.ones((8, 0), bool)) is read


def test_sales_of_an_empty_shelf_are_no_demand(model, read):
    past = read.panel.tail(20)
    stock = Stock(np.full(8, 5.0), np.zeros((8, 1)), np.zeros(8))
    policy = ForecastOrders(model.model, read, samples=100)

    def order(sold, in_stock):
        sales = np.concatenate([past, np.full((8, 6), sold)], axis=1)
        flag = np.ones(sales.shape, bool)
        flag[:, 20:] = in_stock
        return policy.order(Observation(5, sales, flag, stock, terms()))

    usual = policy.order(Observation(-1, past, np.ones(past.shape, bool), stock, terms()))
    unasked, hidden = order(0.0, True), order(0.0, False)
    assert unasked.sum() < 0.8 * usual.sum()  # the shelf was full and nobody asked
    assert 0.9 * usual.sum() < hidden.sum() < 1.3 * usual.sum()  # nobody could have bought
    assert (hidden >= unasked).all()


def test_a_grown_history_keeps_what_was_known_of_stock_outs(read):
    flag = np.ones(len(read.panel.y), bool)
    flag[3] = False
    marked = replace(read, panel=replace(read.panel, available=flag))
    grown = longer(marked, np.ones((8, 2)), np.array([[True, False]] * 8)).panel
    assert grown.available.sum() == len(flag) - 1 + 8 and not grown.available[3]
    assert not grown.available[grown.indptr[1:] - 1].any() and grown.available[grown.indptr[1:] - 2].all()
    with pytest.raises(DataError, match="'available' has 3 values"):
        replace(read.panel, available=np.ones(3, bool))
    with_price = replace(read, panel=replace(read.panel, past={"footfall": np.ones(len(flag))}))
    with pytest.raises(DataError, match="the column footfall"):
        longer(with_price, np.ones((8, 2)), np.ones((8, 2), bool))


def test_its_first_order_is_the_plans(model, history, read):
    stock = Stock(np.full(8, 10.0), np.zeros((8, 1)), np.zeros(8))
    policy = ForecastOrders(model.model, read, samples=100, seed=0)
    past = read.panel.tail(20)
    seen = Observation(-1, past, np.ones(past.shape, bool), stock, terms())
    state = read.keys.append_column("on_hand", [[10.0] * 8])
    said = {"holding": 0.1, "shortage": 2.0, "lead_time": 1.0}
    plan = hg.plan_orders(replace(model), history, state, orders=said, samples=100).plan
    wanted = {line.item: line.quantity for line in plan.lines}
    assert policy.order(seen).tolist() == [wanted[str(i)] for i in read.panel.ids]


def test_the_future_does_not_reach_its_orders(model, read):
    demand = np.random.default_rng(0).poisson(12.0, (8, 5)).astype(float)
    other = demand.copy()
    other[:, 3:] += 100.0
    held = warehouse(read, terms())
    policy = ForecastOrders(model.model, read, samples=50)
    seen = []

    class Watching:
        name = "watched"

        def order(self, observation):
            seen.append(policy.order(observation))
            return seen[-1]

    for future in (demand, other):
        replay(Watching(), held, terms(), future)
    for step in range(3):  # decided before the fourth step's demand is known
        assert seen[step].tolist() == seen[5 + step].tolist()
    assert seen[4].tolist() != seen[9].tolist()


def test_the_warehouse_is_what_the_incumbent_left(model, read, history):
    held = warehouse(read, terms())
    assert (held.stock.on_hand >= 0).all() and held.stock.arriving.sum() > 0
    state, coming = state_table(read, held), orders_table(read, held)
    plan = hg.plan_orders(model, history, state, open_orders=coming, orders={"lead_time": 1.0}).plan
    lines = {line.item: line for line in plan.lines}
    for k, item in enumerate(read.panel.ids.astype(str)):
        assert lines[item].on_hand == pytest.approx(held.stock.on_hand[k], abs=0.01)
        assert sum(lines[item].coming) == pytest.approx(held.stock.arriving[k].sum(), abs=0.05)
