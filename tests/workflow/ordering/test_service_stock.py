"""Service against stock: its numbers by another road, on the sheet, on the desk, and in the policy that is replayed."""

import math

import numpy as np
import pytest

import holdgood as hg
from holdgood.core.declaration import OrdersSpec
from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.reports.service_stock import draw_service, service_rows
from holdgood.workflow.ordering.policy import ForecastOrders

TERMS = {"holding_rate": 0.26, "currency": "EUR"}


def test_each_level_is_what_its_orders_do_on_the_paths(model, history, state):
    state = state.assign(on_order=0, arrives=None, lead_time=0)
    made = hg.plan_orders(model, history, state, orders=TERMS)
    paths = made.forecasts.paths
    hand = state.on_hand.to_numpy()
    y = np.stack([paths.y[paths.ids.tolist().index(i)][:, 0] for i in state.article])
    assert [p.level for p in made.plan.service[:-1]] == [0.5, 0.8, 0.9, 0.95, 0.98, 0.99]
    assert math.isnan(made.plan.service[-1].level)
    for p in made.plan.service[:-1]:
        need = np.sort(np.maximum(y - hand[:, None], 0), axis=1)[:, math.ceil(p.level * y.shape[1] - 1e-9) - 1]
        pack = state["pack"].to_numpy()
        units = np.where(pack > 0, np.ceil(need / np.maximum(pack, 1)) * pack, np.ceil(need))
        after = hand[:, None] + units[:, None] - y
        assert p.units == units.sum() and p.worth == pytest.approx(6 * units.sum())
        assert p.left == pytest.approx(np.maximum(after, 0).mean(axis=1).sum())
        assert p.left_worth == pytest.approx(6 * p.left)
        assert p.met == pytest.approx(1 - np.maximum(-after, 0).mean(axis=1).sum() / y.mean(axis=1).sum())
    ours = made.plan.service[-1]
    assert ours.units == sum(line.quantity for line in made.plan.lines)
    assert ours.cost == pytest.approx(sum(line.if_done for line in made.plan.lines))
    assert ours.cost <= min(p.cost for p in made.plan.service) + 1e-9  # a plan by cost is the cheapest of them all
    met, left = zip(*((p.met, p.left) for p in made.plan.service[:-1]), strict=True)
    assert list(met) == sorted(met) and list(left) == sorted(left)


def test_it_stands_on_a_page_of_the_sheet_and_on_the_desk(model, history, state, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    made = hg.plan_orders(model, history, state.assign(supplier="Service and stock"), orders=TERMS)
    book = openpyxl.load_workbook(made.to_excel(tmp_path / "o.xlsx"))
    page = book["Service and stock"]  # the supplier of that name has a page of another
    assert "Service and stock 2" in book.sheetnames and page.protection.sheet and len(page._charts) == 1
    rows = list(page.iter_rows(min_row=2, max_row=8, max_col=7, values_only=True))
    assert rows[-1][0] == "this plan" and [r[0] for r in rows[:-1]] == [0.5, 0.8, 0.9, 0.95, 0.98, 0.99]
    for row, p in zip(rows, made.plan.service, strict=True):
        assert row[1:] == pytest.approx((p.units, p.worth, p.left, p.left_worth, p.met, p.cost))
    html = made.to_html(tmp_path / "o.html").read_text(encoding="utf-8")
    assert 'id="service"' in html and "this plan" in html
    assert service_rows(made.plan)[-1][0] == "this plan" and "<svg" in draw_service(made.plan)
    bare = hg.plan_orders(model, history, state[["article", "on_hand"]], orders={}).plan
    assert all(math.isnan(p.cost) and math.isnan(p.worth) for p in bare.service)
    assert service_rows(bare)[0][6] == "–" and "<svg" in draw_service(bare)


@pytest.fixture
def read(model, history):
    return model.forecast(history).read


def seen_by(read, **more):
    past = read.panel.tail(20)
    stock = Stock(np.full(8, 10.0), np.zeros((8, 1)), np.zeros(8))
    return Observation(
        -1, past, np.ones(past.shape, bool), stock, Terms.of(8, holding=0.1, shortage=2.0, lead=1.0, **more)
    )


def plan_of(model, history, read, **said):
    state = read.keys.append_column("on_hand", [[10.0] * 8]).append_column("supplier", [["ACME", "Bolt"] * 4])
    orders = {"holding": 0.1, "shortage": 2.0, "lead_time": 1.0, "unit_cost": 3.0, **said}
    plan = hg.plan_orders(model, history, state, orders=orders, samples=100).plan
    wanted = {line.item: line.quantity for line in plan.lines}
    return [wanted[str(i)] for i in read.panel.ids]


@pytest.mark.parametrize(
    "said",
    [
        {"objective": "service", "service_level": 0.8},
        {"objective": "service", "service_level": 0.99},
        {"budget": 300.0},
        {"capacity": 150.0, "objective": "service"},
        {"supplier_minimum": {"ACME": 5000.0}},
    ],
)
def test_the_replayed_policy_obeys_what_the_plan_obeys(model, history, read, said):
    policy = ForecastOrders(
        model.model,
        read,
        OrdersSpec(**said),
        samples=100,
        supplier=np.array(["ACME", "Bolt"] * 4, object),
        unit_cost=np.full(8, 3.0),
    )
    free = ForecastOrders(model.model, read, samples=100).order(seen_by(read))
    got = policy.order(seen_by(read))
    assert got.tolist() == plan_of(model, history, read, **said)
    assert got.tolist() != free.tolist()  # the declaration changes something
    if "budget" in said:
        assert 3 * got.sum() <= 300
