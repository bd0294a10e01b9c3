import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit import memory, rows
from holdgood.audit.rows import copies, meetings, row_hashes
from holdgood.core.table import Table

cell = st.tuples(
    st.integers(0, 3) | st.none(),
    st.sampled_from(["a", "b", ""]) | st.none(),
    st.sampled_from([0.0, -0.0, 1.5]) | st.none(),
)


def _table(rows):
    a, b, c = zip(*rows, strict=True)
    return Table.of(
        pa.table({"a": pa.array(a, pa.int64()), "b": pa.array(b, pa.string()), "c": pa.array(c, pa.float64())}), "t"
    )


@given(st.lists(cell, min_size=1, max_size=40), st.lists(cell, min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_counts_agree_with_python(one, two):
    first, second = _table(one), _table(two)
    assert copies(first, first.names).again == len(one) - len(set(one))
    assert meetings(first, second, first.names).rows == sum(r in set(one) for r in two)
    pairs = [sum(x != y for x, y in zip(p, q, strict=True)) for i, p in enumerate(one) for q in one[:i]]
    seen = copies(first, first.names)
    if seen.again:
        assert (seen.pairs, seen.near) == (pairs.count(0), pairs.count(1))


def test_hashes_do_not_depend_on_names_or_chunks():
    rows = [(1, "a", 0.5), (None, None, None), (2, "b", -0.0)]
    table = _table(rows)
    again = Table.of(
        pa.concat_tables([table.data.slice(0, 1), table.data.slice(1)]).rename_columns(["z", "y", "x"]), "u"
    )
    assert np.array_equal(row_hashes(table, table.names), row_hashes(again, again.names))


def test_missing_is_not_zero_and_columns_do_not_swap():
    table = Table.of(pa.table({"a": [0, None, 1, 2], "b": [1, 1, 2, 1]}), "t")
    assert len(np.unique(row_hashes(table, ("a", "b")))) == 4


def test_many_rows_are_hashed_a_column_at_a_time_even_where_nothing_can_be_remembered(monkeypatch):
    n, asked = 6_000, []
    table = Table.of(pa.table({f"c{i}": [f"{i}-{j % 7}" for j in range(n)] for i in range(20)}), "t")
    real = rows._hashed
    monkeypatch.setattr(memory, "_budget", lambda: 0)
    monkeypatch.setattr(rows, "_hashed", lambda arrays: asked.append(len(arrays)) or real(arrays))
    for i in range(20):
        rows.column_hash(table, f"c{i}", 0)
    assert asked == [1] * 20
