import datetime as dt

import duckdb
import pyarrow as pa
import pytest

from holdgood.core.errors import DeclarationError
from holdgood.core.sql import columns_in, connect, evaluate, friendly, quote

ROWS = pa.table({"a": [1, 2, None], "when": [dt.datetime(2020, 1, 1, 12)] * 3, 'we"ird': ["x", "y", "z"]})


def test_expressions_see_one_row_and_keep_order():
    assert evaluate("a > 1", ROWS).to_pylist() == [False, True, None]
    assert evaluate('"when" - 2 hours', ROWS).to_pylist() == [dt.datetime(2020, 1, 1, 10)] * 3
    assert evaluate(quote('we"ird') + " || '!'", ROWS).to_pylist() == ["x!", "y!", "z!"]


@pytest.mark.parametrize(
    "bad",
    [
        "(select 1)",
        "a; drop table x",
        "sum(a)",
        "row_number() over ()",
        "nope > 1",
        "a >",
        "read_text('/etc/passwd')",
        "count(*)",
    ],
)
def test_what_is_not_an_expression_over_a_row_is_refused(bad):
    with pytest.raises(DeclarationError):
        evaluate(bad, ROWS)


@pytest.mark.parametrize("bad", ["sum(a)", "count(*)"])
def test_aggregates_are_refused_even_on_a_single_row(bad):
    with pytest.raises(DeclarationError):
        evaluate(bad, ROWS.slice(0, 1))


def test_a_suggestion_for_a_misspelt_column():
    with pytest.raises(DeclarationError, match="did you mean 'when'"):
        evaluate("whenn > 1", ROWS)


def test_the_connection_opens_no_files_and_cannot_be_unlocked(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")
    connection = connect({"t": ROWS})
    for statement in (
        f"SELECT * FROM read_csv('{file}')",
        f"COPY t TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/db.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)
    assert not (tmp_path / "out.csv").exists()


def test_columns_in_an_expression():
    assert columns_in("A + other > 3 and kind = 'a'", ["a", "other", "kind", "late"]) == ("a", "other", "kind")
    assert columns_in('"we ird" > 1', ["we ird", "we"]) == ("we ird",)
    assert columns_in("odd name", ["odd name", "odd"]) == ("odd name",)


def test_friendly_leaves_words_and_intervals_alone():
    assert friendly("a - 90 minutes") == "a - INTERVAL '90 minute'"
    assert friendly("a - INTERVAL 2 HOUR") == "a - INTERVAL 2 HOUR"
    assert friendly("x = '2 hours'") == "x = '2 hours'"
