"""A declared hierarchy: sums of levels are forecast too, and everything adds up, points and paths alike."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import holdgood
from holdgood.bundle import load, save
from holdgood.cli.app import app
from holdgood.core.declaration import parse
from holdgood.core.errors import DataError
from holdgood.core.task import Task
from holdgood.workflow.forecasting.model import words_of
from holdgood.workflow.forecasting.parts import model_of, parts_of


@pytest.fixture(scope="module")
def made(history):
    return holdgood.forecast(
        history, 4, target="pieces", id="article", time="week", fill="zero", levels=[["group"]], keep_ended=True,
        models=["window-average"], budget="trials=3",
    )  # fmt: skip


def test_sums_of_levels_are_what_their_series_add_up_to(made, history):
    sums = made.sums
    assert set(sums.level) == {"total", "group"}
    assert set(sums["sum"]) == {"total", "group=a", "group=b"}
    series = made.frame.merge(history[["article", "group"]].drop_duplicates(), on="article")
    by_group = series.groupby(["group", "week"]).forecast.sum()
    for group in "ab":
        own = sums[sums["sum"] == f"group={group}"].set_index("week").forecast
        assert np.allclose(own, by_group[group])
    total = sums[sums.level == "total"].set_index("week").forecast
    assert np.allclose(total, series.groupby("week").forecast.sum())


def test_paths_add_up_too_and_high_goes_with_high(made):
    bottom = made.paths
    sums = made.model.sums(made.read, made.samples, made.seed)
    assert np.allclose(sums.paths.y[0], bottom.y.sum(axis=0))
    apart = np.sqrt((bottom.y.sum(axis=2).std(axis=1) ** 2).sum())
    assert sums.paths.y[0].sum(axis=1).std() > 0.5 * apart


def test_accuracy_stands_level_by_level(made):
    found = made.accuracy
    assert [a.name for a in found.levels] == ["total", "group", "bottom"]
    assert [a.series for a in found.levels] == [1, 2, 12]
    assert found.overall.series == 12
    assert found.levels[0].wape < found.levels[-1].wape


def test_the_hierarchy_travels_in_the_bundle(made, tmp_path):
    save(
        tmp_path / "b",
        name="b",
        parts=parts_of(made.model),
        records={},
        task=Task(kind="forecast", metric="mase", target="pieces"),
    )
    again = model_of(load(tmp_path / "b").parts)
    assert np.array_equal(again.paths(made.read, 30, 0).y, made.model.paths(made.read, 30, 0).y)
    assert words_of(made.read, (("group",),))["group"][:2] == ["a", "b"]


def test_series_that_end_apart_have_no_sum(history):
    frame = history[~((history.article == "A01") & (history.week > "2024-01-01"))]
    with pytest.raises(DataError, match="end at 2 different times"):
        holdgood.forecast(
            frame,
            4,
            target="pieces",
            id="article",
            time="week",
            levels=[["group"]],
            models=["naive"],
            budget="trials=2",
        )


def test_the_command_writes_the_levels(made, history, tmp_path):
    declared = parse(
        {"tables": {"sales": {}}, "task": {"target": "pieces"}, "forecast": {"horizon": made.read.plan.horizon}}
    )
    save(
        tmp_path / "bundle",
        name="shop",
        parts={"plan": made.read.plan, **parts_of(made.model)},
        records={},
        task=Task(kind="forecast", metric="mase", target="pieces"),
        extra_json={"declaration": declared.model_dump(mode="json")},
    )
    history.to_csv(tmp_path / "history.csv", index=False)
    words = [
        "forecast",
        str(tmp_path / "bundle"),
        str(tmp_path / "history.csv"),
        "--levels",
        str(tmp_path / "levels.csv"),
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = pd.read_csv(tmp_path / "levels.csv")
    assert found.forecast.to_numpy() == pytest.approx(made.answers.levels.column("forecast").to_numpy(), rel=1e-5)


def test_a_run_writes_the_levels_and_is_taken_up_again(history, words, tmp_path):
    declared = {
        **words,
        "forecast": {"id": "article", "time": "week", "horizon": 4, "fill": "zero", "levels": [["group"]]},
    }
    run = holdgood.run({"sales": history}, declaration=declared, project=tmp_path)
    folder = run.folder.find("forecast").path
    assert (folder / "levels.csv").read_text().splitlines()[1].startswith('"total","total",2024-04-22')
    assert "Accuracy by level of the hierarchy" in run.report.read_text()
    again = holdgood.run({"sales": history}, declaration=declared, project=tmp_path)
    assert again.accuracy.payload() == run.accuracy.payload()
    assert (again.folder.find("forecast").path / "levels.csv").read_bytes() == (folder / "levels.csv").read_bytes()
