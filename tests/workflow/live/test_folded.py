"""One table of old rows, new files and labelled answers: nothing is rounded to fit, and no row is taken for another."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from holdgood.core.declaration import TableSpec, parse
from holdgood.core.declared_policy import PolicySpec
from holdgood.core.table import Table
from holdgood.workflow.live.folded import _divided, _newest, _newest_moment


def folded(*parts, **spec):
    tables = [Table.of(pa.table(p), "m") for p in parts]
    table, log, _ = _newest(tables, TableSpec(source="m.csv", **spec), "m", ["t"], journal=False)
    return table.data.to_pydict(), log.entries[0].cells_changed


OLD = {"id": ["a", "b", None, None], "n": [1, 2, 3, 4], "t": [0, 1, 1, 1]}


def test_decimals_among_new_rows_are_not_cut_off_to_fit_whole_numbers():
    found, corrected = folded(OLD, {"id": ["c", "a"], "n": [2.5, 1.9], "t": [0.5, 1.0]}, key=["id"])
    assert found["n"][-2:] == [2.5, 1.9]
    assert found["t"][-2:] == [0.5, 1.0]
    assert corrected == 1, "a was 0 and is 1"
    whole, _ = folded(OLD, {"id": ["c"], "n": [2.0], "t": [None]}, key=["id"])
    assert [type(v) for v in whole["n"]] == [int] * 5


def test_rows_without_their_key_are_nobodys_newer_version():
    found, _ = folded(OLD, {"id": ["b", None], "n": [9, 5], "t": [0, 0]}, key=["id"])
    assert found["n"] == [1, 3, 4, 9, 5]


@pytest.mark.parametrize(("ids", "left"), [(["id"], 3), (["who"], 4), (["id", "who"], 3)])
def test_what_only_identifies_is_a_key_where_it_tells_rows_apart(ids, left):
    old = {"id": ["a", "b", "c"], "who": ["ann", "ann", "bo"], "t": [0, 1, 1]}
    found, _ = folded(old, {"id": ["b"], "who": ["ann"], "t": [0]}, ids=ids)
    assert len(found["id"]) == left


def test_what_a_column_without_values_is_in_one_table_does_not_matter():
    found, _ = folded({"id": ["a"], "n": pa.nulls(1), "t": [1]}, {"id": ["b"], "n": [2.5], "t": [0]}, key=["id"])
    assert found["n"] == [None, 2.5]
    mixed, _ = folded({"id": ["a"], "n": [1], "t": [1]}, {"id": ["b"], "n": ["x"], "t": [0]}, key=["id"])
    assert mixed["n"] == ["1", "x"]


def test_a_row_that_is_dated_into_the_future_makes_no_others_old():
    days = pa.array([datetime(2026, 1, d) for d in range(1, 11)] + [datetime(2062, 1, 9)])
    table = Table.of(pa.table({"at": days, "t": [0, 1] * 5 + [1]}), "m")
    base = {"task": {"target": "t"}, "tables": {"m": {"source": "m.csv", "time": "at"}}}
    declared = _divided(parse(base), table, PolicySpec(hold_out="3 d"), datetime(2026, 1, 10, tzinfo=UTC))
    assert declared.split.cutoff.startswith("2026-01-07")
    later = datetime(2062, 1, 9, tzinfo=UTC)
    assert _newest_moment(np.array([5, 9]), later) == 9
    assert _newest_moment(np.array([5, 9]), None) == 9
