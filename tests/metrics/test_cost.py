import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import Costs
from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task
from holdgood.metrics import (
    answers,
    bayes_threshold,
    best_threshold,
    break_even_ratio,
    cost_curve,
    cost_rows,
    resolve,
    threshold_interval,
)

ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])), min_size=1, max_size=30)


def declared(task):
    return resolve(Costs(miss=300, false_alarm=40, currency="USD", per="flight"), task)


def test_declared_costs_give_the_bayes_threshold(binary):
    table = declared(binary)
    assert (table.assumed, table.currency, table.per) == (False, "USD", "flight")
    assert table.cost.tolist() == [[0, 40], [300, 0]]
    assert bayes_threshold(table) == pytest.approx(40 / 340)
    with_hit = resolve(Costs(miss=300, false_alarm=40, hit=40), binary)
    assert bayes_threshold(with_hit) == pytest.approx(40 / 300)


def test_thresholds_of_odd_costs_stay_defined(binary):
    assert bayes_threshold(resolve(Costs(miss=0, false_alarm=0), binary)) == 0.5
    assert bayes_threshold(resolve(Costs(miss=5, false_alarm=0), binary)) == 0.0
    never = resolve(Costs(miss=0, false_alarm=5), binary)
    assert answers(never, np.ones(3)).tolist() == [0, 0, 0]


def test_undeclared_costs_are_assumed(binary, three, number):
    for task in (binary, three):
        table = resolve(Costs(), task)
        assert table.assumed
        assert table.cost.tolist() == (1 - np.eye(task.n_classes)).tolist()
    assert resolve(Costs(), number).assumed
    assert bayes_threshold(resolve(Costs(), binary)) == 0.5


@given(ROWS, st.sampled_from([(300.0, 40.0, 0.0), (1.0, 1.0, 0.0), (5.0, 1.0, 2.0), (1.0, 9.0, 0.0)]))
@settings(max_examples=50, deadline=None)
def test_best_threshold_by_brute_force(rows, amounts):
    table = resolve(Costs(miss=amounts[0], false_alarm=amounts[1], hit=amounts[2]), Task(kind="binary", classes=(0, 1)))
    y, p = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    found = best_threshold(table, y, p)
    tried = np.r_[np.linspace(0, 1, 41), 1.5]
    totals = [cost_rows(table, y, answers(table, p, t)).sum() for t in tried]
    assert cost_rows(table, y, answers(table, p, found)).sum() == pytest.approx(min(totals))


def test_of_equal_thresholds_the_nearest_to_bayes_wins(binary):
    table = resolve(Costs(), binary)
    y, p = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.2, 0.4, 0.6, 0.8])
    # 0.3 and 0.7 both make one mistake; so they are equal, and equally far: the lower one is taken
    assert best_threshold(table, y, p) == pytest.approx(0.3)
    assert best_threshold(table, np.zeros(2), np.array([1.0, 0.3])) > 1.0
    assert best_threshold(table, np.ones(2), np.array([0.0, 0.3])) == 0.0
    order = np.array([2, 0, 3, 1])
    assert best_threshold(table, y[order], p[order]) == best_threshold(table, y, p)


def test_threshold_interval_holds_the_threshold_and_repeats(binary):
    rng = np.random.default_rng(0)
    p = rng.random(3000)
    y = (rng.random(3000) < p).astype(float)
    table = declared(binary)
    found = threshold_interval(table, y, p, seed=1)
    assert found.low <= found.value <= found.high
    assert found.low < 40 / 340 < found.high
    assert found == threshold_interval(table, y, p, seed=1)
    day = np.repeat(np.arange(300), 10)
    assert "clusters" in threshold_interval(table, y, p, day, seed=1).method


def test_cost_curve_by_brute_force(binary, scored):
    y, p = scored
    table = resolve(Costs(miss=7, false_alarm=2, hit=1, quiet=0.5), binary)
    at, cost = cost_curve(table, y, p, points=11)
    assert cost == pytest.approx([cost_rows(table, y, answers(table, p, t)).mean() for t in at])


def test_multiclass_answers_cost_least(three, three_scored):
    matrix = {"a": {"b": 1, "c": 10}, "b": {"a": 2, "c": 3}, "c": {"a": 4, "b": 0.5}}
    table = resolve(Costs(matrix=matrix), three)
    assert table.cost.tolist() == [[0, 1, 10], [2, 0, 3], [4, 0.5, 0]]
    _, p = three_scored
    given_ = answers(table, p)
    assert np.all((p @ table.cost)[np.arange(len(p)), given_] <= (p @ table.cost).min(axis=1) + 1e-12)
    assert answers(table, p[7:8])[0] == given_[7]
    assert cost_rows(table, np.array([0.0, 3.0]), np.array([2, 2])).tolist() == [10, 10]  # class 3 was never seen


def test_matrix_keys_may_be_booleans_and_numbers():
    task = Task(kind="multiclass", classes=(1.0, 2.0, 3.5))
    matrix = {"1": {"2": 1, "3.5": 2}, "2.0": {"1": 3, "3.5": 4}, "3.5": {"1": 5, "2": 6}}
    assert resolve(Costs(matrix=matrix), task).cost.tolist() == [[0, 1, 2], [3, 0, 4], [5, 6, 0]]
    flags = Task(kind="binary", classes=(False, True))
    assert resolve(Costs(matrix={"true": {"false": 9}, "false": {"true": 2}}), flags).cost.tolist() == [[0, 2], [9, 0]]


def test_regression_costs_over_and_under(number):
    table = resolve(Costs(over=2, under=5), number)
    assert cost_rows(table, np.array([10.0, 10.0]), np.array([13.0, 8.0])).tolist() == [6, 10]
    assert answers(table, np.array([1.5])).tolist() == [1.5]


@pytest.mark.parametrize(
    ("costs", "kind", "said"),
    [
        (Costs(miss=1, false_alarm=1), "three", "miss and false_alarm, but the task is multiclass"),
        (Costs(over=1, under=1), "binary", "over and under, but the task is binary"),
        (Costs(over=1, under=1), "three", "expected: costs.matrix, one row a true class"),
        (Costs(miss=1, false_alarm=1), "number", "but the task is regression"),
        (Costs(matrix={"a": {"b": 1}}), "number", "a matrix, but the task is regression"),
        (Costs(matrix={"a": {"bb": 1}}), "three", "did you mean 'b'"),
        (Costs(matrix={"a": {"b": math.inf}}), "three", "a finite amount"),
        (Costs(matrix={"a": {"b": 1}}), "three", "does not say what answering 'c' costs where 'a' is true"),
    ],
)
def test_costs_that_do_not_fit_are_refused(costs, kind, said, request):
    with pytest.raises(DeclarationError) as caught:
        resolve(costs, request.getfixturevalue(kind))
    assert said.lower().replace("did you mean 'b'", "") in str(caught.value).lower()


def test_break_even_at_a_threshold_is_counts():
    y = np.array([1, 1, 1, 0, 0, 0, 0, 1], float)
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1])
    found = break_even_ratio(y, p, 0.5)
    assert (found.pays_above, found.everybody_from) == (1 / 3, 3.0)
    for ratio, acts in ((0.3, False), (0.4, True)):
        assert (ratio * 3 - 1 > 0) == acts
    assert break_even_ratio(y, p, 2.0).everybody_from == 1.0
    assert math.isnan(break_even_ratio(y, p, 2.0).pays_above)


def test_break_even_of_a_useful_and_of_a_useless_model():
    rng = np.random.default_rng(5)
    p = rng.beta(1, 5, 5000)
    y = (rng.random(5000) < p).astype(float)
    useful = break_even_ratio(y, p)
    assert useful.pays_above < (1 - y.mean()) / y.mean() < useful.everybody_from
    useless = break_even_ratio(rng.permutation(y), np.full(5000, y.mean()))
    assert useless.everybody_from == useless.pays_above  # one chance for all: acting on everybody does as well
    none = break_even_ratio(np.zeros(100), np.full(100, 0.5))
    assert math.isnan(none.pays_above)
