"""The second pass without a project: what gives the answer away is found, on development rows, and told by the source's rows."""

import numpy as np
import pandas as pd
import pytest

from holdgood.core.errors import DeclarationError, TargetError
from holdgood.workflow.second_pass import rows_to_look_at
from holdgood.workflow.tables import audit_files

ROWS = 1_200


@pytest.fixture
def source(tmp_path):
    random = np.random.default_rng(1)
    x = random.normal(size=ROWS)
    late = x + random.normal(size=ROWS) > 0.5
    took = np.where(late, random.uniform(30, 90, ROWS), random.uniform(1, 20, ROWS)).round(1)
    at = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    frame = pd.DataFrame({"ordered_at": at, "x": x.round(3), "took": took, "late": np.where(late, "yes", "no")})
    frame.to_csv(tmp_path / "orders.csv", index=False)
    return str(tmp_path / "orders.csv")


def test_training_on_the_future_is_told_in_minute_one(source):
    looked = audit_files([source], target="late", happened="ordered_at")
    assert looked.target is not None
    assert ("orders", "took") in looked.target.late
    assert all("x" not in columns for _, columns in looked.target.late)
    assert looked.target.tables[0].rows < ROWS, "the holdout is not looked at"
    assert looked.report.tables[0].rows == ROWS
    page = looked.path.read_text()
    assert f"{len(looked.report.outcomes) + len(looked.target.outcomes)} checks" in page
    assert "<code>took</code>" in page


def test_without_a_target_there_is_one_pass_and_a_wrong_one_is_refused(source):
    assert audit_files([source], write=False).target is None
    with pytest.raises(TargetError, match="no column for the target"):
        audit_files([source], write=False, target="lat")


def test_rows_after_the_wall_are_not_looked_at():
    part = np.array([0, 0, 3, 1, 3, 0, 1])
    times = np.array([1, 2, 3, 9, 10, 5, 11])
    assert rows_to_look_at(part, times).tolist() == [0, 1, 2, 5]
    assert rows_to_look_at(part, None).tolist() == [0, 1, 2, 5]


def test_a_late_date_with_a_few_unreadable_cells_is_still_found(source, tmp_path):
    frame = pd.read_csv(source)
    ordered = pd.to_datetime(frame.ordered_at)
    arrived = (ordered + pd.to_timedelta(frame.took, unit="h")).dt.strftime("%Y-%m-%d %H:%M")
    arrived = arrived.to_numpy(object)
    arrived[[3, 70, 300, 301]] = ["see note", "31.13.2024", "lost", "tomorrow"]
    frame.drop(columns="took").assign(arrived=arrived).to_csv(tmp_path / "orders.csv", index=False)
    looked = audit_files([source], target="late", happened="ordered_at", write=False)
    assert ("orders", "arrived") in looked.target.late
    (told,) = [f for f in looked.target.tips if f.code == "AUD012"]
    assert told.columns == ("arrived",)
    assert "4 cells" in told.message
    assert sorted(told.examples) == [3, 70, 300, 301]


@pytest.mark.parametrize("damage", [["soon", "", "2024-13-45"], ["", "", ""]], ids=["unreadable", "missing"])
def test_rows_without_a_time_are_left_out_and_counted(source, damage):
    frame = pd.read_csv(source)
    at = frame.ordered_at.astype(object)
    at[[5, 6, 900]] = damage
    frame.assign(ordered_at=at).to_csv(source, index=False)
    looked = audit_files([source], target="late", happened="ordered_at", write=False)
    assert ("orders", "took") in looked.target.late
    (told,) = [f for f in looked.target.issues if f.code == "AUD012"]
    assert "3 rows of orders" in told.message
    assert "left out" in told.message
    assert told.examples == (5, 6, 900)


def test_a_time_that_is_hardly_ever_readable_is_refused(source):
    frame = pd.read_csv(source)
    frame.assign(ordered_at=np.where(np.arange(ROWS) % 3 == 0, frame.ordered_at, "soon")).to_csv(source, index=False)
    with pytest.raises(DeclarationError, match="less than 95%"):
        audit_files([source], target="late", happened="ordered_at", write=False)
