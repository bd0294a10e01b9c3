"""What binds orders together: who is touched, who is not, and that the sheet says so."""

from dataclasses import replace

import numpy as np
import pytest

import holdgood as hg
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.allowed import allowed_at_least
from holdgood.workflow.ordering import limits
from holdgood.workflow.ordering.shortfall import level_curve

TERMS = {"holding_rate": 0.26, "currency": "EUR"}
SERVICE = {**TERMS, "objective": "service", "service_level": 0.95}


def quantities(plan):
    return {line.item: line.quantity for line in plan.lines}


def by_item(plan):
    return {line.item: line for line in plan.lines}


def test_a_minimum_that_is_missed_touches_its_own_supplier_only(model, history, state):
    free = hg.plan_orders(model, history, state, orders=SERVICE).plan
    for more in ({}, {"budget": 1e7}):
        bound = hg.plan_orders(
            model, history, state, orders={**SERVICE, "supplier_minimum": {"Bolt": 1e6}, **more}
        ).plan
        mine = {line.item for line in bound.lines if line.supplier == "ACME"}
        assert {i: q for i, q in quantities(bound).items() if i in mine} == {i: quantities(free)[i] for i in mine}
        assert all(line.quantity == 0 for line in bound.lines if line.supplier == "Bolt") or not more


def test_a_service_level_under_a_budget_falls_for_all_alike(model, history, state):
    state = state.assign(pack=0.0, on_hand=0.0, on_order=0.0)
    free = hg.plan_orders(model, history, state, orders=SERVICE).plan
    spent = sum(line.worth for line in free.orders)
    tight = hg.plan_orders(model, history, state, orders={**SERVICE, "budget": 0.85 * spent}).plan
    used = sum(line.worth for line in tight.orders)
    assert 0.85 * spent - 2 * 6.0 <= used <= 0.85 * spent + 1e-6  # within a unit or two
    short = np.array([line.short for line in tight.lines])
    assert short.max() - short.min() < 0.12 and short.min() > 0.05
    assert all(line.quantity <= quantities(free)[line.item] for line in tight.lines)
    assert "save about" not in tight.limits[0]  # no money where the level decides
    # a supplier's minimum raises orders above the level, never below it
    acme = sum(line.worth for line in free.orders if line.supplier == "ACME")
    up = hg.plan_orders(model, history, state, orders={**SERVICE, "supplier_minimum": {"ACME": acme + 60}}).plan
    assert sum(line.worth for line in up.orders if line.supplier == "ACME") >= acme + 60 - 1e-6
    assert all(line.quantity >= quantities(free)[line.item] for line in up.lines)
    assert sum(line.quantity for line in up.lines) <= sum(quantities(free).values()) + 11  # 60 EUR are 10 units


def test_the_curve_of_a_level_is_what_is_missing_on_the_paths():
    random = np.random.default_rng(2)
    need = np.maximum(random.normal(40, 15, (3, 50)), 0)
    terms = Terms.of(3, holding=np.array([1.0, 2.0, 0.5]), shortage=9.0, pack=np.array([0.0, 24.0, 7.0]))
    served = np.quantile(need, 0.9, axis=1)
    quantity = allowed_at_least(served, terms)
    curve = level_curve(need, served, quantity, terms, 2, 0.9)
    assert curve.lowest() == pytest.approx(served)
    for asked in (0.0, 13.0, 41.0, 150.0):
        missing = np.maximum(np.minimum(need, served[:, None]) - asked, 0).mean(axis=1)
        above = np.maximum(asked - quantity, 0)
        expected = 2 * terms.holding * (9.0 * missing + above)
        assert curve.at(np.full(3, asked)) == pytest.approx(expected)


def test_an_order_that_a_budget_cuts_says_so_and_is_not_approved(model, history, state):
    free = quantities(hg.plan_orders(model, history, state, orders=TERMS).plan)
    plan = hg.plan_orders(model, history, state, orders={**TERMS, "budget": 60.0, "auto_approve": 1e9}).plan
    cut = [line for line in plan.lines if line.quantity < free[line.item]]
    assert cut and any(line.quantity > 0 for line in cut) and any(line.quantity == 0 for line in cut)
    for line in cut:
        assert f"{free[line.item]:g} would be ordered, but the budget leaves no more" in line.reason
        assert "costs more than it saves" not in line.reason and "suffices" not in line.reason
        assert any("the budget" in c for c in line.checks) and not line.approved
    assert all("budget" not in line.reason for line in plan.lines if line.quantity == free[line.item])


def test_an_order_that_a_supplier_raises_or_stops_says_so(model, history, state):
    free = hg.plan_orders(model, history, state, orders=TERMS).plan
    acme = sum(line.worth for line in free.orders if line.supplier == "ACME")
    up = hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"ACME": acme + 60}}).plan
    raised = [line for line in up.lines if line.quantity > quantities(free)[line.item]]
    assert raised and all("raised to reach the minimum of ACME" in line.reason for line in raised)
    assert all(any("raised from" in c for c in line.checks) for line in raised)
    none = hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"ACME": 1e6}}).plan
    for line in none.lines:
        if line.supplier == "ACME" and quantities(free)[line.item] > 0 and line.quantity == 0:
            assert "but the minimum of ACME is not reached" in line.reason


def test_terms_that_allow_no_order_are_the_reason(model, history, state):
    state = state.assign(maximum=np.nan, on_hand=0.0)
    state.loc[0, ["pack", "maximum"]] = [48, 30]
    line = by_item(hg.plan_orders(model, history, state, orders={**TERMS, "auto_approve": 1e9}).plan)["A0"]
    assert line.quantity == 0 and not line.approved
    assert "packs hold 48 and at most 30 come at a time" in line.reason
    assert any("nothing can be ordered" in c for c in line.checks)
    state.loc[0, ["pack", "maximum"]] = [4, 6]
    line = by_item(hg.plan_orders(model, history, state, orders=TERMS).plan)["A0"]
    assert line.quantity == 4 and "at most 4 at a time" in line.reason


@pytest.mark.parametrize("change", [{"minimum": 50.0, "maximum": 20.0}, {"shelf_life": 0.0}])
def test_terms_that_contradict_themselves_leave_the_item_out(model, history, state, change):
    for name, value in change.items():
        state[name] = np.nan
        state.loc[0, name] = value
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    why = {x.item: x.why for x in plan.left_out}["A0"]
    assert len(plan.lines) == 7 and "A0" not in quantities(plan)
    assert ("50" in why and "20" in why) if "minimum" in change else "shelf life" in why
    with pytest.raises(DataError, match="no item of the state can be planned, for example A0"):
        hg.plan_orders(model, history, state[:1], orders=TERMS)


@pytest.mark.parametrize(
    "column", ["on_hand", "on_order", "arrives", "lead_time", "price", "unit_cost", "pack", "minimum", "fixed"]
)
def test_one_infinite_cell_is_unknown_and_told(model, history, state, column):
    state = state.assign(minimum=0.0, fixed=0.0)
    state.loc[0, ["on_order", "arrives"]] = [3.0, 1.0]
    state[column] = state[column].astype(float)
    state.loc[0, column] = np.inf
    empty = state.copy()
    empty.loc[0, column] = np.nan
    plan = hg.plan_orders(model, history, state, orders=TERMS).plan
    same = hg.plan_orders(model, history, empty, orders=TERMS).plan
    assert plan.payload()["lines"] == same.payload()["lines"] and len(plan.lines) == 8
    told = " ".join((*(n.message for n in plan.notes), *by_item(plan)["A0"].checks))
    assert f"{column}: 1 cell with an infinite number" in told or "without a date" in told


def test_constraints_that_name_nobody_or_no_number_are_refused(model, history, state):
    with pytest.raises(DeclarationError, match="did you mean 'ACME'"):
        hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"ACNE": 100.0}})
    for name in ("budget", "capacity", "supplier_minimum"):
        for value in (float("nan"), float("inf"), -1.0):
            with pytest.raises(DeclarationError, match=name):
                hg.plan_orders(model, history, state, orders={**TERMS, name: value})
    with pytest.raises(DeclarationError, match="supplier_minimum"):
        hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"ACME": float("nan")}})
    # a supplier whose items are all left out is known still
    state.loc[state.supplier == "Bolt", "article"] = [f"gone{i}" for i in range(4)]
    plan = hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"Bolt": 100.0}}).plan
    assert all(line.supplier == "ACME" for line in plan.lines)


def test_an_item_without_a_unit_cost_is_left_out_of_a_budget_by_name(model, history, state):
    state.loc[2, "unit_cost"] = np.nan
    plan = hg.plan_orders(model, history, state, orders={**TERMS, "budget": 1e9}).plan
    assert "unit cost" in {x.item: x.why for x in plan.left_out}["A2"] and len(plan.lines) == 7
    # a minimum of another supplier asks nothing of it
    plan = hg.plan_orders(model, history, state, orders={**TERMS, "supplier_minimum": {"Bolt": 10.0}}).plan
    assert len(plan.lines) == 8


def test_orders_that_are_not_proved_the_cheapest_say_by_how_much(model, history, state, monkeypatch):
    def loose(*given, **more):
        found = real(*given, **more)
        return replace(found, bound=found.cost * 0.9)

    real = limits.best_within
    tight = {**TERMS, "budget": 60.0}
    assert not any("proved" in s for s in hg.plan_orders(model, history, state, orders=tight).plan.limits)
    monkeypatch.setattr(limits, "best_within", loose)
    plan = hg.plan_orders(model, history, state, orders=tight).plan
    assert any("not proved to be the cheapest: at most 10.0% above" in said for said in plan.limits)


def test_waiting_demand_puts_its_steps_at_risk(model, history, state):
    state = state.assign(maximum=20.0, pack=0.0, lead_time=0.0, on_order=0.0, on_hand=0.0)
    terms = {"holding": 0.1, "shortage": 2.0, "lost_sales": False, "review": 6}
    made = hg.plan_orders(model, history, state, orders=terms)
    place = {str(i): k for k, i in enumerate(made.forecasts.paths.ids)}
    for line in made.plan.lines:
        y = np.maximum(made.forecasts.paths.y[place[line.item]], 0.0)
        steps = np.maximum(np.cumsum(y, axis=1) - line.quantity, 0.0).sum(axis=1).mean()
        assert line.quantity == 20.0
        left = np.maximum(line.quantity - y.sum(axis=1), 0.0).mean()
        assert line.at_risk == pytest.approx(2.0 * steps, rel=1e-6) if left == 0 else line.at_risk > 2.0 * steps
