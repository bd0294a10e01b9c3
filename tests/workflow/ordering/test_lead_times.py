"""Lead times that vary: what is drawn from them, what a plan makes of them, and what cannot be used."""

import numpy as np
import pandas as pd
import pytest

import holdgood as hg
from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.inventory import Observation, Stock, Terms
from holdgood.workflow.ordering.lead_times import declared_leads
from holdgood.workflow.ordering.policy import ForecastOrders

TERMS = {"holding_rate": 0.26, "currency": "EUR"}


def by_item(plan):
    return {line.item: line for line in plan.lines}


def deliveries(lead, item="A3", n=20, first="2023-01-02"):
    """Past orders a week apart, as dates; None: it never came."""
    placed = pd.date_range(first, periods=n, freq="W-MON")
    wait = [lead[k % len(lead)] for k in range(n)]
    came = [None if w is None else p + pd.Timedelta(weeks=w + 1) for p, w in zip(placed, wait, strict=True)]
    return pd.DataFrame({"article": item, "ordered": placed, "delivered": pd.Series(came, dtype="datetime64[ns]")})


def test_chances_stand_as_often_as_they_are_likely():
    leads = declared_leads(OrdersSpec(lead_chances={"2": 0.5, "never": 0.1, "0": 0.4}), np.array(["a", "b"], object))
    values, counts = np.unique(leads.seen[1], return_counts=True)
    assert values.tolist() == [0.0, 2.0, np.inf] and counts.tolist() == [160, 200, 40] and leads.varies.all()
    some = declared_leads(OrdersSpec(lead_chances={"b": {"1": 1.0}}), np.array(["a", "b"], object))
    assert some.varies.tolist() == [False, True]


def test_a_lead_time_that_always_was_the_same_is_a_certain_one(model, history, state):
    certain = hg.plan_orders(model, history, state, orders=TERMS).plan
    seen = pd.concat([deliveries([w], f"A{i}") for i, w in enumerate([0, 1, 1, 2, 1, 2, 0, 1])])
    drawn = hg.plan_orders(model, history, state.drop(columns="lead_time"), orders=TERMS, deliveries=seen).plan
    for a, b in zip(certain.lines, drawn.lines, strict=True):
        for name in (
            "item",
            "quantity",
            "arrives",
            "demand",
            "if_not",
            "if_done",
            "short",
            "short_before",
            "at_risk",
            "left",
        ):
            assert getattr(a, name) == pytest.approx(getattr(b, name)), (a.item, name)
    assert not any(line.terms.lead_late for line in drawn.lines)


def test_what_varies_is_followed_path_by_path(model, history, state):
    made = hg.plan_orders(model, history, state, orders=TERMS, deliveries=deliveries([0, 3, 1, None]))
    line = by_item(made.plan)["A3"]
    assert (line.terms.lead, line.terms.lead_late) == (1, 3) and line.terms.never == pytest.approx(0.25)
    assert any("25% of past orders never came" in c for c in line.checks)
    # the order's cost by another road: each path with its own lead time, and that of the path before for the next order
    from holdgood.decisions.inventory.sampled_leads import sampled_leads

    place = made.forecasts.paths.ids.tolist().index("A3")
    y = made.forecasts.paths.y
    seen = np.full((8, 20), np.nan)
    seen[:, 0] = [0, 1, 1, 2, 1, 2, 0, 1]
    seen[3] = [0, 3, 1, np.inf] * 5
    leads = sampled_leads(seen, y.shape[:2], np.random.default_rng([made.forecasts.seed, 1]))[place]
    total = short = 0.0
    for k, path in enumerate(y[place]):
        end = min(leads[k - 1], y.shape[2]) + 1
        hand = line.on_hand
        ran_out = False
        for t in range(y.shape[2]):
            hand += line.quantity if t == leads[k] else 0.0
            missed, hand = max(path[t] - hand, 0.0), max(hand - path[t], 0.0)
            if leads[k] <= t < end:
                total += line.terms.holding * hand + 4.0 * missed
                ran_out |= missed > 1e-9
        short += ran_out
    assert line.if_done == pytest.approx(total / len(y[place])) and line.short == pytest.approx(short / len(y[place]))
    assert by_item(made.plan)["A5"].terms.lead_late is None


def test_open_orders_without_a_date_come_as_past_ones_did(model, history, state):
    coming = pd.DataFrame(
        {"article": ["A3", "A3", "A5"], "on_order": [40, 30, 10], "ordered": ["2024-01-22", "2023-10-02", None]}
    )
    coming["arrives"] = [None, None, "2024-02-19"]
    made = hg.plan_orders(model, history, state, orders=TERMS, open_orders=coming, deliveries=deliveries([1, 2, 3, 4]))
    line = by_item(made.plan)["A3"]
    checks = " ".join(line.checks)
    assert "40 on order without a date, placed 2 steps ago: expected as past orders came" in checks
    assert (
        "30 on order without a date, placed 18 steps ago: longer ago than any past order took, counted as lost"
        in checks
    )
    # two steps on the way: 2, 3 or 4 are still possible, alike
    assert sum(line.coming) == pytest.approx(40, abs=1e-6) and line.coming[0] == pytest.approx(40 / 3, abs=3.0)
    assert by_item(made.plan)["A5"].coming == (0.0, 10.0)


def test_a_suppliers_orders_stand_in_and_what_cannot_be_read_is_told(model, history, state):
    past = pd.DataFrame({"supplier": "ACME", "lead_time": ["0", "1", "never", "1", "x", "2", "-1", "1", "1", "0", ""]})
    plan = hg.plan_orders(model, history, state, orders=TERMS, deliveries=past).plan
    lines, said = by_item(plan), " ".join(n.message for n in plan.notes)
    assert lines["A0"].terms.never == pytest.approx(2 / 9) and lines["A0"].terms.lead == 1
    assert lines["A1"].terms.never == 0 and lines["A1"].terms.lead == 1
    assert (
        "1 cell without a number" in said and "lead_time is below zero" in said and "4 items with fewer than 8" in said
    )
    early = deliveries([1]).assign(delivered=pd.Timestamp("2020-01-06"))
    said = " ".join(n.message for n in hg.plan_orders(model, history, state, orders=TERMS, deliveries=early).plan.notes)
    assert "20 past orders left out" in said and "'delivered' before it" in said
    late = deliveries([1], n=22).assign(ordered=lambda d: d.ordered.where(d.index < 20, pd.Timestamp("2024-01-29")))
    late.loc[20:, "delivered"] = pd.NaT
    made = hg.plan_orders(model, history, state, orders=TERMS, deliveries=late).plan
    assert any("2 past orders without a delivery that may still come" in n.message for n in made.notes)
    assert by_item(made)["A3"].terms.never == 0


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"lead_chances": {"1": 0.5}}, "sum to 0.5"),
        ({"lead_chances": {"soon": 1.0}}, "'soon' is no lead time"),
        ({"lead_chances": {"1": 1.5}}, "1.5 is no chance"),
        ({"lead_chances": {"never": 1.0}}, "never come"),
        ({"lead_chances": {"1": 0.5, "ACME": {"1": 1.0}}}, "not both"),
        ({"lead_chances": {"Nobody": {"1": 1.0}}}, "orders.lead_chances names the supplier 'Nobody'"),
        ({"lead_chances": {"1": 1.0}, "deliveries": "past"}, "one of the two"),
    ],
)
def test_chances_that_are_none_are_refused_in_words(model, history, state, said, word):
    with pytest.raises(DeclarationError, match=word):
        hg.plan_orders(model, history, state, orders=said)


def test_a_table_of_deliveries_of_nobody_or_without_times_is_refused(model, history, state):
    with pytest.raises(DataError, match="says of no delivery what it was"):
        hg.plan_orders(model, history, state, orders=TERMS, deliveries=pd.DataFrame({"lead_time": [1, 2]}))
    with pytest.raises(DataError, match="no column 'delivered'"):
        hg.plan_orders(model, history, state, orders=TERMS, deliveries=deliveries([1])[["article", "ordered"]])
    with pytest.raises(DeclarationError, match="past deliveries, and lead_chances"):
        hg.plan_orders(model, history, state, orders={"lead_chances": {"1": 1.0}}, deliveries=deliveries([1]))


def test_a_horizon_too_short_for_late_orders_leaves_the_item_out(model, history, state):
    plan = hg.plan_orders(model, history, state, orders=TERMS, deliveries=deliveries([1, 9])).plan
    assert "forecast at least 10 steps ahead" in next(x.why for x in plan.left_out if x.item == "A3")


def test_the_policy_orders_more_where_deliveries_vary(model, history):
    read = model.forecast(history).read
    past = read.panel.tail(20)
    stock = Stock(np.full(8, 10.0), np.zeros((8, 2)), np.zeros(8))
    seen = Observation(-1, past, np.ones(past.shape, bool), stock, Terms.of(8, holding=0.1, shortage=2.0, lead=2.0))
    certain = ForecastOrders(model.model, read, samples=200).order(seen)
    varies = OrdersSpec(lead_chances={"1": 0.3, "2": 0.4, "3": 0.3})
    assert ForecastOrders(model.model, read, varies, samples=200).order(seen).sum() > 1.1 * certain.sum()
