import csv
import datetime as dt
import os
import resource
import stat

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdgood.connectors import read_table, write_table
from holdgood.core.errors import DataError, EnvironmentFault, ReadError

DANGER = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "plain", None]


def test_files_for_people_are_escaped_and_files_for_machines_are_not(tmp_path):
    data = pa.table({"=name": DANGER, "n": [-1] * 8})
    for suffix in (".csv", ".xlsx"):
        machine = read_table(write_table(data, tmp_path / f"m{suffix}"))
        assert machine.data.column("=name").to_pylist()[:4] == DANGER[:4]
        people = read_table(write_table(data, tmp_path / f"p{suffix}", for_people=True))
        assert people.names == ("'=name", "n")
        cells = people.data.column("'=name").to_pylist()
        assert cells[:5] == ["'" + d for d in DANGER[:5]]
        assert cells[6:] == ["plain", None]
        assert people.data.column("n").to_pylist() == [-1] * 8
    plain = read_table(write_table(data, tmp_path / "p.parquet", for_people=True))
    assert plain.data.column("=name").to_pylist() == DANGER


def test_csv_holds_days_and_moments_as_people_write_them(tmp_path):
    day, moment, part = (
        dt.datetime(2024, 1, 2),
        dt.datetime(2024, 1, 2, 5, 45),
        dt.datetime(2024, 1, 2, 5, 45, 0, 500),
    )
    data = pa.table({"d": [day, None], "m": [moment, day], "p": [part, day]})
    path = write_table(data, tmp_path / "t.csv")
    assert path.read_text().splitlines()[1] == "2024-01-02,2024-01-02 05:45:00,2024-01-02 05:45:00.000500"
    assert read_table(path).data.to_pydict() == data.to_pydict()


def test_a_number_with_its_sign_is_no_formula(tmp_path):
    texts = ["-999", "+4.5", "-1+1", "-1e5", "+", "-"]
    people = write_table(pa.table({"t": texts, "u": ["x"] * 6}), tmp_path / "p.csv", for_people=True)
    told = [row["t"] for row in csv.DictReader(people.open(newline=""))]
    assert told == ["-999", "+4.5", "'-1+1", "'-1e5", "'+", "'-"]


def test_excel_holds_texts_and_no_formulas(tmp_path):
    path = write_table(
        pa.table({"a": ["=1+1", "x\x01y"], "b": [2**60, 1], "c": [float("inf"), 1.0]}), tmp_path / "t.xlsx"
    )
    page = openpyxl.load_workbook(path).active
    assert (page["A2"].data_type, page["A2"].value) == ("s", "=1+1")
    assert page["A3"].value == "x_x0001_y"
    assert page["B2"].value == str(2**60)
    assert page["C2"].value == "inf"
    with pytest.raises(DataError, match="do not fit"):
        write_table(pa.table({str(i): [1] for i in range(16_385)}), tmp_path / "wide.xlsx")


def test_csv_is_read_alike_by_the_standard_library(tmp_path):
    data = pa.table({"a": ["x,y", 'q"q', "two\nlines", None], "b": [1.5, None, 0.1, 1e300]})
    path = write_table(data, tmp_path / "t.csv")
    with open(path, newline="", encoding="utf-8") as handle:
        assert list(csv.reader(handle)) == [
            ["a", "b"],
            ["x,y", "1.5"],
            ['q"q', ""],
            ["two\nlines", "0.1"],
            ["", "1e+300"],
        ]


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = write_table(pa.table({"a": [1]}), tmp_path / "t.csv")
    large = pa.table({"a": list(range(200_000))})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        for suffix in (".csv", ".csv.gz", ".parquet", ".jsonl"):
            with pytest.raises(EnvironmentFault, match="disk is full") as caught:
                write_table(large, tmp_path / f"t{suffix}")
            assert caught.value.do
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == ["t.csv"]
    assert read_table(path).rows == 1


def test_refusals(tmp_path):
    data = pa.table({"a": [1]})
    with pytest.raises(ReadError, match=r"did you mean '\.parquet'"):
        write_table(data, tmp_path / "t.parqet")
    with pytest.raises(EnvironmentFault, match="no folder"):
        write_table(data, tmp_path / "nowhere" / "t.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(EnvironmentFault, match="is a folder"):
        write_table(data, tmp_path / "d.csv")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(EnvironmentFault, match="no permission"):
            write_table(data, closed / "t.csv")
    finally:
        os.seteuid(was)


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "by_hand").write_text("x")
    path = write_table(pa.table({"a": [1]}), tmp_path / "t.csv")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "by_hand").stat().st_mode)


# --- round trips ----------------------------------------------------------------------------------------------------

# A letter in front: text that looks like a number or a date is read as one from files without types, and should be.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).map(lambda s: f"w{s}") | st.sampled_from(
    ["w\n,;\"'\t", "w\r\nx"]
)
columns = {
    "whole": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "decimal": (st.floats(allow_nan=False), pa.float64()),
    "flag": (st.booleans(), pa.bool_()),
    "word": (words, pa.string()),
    "moment": (st.datetimes(), pa.timestamp("us")),
}


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=4))
    rows = draw(st.integers(1, 8))
    arrays, names = [], []
    for i, kind in enumerate(kinds):
        values, arrow = columns[kind]
        first = draw(values)
        if kind == "decimal" and (first == int(first) if abs(first) < 1e300 else True):
            first = 0.5  # a column of whole or endless numbers only has no decimals to be known by
        rest = draw(st.lists(st.none() | values, min_size=rows - 1, max_size=rows - 1))
        arrays.append(pa.array([first, *rest], arrow))
        names.append(f"{kind} {i}")
    return pa.Table.from_arrays(arrays, names=names)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".parquet", ".jsonl"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=tables())
def test_generated_tables_round_trip(tmp_path, suffix, data):
    t = read_table(write_table(data, tmp_path / f"t{suffix}"), options={"header": True} if "sv" in suffix else None)
    assert t.data.schema.names == data.schema.names
    assert t.data.to_pylist() == data.to_pylist()
    assert t.notes == ()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=tables())
def test_generated_tables_round_trip_through_sqlite(tmp_path, data):
    import sqlite3

    path = tmp_path / "t.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    kinds = {"int64": "INTEGER", "double": "REAL", "bool": "BOOLEAN", "string": "TEXT", "timestamp[us]": "DATETIME"}
    connection.execute("CREATE TABLE t (" + ", ".join(f'"{f.name}" {kinds[str(f.type)]}' for f in data.schema) + ")")
    rows = [[v.isoformat(sep=" ") if hasattr(v, "isoformat") else v for v in row.values()] for row in data.to_pylist()]
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * data.num_columns)})", rows)
    connection.commit()
    connection.close()
    t = read_table(path)
    assert t.data.to_pylist() == data.to_pylist()
    assert t.notes == ()
