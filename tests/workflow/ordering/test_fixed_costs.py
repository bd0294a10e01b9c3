"""A plan whose orders cost money of their own: what one window cannot pay is still ordered."""

import numpy as np

import holdgood as hg


def planned(model, history, state, **more):
    said = {"holding": 1.0, "shortage": 9.0, "lead_time": 0.0, "lost_sales": False, "fixed": 300.0, **more}
    short = state[["article", "supplier", "unit_cost"]].assign(on_hand=0.0, on_order=0.0)
    plan = hg.plan_orders(model, history, short, orders=said, samples=100).plan
    return {line.item: line for line in plan.lines}


def test_a_fixed_cost_above_the_shortage_of_one_window_is_paid(model, history, state):
    lines = planned(model, history, state)
    # A3 sells 18 a step: waiting a step costs 162, an order 300; sqrt(2 * 300 * 18 / 1) is 104, six steps of demand
    for i in (3, 5):
        line, mean = lines[f"A{i}"], 6 + 4 * i
        assert line.quantity > 0.6 * np.sqrt(2 * 300 * mean)
        assert line.if_done < line.if_not


def test_under_a_budget_too(model, history, state):
    free = planned(model, history, state)
    spent = 6.0 * sum(line.quantity for line in free.values())
    bound = planned(model, history, state, budget=round(0.7 * spent))
    used = 6.0 * sum(line.quantity for line in bound.values())
    assert 0.4 * spent < used <= 0.7 * spent + 1
