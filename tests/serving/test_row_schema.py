"""What the schema of a row says of its columns, in words and in rules."""

import pytest

from holdgood.core.records import ColumnRule
from holdgood.workflow.single.rules import expectation


@pytest.mark.parametrize(
    ("unseen", "said"),
    [("warn", "text, one of blue, red"), ("refuse", "text, one of blue, red"), ("allow", "text, such as blue, red")],
)
def test_words_are_a_closed_list_only_where_others_are_told(unseen, said):
    assert expectation(ColumnRule(name="kind", type="category", levels=("blue", "red"), unseen=unseen)) == said


def test_of_many_words_the_first_are_named():
    many = ColumnRule(name="kind", type="category", levels=tuple("abcdefghijkl"), unseen="allow")
    assert expectation(many) == "text, such as a, b, c, d, e, f, g, h …"
