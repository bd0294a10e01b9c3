"""What answers in the journal say, in the shapes of the task."""

import pytest

from holdgood.core.errors import DataError
from holdgood.core.task import Task
from holdgood.workflow.live.told import predictions


def test_chances_of_several_classes_are_read_as_servers_and_as_tables_say_them():
    task = Task(kind="multiclass", classes=("a", "b", 3))
    answers = [
        {"probabilities": {"a": 0.25, "b": 0.5, "3": 0.25}, "answer": "b"},
        {"probability_a": 1, "probability_b_": 0.0, "probability_3": 0.0, "answer": "a"},
    ]
    assert predictions(answers, task).tolist() == [[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]]
    with pytest.raises(DataError, match="has no '3'"):
        predictions([{"probabilities": {"a": 0.25, "b": 0.5}}], task)
