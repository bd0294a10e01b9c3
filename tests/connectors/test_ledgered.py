"""Pieces into tables of SQLite and of a real PostgreSQL, each once: reruns, two at once, what a database does to values."""

import datetime as dt
import sqlite3
import sys
import threading

import psycopg
import pyarrow as pa
import pytest

from holdgood.connectors.append import table_at
from holdgood.core.errors import DataError, EnvironmentFault, MissingExtra, ReadError

DATA = pa.table(
    {
        "id": ["a", 'b"q,', "", None, "ü\n"],
        "p": [0.1, 1 / 3, None, 1e-300, -0.0],
        "n": pa.array([1, 2**53 + 1, None, -1, 0]),
        "act": [True, False, None, True, False],
        "at": pa.array([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 1, 2, 3, 450000), None] + [dt.datetime(1969, 1, 1)] * 2, pa.timestamp("us")),
    }
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/out.db?table=scored"
        return
    server = request.getfixturevalue("postgres")
    with psycopg.connect(server, autocommit=True) as link:
        link.execute("DROP SCHEMA IF EXISTS batches CASCADE; CREATE SCHEMA batches")
    yield f"{server}?table=batches.scored"


def rows_of(url, table="scored"):
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0]) as link:
            return link.execute(f"SELECT * FROM {table}").fetchall()
    with psycopg.connect(url.partition("?")[0]) as link:
        return link.execute(f"SELECT * FROM batches.{table}").fetchall()


def written(url, key="k", size=2):
    table = table_at(url)
    try:
        batch = table.begin(key, DATA.schema, DATA.num_rows, size)
        return [table.write(batch, n, DATA.slice(n * batch.size, batch.size)) for n in range(batch.count)]
    finally:
        table.close()


@pytest.mark.server
def test_values_arrive_as_they_are_and_a_rerun_writes_nothing(url):
    assert written(url) == [True, True, True]
    assert written(url, size=1) == [False, False, False], "the size of the first run holds"
    found = rows_of(url)
    assert [r[:3] for r in found] == [r[:3] for r in zip(*DATA.to_pydict().values(), strict=True)]
    assert [None if r[3] is None else bool(r[3]) for r in found] == DATA.column("act").to_pylist()
    moments = [None if r[4] is None else dt.datetime.fromisoformat(str(r[4])) for r in found]
    assert moments == DATA.column("at").to_pylist()
    assert written(url, "another") == [True, True, True]
    assert len(rows_of(url)) == 10


@pytest.mark.server
def test_a_piece_and_its_line_are_one(url):
    table = table_at(url)
    batch = table.begin("k", DATA.schema, DATA.num_rows, 2)
    with pytest.raises((DataError, EnvironmentFault)):
        table.write(batch, 0, DATA.rename_columns(["id", "p", "n", "act", "elsewhere"]))
    assert rows_of(url) == [] and rows_of(url, "holdgood_pieces") == []
    assert table.write(batch, 0, DATA.slice(0, 2))
    found = table.find("k")
    assert (found.done, found.whole, found.count) == (frozenset({0}), False, 3)
    other = table.begin("j", DATA.schema, 1, 2)
    assert other.unfinished == (("k", 5, 2),)
    assert table.find("nothing") is None
    table.close()


@pytest.mark.server
def test_two_at_once_write_no_row_twice(url):
    start, told = threading.Barrier(3), []

    def work():
        start.wait()
        told.append(written(url))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [sum(each) for each in zip(*told, strict=True)] == [1, 1, 1]
    assert len(rows_of(url)) == DATA.num_rows


@pytest.mark.server
def test_a_table_has_one_name_in_the_ledger_and_what_was_dropped_is_written_again(url):
    assert written(url) == [True] * 3
    if url.startswith("sqlite"):
        other = url.replace("scored", "SCORED")
    else:
        other = url.replace("batches.scored", "scored") + "&options=-csearch_path%3Dbatches"
    mine, theirs = table_at(url), table_at(other)
    assert mine.table == theirs.table
    assert theirs.find("k").whole
    theirs.close()
    assert written(other) == [False] * 3
    drop(url)
    assert mine.find("k") is None, "the ledger speaks of a table that is not there"
    mine.close()
    assert written(other) == [True] * 3
    assert len(rows_of(url)) == DATA.num_rows
    assert rows_of(url, "holdgood_batches")[0][:3] == ("k", mine.table, DATA.num_rows)


def drop(url):
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0]) as link:
            link.execute("DROP TABLE scored")
        return
    with psycopg.connect(url.partition("?")[0]) as link:
        link.execute("DROP TABLE batches.scored")


@pytest.mark.server
def test_names_are_quoted_and_a_table_that_does_not_fit_is_refused(url):
    strange = url.replace("scored", 'x"; DROP TABLE scored; --'.replace(" ", "%20").replace(";", "%3B"))
    assert written(url) == [True] * 3
    assert written(strange, "of the other table") == [True] * 3
    assert len(rows_of(url)) == 5
    table = table_at(url)
    with pytest.raises(DataError, match="lacks 1 column: late"):
        table.begin("z", DATA.append_column("late", pa.nulls(5, pa.string())).schema, 5, 2)
    table.close()


@pytest.mark.server
def test_a_server_that_goes_away_is_told_without_secrets(postgres):
    table = table_at(f"{postgres}?table=gone")
    batch = table.begin("k", DATA.schema, 5, 5)
    with psycopg.connect(postgres, autocommit=True) as link:
        link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(EnvironmentFault, match="does not answer") as caught:
        table.write(batch, 0, DATA)
    assert "s3cret" not in str(caught.value)
    again = table_at(f"{postgres}?table=gone")
    assert again.write(batch, 0, DATA)
    again.close()


def test_a_full_disk_is_told_as_one_and_the_same_run_goes_on_afterwards(tmp_path):
    table = table_at(f"sqlite:///{tmp_path}/out.db?table=scored")
    data = pa.table({"id": ["x" * 1000] * 500})
    batch = table.begin("k", data.schema, 500, 500)
    table._link.execute("PRAGMA max_page_count = 20")
    with pytest.raises(EnvironmentFault, match="disk is full"):
        table.write(batch, 0, data)
    table._link.execute("PRAGMA max_page_count = 4000")
    assert table.write(batch, 0, data)
    table.close()


def test_where_nothing_can_be_written(monkeypatch, tmp_path):
    with pytest.raises(EnvironmentFault, match="does not answer") as caught:
        table_at("postgresql://ann:hidden1@127.0.0.1:1/db?table=t&connect_timeout=2")
    assert "hidden1" not in str(caught.value)
    with pytest.raises(ReadError, match="names no table"):
        table_at("postgresql://ann:hidden1@127.0.0.1:1/db")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"holdgood\[sql\]"):
        table_at("postgresql://127.0.0.1:1/db?table=t")
