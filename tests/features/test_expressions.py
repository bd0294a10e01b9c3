import datetime as dt

import pyarrow as pa
import pytest

from holdgood.core.errors import DeclarationError
from holdgood.features.builders.expressions import Expressions

ROWS = pa.table({"t": [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)], "load": [1, 5], "w": ["install", "over"]})


@pytest.mark.parametrize(
    "bad", ["EXISTS (FROM rows_ r WHERE r.t > rows_.t)", "geomean(load)", "rows_::VARCHAR", "now() - t"]
)
@pytest.mark.parametrize("rows", [1, 2])
def test_an_expression_sees_its_own_row_whether_one_is_scored_or_many(bad, rows):
    with pytest.raises(DeclarationError):
        Expressions().values(["load + 1", bad], ROWS.slice(0, rows), purpose="test")


def test_words_of_sql_and_comments_do_not_disturb_the_others():
    first, second, third = Expressions().values(["load > 3 -- heavy", "w = 'install'", "load"], ROWS, purpose="test")
    assert first.to_pylist() == [False, True]
    assert second.to_pylist() == [True, False]
    assert third.to_pylist() == [1, 5]


def test_columns_that_differ_in_case_alone_are_two():
    rows = pa.table({"Load": [1.0], "load": [2.0], "w": [3.0]})
    found = Expressions().values(['"load" + w', "Load + w"], rows, purpose="test")
    assert [c.to_pylist() for c in found] == [[5.0], [4.0]]
