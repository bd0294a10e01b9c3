import datetime as dt
import os
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from holdgood.core.errors import DeclarationError
from holdgood.core.sql import check_expression, columns_in, connect, evaluate, friendly, quote

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


OTHER_ROWS = [
    "EXISTS (FROM rows_ r WHERE r.a > rows_.a)",
    "a IN (FROM rows_ SELECT a)",
    "(TABLE rows_)",
    "SUM(a)",
    "sum(a) FILTER (WHERE a > 1)",
    "geomean(a)",
    "wavg(a, a)",
    "json_group_array(a)",
    "lag(a) OVER (ORDER BY a)",
    "unnest([a, a])",
]
NO_EXPRESSION = [
    "*",
    "COLUMNS('a')",
    "rows_::VARCHAR",
    "?",
    "$1",
    "#1",
    "1) FROM x; SELECT (2",
    "a) AS q, (a",
    "1) UNION SELECT (2",
]
UNSTABLE = [
    "random()",
    "uuid()",
    "now()",
    "current_date",
    "CURRENT_TIMESTAMP",
    "today()",
    "ago(INTERVAL 1 DAY)",
    'age("when")',
]


@pytest.mark.parametrize("bad", OTHER_ROWS + NO_EXPRESSION + UNSTABLE)
def test_an_expression_sees_its_own_row_and_nothing_else(bad):
    for rows in (ROWS, ROWS.slice(0, 1), ROWS.slice(0, 0)):
        with pytest.raises(DeclarationError):
            evaluate(bad, rows)
    with pytest.raises(DeclarationError):
        check_expression(bad, tuple(ROWS.column_names))


@pytest.mark.parametrize("bad", UNSTABLE)
def test_the_clock_and_chance_are_told_apart_from_faults(bad):
    with pytest.raises(DeclarationError, match="each time"):
        check_expression(bad, tuple(ROWS.column_names))


WORDS = pa.table(
    {
        "load": [1, 5],
        "copy": [1, 5],
        "over": [1, 5],
        "install": [1, 5],
        "now": [1, 5],
        "sum": [1, 5],
        "w": ["install", "select over"],
        "größe": [1.0, 5.0],
    }
)


@pytest.mark.parametrize(
    "fine",
    [
        *(
            f"{name} > 3"
            for name in ("load", "copy", "over", "install", '"load"', '"NOW"', '"sum"', "größe", "rows_.load")
        ),
        "w <> 'install'",
        "w = 'select over'",
        "w = 'select; drop' OR load > 3 -- a comment",
        "list_sum([x + load for x in [0, 0]]) > 6",
        "if(load > 3, true, false)",
        "coalesce(nullif(load, 1), 0) > 3",
        "w LIKE 'sel%'",
        "load BETWEEN 2 AND 9 AND copy IN (5, 6)",
        "try_cast(w AS INTEGER) IS NULL AND CASE WHEN load > 3 THEN 1 ELSE 0 END = 1",
        "split_part(w, ' ', 2) = 'over'",
    ],
)
def test_words_of_sql_may_be_names_and_values(fine):
    assert evaluate(fine, WORDS).to_pylist() == [False, True]


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
    # SQL finds a column whatever the case, even within double quotes, and letters are not only those of English
    assert columns_in('"LATE" > 1 AND größe > 2', ["late", "größe", "e"]) == ("late", "größe")


def test_friendly_leaves_words_and_intervals_alone():
    assert friendly("a - 90 minutes") == "a - INTERVAL '90 minute'"
    assert friendly("a - INTERVAL 2 HOUR") == "a - INTERVAL 2 HOUR"
    assert friendly("x = '2 hours'") == "x = '2 hours'"
    assert friendly("x = 'in 2 hours or so' AND b < 3 days") == "x = 'in 2 hours or so' AND b < INTERVAL '3 day'"
    assert friendly("\"2 hours\" + 'interval' + 1 day") == "\"2 hours\" + 'interval' + INTERVAL '1 day'"


ALIKE = pa.table({"A": [1, 2], "a": [10, 20], "b": [5, 6]})


def test_of_columns_that_differ_in_case_alone_the_one_written_is_meant():
    assert evaluate('"a" + b', ALIKE).to_pylist() == [15, 26]
    assert evaluate("A + b", ALIKE).to_pylist() == [6, 8]
    assert evaluate("B * 2", ALIKE).to_pylist() == [10, 12]
    assert evaluate("1", ALIKE).to_pylist() == [1, 1]
    assert columns_in("a + B", ALIKE.column_names) == ("a", "b")


@pytest.mark.parametrize(("bad", "columns"), [("A < a", ALIKE), ("pRICE > 1", pa.table({"price": [1], "Price": [2]}))])
def test_columns_that_sql_cannot_tell_apart_are_refused_together(bad, columns):
    with pytest.raises(DeclarationError, match="cannot tell apart"):
        evaluate(bad, columns)


def test_moments_are_of_utc_whatever_the_zone_of_the_machine():
    code = (
        "import pyarrow as pa\nfrom holdgood.core import sql\nfrom holdgood.features.builders.expressions import Expressions\n"
        "rows, asked = pa.table({'a': ['2026-01-01T23:00:00Z']}), 'hour(CAST(a AS TIMESTAMPTZ))'\n"
        "print(sql.evaluate(asked, rows)[0], Expressions().values([asked], rows, purpose='x')[0][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TZ": "Asia/Tokyo"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["23", "23"]
    assert done.stderr == ""  # a connection that is kept open ends with the process
