"""Each repair keeps the contract, does what it says, and refuses what it cannot do in three lines."""

import math
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.cleaning import installed
from holdgood.cleaning.to_number import parse
from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.testing.repair import check_repair

CASES = [
    ("sentinel-to-missing", ["weight", "count"], {"values": [-999, 9999]}, 2),
    ("sentinel-to-missing", ["town"], {"values": ["?"]}, 1),
    ("drop-duplicate-rows", [], {}, 7),
    ("drop-duplicate-rows", ["town"], {}, 7),
    ("drop-columns", ["town", "flag"], {}, 10),
    ("to-number", ["price"], {}, 5),
    ("to-number", ["price"], {"strip": ["$", "EUR"], "mixed": True}, 5),
    ("parse-dates", ["day"], {"formats": ["%Y-%m-%d", "%d.%m.%Y"]}, 5),
    ("parse-dates", ["when"], {"formats": ["%Y-%m-%d"], "high": "1980-01-01"}, 1),
    ("unify-spellings", ["town"], {"mapping": {"lyon ": "Lyon"}}, 1),
    ("unify-spellings", ["town"], {"rule": "case+space"}, 4),
    ("out-of-range-to-missing", ["weight"], {"low": 0, "high": 100}, 2),
    ("out-of-range-to-missing", ["when"], {"high": "1980-01-01"}, 1),
    ("infinite-to-missing", ["weight"], {}, 1),
    ("replace-values", ["town"], {"mapping": {"lyon ": "Lyon"}, "missing": ["?"]}, 2),
    ("repair-text", ["town", "price"], {"rules": ["edges"]}, 2),
    ("set-by-key", ["town"], {"key": ["count"], "values": {"town": [[1, "Paris"], [5, "Nice"]]}}, 3),
    ("infinite-to-missing", [], {}, 1),
    ("shift-time", ["when"], {"hours": 2, "where": "\"when\" < TIMESTAMP '1970-01-01 01:00'"}, 2),
    ("scale-values", ["count"], {"factor": 0.001, "low": 1000}, 5),
    ("scale-values", ["weight"], {"factor": -1.0, "high": 0}, 1),
    ("swap-columns", ["weight", "count"], {"where": "weight < 0"}, 2),
    ("where-to-missing", ["weight", "town"], {"where": "count > 100"}, 2),
]


@pytest.mark.parametrize(("name", "columns", "parameters", "cells"), CASES)
def test_contract_and_count(dirty, name, columns, parameters, cells):
    repair = installed()[name]
    check_repair(repair, dirty, columns, parameters)
    _, entry = repair.apply(dirty, columns, parameters)
    assert entry.cells_changed == cells


def test_every_repair_has_a_case():
    assert sorted({name for name, *_ in CASES}) == sorted(installed())


BAD = [
    ("scale-values", ["weight"], {"factor": 10}, "without bounds"),
    ("scale-values", ["weight"], {"factor": 1, "low": 0}, "a factor other than 0 and 1"),
    ("scale-values", ["weight"], {"factor": "ten", "low": 0}, "factor = 'ten'"),
    ("scale-values", ["town"], {"factor": 10, "low": 0}, "holds string"),
    ("swap-columns", ["weight"], {"where": "weight < 0"}, "exactly two columns"),
    ("swap-columns", ["weight", "town"], {"where": "weight < 0"}, "does not fit"),
    ("swap-columns", ["weight", "count"], {}, "without parameters"),
    ("where-to-missing", ["weight"], {"where": "weight + 1"}, "true or false"),
    ("where-to-missing", ["weight"], {"where": "weigt > 1"}, "did you mean 'weight'"),
    ("where-to-missing", ["weight"], {"where": 5}, "an SQL condition"),
    ("sentinel-to-missing", ["weight"], {}, "without parameters"),
    ("sentinel-to-missing", ["weight"], {"value": [1]}, "did you mean 'values'"),
    ("sentinel-to-missing", ["weight"], {"values": -999}, "a list of numbers"),
    ("sentinel-to-missing", [], {"values": [1]}, "without columns"),
    ("drop-columns", [], {}, "without columns"),
    ("drop-columns", ["weight", "count", "price", "town", "when", "day", "flag"], {}, "without columns"),
    ("drop-duplicate-rows", [], {"keep": "last"}, "unknown parameter"),
    ("to-number", ["flag"], {}, "holds bool"),
    ("to-number", ["price"], {"decimal": ","} | {"thousands": ","}, "decimal"),
    ("to-number", ["price"], {"strip": "kg"}, "a list of texts"),
    ("to-number", ["price"], {"mixed": 1}, "true or false"),
    ("to-number", ["price"], {"negatives": "yes"}, "true or false"),
    ("parse-dates", ["day"], {}, "without parameters"),
    ("parse-dates", ["day"], {"formats": []}, "a list of formats"),
    ("parse-dates", ["day"], {"formats": ["%Y-%m"]}, "hold a day, a month and a year"),
    ("parse-dates", ["day"], {"formats": ["%Q-%m-%d"]}, "hold a day, a month and a year"),
    ("parse-dates", ["flag"], {"formats": ["%Y-%m-%d"]}, "holds bool"),
    ("unify-spellings", ["town"], {}, "without parameters"),
    ("unify-spellings", ["weight"], {"rule": "case+space"}, "holds double"),
    ("unify-spellings", ["town"], {"rule": "magic"}, "magic"),
    ("unify-spellings", ["town"], {"mapping": {"a": 1}}, "texts"),
    ("unify-spellings", ["town"], {"mapping": {"a": "b", "b": "a"}}, "circle"),
    ("out-of-range-to-missing", ["weight"], {}, "without parameters"),
    ("out-of-range-to-missing", ["weight"], {"low": "soon"}, "a limit of 'soon'"),
    ("out-of-range-to-missing", ["town"], {"low": 1}, "holds string"),
    ("infinite-to-missing", [], {"x": 1}, "unknown parameter"),
]


@pytest.mark.parametrize(("name", "columns", "parameters", "said"), BAD)
def test_refusals_have_three_lines(dirty, name, columns, parameters, said):
    with pytest.raises(DeclarationError) as caught:
        installed()[name].apply(dirty, columns, parameters)
    lines = str(caught.value).splitlines()
    assert said in str(caught.value)
    assert len(lines) == 3


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.sampled_from([(".", ","), (",", "."), (".", " "), (",", "'"), (".", "")]),
)
@settings(max_examples=50, deadline=None)
def test_numbers_written_by_people_are_read_back(value, signs):
    decimal, thousands = signs
    written = f"{value:,.3f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    assert parse(written, decimal, thousands) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("$1,200.50", 1200.5),
        ("12 kg", 12.0),
        ("12,5", 12.5),
        ("1.234,5 kg", 1234.5),
        ("1 234.5", 1234.5),
        ("12 g", None),
    ],
)
def test_units_and_other_signs_are_read_where_declared(text, read):
    table = Table.of(pa.table({"x": [text, "x"]}), "t")
    out, _ = installed()["to-number"].apply(table, ["x"], {"strip": ["kg", "$"], "mixed": True})
    assert out.data.column("x").to_pylist() == [read, None]


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%d %b %y", "%b %d, %Y %I:%M %p", "%Y%m%d", "%m/%d/%y %H:%M"]),
)
@settings(max_examples=50, deadline=None)
def test_dates_are_read_as_python_reads_them(moment, form):
    text = moment.strftime(form)
    table = Table.of(pa.table({"x": [text, "31/02/2020", None]}), "t")
    out, entry = installed()["parse-dates"].apply(table, ["x"], {"formats": [form.split(" %H")[0].split(" %I")[0]]})
    assert out.data.column("x").to_pylist() == [datetime.strptime(text, form), None, None]
    assert out.type_of("x") == "datetime"
    assert entry.cells_changed == 2


def test_zones_and_fractions_of_dates():
    texts = ["2021-01-01T05:00:00.25+05:30", "2021-01-01 05:00Z", "2021-13-01"]
    out, _ = installed()["parse-dates"].apply(Table.of(pa.table({"x": texts}), "t"), ["x"], {"formats": ["%Y-%m-%d"]})
    assert out.data.column("x").to_pylist() == [
        datetime(2020, 12, 31, 23, 30, 0, 250_000),
        datetime(2021, 1, 1, 5),
        None,
    ]


@pytest.mark.parametrize("text", ["", " ", "12 kg", "1,2", "1.2.3", "--5", "inf", "nan", "1e999", "12,3456", "٣x"])
def test_what_is_no_number_is_not_guessed(text):
    assert parse(text) is None


def test_the_first_of_equal_rows_is_kept_and_order_stays():
    rng = np.random.default_rng(0)
    data = pa.table(
        {"a": pa.array(rng.integers(0, 5, 300), mask=rng.random(300) < 0.2), "b": rng.choice(["x", "y"], 300)}
    )
    out, entry = installed()["drop-duplicate-rows"].apply(Table.of(data, "t"), [], {})
    seen = list(dict.fromkeys(zip(*(data.column(c).to_pylist() for c in ("a", "b")), strict=True)))
    assert list(zip(*(out.data.column(c).to_pylist() for c in ("a", "b")), strict=True)) == seen
    assert entry.rows_removed == 300 - len(seen)


def test_chains_of_spellings_end_in_one(dirty):
    out, _ = installed()["unify-spellings"].apply(dirty, ["town"], {"mapping": {"lyon ": "Lyon", "Lyon": "LYON"}})
    assert out.data.column("town").to_pylist() == ["LYON", "LYON", "Paris", None, "?", "LYON"]


def test_numbers_keep_their_type_frozen(dirty):
    out, _ = installed()["to-number"].apply(dirty, ["price"], {})
    assert out.type_of("price") == "number"
    assert out.data.column("price").to_pylist() == [1200.5, None, None, 7.0, 8.0, 1200.5]
    assert math.isinf(out.data.column("weight").to_pylist()[4])


@pytest.mark.parametrize(
    ("text", "read"),
    [("(467.94)", -467.94), ("($1,200.50)", -1200.5), ("12-", -12), ("\u22123", -3), ("(-4)", None), ("7", 7)],
)
def test_negatives_of_accountants_are_read_where_declared(text, read):
    table = Table.of(pa.table({"x": [text]}), "t")
    out, _ = installed()["to-number"].apply(table, ["x"], {"strip": ["$"], "negatives": True})
    assert out.data.column("x").to_pylist() == [read]
    plain, _ = installed()["to-number"].apply(table, ["x"], {"strip": ["$"]})
    assert plain.data.column("x").to_pylist() == [7 if text == "7" else None]


def only(name, column, parameters, values, kind=None):
    table = Table.of(pa.table({"x": pa.array(values, kind)}), "t")
    out, entry = installed()[name].apply(table, [column], parameters)
    return out.data.column("x").to_pylist(), entry


def test_a_limit_with_a_zone_is_that_moment():
    moments = [datetime(2020, 1, 1, 0), datetime(2020, 1, 1, 3)]
    left, entry = only(
        "out-of-range-to-missing", "x", {"low": "2020-01-01T06:00:00+05:00"}, moments, pa.timestamp("us")
    )
    assert (left, entry.cells_changed) == ([None, moments[1]], 1)


def test_long_whole_numbers_are_held_against_limits_exactly():
    left, _ = only("out-of-range-to-missing", "x", {"low": 0.5, "high": 2**53}, [2**53 + 1, 2**53, 1, 0])
    assert left == [None, 2**53, 1, None]


@pytest.mark.parametrize("strange", [math.inf, math.nan, 2**70, 0.5, "?"])
def test_a_code_that_a_column_cannot_hold_is_nowhere_in_it(strange):
    assert only("sentinel-to-missing", "x", {"values": [strange, 9]}, [9, 1])[0] == [None, 1]


def test_codes_for_missing_dates():
    values = [datetime(1900, 1, 1), datetime(2024, 5, 6)]
    codes = ["01.01.1900", "?", datetime(1900, 1, 1).date()]
    assert only("sentinel-to-missing", "x", {"values": codes}, values, pa.timestamp("us"))[0] == [None, values[1]]
    assert only("sentinel-to-missing", "x", {"values": ["?", "1 Jan"]}, values, pa.timestamp("us"))[0] == values


def test_results_too_long_for_whole_numbers_become_numbers_with_decimals_and_the_count_says_which():
    left, entry = only("scale-values", "x", {"factor": 1e6, "low": 10}, [10**15, 5, 6])
    assert left == [1e21, 5.0, 6.0]
    assert entry.sentence == "1 cell multiplied by 1e+06; 3 cells are numbers with decimals now"
    assert entry.cells_changed == 3


def test_a_key_beyond_all_whole_numbers_is_refused_in_words():
    table = Table.of(pa.table({"k": [1], "x": [1]}), "t")
    with pytest.raises(DeclarationError, match="another type than the column"):
        installed()["set-by-key"].apply(table, ["x"], {"key": "k", "values": {"x": [[2**70, 3]]}})
