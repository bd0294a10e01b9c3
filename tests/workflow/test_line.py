"""The whole line on a small company of three tables: what each room hands on, and that it changes when its input does."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import holdgood
from holdgood.core.errors import DataError, DeclarationError, EnvironmentFault, HoldgoodError, Interrupted, TargetError
from holdgood.core.records.envelope import wrap
from holdgood.workflow.folder import Project
from holdgood.workflow.predict import Predictor
from holdgood.workflow.run import LINE, run
from holdgood.workflow.status import status


def payloads(done):
    """What every room handed on, without clocks and folders."""
    found = {
        "audit": done.audit,
        "audit_target": done.audit_target,
        "clean": done.clean,
        "split": done.split,
        "features": done.features,
        "leaderboard": done.leaderboard,
        "holdout": done.holdout,
        "fairness": done.fairness,
        "verdict": done.verdict,
    }
    return {
        name: json.loads(without_clocks(json.dumps(wrap(r)["payload"], sort_keys=True))) for name, r in found.items()
    }


def without_clocks(text):
    def clean(value):
        if isinstance(value, dict):
            return {
                k: clean(v)
                for k, v in value.items()
                if k
                not in {
                    "seconds",
                    "fit_seconds",
                    "predict_us_per_row",
                    "latency_ratio",
                    "predict_ms",
                    "before",
                    "after",
                }
                and "ms a row" not in str(v)
            }
        return [clean(v) for v in value] if isinstance(value, list) else value

    return re.sub(r"[\d.]+ times the latency|[\d.]+ ms a row", "", json.dumps(clean(json.loads(text))))


def test_every_room_has_handed_on_its_record(finished):
    assert finished.folder.status()["status"] == "done"
    for step in LINE:
        assert finished.folder.find(step.name).done() is not None
    assert finished.report.read_text().lower().startswith("<!doctype html>")
    assert holdgood.verify(finished.bundle).digest
    assert finished.split.no_outcome > 0
    assert {g.attribute for g in finished.fairness.attributes} == {"site", "customers.kind"}
    assert finished.holdout.money is not None
    assert not finished.holdout.money.assumed
    assert "EUR" in finished.holdout.money_sentence or "€" in finished.holdout.money_sentence


def test_late_facts_are_caught_by_the_audit_alone_and_never_become_features(finished):
    assert {c for _, c in finished.audit_target.late} == {"left_at", "hours_taken"}
    used = {o for f in finished.features.features for o in f.origin}
    assert not used & {"orders.left_at", "orders.hours_taken"}
    assert {"orders.left_at", "orders.hours_taken"} <= set(finished.features.left_out)


def test_the_model_has_learned_what_is_there_to_learn(finished):
    assert finished.holdout.metrics["roc_auc"].low > 0.6
    assert finished.holdout.against_prior.verdict == "better"


def test_the_bundle_alone_gives_the_same_scores_to_the_bit_in_a_fresh_process_and_row_by_row(finished, tmp_path):
    kept = pq.read_table(finished.folder.find("evaluate").path / "predictions.parquet")
    rows, expected = kept.column("row").to_numpy(), kept.column("prediction").to_numpy()
    folder = finished.project.path
    code = (
        "import sys, numpy as np, holdgood\n"
        "folder, bundle, out = sys.argv[1:]\n"
        "model = holdgood.load(bundle)\n"
        "others = {n: model.table_of(f'{folder}/{n}.parquet', n) for n in ('customers', 'weather')}\n"
        "rows = model.table_of(f'{folder}/orders.parquet')\n"
        "np.save(out, model.predict(rows, others))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(folder), str(finished.bundle), str(tmp_path / "p.npy")],
        check=True,
        cwd=tmp_path,
    )
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy")[rows], expected)
    model = finished.model
    others = {n: model.table_of(folder / f"{n}.parquet", n) for n in ("customers", "weather")}
    main = model.table_of(folder / "orders.parquet")
    for position in range(0, len(rows), 7):
        alone = model.predict(main.take(np.array([rows[position]])), others)
        assert alone[0] == expected[position]


def test_predictions_come_back_in_kind_and_a_missing_table_or_column_is_named(finished):
    model, folder = finished.model, finished.project.path
    frame = pd.read_parquet(folder / "orders.parquet").head(5)
    others = {n: model.table_of(pd.read_parquet(folder / f"{n}.parquet"), n) for n in ("customers", "weather")}
    rows = model.table_of(frame)
    output = model.output(rows, model.predict(rows, others))
    assert isinstance(output, pd.DataFrame)
    assert list(output.columns) == ["order", "probability", "answer"]
    with pytest.raises(DataError, match="--table weather=FILE"):
        model.predict(rows, {"customers": others["customers"]})
    with pytest.raises(DataError, match="did you mean"):
        model.table_of(frame.rename(columns={"weight": "weigth"}))


def test_explanations_name_facts_and_do_not_depend_on_neighbours(finished):
    model, folder = finished.model, finished.project.path
    others = {n: model.table_of(folder / f"{n}.parquet", n) for n in ("customers", "weather")}
    rows = model.table_of(folder / "orders.parquet").take(np.arange(3))
    together = model.explain(rows, others, top=3)
    assert [len(facts) for facts in together] == [3, 3, 3]
    assert together[1] == model.explain(rows.take(np.array([1])), others, top=3)[0]


def test_same_seed_and_work_budget_same_result_twice(finished, tmp_path, make_company, make_declaration):
    for name, frame in make_company().items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    again = run(Project(tmp_path, make_declaration()))
    assert payloads(again) == payloads(finished)
    one, two = (r.folder.find("evaluate").path / "predictions.parquet" for r in (finished, again))
    assert pq.read_table(one).equals(pq.read_table(two))
    assert holdgood.verify(again.bundle).parts == holdgood.verify(finished.bundle).parts


def test_shuffled_rows_and_renamed_columns_change_nothing_but_names(finished, tmp_path, make_company, make_declaration):
    tables = make_company()
    names = {n: {c: f"{n[0]}{i}" for i, c in enumerate(t.columns)} for n, t in tables.items()}
    for name, frame in tables.items():
        frame.sample(frac=1.0, random_state=5).rename(columns=names[name]).to_parquet(
            tmp_path / f"{name}.parquet", index=False
        )
    o, c, w = names["orders"], names["customers"], names["weather"]
    declared = make_declaration(
        task={"target": f"{o['hours_taken']} > 3"},
        fairness={"groups": [o["site"], f"customers.{c['kind']}"]},
        tables={
            "orders": {"source": "orders.parquet", "key": [o["order"]], "ids": [o["order"]], "time": o["placed"]},
            "customers": {"source": "customers.parquet", "key": [c["id"]], "join": {"on": {o["customer"]: c["id"]}}},
            "weather": {
                "source": "weather.parquet",
                "time": w["at"],
                "join": {"on": {o["site"]: w["site"]}, "tolerance": "6 hours"},
            },
        },
    )
    renamed = run(Project(tmp_path, declared))
    back = {f"{n}.{new}": f"{n}.{old}" for n, m in names.items() for old, new in m.items()}
    assert evidence(renamed) == evidence(finished)
    assert {back[f"orders.{x}"] for _, x in renamed.audit_target.late} == {
        f"orders.{x}" for _, x in finished.audit_target.late
    }
    assert renamed.holdout.metrics == finished.holdout.metrics
    assert renamed.leaderboard.threshold == finished.leaderboard.threshold
    assert renamed.verdict.status == finished.verdict.status
    assert [(g.name, g.status) for g in renamed.verdict.gates] == [(g.name, g.status) for g in finished.verdict.gates]


def evidence(done):
    found = [*done.audit.issues, *done.audit.tips, *done.audit_target.issues, *done.audit_target.tips]
    return sorted((f.code, f.table, f.severity, f.rows, json.dumps(f.evidence, sort_keys=True)) for f in found)


@pytest.mark.parametrize("changed", ["tables", "target", "costs", "groups", "split"])
def test_each_rooms_record_changes_when_its_input_is_perturbed(
    finished, tmp_path, make_company, make_declaration, changed
):
    tables = make_company()
    declared = make_declaration()
    if changed == "tables":
        tables["orders"].loc[:400, "weight"] = -999.0
    if changed == "target":
        declared = make_declaration(task={"target": "hours_taken > 5.2"})
    if changed == "costs":
        declared = make_declaration(costs={"miss": 3, "false_alarm": 4})
    if changed == "groups":
        declared = make_declaration(fairness={"groups": ["site"], "min_rows": 5000})
    if changed == "split":
        declared = make_declaration(split={"holdout": 0.4})
    for name, frame in tables.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    before, after = payloads(finished), payloads(run(Project(tmp_path, declared)))
    expected = {
        "tables": {"audit", "leaderboard", "holdout"},
        "target": {"leaderboard", "holdout", "fairness"},
        "costs": {"leaderboard", "holdout", "fairness"},
        "groups": {"fairness"},
        "split": {"split", "leaderboard", "holdout", "fairness", "features"},
    }[changed]
    assert expected <= {name for name in before if before[name] != after[name]}


def test_a_second_run_keeps_what_is_unchanged_and_does_not_open_the_holdout_again(project, make_declaration):
    first = run(project)
    opened = len((project.path / "runs" / "openings.jsonl").read_text().splitlines())
    second = run(Project(project.path, make_declaration(people={"affected": ["drivers"]})))
    assert second.id != first.id
    assert len((project.path / "runs" / "openings.jsonl").read_text().splitlines()) == opened
    assert second.leaderboard.payload() == first.leaderboard.payload()
    again = run(project, fresh=True)
    assert again.holdout.openings == opened + 1


def test_an_interrupted_run_is_taken_up_where_it_stopped(project):
    seen = []

    def stop(event):
        seen.append((event.kind, event.step))
        if event.kind == "step-start" and event.step == "evaluate":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="takes it up"):
        run(project, listener=stop)
    assert status(project)[3].state == "open"
    kinds = []
    done = run(project, listener=lambda e: kinds.append((e.kind, e.step)))
    assert done.id == "0001"
    assert ("step-reused", "train") in kinds
    assert ("step-done", "evaluate") in kinds
    assert [s.state for s in status(project)][:6] == ["done"] * 6


def test_a_killed_process_loses_no_earlier_run(project):
    first = run(project)
    kept = first.bundle.joinpath("manifest.json").read_bytes()
    code = (
        "import os, sys\n"
        "from holdgood.workflow.folder import Project\n"
        "from holdgood.workflow.run import run\n"
        "from holdgood.core.declaration import Declaration\n"
        "p = Project(__import__('pathlib').Path(sys.argv[1]), Declaration.model_validate_json(sys.argv[2]))\n"
        "run(p, fresh=True, listener=lambda e: os.kill(os.getpid(), 9) if e.kind == 'step-start' and e.step == 'bundle' else None)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, str(project.path), project.declaration.model_dump_json(exclude_unset=True)]
    )
    assert died.returncode == -9
    assert first.bundle.joinpath("manifest.json").read_bytes() == kept
    assert project.run().id == first.id
    assert run(project).id == "0002"


def test_a_full_disk_is_told_and_loses_no_earlier_run(project, monkeypatch):
    import errno
    import os

    first = run(project)
    real = os.fsync

    def full(handle):
        if "/0002/" in os.readlink(f"/proc/self/fd/{handle}") and "train" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="No space left"):
        run(project, fresh=True)
    monkeypatch.undo()
    assert holdgood.verify(first.bundle).digest
    assert project.run().id == first.id


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"task": {"target": "hours_takn > 3"}}, HoldgoodError, "hours_taken"),
        ({"task": {"target": "hours_taken > 1000"}}, TargetError, "at least two different outcomes"),
        ({"fairness": {"groups": ["sight"]}}, DataError, "site"),
        ({"budget": {"models": ["lihgtgbm"], "trials": 2}}, DeclarationError, "lightgbm"),
        ({"repairs": [{"repair": "sentinel-to-misssing", "table": "orders"}]}, DeclarationError, "sentinel-to-missing"),
        ({"split": {"cutoff": "2031-01-01"}}, HoldgoodError, "2031"),
    ],
)
def test_bad_declarations_are_refused_in_words(project, make_declaration, change, error, says):
    with pytest.raises(error, match=says):
        run(Project(project.path, make_declaration(**change)))


def test_run_needs_no_file(tmp_path, make_company):
    tables = make_company(n=700)
    done = holdgood.run(
        tables["orders"].drop(columns=["left_at"]),
        target="hours_taken > 3",
        time="placed",
        costs=holdgood.Costs(miss=30, false_alarm=4),
        groups=["site"],
        budget="trials=3",
        project=tmp_path,
    )
    assert done.verdict.headline
    assert "VERDICT" in done._repr_html_() or done.verdict.headline.split()[0] in done._repr_html_()
    assert isinstance(done.model, Predictor)


def test_a_shuffled_target_scores_as_chance(tmp_path, make_company, make_declaration):
    tables = make_company()
    known = tables["orders"]["hours_taken"].notna()
    shuffled = tables["orders"].loc[known, "hours_taken"].sample(frac=1.0, random_state=1).to_numpy()
    tables["orders"].loc[known, "hours_taken"] = shuffled
    tables["orders"] = tables["orders"].drop(columns=["left_at"])
    for name, frame in tables.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    done = run(Project(tmp_path, make_declaration()))
    auc = done.holdout.metrics["roc_auc"]
    assert auc.low <= 0.5 <= auc.high or done.leaderboard.chosen == "prior"
    assert done.holdout.against_prior.verdict != "better"
