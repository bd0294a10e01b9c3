import numpy as np
import pytest

from holdgood.core.declaration import Costs
from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task
from holdgood.decisions import ThresholdPolicy
from holdgood.metrics import cost_rows, resolve
from holdgood.metrics.capacity import gain_of_acting

BINARY = Task(kind="binary", classes=(False, True))
TABLE = resolve(Costs(miss=300, false_alarm=40, hit=10, currency="USD"), BINARY)


def test_decides_at_the_threshold_row_by_row():
    p = np.array([0.1, 0.12, 0.121212122, 0.5])
    assert ThresholdPolicy(TABLE).decide(p).tolist() == [0, 0, 1, 1]  # 40 / (40 + 290)
    assert ThresholdPolicy(TABLE, 0.5).decide(p).tolist() == [0, 0, 0, 1]
    assert ThresholdPolicy(TABLE, 0.5).decide(p[3:]).tolist() == [1]


def test_expected_money_agrees_with_simulated_outcomes():
    p = np.array([0.05, 0.3, 0.9])
    policy = ThresholdPolicy(TABLE)
    y = (np.random.default_rng(0).random((40_000, 3)) < p).astype(float)
    for answer in (np.zeros(3, int), np.ones(3, int)):
        seen = np.mean([cost_rows(TABLE, row, answer) for row in y[:4000]], axis=0)
        assert policy.expected_cost(p, answer) == pytest.approx(seen, rel=0.12)
    assert gain_of_acting(TABLE, p) == pytest.approx(p * 290 - (1 - p) * 40)


def test_capacity_takes_the_largest_gains_of_each_day():
    p = np.array([0.9, 0.5, 0.7, 0.05, 0.6, 0.6, 0.6])
    day = np.array([1, 1, 1, 1, 0, 0, 0])
    policy = ThresholdPolicy(TABLE, capacity=2)
    assert policy.decide_within(p, day).tolist() == [1, 0, 1, 0, 1, 1, 0]
    assert policy.decide_within(p).tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert ThresholdPolicy(TABLE, capacity=0).decide_within(p, day).sum() == 0
    assert ThresholdPolicy(TABLE).decide_within(p, day).tolist() == policy.decide(p).tolist()


def test_plan_ranks_by_money_and_gives_both_risks():
    plan = ThresholdPolicy(TABLE, capacity=2).plan(np.array([0.2, 0.9, 0.01, 0.4]), ["a", "b", "c", "d"])
    assert [line.item for line in plan.lines] == ["b", "d"]
    first = plan.lines[0]
    assert first.risk_if_not - first.risk_if_done == pytest.approx(first.expected_money)
    assert (plan.currency, plan.assumed) == ("USD", False)
    assert "90.0%" in first.reason


def test_multiclass_and_regression_have_no_capacity():
    three = resolve(Costs(), Task(kind="multiclass", classes=("a", "b", "c")))
    assert ThresholdPolicy(three).decide(np.array([[0.2, 0.5, 0.3]])).tolist() == [1]
    assert ThresholdPolicy(three).expected_cost(np.array([[0.2, 0.5, 0.3]]), np.array([1])) == pytest.approx([0.5])
    with pytest.raises(DeclarationError, match="a capacity for a multiclass task"):
        ThresholdPolicy(three, capacity=3)


def test_bad_input_is_told():
    with pytest.raises(DeclarationError, match="a capacity of -1"):
        ThresholdPolicy(TABLE, capacity=-1)
    with pytest.raises(DeclarationError, match="1 items and 2 predictions"):
        ThresholdPolicy(TABLE).plan(np.array([0.1, 0.2]), ["a"])
