import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.aud001_missing import CHECK
from holdgood.audit.missing_stretch import _runs
from holdgood.testing.check import check_check

rng = np.random.default_rng(0)
HOUR = 3600 * 10**6


def _hours(n):
    return np.datetime64("2024-01-01", "us") + (np.arange(n) * HOUR).astype("timedelta64[us]")


def test_an_empty_column_is_an_issue_with_a_repair(tables_of):
    context = tables_of({"t": {"a": list(range(30)), "b": pa.nulls(30, pa.float64())}})
    (finding,) = CHECK.run(context)
    assert (finding.level, finding.columns, finding.rows) == ("issue", ("b",), 30)
    assert finding.proposal.repair == "drop-columns"


def test_a_table_of_empty_columns_keeps_them(tables_of):
    (finding,) = CHECK.run(tables_of({"t": {"a": pa.nulls(30, pa.float64()), "b": pa.nulls(30, pa.string())}}))
    assert finding.columns == ("a", "b")
    assert finding.proposal is None


def test_all_missing_values_are_told_in_one_tip(tables_of):
    columns = {"a": list(range(100)), "b": [None] * 70 + [1.0] * 30, "c": [None] * 10 + [2.0] * 90}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.columns, finding.rows) == ("tip", ("b", "c"), 70)
    assert "70.0%" in finding.message
    assert finding.evidence["largest_share"] == 0.7
    assert finding.evidence["mostly_missing"] == 1
    assert finding.picture.labels == ("b", "c")


def test_columns_missing_in_the_same_rows_are_told_together(tables_of):
    gone = rng.random(400) < 0.2
    a, b = pa.array(rng.normal(size=400), mask=gone), pa.array(rng.normal(size=400), mask=gone)
    c = pa.array(rng.normal(size=400), mask=rng.random(400) < 0.2)
    (finding,) = CHECK.run(tables_of({"t": {"a": a, "b": b, "c": c}}))
    assert "Together: `a` and `b` in the same" in finding.message
    assert (finding.evidence["groups"], finding.evidence["rows_of_largest"]) == (1, gone.sum())


def test_a_block_in_several_columns_is_found_beside_their_own_gaps(tables_of):
    masks = [rng.random(5000) < 0.02 for _ in range(4)]
    block = np.zeros(5000, dtype=bool)
    block[rng.choice(5000, 400, replace=False)] = True
    columns = {f"x{i}": pa.array(rng.normal(size=5000), mask=m | block if i < 3 else m) for i, m in enumerate(masks)}
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.evidence["columns_of_largest"] == 3
    assert finding.evidence["rows_of_largest"] == np.logical_and.reduce([m | block for m in masks[:3]]).sum()


def test_one_column_instead_of_the_other(tables_of):
    first = rng.random(500) < 0.4
    x = rng.normal(size=500)
    (finding,) = CHECK.run(tables_of({"t": {"a": pa.array(x, mask=first), "b": pa.array(x, mask=~first)}}))
    assert "One instead of the other: `a` and `b`" in finding.message


@pytest.mark.parametrize("declared", [True, False])
def test_a_stretch_of_time_is_found_in_any_row_order(tables_of, declared):
    time = _hours(500)
    gone = np.zeros(500, dtype=bool)
    gone[200:260] = True
    order = rng.permutation(500)
    columns = {"when": pa.array(time[order]), "x": pa.array(rng.normal(size=500), mask=gone[order])}
    specs = {"t": {"time": '"when"'}} if declared else {}
    finding, told = CHECK.run(tables_of({"t": columns}, specs=specs))
    assert (finding.level, finding.evidence["longest"], finding.rows) == ("issue", 60, 60)
    assert "2024-01-09T08:00:00 to 2024-01-11T19:00:00" in finding.message
    assert set(finding.examples) <= set(np.flatnonzero(gone[order]).tolist())
    assert finding.picture.x_is_time
    assert finding.picture.marks
    assert told.level == "tip"
    scattered = {"when": pa.array(time), "x": pa.array(rng.normal(size=500), mask=rng.random(500) < 0.1)}
    assert [f.level for f in CHECK.run(tables_of({"t": scattered}))] == ["tip"]


def test_a_stretch_within_one_series(tables_of):
    time, site = np.tile(_hours(400), 3), np.repeat(["a", "b", "c"], 400)
    gone = rng.random(1200) < 0.01
    gone[500:560] = True
    columns = {"when": pa.array(time), "site": site, "x": pa.array(rng.normal(size=1200), mask=gone)}
    for specs in ({}, {"t": {"time": '"when"', "series": ["site"]}}):
        finding = CHECK.run(tables_of({"t": columns}, specs=specs))[0]
        assert finding.evidence["longest"] >= 60
        assert "of one series" in finding.message


def test_nightly_gaps_and_a_late_beginning_are_no_issue(tables_of):
    night = np.arange(2000) % 24 < 11
    late = np.arange(2000) < 700
    time = _hours(2000)
    context = tables_of({"t": {"when": pa.array(time), "sun": pa.array(rng.normal(size=2000), mask=night)}})
    assert [f.evidence.get("longest") for f in CHECK.run(context)] == [None]
    context = tables_of({"t": {"when": pa.array(time), "new": pa.array(rng.normal(size=2000), mask=late)}})
    assert [f.level for f in CHECK.run(context)] == ["tip", "tip"]
    assert "at the edge" in CHECK.run(context)[0].message


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_runs_by_another_road(pairs):
    marks, breaks = np.array([p[0] for p in pairs]), np.array([True, *(p[1] for p in pairs[1:])])
    expected, start = [], None
    for i, (mark, new) in enumerate(zip(marks, breaks, strict=True)):
        if start is not None and (not mark or new):
            expected.append((start, i))
            start = None
        if mark and start is None:
            start = i
    if start is not None:
        expected.append((start, len(marks)))
    assert [tuple(r) for r in _runs(marks, breaks).tolist()] == expected


def test_the_contract_on_a_table_with_a_stretch(tables_of):
    gone = np.zeros(600, dtype=bool)
    gone[100:180] = True
    columns = {
        "when": pa.array(_hours(600)),
        "x": pa.array(rng.normal(size=600), mask=gone),
        "y": pa.array(rng.normal(size=600), mask=gone),
    }
    check_check(CHECK, lambda: tables_of({"t": columns}))


def test_quiet_on_a_few_gaps_and_not_applicable_without_rows(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"a": [1, None, 3, 4, 5, 6]}})) == []
    assert "row" in refuses(CHECK, tables_of({"t": {"a": pa.nulls(0, pa.float64())}}))


@pytest.mark.data
def test_blocks_planted_into_electricity_are_found(tables_of, shared_data):
    import pyarrow.parquet as pq

    file = Path(os.environ.get("HOLDGOOD_DATA", shared_data)) / "quality" / "vic_elec.parquet"
    if not file.exists():
        pytest.skip(f"shared data not found: {file.name}")
    data = pq.read_table(file).slice(0, 8000)
    for share in (0.002, 0.01, 0.05):
        start, size = int(rng.integers(100, 7000)), int(share * 8000) + 20
        gone = np.zeros(8000, dtype=bool)
        gone[start : start + size] = True
        numeric = next(i for i, f in enumerate(data.schema) if pa.types.is_floating(f.type))
        column = pa.array(data.column(numeric).to_numpy(), mask=gone)
        planted = data.set_column(numeric, data.schema.field(numeric).name, column)
        from holdgood.core.table import Table

        findings = CHECK.run(tables_of({"t": Table.of(planted, "t")}))
        assert [f.rows for f in findings if f.level == "issue"] == [size]
