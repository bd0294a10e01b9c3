"""SQLite and PostgreSQL: names checked, secrets kept, odd columns told."""

import datetime as dt
import sqlite3
import sys

import psycopg
import pytest

from holdgood.connectors import read_table
from holdgood.core.errors import MissingExtra, ReadError
from holdgood.core.urls import mask, secrets_of


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE orders (id INTEGER, "or""der" TEXT, placed DATETIME, paid BOOLEAN, raw BLOB, mix);
        INSERT INTO orders VALUES (1, 'a', '2024-01-01 10:00:00', 1, x'00ff', 1), (2, NULL, '2024-01-02', 0, NULL, 'two'), (3, 'c', NULL, NULL, NULL, 2.5);
        CREATE VIEW paid AS SELECT id FROM orders WHERE paid;
        """
    )
    connection.close()
    return path


def test_sqlite_table_view_and_query(database, plain):
    t = read_table(f"sqlite:///{database}?table=orders")
    assert plain(t) == {
        "id": [1, 2, 3],
        'or"der': ["a", None, "c"],
        "placed": [dt.datetime(2024, 1, 1, 10), dt.datetime(2024, 1, 2), None],
        "paid": [True, False, None],
        "raw": ["00ff", None, None],
        "mix": ["1", "two", "2.5"],
    }
    assert t.type_of("raw") == "other"
    assert [(n.code, n.count, n.columns) for n in t.notes] == [
        ("unsupported-type", 1, ("raw",)),
        ("mixed-types", 1, ("mix",)),
    ]
    assert plain(read_table(f"sqlite:///{database}?table=paid")) == {"id": [1]}
    t = read_table(database, options={"query": "SELECT id FROM orders WHERE id > ? ORDER BY id", "parameters": [1]})
    assert plain(t) == {"id": [2, 3]}
    assert read_table(f"sqlite:///{database}?query=SELECT%201%20AS%20one").names == ("one",)


def test_sqlite_refusals(database, put):
    with pytest.raises(ReadError, match="2 tables and none was asked for"):
        read_table(database)
    with pytest.raises(ReadError, match="did you mean 'orders'"):
        read_table(database, options={"table": "order"})
    with pytest.raises(ReadError, match="no table 'orders; DROP TABLE orders'"):
        read_table(database, options={"table": "orders; DROP TABLE orders"})
    with pytest.raises(ReadError, match="readonly"):
        read_table(database, options={"query": "DELETE FROM orders"})
    with pytest.raises(ReadError, match="no such column"):
        read_table(database, options={"query": "SELECT nothere FROM orders"})
    with pytest.raises(ReadError, match="both a table and a query"):
        read_table(database, options={"query": "SELECT 1", "table": "orders"})
    with pytest.raises(ReadError, match="not a database"):
        read_table(put("x.db", b"rubbish" * 300))
    with pytest.raises(ReadError, match="no file"):
        read_table(f"sqlite:///{database}x?table=orders")
    assert read_table(f"sqlite:///{database}?table=orders").rows == 3


def test_sqlite_text_that_is_not_utf8(tmp_path):
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE t (a TEXT)")
    connection.execute("INSERT INTO t VALUES (CAST(x'67fc' AS TEXT)), ('ok')")
    connection.commit()
    connection.close()
    t = read_table(tmp_path / "t.db")
    assert t.data.column("a").to_pylist() == ["g\ufffd", "ok"]
    assert [(n.code, n.count) for n in t.notes] == [("encoding", 1)]


@pytest.mark.parametrize(
    ("url", "shown", "secrets"),
    [
        ("postgresql://ann:pw1@h:5/db?table=t", "postgresql://ann:***@h:5/db?table=t", ("pw1",)),
        ("postgresql://ann:a%2Fb@h/db", "postgresql://ann:***@h/db", ("a%2Fb", "a/b")),
        ("postgresql://ann:p/w@x#?y@h/db", "postgresql://ann:***@h/db", ("p/w@x#?y",)),
        (
            "postgresql://h/db?user=ann&password=pw1&table=t",
            "postgresql://h/db?user=ann&password=***&table=t",
            ("pw1",),
        ),
        ("postgresql://ann@h/db?table=t", "postgresql://ann@h/db?table=t", ()),
    ],
)
def test_secrets_are_masked(url, shown, secrets):
    assert mask(url) == shown
    assert secrets_of(url) == secrets


def test_postgresql_without_a_server_or_its_library(monkeypatch):
    url = "postgresql://ann:hidden1@127.0.0.1:1/db?table=t&connect_timeout=2"
    with pytest.raises(ReadError, match="no answer from postgresql://ann:\\*\\*\\*@127") as caught:
        read_table(url)
    assert "hidden1" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(ReadError, match="names no table"):
        read_table("postgresql://ann:hidden1@127.0.0.1:1/db")
    with pytest.raises(ReadError) as caught:
        read_table("postgresql://ann:hid%den1@127.0.0.1:1/db?table=t")
    assert "hid%den1" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"holdgood\[sql\]"):
        read_table(url)


@pytest.fixture(scope="module")
def shop(postgres):
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            """
            CREATE SCHEMA side; CREATE TABLE side.extra (k int); INSERT INTO side.extra VALUES (7);
            CREATE TYPE mood AS ENUM ('sad', 'glad');
            CREATE TABLE "Odd Names" ("a ""b" int);
            CREATE TABLE things (
                i2 smallint, i8 bigint, n numeric(20, 4), r real, f float8, b boolean, t text, e text, u uuid, m mood,
                d date, ts timestamp, tz timestamptz, iv interval, j jsonb, arr int[], bin bytea, clock time, price money
            );
            INSERT INTO things VALUES
                (1, 9007199254740993, 12.5, 0.5, 0.1, true, 'x', '', '00000000-0000-0000-0000-000000000001', 'glad',
                 '1500-01-02', '9999-12-31 23:59:59.123456', '2024-07-01 12:00:00+02', '90 minutes', '{"k": 1}', '{1,2}', '\\xff', '10:30', '12.34'),
                (NULL, NULL, 'NaN', NULL, 'Infinity', false, E'two\\nlines, "q"', NULL,
                 NULL, 'sad', 'infinity', NULL, '-infinity', NULL, NULL, NULL, NULL, NULL, NULL);
            """
        )
    return postgres


@pytest.mark.server
def test_postgresql_every_kind_of_column(shop, plain):
    t = read_table(f"{shop}?table=things")
    values = plain(t)
    assert values["i8"] == [9007199254740993, None]
    assert values["n"] == [12.5, None]
    assert values["f"] == [0.1, float("inf")]
    assert values["b"] == [True, False]
    assert values["t"] == ["x", 'two\nlines, "q"']
    assert values["e"] == ["", None]
    assert values["m"] == ["glad", "sad"]
    assert values["d"] == [dt.datetime(1500, 1, 2), None]
    assert values["ts"] == [dt.datetime(9999, 12, 31, 23, 59, 59, 123456), None]
    assert values["tz"] == [dt.datetime(2024, 7, 1, 10), None], "the server runs in another zone; UTC is meant"
    assert values["iv"] == [5400.0, None]
    assert values["price"] == [12.34, None]
    assert {c.name: c.type for c in t.columns if c.type in ("other", "datetime")} == {
        "d": "datetime",
        "ts": "datetime",
        "tz": "datetime",
        "j": "other",
        "arr": "other",
        "bin": "other",
    }
    assert sorted((n.code, n.columns[0]) for n in t.notes) == [
        ("unparsed", "d"),
        ("unparsed", "tz"),
        ("unsupported-type", "arr"),
        ("unsupported-type", "bin"),
        ("unsupported-type", "clock"),
        ("unsupported-type", "iv"),
        ("unsupported-type", "j"),
    ]
    assert "s3cret" not in t.source
    assert t.name == "things"


@pytest.mark.server
def test_postgresql_tables_queries_and_refusals(shop, plain, monkeypatch):
    assert plain(read_table(f"{shop}?table=side.extra")) == {"k": [7]}
    assert read_table(f"{shop}?table=Odd%20Names").names == ('a "b',)
    t = read_table(shop, options={"query": "SELECT 1 AS a, 2 AS a, 'x;)--' AS c -- a remark"})
    assert plain(t) == {"a": [1], "a_2": [2], "c": ["x;)--"]}
    assert t.name == "query"
    with pytest.raises(ReadError, match="did you mean 'things'"):
        read_table(f"{shop}?table=thngs")
    for query in (
        "DELETE FROM things",
        "WITH gone AS (DELETE FROM things RETURNING 1) SELECT * FROM gone",
        "SELECT 1) TO PROGRAM 'true' --",
        "SELECT 1; DROP TABLE things",
        "SELECT nothere FROM things",
    ):
        with pytest.raises(ReadError) as caught:
            read_table(shop, options={"query": query})
        assert "s3cret" not in str(caught.value)
    assert read_table(f"{shop}?table=things").rows == 2
    with pytest.raises(ReadError, match="password") as caught:
        read_table(shop.replace("s3cret%2Fx", "wr0ng%2Fpw") + "?table=things")
    assert "wr0ng" not in str(caught.value)
    monkeypatch.setenv("PGPASSWORD", "s3cret/x")
    bare = shop.replace(":s3cret%2Fx", "") + "?table=things"
    assert read_table(bare).source == bare
