"""A sample depends on content: neither on the order of rows nor on names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.audit.sample import sample
from holdgood.core.table import Table


def _table(rows: int = 4_000) -> Table:
    rng = np.random.default_rng(3)
    return Table.of(pa.table({"a": rng.normal(size=rows), "b": rng.integers(0, 5, rows), "c": rng.random(rows) < 0.5}))


def test_a_small_table_is_taken_whole() -> None:
    assert sample(_table(100)).tolist() == list(range(100))


def test_it_has_the_size_asked_for_and_looks_like_the_table() -> None:
    table = _table()
    at = sample(table, 1_000)
    assert len(at) == 1_000
    assert len(np.unique(at)) == 1_000
    values = table.data.column("a").to_numpy()
    assert abs(values[at].mean() - values.mean()) < 4 / np.sqrt(1_000)


def test_order_of_rows_and_names_of_columns_do_not_matter() -> None:
    table = _table()
    mixed = np.random.default_rng(0).permutation(table.rows)
    again = table.take(mixed)
    assert sorted(mixed[sample(again, 500)]) == sample(table, 500).tolist()
    renamed = Table.of(table.data.rename_columns(["z", "y", "x"]))
    assert sample(renamed, 500).tolist() == sample(table, 500).tolist()


def test_rows_that_agree_in_the_columns_looked_at_are_cut_by_the_rest() -> None:
    rng = np.random.default_rng(1)
    data = (
        {f"k{i}": np.zeros(3_000) for i in range(20)}
        | {"v": np.arange(3_000.0)}
        | {f"l{i}": np.zeros(3_000) for i in range(20)}
    )
    table = Table.of(pa.table(data))
    at = sample(table, 700)
    assert len(at) == 700
    mixed = rng.permutation(table.rows)
    assert sorted(mixed[sample(table.take(mixed), 700)]) == at.tolist()


def test_a_wide_table_gives_fewer_rows() -> None:
    wide = Table.of(pa.table({f"c{i}": np.arange(6_000.0) for i in range(4_000)}))
    assert len(sample(wide)) == 5_000
