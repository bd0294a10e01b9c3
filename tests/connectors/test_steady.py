"""Sources that change, lock or go away while they are read: three lines each, and the reason is the change."""

import sqlite3

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holdgood
from holdgood.connectors import csv_files, parquet_files, postgresql, read_table
from holdgood.connectors.text_body import Body
from holdgood.core.errors import ReadError


def test_a_csv_file_that_grows(put, monkeypatch):
    path = put("t.csv", "a,b\n" + "1,x\n" * 1000)
    read = Body.read

    def grows(self, at, length):
        with open(path, "a") as more:
            more.write("2,y\n")
        return read(self, at, length)

    monkeypatch.setattr(Body, "read", grows)
    with pytest.raises(ReadError, match=r"t\.csv changed while it was read") as caught:
        read_table(path)
    assert "wait until it is written" in caught.value.do


def test_a_large_csv_file_that_is_cut(put, monkeypatch):
    path = put("t.csv", "a,b\n" + "1,x\n" * 1000)
    monkeypatch.setattr("holdgood.connectors.text_body.WHOLE", 0)
    monkeypatch.setattr(csv_files, "_PIECE", 500)
    read = Body.read

    def cuts(self, at, length):
        if at > 1000:
            with open(path, "r+b") as same:
                same.truncate(900)
        return read(self, at, length)

    monkeypatch.setattr(Body, "read", cuts)
    with pytest.raises(ReadError, match="changed while it was read"):
        read_table(path)


@pytest.mark.parametrize("how", ["replaced", "cut", "gone"])
def test_a_parquet_file_that_is_replaced(tmp_path, monkeypatch, how):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({f"c{i}": np.arange(5000) for i in range(4)}), path)
    groups = parquet_files._groups

    def changed(file, wanted):
        first = True
        for group in groups(file, wanted):
            yield group
            if first and how == "replaced":
                pq.write_table(pa.table({"a": [1]}), tmp_path / "new")
                (tmp_path / "new").replace(path)
            elif first and how == "cut":
                with path.open("r+b") as same:
                    same.truncate(100)
            elif first:
                path.unlink()
            first = False

    monkeypatch.setattr(parquet_files, "_groups", changed)
    monkeypatch.setattr(parquet_files, "_CELLS", 5000)
    with pytest.raises(ReadError, match=r"t\.parquet changed while it was read"):
        read_table(path)


def test_a_sqlite_file_that_is_locked(tmp_path, monkeypatch):
    path = tmp_path / "t.db"
    writer = sqlite3.connect(path)
    writer.execute("CREATE TABLE t (a)")
    writer.commit()
    writer.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, timeout=0.05))
    with pytest.raises(ReadError, match="locked") as caught:
        read_table(path)
    assert "wait until the other program is done" in caught.value.do
    writer.close()


def test_a_sqlite_table_that_is_written_to_meanwhile_is_read_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "t.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (a INTEGER)")
    writer.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(1000)])
    writer.commit()
    from holdgood.connectors import sqlite

    monkeypatch.setattr(sqlite, "_BATCH", 100)
    add = sqlite.Growing.add

    def writes(self, values):
        writer.execute("INSERT INTO t VALUES (-1)")
        writer.commit()
        return add(self, values)

    monkeypatch.setattr(sqlite.Growing, "add", writes)
    assert read_table(path).data.column("a").to_pylist() == list(range(1000))
    writer.close()


def test_a_postgresql_server_that_ends_the_connection(postgres, monkeypatch):
    with psycopg.connect(postgres) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS going AS SELECT i, repeat('x', 500) AS t FROM generate_series(1, 60000) AS i"
        )
    parse = postgresql._parse

    def terminates(text, columns):
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'")
        return parse(text, columns)

    monkeypatch.setattr(postgresql, "_parse", terminates)
    monkeypatch.setattr(postgresql, "_PART", 100_000)
    with pytest.raises(ReadError, match="went away while it was read") as caught:
        read_table(f"{postgres}?table=going")
    assert "s3cret" not in str(caught.value)
    assert "try again" in caught.value.do
    good = pa.table({"a": list(range(100)), "b": ["x", "y"] * 50})
    report = holdgood.audit_tables({"going": f"{postgres}?table=going", "good": good})
    (told,) = [f for f in report.issues if f.evidence.get("note") == "unread"]
    assert told.table == "going"
    assert "went away" in told.message
    assert "s3cret" not in report.model_dump_json()
    assert [t.name for t in report.tables] == ["good"]
    assert "AUD011" in {f.code for f in report.tips}
