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


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_whole_numbers_are_read_in_the_unit_that_they_are_large_enough_for(unit, scale):
    whole = np.datetime64("2024-03-01", unit).astype(np.int64) + np.arange(3) * 3600 * scale
    expected = (np.datetime64("2024-03-01", "us") + np.arange(3) * np.timedelta64(1, "h")).astype(np.int64)
    for values in (whole, whole.astype(float)):
        table = Table.of(pa.table({"t": values}))
        assert moments("t", table, purpose="the time").tolist() == expected.tolist()


def test_the_order_of_neighbouring_whole_numbers_is_kept():
    near = 2**53 * 8  # a float would take these for equal
    table = Table.of(pa.table({"t": [near, near + 1, near + 2]}))
    assert np.diff(moments("t", table, purpose="the time")).tolist() == [1, 1]
    years = Table.of(pa.table({"t": [2013, 2014, 1999]}))
    assert np.argsort(moments("t", years, purpose="the time")).tolist() == [2, 0, 1]


@pytest.mark.parametrize("bad", [[1.0, float("inf")], [1e30, 2.0], [True, False]])
def test_what_cannot_be_a_time_is_refused_in_words(bad):
    with pytest.raises((DataError, DeclarationError), match="the time: 't'"):
        moments("t", Table.of(pa.table({"t": bad})), purpose="the time")


def test_dates_and_fine_times_are_moments_too():
    table = Table.of(pa.table({"t": [dt.datetime(2020, 1, 1, 5), dt.datetime(2020, 1, 2, 6)]}))
    assert np.diff(moments("CAST(t AS DATE)", table, purpose="x")).tolist() == [86_400_000_000]
    fine = moments("CAST(t AS TIMESTAMP_NS) + to_microseconds(1)", table, purpose="x")
    assert (fine - moments("t", table, purpose="x")).tolist() == [1, 1]


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


def test_columns_that_differ_in_case_alone_are_two():
    table = Table.of(pa.table({"A": [1, 1, 1], "a": [3, 1, 2]}), "t")
    assert group_codes(table, ["a"]).tolist() == [2, 0, 1]
    turned = table.take([2, 1, 0])
    one, two = (t.take(canonical_order(t)).data for t in (table, turned))
    assert one.equals(two)
