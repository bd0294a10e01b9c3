import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError
from holdgood.core.table import Table, normalise


def frame():
    return {"a": [1, 2, None], "b": ["x", "y", None], "c": [True, False, True]}


@pytest.mark.parametrize(
    "make", [pd.DataFrame, lambda d: pl.DataFrame(d), lambda d: pa.table(d)], ids=["pandas", "polars", "arrow"]
)
def test_every_kind_of_frame_becomes_the_same_table_and_is_given_back_in_kind(make):
    native = make(frame())
    table = Table.of(native, "t")
    assert [(c.name, c.type) for c in table.columns] == [("a", "number"), ("b", "category"), ("c", "boolean")]
    assert table.data.column("a").to_pylist() == [1, 2, None]
    assert type(table.to_native()) is type(native)


def test_nan_is_missing_and_infinity_stays():
    table = Table.of(pa.table({"x": [1.0, float("nan"), float("inf")]}))
    assert table.data.column("x").null_count == 1
    assert table.data.column("x").to_pylist()[2] == float("inf")


def test_mixed_objects_become_text_with_a_note():
    table = Table.of(pd.DataFrame({"m": [1, "two", None]}))
    assert table.data.column("m").to_pylist() == ["1", "two", None]
    assert [n.code for n in table.notes] == ["mixed-types"]


def test_duplicate_and_empty_names_are_told_apart_and_noted():
    data = pa.Table.from_arrays(
        [pa.array([1]), pa.array([2]), pa.array([3]), pa.array([4])], names=["x", "x", "", "x_2"]
    )
    table = Table.of(data)
    assert len(set(table.names)) == 4
    assert {n.code for n in table.notes} == {"duplicate-names", "empty-names"}


def test_zones_become_utc_and_odd_types_get_notes():
    zoned = pd.Series(pd.to_datetime(["2020-06-01 12:00"])).dt.tz_localize("Europe/Paris")
    table = Table.of(pd.DataFrame({"t": zoned}))
    assert table.data.column("t").to_pylist() == [dt.datetime(2020, 6, 1, 10)]
    nested, notes = normalise(pa.table({"l": [[1, 2], None], "d": pa.array([dt.timedelta(seconds=2), None])}))
    assert nested.column("l").to_pylist() == ["[1, 2]", None]
    assert nested.column("d").to_pylist() == [2.0, None]
    assert len(notes) == 2


def test_fingerprint_ignores_names_and_chunks_but_not_content_or_order():
    one = Table.of(pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]}))
    renamed = Table.of(pa.table({"q": [1, 2, 3], "r": ["x", None, "z"]}))
    chunked = Table.of(
        pa.concat_tables([pa.table({"a": [1], "b": ["x"]}), pa.table({"a": [2, 3], "b": pa.array([None, "z"])})])
    )
    changed = Table.of(pa.table({"a": [1, 2, 3], "b": ["x", "", "z"]}))
    assert one.fingerprint() == renamed.fingerprint() == chunked.fingerprint()
    assert changed.fingerprint() != one.fingerprint()
    assert one.take(np.array([2, 1, 0])).fingerprint() != one.fingerprint()
    assert one.take(np.array([0, 1, 2])).fingerprint() == one.fingerprint()


def test_a_wrong_column_gets_a_suggestion_and_a_wrong_object_a_clear_error():
    table = Table.of(pa.table({"amount": [1]}))
    with pytest.raises(DataError, match="did you mean 'amount'"):
        table.type_of("amuont")
    with pytest.raises(DataError, match="where a table was expected"):
        Table.of([1, 2, 3])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=8)), max_size=20),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=20),
)
def test_normal_form_is_a_fixed_point(texts, numbers):
    n = min(len(texts), len(numbers))
    data = pa.table({"t": pa.array(texts[:n], pa.string()), "x": pa.array(numbers[:n], pa.float64())})
    once, _ = normalise(data)
    twice, notes = normalise(once)
    assert twice.equals(once)
    assert notes == []


def test_pandas_columns_of_one_name_are_read_by_position():
    table = Table.of(pd.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"]))
    assert table.names == ("x", "x_2")
    assert table.data.to_pydict() == {"x": [1, 2], "x_2": ["a", "b"]}
