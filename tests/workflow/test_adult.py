"""A real table with nothing edited but the target's name: init, run, groups of people, a verified bundle."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import holdgood
from holdgood.workflow.init import init_project
from holdgood.workflow.project import run_project
from holdgood.workflow.runs import open_run

pytestmark = pytest.mark.data
ROWS = 8000


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Some rows of the table in a folder of their own, with the file that ``holdgood init`` writes for them."""
    data = Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).parents[3] / "shared" / "data"))
    source = data / "tabular" / "adult.parquet"
    if not source.exists():
        pytest.skip(f"shared data not found: {source.name}; set HOLDGOOD_DATA")
    folder = tmp_path_factory.mktemp("adult")
    pq.write_table(pq.read_table(source).slice(0, ROWS), folder / "adult.parquet")
    init_project([str(folder / "adult.parquet")], target="income", folder=folder)
    return folder


@pytest.fixture(scope="module")
def done(project):
    return run_project(project, budget="trials=3")


def test_the_target_that_is_guessed_is_the_one_that_is_meant(project, tmp_path):
    init_project([str(project / "adult.parquet")], folder=tmp_path)
    guessed, given = ((p / "holdgood.toml").read_text() for p in (tmp_path, project))
    assert 'target = "income"' in guessed
    assert [line for line in guessed.splitlines() if line.startswith(("positive", "kind"))] == [
        line for line in given.splitlines() if line.startswith(("positive", "kind"))
    ]


def test_it_runs_as_it_was_written(done, project):
    assert done.folder.status()["status"] == "done"
    assert done.split.development + done.split.holdout == ROWS
    assert done.model.task.kind == "binary"
    assert done.model.task.positive == ">50K"
    assert done.holdout.against_prior.verdict == "better"
    assert done.holdout.metrics["roc_auc"].low > 0.85
    assert not done.audit_target.late, "nothing in it is known too late"
    assert done.verdict.status == "ready to pilot", "gates that only people can close are open, none has failed"
    assert "ASSUMED" in done.holdout.money_sentence


def test_its_bundle_scores_as_the_run_did(done, project):
    kept = pq.read_table(done.folder.find("evaluate").path / "predictions.parquet")
    model = holdgood.load(done.bundle)
    scores = model.predict(model.table_of(project / "adult.parquet"))
    np.testing.assert_array_equal(scores[kept.column("row").to_numpy()], kept.column("prediction").to_numpy())
    facts = model.explain(model.table_of(project / "adult.parquet").take(np.arange(2)), top=3)
    assert [len(f) for f in facts] == [3, 3]


def test_groups_of_people_can_be_declared_and_nothing_is_trained_again(done, project):
    text = (project / "holdgood.toml").read_text()
    (project / "holdgood.toml").write_text(text.replace("groups = []", 'groups = ["sex", "race"]'))
    seen = []
    fair = run_project(project, budget="trials=3", listener=lambda e: seen.append((e.kind, e.step)))
    assert ("step-reused", "split") in seen
    assert [a.attribute for a in fair.fairness.attributes] == ["sex", "race"]
    sex, race = fair.fairness.attributes
    assert {g.name for g in sex.groups} == {"Female", "Male"}
    assert sum(g.n for g in sex.groups) == fair.split.holdout
    assert any(g.thin for g in race.groups), "small groups are guarded"
    assert any(gap.verdict == "gap" for gap in sex.gaps), "incomes of 1994 differ between the sexes, and so do answers"
    assert open_run(project).id == fair.id
