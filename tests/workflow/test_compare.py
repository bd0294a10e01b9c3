"""Two runs of one project, compared on the rows that both held out."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.core.errors import DataError, DeclarationError
from holdgood.metrics.compare import paired
from holdgood.metrics.score import loss_rows
from holdgood.workflow.compare import compare_runs, pair
from holdgood.workflow.folder import Project
from holdgood.workflow.result import Run


@pytest.fixture
def two_runs(finished, tmp_path):
    """The project of the shared run with a copy of it as run 2, whose predictions are a little worse."""
    shutil.copytree(finished.project.path, tmp_path / "company", symlinks=True)
    runs = tmp_path / "company" / "runs"
    first = runs / finished.id
    second = runs / "0002"
    shutil.copytree(first, second)
    random = np.random.default_rng(0)
    change(second, "prediction", lambda p: np.clip(p + random.normal(0, 0.2, len(p)), 0.01, 0.99))
    return tmp_path / "company", first, second


def file_of(run):
    return next(run.glob("*-evaluate")) / "predictions.parquet"


def change(run, column, how):
    """Replace a column of a run's predictions by a function of it."""
    table = pq.read_table(file_of(run))
    found = table.column_names.index(column)
    pq.write_table(table.set_column(found, column, pa.array(how(table.column(column).to_numpy()))), file_of(run))


def told(two_runs):
    folder, first, second = two_runs
    project = Project.at(folder)
    one, two = (Run.open(project, project.run(r.name)) for r in (first, second))
    return pair(one, two, first=first.name, second=second.name)


def test_the_interval_keeps_rows_of_a_unit_together(two_runs, finished):
    _, first, second = two_runs
    units = np.arange(pq.read_table(file_of(first)).num_rows) // 40
    for run in (first, second):
        change(run, "unit", lambda _: units)
    a, b = (pq.read_table(file_of(run)).to_pandas() for run in (first, second))
    task, y = finished.model.task, a.y.to_numpy()
    losses = [loss_rows(task, y, t.prediction.to_numpy()) for t in (a, b)]
    expected = paired(*losses, first=first.name, second=second.name, clusters=units)
    loose = paired(*losses, first=first.name, second=second.name)
    found = told(two_runs).difference
    assert found.low == pytest.approx(expected.low, rel=1e-9)
    assert found.high == pytest.approx(expected.high, rel=1e-9)
    assert found.p == pytest.approx(expected.p, rel=1e-6)
    assert found.low != pytest.approx(loose.low, rel=1e-3)


def test_the_run_itself_notes_its_units(two_runs):
    unit = pq.read_table(file_of(two_runs[1])).column("unit").to_numpy()
    assert (unit >= 0).all()
    assert len(np.unique(unit)) > 2, "a run over time notes blocks of days"
    assert "cluster" in told(two_runs).difference.method


def test_without_units_rows_are_taken_alone(two_runs):
    for run in two_runs[1:]:
        change(run, "unit", lambda unit: np.full(len(unit), -1))
    assert "cluster" not in told(two_runs).difference.method


def test_of_two_clusterings_the_one_that_proves_less_is_believed(two_runs):
    _, first, second = two_runs
    alone = []
    for length in (7, 60):
        for run in (first, second):
            change(run, "unit", lambda unit, length=length: np.arange(len(unit)) // length)
        alone.append(told(two_runs).difference.p)
    change(first, "unit", lambda unit: np.arange(len(unit)) // 7)
    assert told(two_runs).difference.p == max(alone)


def test_runs_of_other_data_are_refused(two_runs):
    facts = file_of(two_runs[2]).with_name("facts.json")
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "data": "0" * 64}))
    with pytest.raises(DataError, match="different data"):
        told(two_runs)


def test_runs_of_the_same_rows_in_another_order_are_refused(two_runs):
    split = next(two_runs[2].glob("*-split")) / "split.parquet"
    table = pq.read_table(split)
    last = table.num_rows - 1
    pq.write_table(table.set_column(0, "row", pa.array(last - table.column("row").to_numpy())), split)
    with pytest.raises(DataError, match="order of its rows"):
        told(two_runs)


def test_other_outcomes_are_another_question(two_runs):
    change(two_runs[2], "y", lambda y: 1 - y)
    with pytest.raises(DataError, match="different questions"):
        told(two_runs)


def test_runs_that_cannot_be_paired_still_stand_side_by_side(two_runs):
    change(two_runs[2], "y", lambda y: 1 - y)
    compared = compare_runs(two_runs[0], ["1", "2"])
    assert "different questions" in compared.pairs[0].reason
    assert compared.pairs[0].difference is None
    assert [r.run for r in compared.runs] == ["0001", "0002"]
    assert compared.declared == ()


def test_intervals_of_several_runs_hold_together(two_runs):
    folder, _, second = two_runs
    shutil.copytree(second, second.with_name("0003"))
    alone = compare_runs(folder, ["1", "2"]).pairs[0].difference
    pairs = compare_runs(folder, ["1", "2", "3"]).pairs
    assert [p.difference.level for p in pairs] == pytest.approx([0.975, 0.975])
    assert pairs[0].difference.low < alone.low < alone.high < pairs[0].difference.high


def test_what_was_declared_otherwise_is_said_with_its_values(two_runs):
    folder, _, second = two_runs
    used = json.loads((second / "declaration.json").read_text())
    (second / "declaration.json").write_text(json.dumps(used | {"name": "another"}))
    (second / "versions.json").write_text(json.dumps({"numpy": "0.1"}))
    compared = compare_runs(folder, ["1", "2"])
    assert [(c.what, c.values) for c in compared.declared] == [("name", ("company", "another"))]
    assert next(c for c in compared.surroundings if c.what == "numpy").values[1] == "0.1"


def test_costs_and_sizes_are_those_of_the_run(two_runs, finished):
    summary = compare_runs(two_runs[0], ["1", "2"]).runs[0]
    board = finished.leaderboard
    assert summary.fit_seconds == pytest.approx(sum(t.fit_seconds for t in board.trials))
    assert [t.name for t in summary.trials] == [t.name for t in board.trials]
    assert summary.size_bytes > 100
    assert summary.latency_ms > 0
    assert summary.predict_us_per_row > 0
    assert summary.score == finished.holdout.metrics["log_loss"]


def test_a_run_of_another_project_is_named_by_its_folder(two_runs, tmp_path):
    folder, _, second = two_runs
    other = tmp_path / "elsewhere"
    shutil.copytree(folder, other)
    compared = compare_runs(folder, ["1", str(other / "runs" / second.name)])
    assert [r.run for r in compared.runs] == ["company/0001", "elsewhere/0002"]
    assert compared.pairs[0].difference.verdict == "better"


def test_one_run_or_the_same_twice_is_refused(two_runs):
    with pytest.raises(DeclarationError, match="1 run to compare"):
        compare_runs(two_runs[0], ["1"])
    with pytest.raises(DeclarationError, match="0001 is named twice"):
        compare_runs(two_runs[0], ["1", "0001"])
    with pytest.raises(DataError, match="no run 'nine'"):
        compare_runs(two_runs[0], ["1", "nine"])
