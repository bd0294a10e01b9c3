"""What is kept from earlier runs, what is not, and that no run ever touches another's files."""

import hashlib
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import holdgood
from holdgood.core.errors import BundleError, DataError, EnvironmentFault
from holdgood.core.records import Evaluation
from holdgood.core.records.envelope import read
from holdgood.workflow.folder import Project, declared_part, masked
from holdgood.workflow.predict import Predictor
from holdgood.workflow.run import LINE, run
from holdgood.workflow.status import status

QUICK = {"trials": 2, "workers": 1, "models": ["linear"]}


@pytest.fixture
def quick(tmp_path, make_company, make_declaration):
    """A quick project: prior and linear only."""
    for name, frame in make_company(n=600).items():
        frame.to_parquet(tmp_path / f"{name}.parquet")

    def project(**changes):
        return Project(tmp_path, make_declaration(budget=QUICK, **changes))

    return project


def prints(folder):
    return {
        p.relative_to(folder): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }


def kinds(project, **arguments):
    seen = []
    done = run(project, listener=lambda e: seen.append((e.kind, e.step)), **arguments)
    return done, {step for kind, step in seen if kind == "step-reused"}


def test_a_signature_neither_retrains_nor_opens_the_holdout_again(quick):
    first = run(quick())
    second, kept = kinds(quick(gates={"signed_by": "Ada"}))
    assert {"train", "evaluate"} <= kept
    assert second.holdout.openings == first.holdout.openings == 1
    assert next(g for g in second.verdict.gates if "sign" in g.name).status == "passed"


def test_an_earlier_run_keeps_every_byte_when_a_later_one_goes_on_from_it(quick):
    first = run(quick())
    before = prints(first.folder.path)
    run(quick(people={"affected": ["drivers"]}), until="evaluate")
    orders = pd.read_parquet(first.project.path / "orders.parquet")
    orders["weight"] = orders["weight"] * 2 + 1
    orders.to_parquet(first.project.path / "orders.parquet")
    run(quick(people={"affected": ["drivers"]}))
    assert prints(first.folder.path) == before


def test_swapped_names_and_shuffled_files_are_other_inputs(quick):
    first = run(quick())
    path = first.project.path / "customers.parquet"
    customers = pd.read_parquet(path)
    customers["size"] = customers["age"] * 3 % 17
    customers.to_parquet(path)
    run(quick())
    customers.rename(columns={"age": "size", "size": "age"}).to_parquet(path)
    swapped, kept = kinds(quick())
    assert "features" not in kept
    assert swapped.folder.status()["status"] == "done"
    orders = pd.read_parquet(first.project.path / "orders.parquet").sample(frac=1.0, random_state=3)
    orders.to_parquet(first.project.path / "orders.parquet", index=False)
    shuffled = run(quick())
    kept_rows = pq.read_table(shuffled.folder.find("evaluate").path / "predictions.parquet").to_pydict()
    outcomes = orders["hours_taken"].to_numpy()[np.array(kept_rows["row"])] > 3
    np.testing.assert_array_equal(outcomes.astype(float), kept_rows["y"])


@pytest.mark.parametrize(
    "repairs",
    [
        [{"repair": "sentinel-to-missing", "table": "orders", "columns": ["weight"], "parameters": {"values": [-999]}}],
        [{"repair": "drop-duplicate-rows", "table": "orders"}],
        [{"repair": "drop-duplicate-rows"}, {"repair": "drop-columns", "columns": ["note"]}],
    ],
    ids=["cells", "rows", "rows and columns"],
)
def test_repairs_hold_at_prediction_too_and_rows_are_followed(quick, repairs):
    project = quick(repairs=repairs)
    path = project.path / "orders.parquet"
    orders = pd.read_parquet(path)
    orders.loc[orders.index % 5 == 0, "weight"] = -999.0
    pd.concat([orders, orders.iloc[:9]]).to_parquet(path, index=False)
    done = run(project)
    removed = any(r["repair"] == "drop-duplicate-rows" for r in repairs)
    assert sum(e.rows_removed for e in done.clean.entries) == (9 if removed else 0)
    kept = pq.read_table(done.folder.find("evaluate").path / "predictions.parquet")
    model = done.model
    others = {n: model.table_of(project.path / f"{n}.parquet", n) for n in ("customers", "weather")}
    scores = model.predict(model.table_of(path), others)
    np.testing.assert_array_equal(scores[kept.column("row").to_numpy()], kept.column("prediction").to_numpy())


def test_a_bundle_that_scores_otherwise_is_not_delivered(quick, monkeypatch):
    monkeypatch.setattr("holdgood.workflow.steps.release.parity", lambda *_: 3)
    project = quick()
    with pytest.raises(BundleError, match="3 of"):
        run(project)
    with pytest.raises(BundleError):
        Predictor.load(project.path / "runs" / "0001")


def test_openings_are_counted_for_the_facts_whatever_is_repaired_or_divided(quick):
    assert run(quick()).holdout.openings == 1
    repaired = run(quick(repairs=[{"repair": "drop-columns", "table": "orders", "columns": ["note"]}]))
    assert repaired.holdout.openings == 2
    assert run(quick(split={"holdout": 0.3})).holdout.openings == 3
    again = run(quick(people={"affected": ["drivers"]}))
    stored = read(again.folder.find("evaluate").record, Evaluation)
    assert stored.openings == 1
    assert next(g for g in again.verdict.gates if "holdout" in g.name).observed.count("3") == 1


def test_one_process_a_run(quick):
    project = quick()
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from holdgood.workflow.folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).held() as free:\n"
        "    print(free, flush=True)\n"
        "    time.sleep(60)\n"
    )
    run(project, until="read")
    held = project.runs()[0]
    other = subprocess.Popen([sys.executable, "-c", code, str(held.path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline().strip() == "True"
        with held.held() as free:
            assert not free
        assert run(project, until="read").id == "0002"
    finally:
        other.kill()
        other.wait()
    time.sleep(0.05)
    with held.held() as free:
        assert free


def test_a_cut_off_declaration_does_not_stop_the_next_run(quick):
    project = quick()
    run(project, until="read")
    (project.runs()[0].path / "declaration.json").write_text('{"name": ')
    assert run(project, until="read").id == "0002"


def test_a_longer_budget_makes_nothing_stale(quick, make_declaration):
    project = quick()
    run(project)
    longer = Project(project.path, make_declaration(budget={"trials": 9}))
    assert {s.state for s in status(longer)[:6]} == {"done"}
    other = quick(task={"target": "hours_taken > 4"})
    assert "stale" in {s.state for s in status(other)}


def test_a_budget_that_reached_only_the_prior_asks_for_a_larger_one(quick, make_declaration):
    project = Project(quick().path, make_declaration(budget={**QUICK, "trials": 1}))
    done = run(project)
    step = status(project)[2]
    assert step.state == "done"
    assert "only the prior was reached within the budget of trials=1" in step.sentence
    assert step.command == "holdgood run --budget LARGER"
    assert "only the prior was reached" in done.verdict.headline
    assert done.leaderboard.too_short[1:] in done.report.read_text(encoding="utf-8")


def test_passwords_are_written_nowhere(quick, make_declaration):
    project = quick()
    secret = make_declaration(tables={"orders": {"source": "postgresql://ann:s3cret@host/db?table=orders"}})
    assert "s3cret" not in masked(secret).model_dump_json()
    done = run(project)
    text = "".join(p.read_text(errors="ignore") for p in done.bundle.rglob("*.json"))
    assert str(project.path) not in text
    assert "orders.parquet" not in (done.bundle / "extra.json").read_text()


def test_faults_of_later_rooms_are_told_before_anything_is_spent_or_opened(quick):
    for changes, says in (
        ({"fairness": {"groups": ["customers.knd"]}}, "customers.kind"),
        ({"task": {"metric": "rmsle"}}, "metric"),
    ):
        project = quick(**changes)
        with pytest.raises(Exception, match=says):
            run(project)
        assert not project.openings.exists()


def test_time_that_is_gone_is_not_handed_out(quick, monkeypatch):
    from holdgood.core.budget import Budget, Clock
    from holdgood.workflow.steps import training
    from holdgood.workflow.work import Work

    work = Work(quick(), None, Clock(Budget(seconds=60.0), started=time.monotonic() - 58.0))
    assert training._training_clock(work).left() <= 2.0
    fresh = Work(quick(), None, Clock(Budget(seconds=60.0)))
    assert 35.0 < training._training_clock(fresh).left() < 57.0


def test_steps_depend_on_sections_or_single_fields(make_declaration):
    part = declared_part(make_declaration(), "gates.max_latency_ms", "people")
    assert set(part) == {"gates.max_latency_ms", "people"}
    for step in LINE:
        declared_part(make_declaration(), *step.sections)


def test_classes_are_settled_on_development_rows(tmp_path):
    random = np.random.default_rng(0)
    n = 400
    time_ = pd.date_range("2024-01-01", periods=n, freq="h")
    label = np.where(random.random(n) < 0.4, "yes", "no").astype(object)
    label[-20:] = "unheard of"
    frame = pd.DataFrame({"when": time_, "x": random.normal(size=n), "label": label})
    done = holdgood.run(frame, target="label", time="when", budget="trials=2", project=tmp_path)
    task = done.model.task
    assert task.kind == "binary"
    assert set(task.classes) == {"yes", "no"}
    assert any("never" in note or "unseen" in note for note in done.holdout.notes)


def test_runs_made_from_python_can_be_looked_at_without_a_file(tmp_path, make_company):
    holdgood.run(
        make_company(n=300)["orders"].drop(columns="left_at"),
        target="hours_taken > 3",
        time="placed",
        budget="trials=1",
        project=tmp_path,
    )
    assert Project.at(tmp_path).declaration.task.target == "hours_taken > 3"
    with pytest.raises(DataError):
        Project.at(tmp_path).run("0009")


def test_a_full_disk_for_a_new_run_is_an_environment_fault(tmp_path, make_declaration):
    (tmp_path / "runs").write_text("a file where a folder is expected")
    with pytest.raises(EnvironmentFault, match="cannot write"):
        run(Project(tmp_path, make_declaration()))
