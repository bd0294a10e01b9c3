"""Columns of the state that nothing reads are told; a misspelt one with what it may be meant for."""

import pandas as pd
import pytest

import holdgood as hg
from holdgood.connectors import read_table
from holdgood.core.declaration import OrdersSpec
from holdgood.workflow.ordering.state import AMOUNTS
from holdgood.workflow.ordering.unread import unread


def notes(columns, listed=False, **spec):
    frame = pd.DataFrame({c: [1.0] for c in ("article", "on_hand", *columns)})
    found = unread(OrdersSpec(**spec), read_table(frame, name="state"), ["article"], AMOUNTS, listed=listed)
    return {n.level: n.message for n in found}


@pytest.mark.parametrize(
    ("column", "spec", "said"),
    [
        ("pack_sise", {}, "pack_sise: did you mean 'pack'?"),
        ("Unit Cost", {}, "Unit Cost: did you mean 'unit_cost'?"),
        ("leadtime", {}, "leadtime: did you mean 'lead_time'?"),
        ("price", {"price": 9.5}, "price: the number 9.5 under [orders] counts instead"),
        ("pack", {"pack": "box"}, "pack: 'box' is declared instead, under [orders]"),
        ("holding_rate", {}, "holding_rate: it is set under [orders]: holding_rate = …"),
    ],
)
def test_a_column_that_may_be_meant_for_another_is_an_issue(column, spec, said):
    assert notes([column], **spec) == {"issue": f"1 column of the state that nothing reads: {said}"}


def test_open_orders_in_a_table_of_their_own_count_instead():
    assert "on_order: the table of open orders counts instead" in notes(["on_order"], listed=True)["issue"]
    assert notes(["on_order", "arrives", "ordered", "supplier", *AMOUNTS]) == {}


def test_what_is_like_nothing_is_a_tip_and_many_are_counted():
    assert notes(["colour"]) == {"tip": "1 column of the state that no order depends on: colour"}
    assert notes([f"x{i}" for i in range(10)])["tip"].endswith("x6, x7 and 2 more")
    # a name that is taken suggests nothing
    assert "issue" not in notes(["pack", "pack_sise"])
    assert notes(["day"], as_of="day") == {}


def test_a_misspelt_column_is_told_with_the_plan(model, history, state):
    plan = hg.plan_orders(model, history, state.rename(columns={"pack": "pack_sise"})).plan
    assert "1 column of the state that nothing reads: pack_sise: did you mean 'pack'?" in [
        n.message for n in plan.notes
    ]
