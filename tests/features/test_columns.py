import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from holdgood.core.errors import DataError, DeclarationError
from holdgood.features.builders.columns import conform, missing_like, raw_values
from holdgood.features.builders.expressions import NEVER, Expressions, as_moments


def chunked(values, type_=None):
    whole = pa.array(values, type_)
    return pa.chunked_array([whole[:1], whole[1:]])


def test_numbers_lose_what_is_infinite():
    got = raw_values(chunked([1.0, float("inf"), None, -float("inf")]), "number", "x")
    np.testing.assert_array_equal(got, [1.0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(raw_values(chunked([True, None, False]), "boolean", "x"), [1.0, np.nan, 0.0])
    np.testing.assert_array_equal(raw_values(chunked([3, None]), "number", "x"), [3.0, np.nan])


def test_long_whole_numbers_become_the_nearest_number():
    got = raw_values(chunked([2**53 + 1, 2**63 - 1, 7]), "number", "x")
    np.testing.assert_array_equal(got, [2.0**53, 2.0**63, 7.0])


def test_numbers_declared_as_categories_read_alike_with_and_without_gaps():
    assert raw_values(chunked([7, 8]), "category", "x").tolist() == ["7", "8"]
    assert raw_values(chunked([7.0, None, 8.5]), "category", "x").tolist() == ["7", None, "8.5"]
    assert raw_values(chunked([True, None]), "category", "x").tolist() == ["true", None]
    many = raw_values(chunked([float(i % 3) for i in range(200)]), "category", "x")
    assert many.tolist() == [str(i % 3) for i in range(200)]


def test_text_stays_text_in_batches_and_alone():
    values = ["ü", None, ""] * 40
    batch = raw_values(chunked(values), "text", "x")
    assert batch.dtype == object
    assert batch.tolist() == values
    assert raw_values(chunked(values[:3]), "text", "x").tolist() == values[:3]


def test_times():
    got = raw_values(chunked([dt.datetime(1970, 1, 1, 0, 0, 1), None], pa.timestamp("us")), "datetime", "x")
    assert got.tolist() == [1_000_000, NEVER]
    with pytest.raises(DataError, match="dates or times"):
        as_moments(chunked(["2024-01-01", "x"]), "x")


def test_columns_come_in_the_arrow_type_they_had():
    assert conform(chunked([1.0, None]), "int64").type == pa.int64()
    assert conform(chunked([1.5, None]), "int64").to_pylist() == [1.5, None]
    assert conform(chunked([1, 2]), "double").to_pylist() == [1.0, 2.0]
    assert conform(chunked([None, None], pa.string()), "timestamp[us]").type == pa.timestamp("us")
    assert conform(chunked(["x"]), "int64").to_pylist() == ["x"]


def test_missing_of_each_kind():
    assert np.isnan(missing_like("number", 2)).all()
    assert missing_like("category", 2).tolist() == [None, None]
    assert missing_like("datetime", 2).tolist() == [NEVER, NEVER]


def test_expressions_reuse_their_connection_and_accept_any_column_name():
    asker = Expressions()
    table = pa.table({"a b; drop": [1, 2], "x": [3.0, None]})
    one, two = asker.values(["a b; drop", "x * 2"], table, purpose="test")
    assert one.to_pylist() == [1, 2]
    assert two.to_pylist() == [6.0, None]
    assert asker.values(["x + 1"], table.slice(0, 1), purpose="test")[0].to_pylist() == [4.0]


@pytest.mark.parametrize(
    "expression", ["t - 2 hours", '"t" + 90 minutes', "t - INTERVAL '1 week'", "t + 36 seconds", "t - 1 day", "t"]
)
def test_a_shifted_column_is_what_duckdb_makes_of_it(expression):
    table = pa.table(
        {"t": pa.array([dt.datetime(2024, 2, 29, 23, 30), None, dt.datetime(1969, 1, 1)], pa.timestamp("us"))}
    )
    quick = Expressions().moments(expression, table, purpose="test")
    asked = Expressions().moments(f"COALESCE({expression}, NULL)", table, purpose="test")
    assert quick.tolist() == asked.tolist()


@pytest.mark.parametrize("expression", ["y + 1", "x +", "avg(x)", "read_csv('/etc/passwd')", "COLUMNS(*)"])
def test_bad_expressions_are_refused(expression):
    table = pa.table({"x": [1.0, 2.0], "z": [1, 2]})
    with pytest.raises(DeclarationError, match="test"):
        Expressions().values([expression], table, purpose="test")
