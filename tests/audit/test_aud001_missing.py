import numpy as np
import pyarrow as pa

from holdgood.audit.aud001_missing import CHECK

rng = np.random.default_rng(0)


def test_an_empty_column_is_an_issue_with_a_repair(tables_of):
    context = tables_of({"t": {"a": list(range(30)), "b": pa.nulls(30, pa.float64())}})
    (finding,) = CHECK.run(context)
    assert (finding.level, finding.columns, finding.rows) == ("issue", ("b",), 30)
    assert finding.proposal.repair == "drop-columns"


def test_a_mostly_empty_column_is_a_tip_with_its_share(tables_of):
    context = tables_of({"t": {"a": list(range(100)), "b": [None] * 70 + [1.0] * 30}})
    (finding,) = CHECK.run(context)
    assert finding.level == "tip"
    assert "70.0%" in finding.message
    assert finding.evidence["largest_share"] == 0.7


def test_columns_missing_in_the_same_rows_are_told_together(tables_of):
    gone = rng.random(400) < 0.2
    a, b = pa.array(rng.normal(size=400), mask=gone), pa.array(rng.normal(size=400), mask=gone)
    c = pa.array(rng.normal(size=400), mask=rng.random(400) < 0.2)
    (finding,) = CHECK.run(tables_of({"t": {"a": a, "b": b, "c": c}}))
    assert finding.columns == ("a", "b")
    assert finding.rows == gone.sum()


def test_a_stretch_of_time_is_found_in_any_row_order(tables_of):
    time = np.datetime64("2024-01-01", "us") + (np.arange(500) * 3600 * 10**6).astype("timedelta64[us]")
    gone = np.zeros(500, dtype=bool)
    gone[200:260] = True
    order = rng.permutation(500)
    columns = {"when": pa.array(time[order]), "x": pa.array(rng.normal(size=500), mask=gone[order])}
    (finding,) = CHECK.run(tables_of({"t": columns}, specs={"t": {"time": '"when"'}}))
    assert finding.evidence["longest"] == 60
    scattered = {"when": pa.array(time), "x": pa.array(rng.normal(size=500), mask=rng.random(500) < 0.1)}
    assert CHECK.run(tables_of({"t": scattered}, specs={"t": {"time": '"when"'}})) == []


def test_quiet_on_a_few_gaps_and_not_applicable_without_rows(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"a": [1, None, 3, 4, 5, 6]}})) == []
    assert "row" in refuses(CHECK, tables_of({"t": {"a": pa.nulls(0, pa.int64())}}))
