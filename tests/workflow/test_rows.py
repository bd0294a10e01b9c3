import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.table import Table
from holdgood.workflow.rows import canonical_order, group_codes, labels, later, moments


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.text(max_size=3))), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_canonical_order_forgets_how_a_file_was_sorted_and_what_columns_are_called(rows, random):
    def table(items, names):
        return Table.of(
            pa.table({names[0]: [a for a, _ in items], names[1]: pa.array([b for _, b in items], pa.string())})
        )

    shuffled = list(rows)
    random.shuffle(shuffled)
    one, two = table(rows, ("a", "b")), table(shuffled, ("x", "y"))
    first = one.take(canonical_order(one)).data.to_pydict()
    second = two.take(canonical_order(two)).data.to_pydict()
    assert list(first.values()) == list(second.values())


def test_moments_are_microseconds_and_missing_ones_are_counted():
    table = Table.of(
        pa.table(
            {
                "t": [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)],
                "n": [1, 2],
                "s": ["x", "y"],
                "g": [dt.datetime(2020, 1, 1), None],
            }
        )
    )
    day = 86_400_000_000
    assert np.diff(moments("t", table, purpose="the time")).tolist() == [day]
    assert np.diff(moments("t - 2 hours", table, purpose="the time")).tolist() == [day]
    assert moments("n", table, purpose="the time").tolist() == [1_000_000, 2_000_000]
    assert later(np.array([0]), "1 min").tolist() == [60_000_000]
    with pytest.raises(DataError, match="1 of 2 rows have no time"):
        moments("g", table, purpose="the time")
    with pytest.raises(DeclarationError, match="is a text"):
        moments("s", table, purpose="the time")


def test_group_codes_number_by_content():
    table = Table.of(pa.table({"a": ["y", "x", "y", None], "b": [1, 1, 1, 1]}))
    codes = group_codes(table, ["a", "b"])
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3
    turned = group_codes(table.take(np.array([3, 2, 1, 0])), ["a", "b"])
    assert turned[::-1].tolist() == codes.tolist()


def test_many_valued_numbers_are_cut_at_the_development_rows_quartiles():
    values = pa.chunked_array([pa.array([*[float(i) for i in range(100)], None, 1e9])])
    found = labels(values, np.arange(100))
    assert found[0] == "up to 24.75"
    assert found[101] == "above 74.25"
    assert found[100] is None
    assert labels(pa.chunked_array([pa.array([1, 2, None])]), np.arange(3)).tolist() == ["1", "2", None]
