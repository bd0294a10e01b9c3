"""The runner of bench-tabular: what it counts, kills and plans, and what its tables say of wins, losses and failures."""

import subprocess
import sys
import time

import numpy as np
import pytest


@pytest.fixture(scope="module")
def table(bench):
    return bench("tabular", "table")


@pytest.fixture(scope="module")
def run(bench):
    return bench("tabular", "run")


def row(system, name, score, metric="rmse", split=0, budget=60, ended="ok", **more):
    found = {
        "machine": "m",
        "stamp": "x",
        "system": system,
        "set": name,
        "metric": metric,
        "split": split,
        "budget": budget,
    }
    return found | {"score": score, "ended": ended, "wall_s": 50.0, "cpu_s": 9.0, "peak_mb": 300.0, "load": 0.1} | more


def test_errors_ranks_and_distance_to_the_best(table):
    rows = [
        row("holdgood", "a", 0.9, "roc_auc"), row("FLAML", "a", 0.8, "roc_auc"), row("MLJAR", "a", 0.8, "roc_auc"),
        row("holdgood", "b", 4.0), row("FLAML", "b", 2.0), row("MLJAR", "b", None, ended="failed: x"),
        row("holdgood", "c", 1.0), row("FLAML", "c", 1.0),
    ]  # fmt: skip
    cells, errors = table.errors(rows, ["holdgood", "FLAML", "MLJAR"])
    assert cells == [("a", 0), ("b", 0)]  # not all were run on c
    assert errors == pytest.approx(np.array([[0.1, 0.2, 0.2], [4.0, 2.0, table.FAILED * 4.0]]))
    assert table.mean_ranks(cells, errors).tolist() == [1.5, 1.75, 2.75]
    assert table.relative(cells, errors) == pytest.approx([2**0.5, 2**0.5, 6**0.5])


def test_splits_are_averaged_inside_a_set_first(table):
    cells = [("a", 0), ("a", 1), ("a", 2), ("b", 0)]
    assert table.by_set(cells, np.array([1.0, 2.0, 3.0, 10.0])).tolist() == [2.0, 10.0]


def test_the_test_over_sets_covers_and_does_not_count_splits_as_sets(table):
    rng = np.random.default_rng(0)
    missed = 0
    table_draws = table.DRAWS
    table.DRAWS = 1000
    try:
        for i in range(200):
            of_set = np.repeat(rng.normal(0.05, 0.1, 20), 3)
            gain = of_set + rng.normal(0, 0.02, 60)
            cells = [(str(k // 3), k % 3) for k in range(60)]
            a = table.against(cells, np.ones(60), np.exp(gain), seed=i)
            missed += not a["low"] <= np.exp(0.05) <= a["high"]
            assert a["sets"] == 20
    finally:
        table.DRAWS = table_draws
    assert missed <= 22  # binomial, 5% of 200, one in a thousand
    assert missed >= 1


def test_chances_see_what_is_practically_equal(table):
    cells = [(str(i), 0) for i in range(20)]
    same = table.against(cells, np.ones(20), np.full(20, 1.001) + np.arange(20) * 1e-5)
    assert same["equal"] > 0.99
    ahead = table.against(cells, np.ones(20), np.full(20, 1.1))
    assert ahead["better"] > 0.99
    assert ahead["ratio"] == pytest.approx(1.1)


def test_the_block_shows_losses_failures_and_the_newest_line(table):
    rows = [
        row("holdgood", "a", 9.0), row("holdgood", "a", 2.0, row_ms=3.0, row_ms_model=0.2, model_bytes=5e6, versions={"holdgood": "1"}),
        row("FLAML", "a", 1.0, row_ms=7.0, model_bytes=1e6), row("MLJAR", "a", None, ended="the fit had not returned after 180 s"),
        row("FLAML", "a", 1.0, budget=20), row("holdgood", "a", 3.0, budget=20),
    ]  # fmt: skip
    text = "\n".join(table.tabular(rows))
    assert "| a | rmse | 2 | **1** | failed |" in text
    assert "| a | rmse | 3 | **1** |" in text
    assert "MLJAR on a at 60 s, split 0: the fit had not returned after 180 s" in text
    assert "| FLAML | 0 to 1 | 1 | 0.500 | not proven |" in text
    assert "(0.2 at the model)" in text
    assert table.tabular([]) == []


def test_two_versions_of_a_system_make_no_row_of_one_table(table):
    rows = [
        row("holdgood", "a", 9.0), row("holdgood", "b", 9.0), row("FLAML", "a", 1.0), row("FLAML", "b", 1.0),
        row("holdgood", "a", 3.0, budget=20), row("FLAML", "a", 2.0, budget=20), row("holdgood", "b", 2.0, stamp="y"),
    ]  # fmt: skip
    text = "\n".join(table.tabular(rows))
    assert "| a | rmse |  | **1** |" in text  # the newest version was not run on a
    assert "| b | rmse | 2 | **1** |" in text
    assert "| a | rmse | 3 | **2** |" in text  # in another budget nothing newer is there
    assert "| holdgood | 1 | 2.00 |" in text
    assert "| FLAML | 2 | 1.00 |" in text


def test_each_budget_stands_on_the_machine_that_it_was_run_on_last(table):
    rows = [
        row("holdgood", "a", 9.0, machine="old"), row("FLAML", "a", 8.0, machine="old"), row("LightGBM default", "a", 7.0, machine="old"),
        row("holdgood", "a", 3.0, budget=20, machine="old"), row("holdgood", "a", 2.0, machine="new"),
        row("LightGBM default", "a", 5.0, machine="new"),
    ]  # fmt: skip
    short, usual = "\n".join(table.tabular(rows)).split("### 60 s")
    assert "Machine: old." in short
    assert "| a | rmse | **3** | 7 |" in short  # defaults know no budget: here those of the same machine
    assert "Machine: new." in usual
    assert "| a | rmse | **2** | 5 |" in usual
    assert "FLAML" not in usual


def test_ours_in_balanced_takes_no_place_in_the_ranking(table):
    rows = [row("holdgood", "a", 1.0), row("holdgood balanced", "a", 1.5), row("FLAML", "a", 2.0)]
    head, own = "\n".join(table.tabular(rows)).split("With prefer = balanced")
    assert "| FLAML | 1 | 2.00 |" in head
    assert "holdgood balanced" not in head
    assert "| holdgood balanced | 1 | 1.00 |" in own
    assert "| FLAML | 1 to 0 | 1 | 1.333" in own


def test_a_process_that_takes_too_long_is_ended_with_all_it_started(run, tmp_path):
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    marks = tmp_path / "marks.txt"
    marks.write_text(f"{time.time()}\n")
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    watch = run.Watch(process, marks, 0.5)
    watch.wait()
    assert watch.killed == "the fit had not returned after 0 s"
    assert process.poll() is not None
    assert watch.peak_mb() > 1.0


def test_memory_is_the_most_of_the_fit_not_of_what_came_before(run, tmp_path):
    marks = tmp_path / "marks.txt"
    marks.write_text("10.0\n20.0\n")
    watch = run.Watch(None, marks, 1.0)
    watch.seen = [(5.0, 9_000_000), (11.0, 2_000_000), (19.0, 4_000_000), (21.0, 8_000_000)]
    assert watch.peak_mb() == 4.0


def test_the_plan(run, monkeypatch):
    listed = [{"name": n, "task": "binary", "rows": 1} for n in "abc"]
    monkeypatch.setattr(run, "entries", lambda: listed)
    monkeypatch.setattr(run, "eight", lambda: ["b"])
    plan = list(run.jobs([60, 20, 300], 1, [], []))
    assert sum(b == 60 for _, b, _, _ in plan) == 3 * len(run.SYSTEMS)
    assert {s for _, b, _, s in plan if b == 20} == {"AutoGluon medium", "FLAML", "holdgood"}
    assert {(e["name"], s) for _, b, e, s in plan if b == 300} == {("b", s) for s in run.LONG}
    named = list(run.jobs([20], 2, ["a"], ["MLJAR", "CatBoost default"]))
    assert [(split, e["name"], s) for split, _, e, s in named] == [(0, "a", "MLJAR"), (1, "a", "MLJAR")]


def test_every_system_has_pins(run):
    for environment, _ in run.SYSTEMS.values():
        assert environment == "" or environment in run.PINS
    assert len({run.stamp(s) for s in run.SYSTEMS}) == len({e for e, _ in run.SYSTEMS.values()})


def test_scores_follow_the_manifest(bench):
    sets = bench("tabular", "sets")
    y = np.array(["no", "yes", "no", "yes"])
    one = sets.Set("x", "binary", None, None, y, y, ["no", "yes"], "yes")
    assert sets.score(one, np.array([0.1, 0.9, 0.2, 0.15])) == 0.75
    with pytest.raises(ValueError, match="no numbers"):
        sets.score(one, np.array([0.1, np.nan, 0.2, 0.15]))
    number = sets.Set("x", "regression", None, None, np.zeros(2), np.zeros(2), [], None)
    assert sets.score(number, np.array([3.0, 4.0])) == pytest.approx(12.5**0.5)
