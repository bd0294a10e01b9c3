import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.connectors.column_types import Reading, recognise
from holdgood.connectors.finish import enforce

RAW = Reading()


def see(values, reading=RAW):
    column, notes = recognise("c", pa.chunked_array([pa.array([v or None for v in values], pa.string())]), reading)
    return column, [(n.code, n.count) for n in notes]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "-2", "+3"], "int64", [1, -2, 3]),
        ([" 1", "2 "], "int64", [1, 2]),
        (["1", "2.50", ".5", "1e3", "5."], "double", [1.0, 2.5, 0.5, 1000.0, 5.0]),
        (["1", "inf", "-Infinity"], "double", [1.0, float("inf"), float("-inf")]),
        (["0", "-0.5", "0.25"], "double", [0.0, -0.5, 0.25]),
        (["true", "False", "TRUE"], "bool", [True, False, True]),
        (["0", "1"], "int64", [0, 1]),
        (["9223372036854775807", "-9223372036854775808"], "int64", [2**63 - 1, -(2**63)]),
    ],
)
def test_numbers_and_booleans(values, kind, expected):
    column, notes = see([*values, None])
    assert str(column.type) == kind
    assert column.to_pylist() == [*expected, None]
    assert notes == []


@pytest.mark.parametrize(
    "values",
    [
        ["01234", "12345"],
        ["007", "0.5"],
        ["0x1F", "10"],
        ["1_000", "2"],
        ["inf", "Inf"],
        ["NA", "NaN"],
        ["yes", "no"],
        ["t", "f"],
        ["1,234", "5"],
        ["١", "٢"],
        ["2024-01", "2024-02"],
        ["12:30", "13:00"],
        ["true", "maybe"],
    ],
)
def test_what_is_not_surely_a_type_stays_text(values):
    column, notes = see(values)
    assert column.to_pylist() == values
    assert notes == []


def test_whole_numbers_beyond_64_bits_keep_every_digit():
    values = ["123456789012345678901", "2"]
    column, notes = see(values)
    assert column.to_pylist() == values
    assert notes == [("unparsed", 2)]


def test_words_for_missing_count_only_where_all_the_rest_parses():
    column, notes = see(["1", "NA", "2.5", "null", "n/a"])
    assert column.to_pylist() == [1.0, None, 2.5, None, None]
    assert notes == [("unparsed", 3)]
    column, notes = see(["2024-01-01", "None"])
    assert column.to_pylist() == [dt.datetime(2024, 1, 1), None]
    assert notes == [("unparsed", 1)]
    column, notes = see(["red", "NA"])
    assert column.to_pylist() == ["red", "NA"]
    assert notes == []


def test_mixed_columns_stay_text_and_are_told_from_nine_tenths_on():
    column, notes = see(["5"] * 9 + ["?"])
    assert column.to_pylist()[-1] == "?"
    assert notes == [("mixed-types", 1)]
    assert see(["5"] * 8 + ["?"] * 2)[1] == []
    assert see(["5"] * 95 + ["NA"] * 3 + ["?"] * 2)[1] == [("mixed-types", 2)]
    assert see(["2024-01-01"] * 9 + ["soon"])[1] == [("mixed-types", 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", dt.datetime(2024, 2, 29)),
        ("2024-02-29T05", dt.datetime(2024, 2, 29, 5)),
        ("2024-02-29 05:06", dt.datetime(2024, 2, 29, 5, 6)),
        ("2024-02-29T05:06:07.5", dt.datetime(2024, 2, 29, 5, 6, 7, 500_000)),
        ("2024-02-29T05:06:07,25", dt.datetime(2024, 2, 29, 5, 6, 7, 250_000)),
        ("2024-02-29T05:06:07.123456789", dt.datetime(2024, 2, 29, 5, 6, 7, 123_456)),
        ("2024-02-29T05:06:07Z", dt.datetime(2024, 2, 29, 5, 6, 7)),
        ("2024-02-29T05:06:07+02:00", dt.datetime(2024, 2, 29, 3, 6, 7)),
        ("2024-02-29 05:06:07-0330", dt.datetime(2024, 2, 29, 8, 36, 7)),
        ("2024-02-29 05:06:07 +02", dt.datetime(2024, 2, 29, 3, 6, 7)),
        (" 2024-02-29 ", dt.datetime(2024, 2, 29)),
        ("0001-01-01", dt.datetime(1, 1, 1)),
        ("1500-01-01 00:00:00", dt.datetime(1500, 1, 1)),
        ("9999-12-31", dt.datetime(9999, 12, 31)),
        ("31.12.2023", dt.datetime(2023, 12, 31)),
        ("1.2.2023 7:05", dt.datetime(2023, 2, 1, 7, 5)),
        ("2023/12/31 23:59:58", dt.datetime(2023, 12, 31, 23, 59, 58)),
    ],
)
def test_dates(text, expected):
    column, notes = see([text, None, text])
    assert column.to_pylist() == [expected, None, expected]
    assert notes == []


def test_dates_that_do_not_exist_or_mix_zones_stay_text_with_a_note():
    for values in (["2024-02-30", "2024-01-01"], ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00"]):
        column, notes = see(values)
        assert column.to_pylist() == values
        assert notes == [("mixed-types", 2)]


def test_day_and_month_are_never_guessed():
    column, notes = see(["03/04/2024", "25/04/2024"])
    assert column.to_pylist() == ["03/04/2024", "25/04/2024"]
    assert notes == [("unparsed", 2)]
    assert see(["03/04/2024"], Reading(dates="day-first"))[0].to_pylist() == [dt.datetime(2024, 4, 3)]
    assert see(["03/04/2024 1:02"], Reading(dates="month-first"))[0].to_pylist() == [dt.datetime(2024, 3, 4, 1, 2)]
    message = recognise("c", pa.chunked_array([["25/04/2024"]]), RAW)[1][0].message
    assert '"day-first"' in message
    assert '"month-first"' not in message


def test_text_of_typed_sources():
    typed = Reading(typed=True)
    assert see(["2024-01-01", "2024-01-02"], typed)[0].to_pylist() == [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2)]
    assert see(["1", "2"], typed) == (pa.chunked_array([["1", "2"]]), [("mixed-types", 2)])
    assert see(["01", "02"], typed)[1] == []
    assert see(["true", "false"], typed)[0].to_pylist() == ["true", "false"]
    assert see(["5"] * 9 + ["x"], typed)[1] == [("mixed-types", 1)]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from(["1", "2.5", "x", "NA", "", "01", "2024-01-01", "2024-13-01", "true", "?", "1e5", " 7"]),
        min_size=1,
        max_size=30,
    ),
    st.randoms(),
)
def test_order_of_rows_does_not_matter(values, random):
    """Shuffled rows give the same type, the same values and the same notes; no value is lost without a note."""
    order = list(range(len(values)))
    random.shuffle(order)
    a, notes_a = see(values)
    b, notes_b = see([values[i] for i in order])
    assert a.type == b.type
    assert notes_a == notes_b
    assert [a.to_pylist()[i] for i in order] == b.to_pylist()
    assert a.null_count == values.count("") + sum(
        n for code, n in notes_a if code == "unparsed" and not pa.types.is_string(a.type)
    )


# --- declared types -------------------------------------------------------------------------------------------------


def force(values, declared, reading=RAW):
    made, notes = enforce("c", pa.chunked_array([pa.array(values)]), declared, reading)
    return made.to_pylist(), [(n.code, n.count) for n in notes]


def test_declared_types_cost_only_the_cells_that_do_not_fit():
    assert force(["1", "x", "NA", None, "007"], "number") == (
        [1, None, None, None, 7],
        [("unparsed", 1), ("changed-type", 1)],
    )
    assert force(["1,5", "2.5", "z"], "number", Reading(comma=None)) == ([1.5, 2.5, None], [("changed-type", 1)])
    assert force(["yes", "0", "perhaps"], "boolean") == ([True, False, None], [("changed-type", 1)])
    assert force([0, 1, 2], "boolean") == ([False, True, None], [("changed-type", 1)])
    assert force(["2024-01-01", "2024-02-30", "1.2.2024"], "datetime") == (
        [dt.datetime(2024, 1, 1), None, dt.datetime(2024, 2, 1)],
        [("changed-type", 1)],
    )
    assert force([1.5, 2.0], "datetime") == ([None, None], [("changed-type", 2)])
    assert force(["123456789012345678901"], "number") == ([123456789012345678901.0], [])


def test_declared_categories_are_the_same_text_from_every_source():
    assert (
        force([5, None], "category")[0]
        == force([5.0, None], "category")[0]
        == force(["5", None], "category")[0]
        == ["5", None]
    )
    assert force([0.1, 1e300], "category")[0] == ["0.1", "1e+300"]
    assert force([True], "text")[0] == ["true"]
    assert force([1, 2], "other") == ([1, 2], [])
