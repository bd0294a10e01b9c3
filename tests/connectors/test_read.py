import datetime as dt
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from holdgood.connectors import read_table, write_table
from holdgood.core.errors import DataError, ReadError

DATA = pa.table({"a": [1, 2, None], "b": ["x", None, "z"], "when": ["2024-01-01", "2024-01-02T05:00:00", None]})


def test_frames_are_taken_in_kind(plain):
    for frame, native in ((DATA.to_pandas(), "pandas"), (pl.from_arrow(DATA), "polars"), (DATA, "arrow")):
        t = read_table(frame, name="t", types={"a": "category"})
        assert t.native == native
        assert t.type_of("when") == "datetime"
        assert plain(t)["b"] == ["x", None, "z"]
        assert plain(t)["a"] == ["1", "2", None]


def test_options_follow_a_files_name(tmp_path, plain):
    (tmp_path / "t.csv").write_text("no names here\na;b\n1,5;01/02/2024\n2,5;02/02/2024\n")
    t = read_table("t.csv?skip=1&dates=day-first&decimal=,", base=tmp_path)
    assert (t.name, plain(t)["a"], plain(t)["b"][0]) == ("t", [1.5, 2.5], dt.datetime(2024, 2, 1))
    assert read_table("t.csv?skip=1&names=x,y&header=true", base=tmp_path).names == ("x", "y")
    assert read_table("t.csv?skip=5", base=tmp_path, options={"skip": 1}).rows == 2
    with pytest.raises(ReadError, match="unknown option 'skp'"):
        read_table("t.csv?skp=1", base=tmp_path)
    (tmp_path / "t.csv?skip=1.csv").write_text("a\n1\n")
    assert read_table("t.csv?skip=1.csv", base=tmp_path).names == ("a",)


def test_frames_with_odd_columns():
    frame = pd.DataFrame({"m": [1, "x", None], "f": [np.nan, np.inf, 1.0], "d": pd.to_timedelta([1, 2, 3], unit="h")})
    frame.insert(3, "m", ["1", "2", "3"], allow_duplicates=True)
    t = read_table(frame)
    assert t.names == ("m", "f", "d", "m_2")
    assert [n.code for n in t.notes] == ["mixed-types", "duplicate-names", "unsupported-type", "mixed-types"]
    nested = read_table(pl.DataFrame({"n": [[1, 2], None]}))
    assert nested.type_of("n") == "other"
    assert nested.data.column("n").to_pylist() == ["[1, 2]", None]
    with pytest.raises(DataError, match="where a table was expected"):
        read_table([1, 2, 3])


def test_connector_by_suffix_name_by_stem(tmp_path):
    for suffix in (".csv", ".csv.gz", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson", ".xlsx"):
        path = write_table(DATA, tmp_path / f"My.Table{suffix}")
        t = read_table(path)
        assert t.name == "My.Table"
        assert t.source == str(path)
        assert t.data.column("a").to_pylist() == [1, 2, None]
        assert [c.type for c in t.columns] == ["number", "category", "datetime"]
    upper = tmp_path / "UPPER.CSV"
    upper.write_text("a\n1\n")
    assert read_table(str(upper)).rows == 1


def test_every_source_gives_the_same_table(tmp_path):
    """The same data from CSV, Parquet, JSON lines, Excel, SQLite and frames has one fingerprint."""
    database = tmp_path / "t.db"
    connection = sqlite3.connect(database)
    DATA.to_pandas().to_sql("t", connection, index=False, dtype={"a": "INTEGER"})
    connection.close()
    sources = [write_table(DATA, tmp_path / f"t{s}") for s in (".csv", ".parquet", ".jsonl", ".xlsx")]
    tables = [read_table(s) for s in [*sources, database, DATA, pl.from_arrow(DATA)]]
    assert len({t.fingerprint() for t in tables}) == 1


def test_relative_paths_start_at_base_and_stay_as_written(tmp_path):
    (tmp_path / "sub").mkdir()
    write_table(DATA, tmp_path / "sub" / "t.csv")
    t = read_table("sub/t.csv", base=tmp_path)
    assert (t.rows, t.source) == (3, "sub/t.csv")
    sqlite3.connect(tmp_path / "sub" / "my db.sqlite").execute("CREATE TABLE only (a)").connection.close()
    t = read_table("sqlite:///sub/my%20db.sqlite?table=only", base=tmp_path)
    assert (t.name, t.source) == ("only", "sqlite:///sub/my%20db.sqlite?table=only")
    assert read_table(f"sqlite:///{tmp_path}/sub/my%20db.sqlite").rows == 0
    assert read_table("sub/t.csv", base=tmp_path, name="other").name == "other"


def test_declared_types_are_enforced_everywhere(tmp_path):
    for suffix in (".csv", ".parquet", ".jsonl", ".xlsx"):
        t = read_table(write_table(DATA, tmp_path / f"t{suffix}"), types={"b": "number", "when": "category"})
        assert (t.type_of("b"), t.type_of("when")) == ("number", "category")
        assert t.data.column("b").null_count == 3
        assert [(n.code, n.count, n.columns) for n in t.notes] == [("changed-type", 2, ("b",))]
        assert t.data.column("when").to_pylist()[:2] == ["2024-01-01", "2024-01-02T05:00:00"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("data.csvv", "did you mean '.csv'"),
        ("data", "has no suffix"),
        ("data.xls", "save it as .xlsx"),
        ("data.pkl", "never opened"),
        ("mysql://host/db?table=t", "no connector for mysql"),
        ("postgress://host/db?table=t", "did you mean 'postgres"),
        ("sqlite://t.db", "three slashes"),
        ("nothere.parquet", "no file nothere.parquet"),
    ],
)
def test_unknown_sources(source, said, tmp_path):
    with pytest.raises(ReadError, match=said) as caught:
        read_table(source, base=tmp_path)
    assert caught.value.expected
    assert caught.value.do


def test_a_folder(tmp_path):
    with pytest.raises(ReadError, match="is a folder"):
        read_table(tmp_path)
    (tmp_path / "f.csv").mkdir()
    with pytest.raises(ReadError, match="is a folder"):
        read_table(tmp_path / "f.csv")


def test_dates_beyond_the_reach_of_nanoseconds(tmp_path):
    early = pa.table({"d": [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)], "x": [1, 2]})
    for suffix in (".csv", ".parquet", ".jsonl", ".xlsx"):
        t = read_table(write_table(early, tmp_path / f"t{suffix}"))
        if suffix != ".xlsx":  # Excel knows no year 1: the cell is text, and the column mixed
            assert t.data.column("d").to_pylist() == early.column("d").to_pylist()
    assert read_table(early).type_of("d") == "datetime"


def test_reading_is_light_to_import():
    code = "import sys, holdgood.connectors; print([m for m in ('pandas','sklearn','scipy','lightgbm','openpyxl','psycopg','polars') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_renamed_columns_change_only_names(tmp_path):
    columns = {
        "a": ["1", "x", "3"] * 10,
        "b": ["01", "02", "03"] * 10,
        "c": ["2024-01-01"] * 30,
        "d": ["5"] * 29 + ["?"],
    }
    plain = read_table(write_table(pa.table(columns), tmp_path / "t.csv"))
    odd = ["id", "target", "2020", "date time"]
    renamed = read_table(write_table(pa.table(dict(zip(odd, columns.values(), strict=True))), tmp_path / "u.csv"))
    assert plain.fingerprint() == renamed.fingerprint()
    assert [c.type for c in plain.columns] == [c.type for c in renamed.columns]
    assert [(n.code, n.count) for n in plain.notes] == [(n.code, n.count) for n in renamed.notes]


@pytest.mark.data
def test_real_tables_round_trip_through_csv(tmp_path):
    import os

    folder = Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.exists():
        pytest.skip(f"shared data not found: {folder}")
    for name in ("concrete", "credit_g", "cylinder_bands"):
        original = read_table(folder / "tabular" / f"{name}.parquet")
        copy = read_table(write_table(original.data, tmp_path / f"{name}.csv"))
        assert copy.names == original.names
        for column in original.names:
            before, after = original.data.column(column), copy.data.column(column)
            if original.type_of(column) == copy.type_of(column):
                assert before.cast(after.type).to_pylist() == after.to_pylist(), f"{name}.{column}"
        assert json.dumps([c.name for c in copy.columns])
