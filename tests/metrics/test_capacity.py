import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import Costs
from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task
from holdgood.metrics import resolve
from holdgood.metrics.capacity import capped, day_of, reachable
from holdgood.metrics.units import DAY

TASK = Task(kind="binary", classes=(False, True))


def table(capacity, class_weight=None):
    return resolve(Costs(miss=300, false_alarm=40, capacity=capacity), TASK, class_weight)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.9, 1.0]), st.integers(0, 3)), min_size=1, max_size=30),
    capacity=st.integers(0, 4),
    threshold=st.floats(0.05, 1),
)  # fmt: skip
def test_day_by_day_the_likeliest_of_those_that_deserve_it(rows, capacity, threshold):
    p, day = (np.array(v) for v in zip(*rows, strict=True))
    answer = (p >= threshold).astype(int)
    got = capped(table(capacity), p, answer, day)
    for d in set(day.tolist()):
        mine = sorted((i for i in range(len(p)) if day[i] == d and answer[i]), key=lambda i: (-p[i], i))
        assert np.flatnonzero(got * (day == d)).tolist() == sorted(mine[:capacity])
    # the same rows by a threshold on what can be reached at all
    assert ((reachable(table(capacity), p, day) >= threshold) == (got == 1)).all()


def test_without_a_capacity_answers_stay_as_they_are():
    answer = np.array([1, 0, 1])
    assert capped(table(None), np.array([0.9, 0.1, 0.8]), answer, np.zeros(3)) is answer


def test_weights_of_classes_do_not_change_who_comes_first():
    p, day = np.array([0.3, 0.9, 0.6]), np.zeros(3)
    got = capped(table(1, np.array([1.0, 8.0])), p, np.ones(3, int), day)
    assert got.tolist() == [0, 1, 0]


def test_days_are_days_and_a_time_must_be_known():
    assert day_of(np.array([0, DAY - 1, DAY]), 5).tolist() == [0, 0, 1]
    with pytest.raises(DeclarationError, match="50 a day"):
        day_of(None, 50)


@pytest.mark.parametrize("task", [Task(kind="regression"), Task(kind="multiclass", classes=("a", "b", "c"))])
def test_a_capacity_wants_two_outcomes(task):
    with pytest.raises(DeclarationError, match="a capacity"):
        resolve(Costs(capacity=3), task)
