"""Working days in the declaration: when orders are placed and come, and what that does to a plan."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

import holdgood as hg
from holdgood.core.declaration import OrdersSpec
from holdgood.core.declared_calendar import CalendarSpec
from holdgood.core.errors import DeclarationError
from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.features.panels.grid import DAY, Grid
from holdgood.workflow.ordering.calendars import Clock, open_steps, plain, timing
from holdgood.workflow.ordering.policy import ForecastOrders

DAILY = Grid("D", "fixed", DAY)
FRIDAY = int(np.datetime64("2024-12-20", "D").astype(int))


def when(spec, leads, now=FRIDAY, steps=10, supplier=("ACME",), drawn=False):
    n = len(leads)
    clock = Clock(DAILY, np.full(n, now))
    return timing(
        OrdersSpec(**spec), np.array(supplier * n, object)[:n], np.array(leads, float), np.full(n, drawn), clock, steps
    )


def test_weekdays_make_lead_time_and_review():
    found = when({"calendar": {"orders": ["mon", "Friday"], "delivers": "mon-fri", "works": "mon-fri"}}, [0, 1, 2])
    # Friday's orders: Monday, Tuesday, Wednesday are steps 3, 4, 5 from Friday on; Monday's next ones come a day, then Friday's much later
    assert found.lead.tolist() == [2, 3, 4] and found.review.tolist() == [1, 1, 1]
    assert found.closed.tolist() == [""] * 3 and found.barred.tolist() == [""] * 3
    # Friday's and Monday's chances within ten days: 0, 3, 7; each order lasts until the next one is there
    assert found.chances.ahead[0][:3].tolist() == [0, 3, 7] and found.chances.last[0][:3].tolist() == [2, 8, 9]


def test_a_closed_day_takes_no_order_and_says_when_the_next_is():
    found = when({"calendar": {"orders": ["mon"]}}, [1])
    assert found.closed[0] == "no order is taken on 2024-12-20; the next chance is 2024-12-23"
    assert found.chances.ahead[0][:2].tolist() == [3, -1]
    morning = when({"calendar": {"orders": ["mon"], "placed": "morning"}}, [1], now=FRIDAY + 2)
    assert morning.closed[0] == "" and morning.lead[0] == 1 and morning.review[0] == 7


def test_holidays_and_closed_dates_hold_but_listed_dates_count():
    pytest.importorskip("holidays")
    numbers = np.arange(np.datetime64("2024-12-23").astype(int), np.datetime64("2025-01-03").astype(int))
    calendar = CalendarSpec(orders=["mon-fri", "2024-12-25", "2024-12-28"], holidays="DE", closed=["2024-12-24"])
    orders, delivers, works = open_steps(calendar, numbers, Clock(DAILY, np.zeros(1, int)))
    days = [str(d)[8:] for d in numbers.astype("M8[D]")]
    assert [d for d, yes in zip(days, orders, strict=True) if yes] == ["23", "25", "27", "28", "30", "31", "02"]
    assert not delivers[days.index("26")] and delivers[days.index("29")] and not works[days.index("24")]
    with pytest.raises(DeclarationError, match="no calendar of public holidays for 'XX'"):
        when({"calendar": {"holidays": "XX"}}, [1])


def test_weeks_are_open_where_one_of_their_days_is():
    weekly = Clock(Grid("W-MON", "fixed", 7 * DAY, offset=4 * DAY), np.zeros(1, int))
    first = int(weekly.grid.number(np.array([np.datetime64("2024-12-02", "us").astype(int)]))[0])
    calendar = CalendarSpec(orders=["2024-12-04", date(2024, 12, 22)])
    assert open_steps(calendar, first + np.arange(4), weekly)[0].tolist() == [True, False, True, False]


def test_without_a_calendar_it_is_the_plain_clock():
    a, b = when({"review": 2}, [1, 3]), plain(np.array([1.0, 3.0]), 2, 10)
    for name in ("lead", "review", "closed", "barred"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()
    assert a.chances.ahead[0].tolist() == [0, 2, 4, 6, 8] and a.chances.last[1].tolist() == [4, 6, 8, 10, 12]
    own = when({"calendars": {"Bolt": {"orders": ["mon"]}}}, [1, 1], supplier=("ACME", "Bolt"))
    assert own.review.tolist() == [1, 3] and own.chances.ahead[0][:3].tolist() == [0, 1, 2]
    # lead times that were seen have their days without work in them: the calendar says when the next order is placed
    drawn = when({"calendar": {"orders": ["mon", "fri"], "delivers": ["wed"]}}, [2], drawn=True)
    assert (drawn.lead[0], drawn.review[0]) == (2, 3)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"calendar": {"orders": ["mond"]}}, "'mond' is no day"),
        ({"calendar": {"orders": ["2024-13-01"]}}, "is no day"),
        ({"calendar": {"closed": ["sun"]}}, "comes every week"),
        ({"calendar": {"orders": ["mon"]}, "review": 4}, "a calendar says when the next order"),
        ({"calendars": {"Nobody": {"orders": ["mon"]}}}, "orders.calendars names the supplier 'Nobody'"),
    ],
)
def test_days_that_are_none_are_refused_in_words(model, history, state, said, word):
    with pytest.raises(DeclarationError, match=word):
        hg.plan_orders(model, history, state, orders=said)


def test_a_plan_keeps_the_calendar_of_each_supplier(model, history, state):
    # weeks begin on Mondays, the last one known on 2024-02-05
    calendars = {"ACME": {"orders": ["2024-02-12", "2024-02-26"]}, "Bolt": {"orders": ["2024-02-06", "2024-02-19"]}}
    state = state.assign(lead_time=0, pack=0, on_order=0, arrives=None)
    made = hg.plan_orders(model, history, state, orders={"holding_rate": 0.26, "calendars": calendars})
    lines = {line.item: line for line in made.plan.lines}
    a0, a1 = lines["A0"], lines["A1"]
    assert a0.quantity == 0 and "no order is taken on 2024-02-05; the next chance is 2024-02-12" in a0.reason
    assert any("are wanted, but no order is taken" in c for c in a0.checks) and a0.order_by == "2024-02-12"
    # Bolt's order of now must last until that of the week of the 19th is there, a week later: two weeks
    assert a1.terms.review == 2 and made.plan.review_of(a1) == 2
    paths = made.forecasts.paths
    two = paths.y[paths.ids.tolist().index("A1")][:, :2].sum(axis=1)
    assert a1.demand == pytest.approx(two.mean()) and a1.quantity > 0
    plain_ = hg.plan_orders(model, history, state, orders={"holding_rate": 0.26}).plan
    assert a1.quantity > next(x for x in plain_.lines if x.item == "A1").quantity


def test_a_calendar_that_ends_leaves_the_item_out_by_name(model, history, state):
    said = {"calendars": {"ACME": {"orders": ["2024-02-06"]}}}
    plan = hg.plan_orders(model, history, state, orders=said).plan
    assert {x.item for x in plan.left_out} == {"A0", "A2", "A4", "A6"}
    assert all("declare more days" in x.why for x in plan.left_out)


def test_the_policy_orders_on_its_days_only(model, history):
    read = model.forecast(history).read
    past = read.panel.tail(20)
    spec = OrdersSpec(calendar={"orders": ["2024-02-12", "2024-02-26", "2024-03-11"]})
    policy = ForecastOrders(model.model, read, spec, samples=50)
    terms = Terms.of(8, holding=0.1, shortage=2.0, lead=1.0)
    ordered = []
    for step in range(-1, 3):
        sales = np.concatenate([past, np.full((8, step + 1), 9.0)], axis=1)
        seen = Observation(
            step, sales, np.ones(sales.shape, bool), Stock(np.zeros(8), np.zeros((8, 1)), np.zeros(8)), terms
        )
        ordered.append(policy.order(seen).sum())
    assert ordered[0] == 0 and ordered[1] > 0 and ordered[2] == 0 and ordered[3] > 0
    weekly = replace(policy, declared=OrdersSpec())
    assert 0 < weekly.order(seen).sum() < ordered[3]  # an order of every second week lasts for two
