import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import TaskSpec
from holdgood.core.errors import DeclarationError, TargetError
from holdgood.core.table import Table
from holdgood.workflow.target import from_values, resolve

ROWS = Table.of(
    pa.table(
        {
            "delay": [10.5, 40.0, None, 31.0],
            "word": ["no", "yes", "no", None],
            "n": [1, 2, 3, 2],
            "same": [1, 1, 1, 1],
            "none": pa.array([None] * 4, pa.float64()),
        }
    ),
    "rows",
)


def test_an_expression_becomes_a_binary_task_and_missing_outcomes_stay_missing():
    target = resolve(TaskSpec(target="delay > 30"), ROWS)
    assert target.task.kind == "binary"
    assert target.task.classes == (False, True)
    np.testing.assert_array_equal(target.y, [0.0, 1.0, np.nan, 1.0])
    assert target.columns == ("delay",)


def test_of_two_words_the_rarer_is_positive_unless_declared():
    assert resolve(TaskSpec(target="word"), ROWS).task.positive == "yes"
    assert resolve(TaskSpec(target="word", positive="no"), ROWS).task.positive == "no"
    with pytest.raises(TargetError, match="not among the outcomes"):
        resolve(TaskSpec(target="word", positive="maybe"), ROWS)


def test_few_whole_numbers_are_classes_and_amounts_are_not():
    assert resolve(TaskSpec(target="n"), ROWS).task.kind == "multiclass"
    assert resolve(TaskSpec(target="delay"), ROWS).task.kind == "regression"
    assert resolve(TaskSpec(target="n", kind="regression"), ROWS).task.kind == "regression"


@pytest.mark.parametrize(
    ("spec", "error", "says"),
    [
        ({"target": ""}, DeclarationError, "no target is declared"),
        ({"target": "delai"}, TargetError, "did you mean 'delay'"),
        ({"target": "same"}, TargetError, "at least two different outcomes"),
        ({"target": "none"}, TargetError, "has no value"),
        ({"target": "delay >"}, DeclarationError, "cannot be evaluated"),
        ({"target": "n", "kind": "binary"}, TargetError, "write a condition"),
        ({"target": "word", "kind": "regression"}, TargetError, "numbers"),
        ({"target": "delay", "kind": "forecast"}, DeclarationError, "binary, multiclass or regression"),
    ],
)
def test_unusable_targets_are_refused_in_words(spec, error, says):
    with pytest.raises(error, match=says):
        resolve(TaskSpec(**spec), ROWS)


def test_infinite_amounts_are_no_outcome():
    target = from_values(pa.chunked_array([[1.5, float("inf"), 2.5, 3.25]]), "regression")
    assert np.isnan(target.y[1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_codes_do_not_depend_on_the_order_of_rows(values, random):
    if len({v for v in values if v}) < 2:
        return
    order = list(range(len(values)))
    random.shuffle(order)
    one = from_values(pa.chunked_array([pa.array(values, pa.string())]))
    two = from_values(pa.chunked_array([pa.array([values[i] for i in order], pa.string())]))
    assert one.task == two.task
    np.testing.assert_array_equal(one.y[order], two.y)
