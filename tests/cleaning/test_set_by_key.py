import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.cleaning.set_by_key import REPAIR
from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.testing.repair import check_repair

TOWNS = {"key": ["zip"], "values": {"town": [["10", "Berlin"], ["20", "Hamburg"]]}}


@pytest.fixture
def places():
    columns = {
        "zip": ["10", "10", "20", None, "30", "20"],
        "town": ["Berlin", "Bonn", None, "Bonn", "Bonn", " "],
        "area": pa.array([1, 1, 2, 2, 3, 3], pa.int64()),
        "since": pa.array([0, 10**15, 0, 0, None, 0], pa.timestamp("us")),
    }
    return Table.of(pa.table(columns), "places")


def test_the_contract(places):
    check_repair(REPAIR, places, ["town"], TOWNS)


@pytest.mark.parametrize(
    ("only", "towns", "cells"),
    [
        ("all", ["Berlin", "Berlin", "Hamburg", "Bonn", "Bonn", "Hamburg"], 3),
        ("differing", ["Berlin", "Berlin", None, "Bonn", "Bonn", " "], 1),
        ("empty", ["Berlin", "Bonn", "Hamburg", "Bonn", "Bonn", "Hamburg"], 2),
    ],
)
def test_what_is_set(places, only, towns, cells):
    out, entry = REPAIR.apply(places, ["town"], {**TOWNS, "only": only})
    assert out.data.column("town").to_pylist() == towns
    assert entry.cells_changed == cells


def test_two_keys_numbers_and_moments(places):
    parameters = {"key": ["zip", "area"], "values": {"since": [["10", 1, "2020-01-02 03:04:05"]]}}
    out, entry = REPAIR.apply(places, ["since"], parameters)
    assert entry.cells_changed == 2
    assert [str(v) for v in out.data.column("since").to_pylist()[:2]] == ["2020-01-02 03:04:05"] * 2
    out, entry = REPAIR.apply(places, ["area"], {"key": "zip", "values": {"area": [["20", 9]]}})
    assert out.data.column("area").to_pylist() == [1, 1, 9, 2, 3, 9]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=40), st.integers(0, 6))
@settings(max_examples=30, deadline=None)
def test_rows_keep_their_order_and_only_listed_keys_change(rows, listed):
    key, value = zip(*rows, strict=True)
    table = Table.of(pa.table({"k": pa.array(key), "v": pa.array(value)}), "t")
    given_values = [[k, 10 + k] for k in range(listed)]
    out, entry = REPAIR.apply(table, ["v"], {"key": ["k"], "values": {"v": given_values}})
    should = [10 + k if k < listed else v for k, v in rows]
    assert out.data.column("v").to_pylist() == should
    assert entry.cells_changed == int(np.sum(np.array(should) != np.array(value)))


@pytest.mark.parametrize(
    ("columns", "parameters", "said"),
    [
        (["town"], {}, "without parameters"),
        (["town"], {"key": 3, "values": {}}, "one or more columns"),
        (["town"], {"key": ["zi"], "values": {"town": []}}, "did you mean 'zip'"),
        (["town"], {"key": ["zip"], "values": {}}, "no list of values"),
        (["town"], {"key": ["zip"], "values": {"town": [["10"]]}}, "lists of 2"),
        (["zip"], {"key": ["zip"], "values": {"zip": [["10", "20"]]}}, "not the key"),
        (["town"], {"key": ["zip"], "values": {"town": [["10", 3]]}}, "another type"),
        (["area"], {"key": ["zip"], "values": {"area": [["10", True]]}}, "another type"),
        (["town"], {"key": ["zip"], "values": {"town": [["10", "a"], ["10", "b"]]}}, "listed twice"),
        (["town"], {**TOWNS, "only": "emty"}, "did you mean 'empty'"),
    ],
)
def test_bad_input(places, columns, parameters, said):
    with pytest.raises(DeclarationError, match=said):
        REPAIR.apply(places, columns, parameters)
