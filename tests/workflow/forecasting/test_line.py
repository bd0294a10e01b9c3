"""A forecasting run from a table to a verified bundle and a report, and the bundle at work."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import holdgood
from holdgood.cli.app import app
from holdgood.cli.draw import ladder_text
from holdgood.core.errors import BundleError, DataError, DeclarationError, TamperedError
from holdgood.core.records.leaderboard import NOT_IN_TIME
from holdgood.reports.forecast_report import ForecastView, render_forecast
from holdgood.workflow.folder import Project
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.forecasting.scenario import Scenario, under


@pytest.fixture(scope="module")
def run(history, ahead, words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    history.to_parquet(folder / "sales.parquet")
    ahead.to_parquet(folder / "ahead.parquet")
    declared = {**words, "tables": {"sales": {"source": "sales.parquet"}, "ahead": {"source": "ahead.parquet"}}}
    declared["forecast"] = {**words["forecast"], "future": "ahead"}
    return holdgood.run(declaration=declared, data=None, project=_project(folder, declared))


def _project(folder, declared):
    lines = []
    for name in ("sales", "ahead"):
        lines += [f"[tables.{name}]", f'source = "{name}.parquet"']
    for section in ("task", "forecast", "budget"):
        lines += [f"[{section}]", *(f"{k} = {json.dumps(v)}" for k, v in declared[section].items())]
    (folder / "holdgood.toml").write_text("\n".join(lines))
    return folder


def test_the_run_ends_with_paths_quantiles_a_bundle_and_a_report(run, history):
    assert run.forecasts
    assert run.folder.status()["status"] == "done"
    assert run.panel.ended == ("A04",)
    assert run.panel.new == ("NEW",)
    assert run.panel.frequency == "W-MON"
    folder = run.folder.find("forecast").path
    paths = pq.read_table(folder / run.forecast.paths)
    assert paths.column_names == ["unique_id", "cutoff", "ds", "sample", "y"]
    assert paths.num_rows == 12 * 6 * 200
    found = pd.read_csv(folder / "forecast.csv")
    assert list(found.columns[:4]) == ["article", "week", "forecast", "q2.5"]
    assert set(found.article) == (set(history.article) | {"NEW"}) - {"A04"}
    assert (found.week.min(), len(found)) == ("2024-04-22", 72)
    drawn = paths.to_pandas()
    one = drawn[(drawn.unique_id == "A01") & (drawn.ds == drawn.ds.min())].y
    assert found[found.article == "A01"].q90.iloc[0] == pytest.approx(np.quantile(one, 0.9), rel=1e-6)
    totals = pd.read_csv(folder / "lead_times.csv")
    sums = drawn[drawn.unique_id == "A01"].sort_values("ds").groupby("sample").y.apply(lambda y: y.iloc[:4].sum())
    assert totals[(totals.article == "A01") & (totals.steps == 4)].q95.iloc[0] == pytest.approx(
        np.quantile(sums, 0.95), rel=1e-6
    )
    page = run.report.read_text()
    assert "What will each article sell?" in page
    assert page.count('<figure class="fan">') >= 6
    assert "http" not in page.split("<main")[1].split("<script")[0]


def test_accuracy_is_what_the_paths_and_the_naive_say(run):
    found = run.accuracy
    assert found.overall.series == 11
    assert {a.name for a in found.segments} <= {"smooth", "erratic", "intermittent", "lumpy"}
    assert sum(a.series for a in found.segments) == 11
    assert len(found.steps) == 6
    assert [lead.steps for lead in found.leads] == [2, 4]
    assert [s.loss for s in found.worst] == sorted((s.loss for s in found.worst), reverse=True)
    assert 0.6 <= found.overall.cover["0.8"] <= 0.95


def test_a_finished_run_is_kept_step_by_step(run, words):
    again = holdgood.run(data=None, project=run.project.path)
    assert again.id != run.id
    assert again.leaderboard.payload() == run.leaderboard.payload()
    assert again.bundle.exists()


def test_the_bundle_forecasts_from_new_history_without_fitting(run, history, ahead):
    model = holdgood.load(run.folder.path)
    assert isinstance(model, ForecastModel)
    same = model.forecast(history, future=ahead)
    first = pd.read_parquet(run.folder.find("forecast").path / "forecast.parquet")
    pd.testing.assert_frame_equal(same.frame, first)
    shorter = history[history.week < history.week.max()]
    more = pd.concat(
        [ahead[ahead.article != "NEW"], history[history.week == history.week.max()].drop(columns="pieces")]
    )
    earlier = model.forecast(shorter, future=more)
    assert earlier.frame.week.min() == history.week.max()
    with pytest.raises(DataError, match="'promo' is declared as known ahead"):
        model.forecast(history)
    one = model.forecast(history[history.article == "A02"], future=ahead[ahead.article == "A02"])
    assert len(one.frame) == 6


def test_an_update_fits_the_same_forecasters_on_longer_history(run, history, ahead, tmp_path):
    model = ForecastModel.load(run.bundle)
    early = history[history.week < "2023-12-01"]
    older = model.updated(early)
    assert older.last.startswith("2023-11-27")
    assert list(older.model.forecaster.members) == list(model.model.forecaster.members)
    older.save(tmp_path / "older")
    again = ForecastModel.load(tmp_path / "older").updated(history)
    pd.testing.assert_frame_equal(
        again.forecast(history, future=ahead).frame, model.forecast(history, future=ahead).frame
    )


def test_fewer_steps_than_declared_and_never_more(run, history, ahead, tmp_path):
    model = ForecastModel.load(run.bundle)
    soon = ahead[
        ahead.week.isin(np.sort(ahead.week.unique())[:3])
    ]  # what is known ahead is asked for these steps alone
    fewer, whole = model.forecast(history, future=soon, horizon=3), model.forecast(history, future=ahead)
    assert fewer.paths.y.shape == (12, 200, 3)
    assert np.allclose(fewer.paths.point, whole.paths.point[:, :3])
    assert fewer.totals.steps.unique().tolist() == [2]
    history.to_csv(tmp_path / "history.csv", index=False)
    soon.to_csv(tmp_path / "soon.csv", index=False)
    words = ["forecast", run.bundle, tmp_path / "history.csv", "--future", tmp_path / "soon.csv"]
    done = CliRunner().invoke(app, [*map(str, words), "--horizon", "3", "--json"])
    assert json.loads(done.output)["rows"] == 36
    for asked, said in ((7, "declare horizon = 7"), (0, "leave it out")):
        with pytest.raises(DataError, match="at most the 6 that were declared") as caught:
            model.forecast(history, future=ahead, horizon=asked)
        assert said in str(caught.value)


def test_a_changed_byte_in_the_bundle_is_found(run, tmp_path):
    import shutil

    copy = tmp_path / "bundle"
    shutil.copytree(run.bundle, copy)
    file = copy / "parts" / "plan" / "part.json"
    file.write_text(file.read_text().replace("promo", "profi"))
    with pytest.raises(TamperedError):
        holdgood.load(copy)
    with pytest.raises(BundleError):
        ForecastModel.load(tmp_path)


def test_a_scenario_has_a_name_and_a_reason_and_changes_only_what_is_known_ahead(run, history, ahead):
    base = ForecastModel.load(run.bundle).forecast(history, future=ahead)
    other = under(base, Scenario("no promotions", "budget cut", {"promo": "false"}))
    assert (other.read.future.known["promo"] == 0).all()
    assert base.read.future.known["promo"].any()
    with pytest.raises(DeclarationError, match="not declared as known"):
        under(base, Scenario("x", "y", {"pieces": "1"}))
    with pytest.raises(DeclarationError, match="reason"):
        under(base, Scenario("x", " ", {"promo": "true"}))


def test_the_commands(run, history, ahead, tmp_path):
    cli = CliRunner()

    def call(*words):
        done = cli.invoke(app, [str(w) for w in words])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    history.to_csv(tmp_path / "history.csv", index=False)
    ahead.to_csv(tmp_path / "ahead.csv", index=False)
    common = ["forecast", run.bundle, tmp_path / "history.csv", "--future", tmp_path / "ahead.csv"]
    pd.DataFrame(
        {"article": ["A01"], "week": ["2024-04-22"], "add": [10.0], "who": ["Ada"], "why": ["a large customer"]}
    ).to_csv(tmp_path / "adjust.csv", index=False)
    said = call(
        *common, "--scenario", "all", "--why", "a try", "--set", "promo=true", "--adjust", tmp_path / "adjust.csv",
        "-o", tmp_path / "out.csv", "--paths", tmp_path / "paths.parquet", "--totals", tmp_path / "totals.csv",
    )  # fmt: skip
    assert (
        "12 series forecast" in said
        and "scenario 'all' changes nothing by promo: the model does not read promo" in said
    )
    out = pd.read_csv(tmp_path / "out.csv")
    own = out[out.scenario.isna()]
    assert len(own) == 72
    assert set(out[out.scenario == "all"].why) == {"a try"}
    changed = own[own.adjusted != own.forecast]
    assert changed.adjusted_by.tolist() == ["Ada"]
    assert (changed.adjusted - changed.forecast).iloc[0] == pytest.approx(10, rel=1e-5)
    assert pq.read_table(tmp_path / "paths.parquet").num_rows == 12 * 6 * 200
    assert json.loads(call(*common, "--json"))["rows"] == 72
    for words in (["show", "panel"], ["show", "accuracy"], ["show", "ladder"], ["status"], ["runs"]):
        assert call(*words, "-p", run.project.path)
    with pytest.raises(DeclarationError, match="scenario"):
        call(*common, "--scenario", "x")
    # commands for rows name the one for series
    for words in (["predict"], ["explain"]):
        with pytest.raises(BundleError, match=f"holdgood forecast {run.bundle} HISTORY"):
            call(*words, run.bundle, tmp_path / "history.csv")
    assert "all series" in call("show", "-p", run.project.path)
    with pytest.raises(DeclarationError, match="run 0001 forecasts series and has no verdict") as caught:
        call("show", "verdict", "--run", "1", "-p", run.project.path)
    assert caught.value.do == "holdgood show accuracy" and "panel, accuracy" in caught.value.expected
    for name in ("0001", run.folder.path):
        with pytest.raises(DeclarationError, match="a run is named by --run") as caught:
            call("show", name, "-p", run.project.path)
        assert caught.value.do.startswith("holdgood show accuracy --run 000")
    bad = pd.DataFrame({"article": ["nobody"], "add": [1.0], "who": ["a"], "why": ["b"]})
    bad.to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(DataError, match="bad.csv, row 1, column article: no series of the forecast is 'nobody'"):
        call(*common, "--adjust", tmp_path / "bad.csv")
    (tmp_path / "two.csv").write_text("article,week,set,who,why\nA01,2024-04-22,1.200,Ada,a fair\n")
    said = " ".join(call(*common, "--adjust", tmp_path / "two.csv", "-o", tmp_path / "two-out.csv").split())
    assert "set: '1.200' is read as 1.2; if the point stands between thousands, write 1200" in said


def test_columns_that_could_not_be_judged_are_told_where_the_forecast_is_judged(run, capsys):
    board = run.leaderboard.model_copy(update={"unjudged": {"promo": NOT_IN_TIME}})
    said = "made without promo, which could not be judged (not done within its time): run again with a longer --budget"
    ladder_text(board)
    lines = capsys.readouterr().out.splitlines()
    assert said in lines[next(k for k, line in enumerate(lines) if "chosen:" in line) + 1]
    view = ForecastView(run.project.declaration, run.id, "", run.panel, board, run.accuracy)
    page = render_forecast(view)
    good = page.split('id="good-title"')[1].split("<section")[0]
    assert f"M{said[1:]}." in " ".join(good.split())
    assert "known; not judged, not used" in page
    assert "could not be judged" not in render_forecast(replace(view, leaderboard=run.leaderboard))


def test_a_forecast_of_a_frame_in_one_call(history, ahead):
    made = holdgood.forecast(
        history,
        6,
        target="pieces",
        id="article",
        time="week",
        future=ahead,
        known="promo",
        models=["naive"],
        budget="trials=2",
    )
    assert made.paths.y.shape == (12, 200, 6)
    assert np.allclose(made.quantile(0.5), np.median(made.paths.y, axis=1))
    assert made.accuracy.overall.naive > 0
    polars = holdgood.forecast(
        pl.from_pandas(history[["article", "week", "pieces"]]), 4, models=["naive"], budget="trials=2"
    )
    assert isinstance(polars.frame, pl.DataFrame)
    assert polars.frame.columns[:3] == ["article", "week", "forecast"]
    long = history.rename(columns={"article": "unique_id", "week": "ds", "pieces": "y"})[["unique_id", "ds", "y"]]
    assert holdgood.forecast(long, 3, models=["naive"], budget="trials=2").frame.ds.nunique() == 3


def test_what_cannot_be_forecast_is_told(history):
    with pytest.raises(DeclarationError, match="no horizon"):
        holdgood.forecast(history)
    with pytest.raises(DeclarationError, match="no forecaster named 'arma'"):
        holdgood.forecast(history, 3, target="pieces", models=["arma"])
    with pytest.raises(DeclarationError, match="no column holds times"):
        holdgood.forecast(history.drop(columns="week"), 3)
    with pytest.raises(DataError):
        holdgood.forecast(
            history[history.article == "A04"], 3, target="pieces", id="article", models=["naive"], ended_after=5
        )
    with pytest.raises(DeclarationError, match="known"):
        holdgood.forecast(history, 3, knwon="promo")


def test_until_stops_where_it_is_told(history, words, tmp_path):
    from holdgood.workflow.project import run_project

    history.to_parquet(tmp_path / "sales.parquet")
    history.head(1).to_parquet(tmp_path / "ahead.parquet")
    _project(tmp_path, words | {"forecast": {k: v for k, v in words["forecast"].items() if k != "known"}})
    done = run_project(tmp_path, until="panel")
    assert done.panel.series == 12
    assert Project.at(tmp_path).run().find("train") is None
    with pytest.raises(DeclarationError, match="no step named"):
        run_project(tmp_path, until="panels")
