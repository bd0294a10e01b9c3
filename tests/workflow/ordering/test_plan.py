"""From a bundle, a history and a state to a plan: its numbers by another road, and nothing lost of what is odd."""

import math

import numpy as np
import pandas as pd
import pytest

import holdgood as hg
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import OrderPlan
from holdgood.core.records.envelope import read
from holdgood.reports.order_desk import DeskView, render_desk

TERMS = {"holding_rate": 0.26, "currency": "EUR"}


def by_item(plan):
    return {line.item: line for line in plan.lines}


def test_every_line_says_what_walking_its_paths_says(model, history, state):
    made = hg.plan_orders(model, history, state, orders=TERMS)
    paths, step = made.forecasts.paths, 7 / 365.25
    place = {str(i): k for k, i in enumerate(paths.ids)}
    assert len(made.plan.lines) == 8 and not made.plan.assumed and not made.plan.left_out
    for line in made.plan.lines:
        y, lead = paths.y[place[line.item]], line.terms.lead
        assert line.terms.shortage == 4.0
        assert line.terms.holding == pytest.approx(6 * 0.26 * step, rel=0.02)

        def cost(quantity, y=y, lead=lead, line=line):
            total, ran_out = 0.0, 0
            for path in y:
                hand, short = line.on_hand, False
                for t in range(lead + 1):
                    hand += line.coming[t] if t < len(line.coming) else 0.0
                    hand += quantity if t == lead else 0.0
                    missed = max(path[t] - hand, 0.0)
                    hand = max(hand - path[t], 0.0)
                    if t == lead:
                        total += line.terms.holding * hand + 4.0 * missed
                        short = missed > 1e-9
                ran_out += short
            return total / len(y), ran_out / len(y)

        with_it, without = cost(line.quantity), cost(0.0)
        assert line.if_done == pytest.approx(with_it[0], abs=1e-6)
        assert line.money == pytest.approx(without[0] - with_it[0], abs=1e-6)
        assert line.short == pytest.approx(with_it[1], abs=1e-9)
        assert line.short_if_not == pytest.approx(without[1], abs=1e-9)
        demand = y[:, : lead + 1].sum(axis=1)
        assert line.demand == pytest.approx(demand.mean())
        # no other allowed quantity is cheaper
        for other in (line.quantity + max(line.terms.pack, 1), max(line.quantity - max(line.terms.pack, 1), 0)):
            assert cost(other)[0] >= with_it[0] - 1e-9
        if line.terms.pack:
            assert line.quantity % line.terms.pack == 0
        assert line.quantity == int(line.quantity)


def test_lines_are_ranked_by_money_and_the_rest_needs_nothing(model, history, state):
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    money = [line.money for line in plan.orders]
    assert money == sorted(money, reverse=True)
    assert [line.id for line in plan.lines] == [f"L{k:04d}" for k in range(1, 9)]
    assert plan.lines[-1].item == "A7" and plan.lines[-1].quantity == 0
    assert "suffices" in plan.lines[-1].reason
    assert "on hand" in plan.lines[0].reason and "running out" in plan.lines[0].reason
    assert by_item(plan)["A3"].arrives == "2024-02-26"  # the last week known begins on 2024-02-05; two are on the way
    assert by_item(plan)["A3"].cutoff == plan.cutoff == "2024-02-05"


def test_a_plan_comes_back_from_its_file_with_the_same_name(model, history, state, tmp_path):
    made = hg.plan_orders(model, history, state, orders=TERMS)
    back = read(made.save(tmp_path / "plan.json"), OrderPlan)
    assert back.digest == made.plan.digest and back.id == made.plan.id
    other = state.assign(on_hand=state.on_hand + 1)
    assert hg.plan_orders(model, history, other, orders=TERMS).plan.id != back.id


def test_undeclared_costs_are_assumed_and_what_a_missing_unit_must_cost_is_told(model, history, state):
    made = hg.plan_orders(
        model, history, state[["article", "on_hand"]], orders={"service_level": 0.9, "auto_approve": 1e9}
    )
    plan = made.plan
    assert plan.assumed and plan.objective == "service"
    line = by_item(plan)["A0"]
    assert line.short <= 0.1 and math.isnan(line.money) and not line.approved
    # lost sales, one step: the order pays if shortage x saved units > holding of what is left (one a unit and step)
    y = made.forecasts.paths.y[made.forecasts.paths.ids.tolist().index("A0")][:, 0]
    held = np.maximum(5 + line.quantity - y, 0).mean() - np.maximum(5 - y, 0).mean()
    saved = np.maximum(y - 5, 0).mean() - np.maximum(y - 5 - line.quantity, 0).mean()
    assert line.terms.holding == 1.0 and line.break_even == pytest.approx(held / saved)
    assert any("ASSUMED" in s or "counts as 1" in s for s in plan.assumptions)
    assert any("no lead time" in s for s in plan.assumptions)
    assert any("nothing is taken to be on the way" in n.message for n in plan.notes)


def test_odd_states_are_planned_with_a_word_and_never_approved(model, history, state):
    state = state.astype({"price": object})
    state.loc[0, "on_hand"] = -4
    state.loc[1, "on_order"] = None
    state.loc[2, "lead_time"] = None
    state.loc[3, "price"] = None
    state.loc[5, "on_hand"] = None
    state.loc[6, ["on_order", "arrives"]] = [7, None]
    plan = hg.plan_orders(model, history, state, orders={**TERMS, "auto_approve": 1e9}).plan
    checks = {item: " ".join(line.checks) for item, line in by_item(plan).items()}
    assert "stock of -4 is below zero" in checks["A0"]
    assert "open orders unknown" in checks["A1"]
    assert "lead time unknown: the supplier's median of 0 steps" in checks["A2"]  # ACME: 0, 1, 0
    assert "no price" in checks["A3"]
    assert "stock unknown" in checks["A5"]
    assert "7 on order without a date" in checks["A6"]
    assert by_item(plan)["A0"].on_hand == 0
    assert not any(line.approved for line in plan.lines if line.item in ("A0", "A1", "A2", "A3", "A5", "A6"))
    assert by_item(plan)["A7"].approved
    assert math.isnan(by_item(plan)["A3"].money) and by_item(plan)["A3"].quantity > 0
    assert len(plan.lines) == 8


def test_waiting_demand_is_owed_where_it_waits(model, history, state):
    state.loc[0, "on_hand"] = -9
    plan = hg.plan_orders(model, history, state, orders={**TERMS, "lost_sales": False}).plan
    line = by_item(plan)["A0"]
    assert (line.on_hand, line.waiting) == (0.0, 9.0)
    assert line.break_even > 0


def test_who_is_not_planned_is_listed_with_the_reason(model, history, state):
    state = pd.concat([state, pd.DataFrame([{"article": "GHOST", "on_hand": 3.0}])], ignore_index=True)
    state.loc[1, "lead_time"] = 40
    plan = hg.plan_orders(model, history, state[state.article != "A2"], orders=TERMS).plan
    why = {x.item: x.why for x in plan.left_out}
    assert "forecast at least 41 steps ahead (the horizon is 6)" in why["A1"]
    assert why["A2"] == "no row in the state"
    assert "no forecast" in why["GHOST"]
    assert {*why, *by_item(plan)} == {*(f"A{i}" for i in range(8)), "GHOST"}


def test_open_orders_of_their_own_table_and_overdue_ones(model, history, state):
    orders = pd.DataFrame(
        {
            "article": ["A3", "A3", "A6", "NONE"], "on_order": [10.0, 20, 5, 1],
            "arrives": pd.to_datetime(["2024-02-12", "2024-02-14", "2024-01-15", "2024-02-12"]),
        }
    )  # fmt: skip
    plan = hg.plan_orders(
        model, history, state.drop(columns=["on_order", "arrives"]), open_orders=orders, orders=TERMS
    ).plan
    lines = by_item(plan)
    assert lines["A3"].coming == (10.0, 20.0)  # a date within a step is there for the next one
    assert lines["A6"].coming == (5.0,) and "overdue" in " ".join(lines["A6"].checks)
    assert any("1 open orders are of items that are not planned" in n.message for n in plan.notes)


@pytest.mark.parametrize(
    ("counted", "said"), [("2024-01-01", "5 steps before"), ("2024-03-04", "3 steps after"), ("2024-02-10", "")]
)
def test_clocks_that_disagree_are_told(model, history, state, counted, said):
    plan = hg.plan_orders(
        model, history, state.assign(day=pd.to_datetime(counted)), orders={**TERMS, "as_of": "day"}
    ).plan
    checks = " ".join(by_item(plan)["A7"].checks)
    assert (said in checks) if said else ("counted" not in checks)


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        (lambda s: pd.concat([s, s.iloc[:1]]), DataError, "stands in rows 1 and 9"),
        (lambda s: s.rename(columns={"on_hand": "onhand"}), DataError, "did you mean 'onhand'"),
        (lambda s: s.rename(columns={"article": "item"}), DataError, "no column 'article' for the item"),
        (lambda s: s.assign(article="x" + s.article), DataError, "no item of 'state' has a forecast"),
        (lambda s: s.assign(lead_time=90), DataError, "no order can arrive within the 6 steps"),
        (lambda s: s.assign(article=[None, *s.article[1:]]), DataError, "name no item, the first is row 1"),
        (lambda s: None, DeclarationError, "how much is on hand"),
    ],
)
def test_a_state_that_cannot_be_used_is_refused_in_words(model, history, state, change, error, word):
    with pytest.raises(error, match=word):
        hg.plan_orders(model, history, change(state), orders=TERMS)


def test_text_among_numbers_is_unknown_and_told(model, history, state):
    state = state.astype({"on_hand": object})
    state.loc[0, "on_hand"] = "plenty"
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    assert any("'plenty'" in n.message for n in plan.notes)
    assert "stock unknown" in " ".join(by_item(plan)["A0"].checks)


def test_terms_of_the_project_count_and_the_row_order_does_not(bundle, history, state):
    made = hg.plan_orders(bundle, history, state)
    assert made.plan.currency == "EUR" and made.declared.endswith("holdgood.toml")
    turned = hg.plan_orders(bundle, history, state.iloc[::-1])
    assert turned.plan.payload()["lines"] == made.plan.payload()["lines"]


def test_the_desk_is_one_page_that_loads_nothing_and_escapes_names(model, history, state, tmp_path):
    made = hg.plan_orders(model, history, state, orders={**TERMS, "auto_approve": 5.0})
    page = made.to_html(tmp_path / "desk.html").read_text(encoding="utf-8")
    assert page.count('<svg class="picture"') == 8
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    for line in made.plan.orders:
        assert line.reason.split(":")[0] in page
    evil = made.plan.model_copy(
        update={"lines": (made.plan.lines[0].model_copy(update={"item": "<script>x</script>"}),)}
    )
    shown = render_desk(DeskView(evil))
    assert "<script>x" not in shown and "&lt;script&gt;x" in shown
    assert "Nothing needs to be ordered" in render_desk(DeskView(OrderPlan()))
    assert np.isfinite(made.plan.lines[0].money)


def test_a_budget_is_kept_by_the_orders_that_lose_least(model, history, state):
    free = hg.plan_orders(model, history, state, orders=TERMS).plan
    spent = sum(line.worth for line in free.orders)
    half = hg.plan_orders(model, history, state, orders={**TERMS, "budget": spent / 2}).plan
    assert sum(line.worth for line in half.orders) <= spent / 2 + 1e-6
    assert "budget" in half.limits[0] and "without any limit" in half.limits[0]
    assert sum(line.money for line in half.lines) < sum(line.money for line in free.lines)
    # the money that is spared lies where it saves least: no item that is cut saves more a euro than all that are kept
    roomy = hg.plan_orders(model, history, state, orders={**TERMS, "budget": 10 * spent}).plan
    assert [line.quantity for line in roomy.lines] == [line.quantity for line in free.lines]
    for line in half.orders:
        assert not line.terms.pack or line.quantity % line.terms.pack == 0


def test_a_suppliers_minimum_is_reached_or_nothing_is_ordered(model, history, state):
    free = hg.plan_orders(model, history, state, orders=TERMS).plan
    acme = sum(line.worth for line in free.orders if line.supplier == "ACME")
    for least in (acme + 60, 1e6):
        plan = hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"ACME": least}}).plan
        worth = sum(line.worth for line in plan.orders if line.supplier == "ACME")
        assert worth == 0 or worth >= least - 1e-6
        assert any("minimum of ACME" in said for said in plan.limits)
    with pytest.raises(DataError, match="have no unit cost"):
        hg.plan_orders(model, history, state.drop(columns="unit_cost"), orders={"budget": 100})
