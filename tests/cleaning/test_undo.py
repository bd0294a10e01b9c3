"""Whatever repairs did to a table, undo gives it back to the bit."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.cleaning.order import ORDER, ordered
from holdgood.cleaning.undo import read, restore, save, undo_of
from holdgood.core.declaration import RepairSpec
from holdgood.core.errors import DataError
from holdgood.core.table import Table


def table(rows=30, seed=0):
    rng = np.random.default_rng(seed)
    return Table.of(
        pd.DataFrame(
            {
                "a": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
                "b": rng.choice(["x", "y", None], rows),
                "c": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, rows), unit="h"),
                "d": [f"{i}" for i in range(rows)],
            }
        ),
        "t",
    )


def changed(before, rng):
    """A table with some cells, rows, columns and types changed, and the places of the rows that are left."""
    data = before.data
    for name in ("a", "b"):
        mark = pa.array(rng.random(before.rows) < 0.3)
        at = data.schema.get_field_index(name)
        other = pa.scalar(None if rng.random() < 0.5 else (7.5 if name == "a" else "z"), data.schema.field(name).type)
        data = data.set_column(at, name, pa.compute.if_else(mark, other, data.column(name)))
    if rng.random() < 0.5:
        data = data.set_column(3, "d", data.column("d").cast(pa.int64()))
    if rng.random() < 0.3:
        data = data.drop_columns(["c"])
    kept = np.flatnonzero(rng.random(before.rows) < 0.8)
    return before.with_data(data).take(kept), kept


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 40))
def test_any_change_is_undone(seed, rows, tmp_path_factory):
    before = table(rows, seed)
    after, kept = changed(before, np.random.default_rng(seed))
    path = tmp_path_factory.mktemp("undo") / "t.undo"
    save(path, undo_of(before, after, kept))
    back = restore(after, read(path))
    assert back.data.equals(before.data)
    assert back.columns == before.columns
    assert back.fingerprint() == before.fingerprint()


def test_only_what_changed_is_kept(tmp_path):
    before = table(20_000)
    same = undo_of(before, before, np.arange(before.rows))
    assert (same.cells, same.whole, len(same.rows)) == ({}, {}, 0)
    save(tmp_path / "t.undo", same)
    assert (tmp_path / "t.undo").stat().st_size < 5_000


def test_a_table_that_changed_since_is_refused(tmp_path):
    before = table()
    after, kept = changed(before, np.random.default_rng(1))
    undo = undo_of(before, after, kept)
    with pytest.raises(DataError, match="changed since it was cleaned"):
        restore(after.take(np.arange(after.rows - 1)), undo)


def test_what_is_no_undo_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no undo file"):
        read(tmp_path / "none.undo")
    (tmp_path / "bad.undo").write_bytes(b"something else")
    with pytest.raises(DataError, match="is no undo file"):
        read(tmp_path / "bad.undo")


def test_repairs_come_in_an_order_that_makes_sense():
    names = ["drop-columns", "guest", "to-number", "drop-duplicate-rows", "repair-text"]
    done = [r.repair for r in ordered([RepairSpec(repair=n) for n in names])]
    assert done == ["repair-text", "to-number", "guest", "drop-duplicate-rows", "drop-columns"]
    assert len(set(ORDER)) == len(ORDER)


def test_a_cleaned_table_whose_columns_were_renamed_is_refused():
    before = table()
    undo = undo_of(before, before, np.arange(before.rows))
    with pytest.raises(DataError, match="has changed since it was cleaned"):
        restore(Table.of(before.data.rename_columns(["A", "b", "c", "d"]), "t"), undo)
