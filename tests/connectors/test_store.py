"""What does not fit into memory goes to a temporary file and comes back the same; readers then use little memory."""

import sqlite3
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.connectors import read_table, write_table
from holdgood.connectors.store import Store
from holdgood.core.errors import EnvironmentFault


@given(st.lists(st.lists(st.text(max_size=5) | st.none(), max_size=20), min_size=1, max_size=12), st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_tables_come_back_in_order_wherever_they_were(parts, limit):
    tables = [pa.table({"v": pa.array(p, pa.string())}) for p in parts]
    store = Store(limit)
    assert [store.add(t) for t in tables] == list(range(len(tables)))
    assert [t.to_pydict() for t in store.tables()] == [t.to_pydict() for t in tables]


def test_what_is_in_the_file_is_mapped_and_not_copied():
    data = pa.table({"v": np.arange(1_000_000)})
    store = Store(0)
    store.add(data)
    assert store.spilled > 8_000_000
    before = pa.total_allocated_bytes()
    (back,) = store.tables()
    assert pa.total_allocated_bytes() - before < 100_000
    assert back.column("v").num_chunks == 1
    assert back.equals(data)


def test_a_full_disk_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(EnvironmentFault, match="no temporary file in") as caught:
        Store(0).add(pa.table({"a": [1]}))
    assert "HOLDGOOD_MEMORY" in caught.value.do


@pytest.fixture
def big():
    rng = np.random.default_rng(4)
    n = 60_000
    return pa.table(
        {
            "n": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.1),
            "i": rng.integers(0, 10**9, n),
            "t": pa.array([None if i % 9 == 0 else f"text {i}" for i in range(n)]),
            "b": pa.array(rng.random(n) < 0.5),
            "d": pa.array(np.datetime64("2024-01-01", "us") + np.arange(n).astype("timedelta64[s]")),
        }
    )


def _sources(big, folder):
    pq.write_table(big, folder / "t.parquet", row_group_size=10_000)
    write_table(big, folder / "t.csv")
    with sqlite3.connect(folder / "t.db") as connection:
        connection.execute("CREATE TABLE t (n REAL, i INTEGER, t TEXT, b BOOLEAN, d TEXT)")
        rows = zip(*(c.to_pylist() for c in big.columns), strict=True)
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", ((*r[:4], str(r[4])) for r in rows))
    connection.close()
    return {k: folder / k for k in ("t.parquet", "t.csv", "t.db")}


@pytest.mark.parametrize("kind", ["t.parquet", "t.csv", "t.db"])
def test_a_table_beyond_the_allowed_memory_is_the_same_table(big, tmp_path, monkeypatch, kind):
    source = _sources(big, tmp_path)[kind]
    whole = read_table(source)
    before = pa.total_allocated_bytes()
    monkeypatch.setenv("HOLDGOOD_MEMORY", "100 kB")
    spilled = read_table(source)
    assert pa.total_allocated_bytes() - before < 0.2 * whole.data.nbytes
    assert spilled.fingerprint() == whole.fingerprint()
    assert (spilled.columns, spilled.notes) == (whole.columns, whole.notes)
    assert all(c.num_chunks == 1 for c in spilled.data.columns)


def test_postgresql_goes_to_the_file_too(postgres, monkeypatch):
    import psycopg

    with psycopg.connect(postgres) as connection:
        connection.execute(
            "CREATE TABLE much AS SELECT i, 'text ' || i AS t, now()::timestamp AS d FROM generate_series(1, 40000) AS i"
        )
    whole = read_table(f"{postgres}?table=much")
    monkeypatch.setenv("HOLDGOOD_MEMORY", "100 kB")
    monkeypatch.setattr("holdgood.connectors.postgresql._PART", 200_000)
    before = pa.total_allocated_bytes()
    spilled = read_table(f"{postgres}?table=much")
    assert pa.total_allocated_bytes() - before < 0.2 * whole.data.nbytes
    assert spilled.fingerprint() == whole.fingerprint()


def test_a_frame_is_never_written_to_a_file(monkeypatch):
    monkeypatch.setenv("HOLDGOOD_MEMORY", "0")
    monkeypatch.setattr(Store, "_write", lambda *_: sys.exit("written"))
    assert read_table(pa.table({"a": [1, 2]})).rows == 2
