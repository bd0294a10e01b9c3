"""What drives a delivered forecast, and planners' adjustments carried up a hierarchy."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from typer.testing import CliRunner

import holdgood
from holdgood.bundle import save
from holdgood.cli.app import app
from holdgood.core.task import Task
from holdgood.workflow.forecasting.carried import into_totals, up_levels
from holdgood.workflow.forecasting.parts import parts_of


@pytest.fixture(scope="module")
def made(history, ahead):
    return holdgood.forecast(
        history, 6, target="pieces", id="article", time="week", known=["promo"], future=ahead, levels=[["group"]], fill="zero",
        lead_times=[2], keep_ended=True, models=["window-average"], static=["group"], budget="trials=3",
    )  # fmt: skip


def test_drivers_add_up_to_the_forecast_of_each_step(made):
    found = made.drivers
    assert list(found.columns) == ["article", "week", "driver", "value"]
    total = found.groupby(["article", "week"]).value.sum()
    forecast = made.frame.set_index(["article", "week"]).forecast
    assert np.allclose(total.loc[forecast.index], forecast)
    assert {"level", "adding up with other levels"} <= set(found.driver)


def test_an_item_without_history_is_as_items_like_it(history, ahead):
    made = holdgood.forecast(
        history, 6, target="pieces", id="article", time="week", known=["promo"], future=ahead, static=["group"],
        models=["window-average"], budget="trials=3",
    )  # fmt: skip
    found = made.drivers
    new = found[(found.article == "NEW") & (found.value != 0)]
    assert set(new.driver) == {"items like it"}
    assert np.allclose(new.groupby("week").value.sum(), made.frame[made.frame.article == "NEW"].forecast)


def test_adjustments_move_sums_by_what_they_move_items():
    random = np.random.default_rng(0)
    own = random.uniform(5, 9, (3, 4))
    moved = own.copy()
    moved[0, 1] += 5
    moved[2, 3] -= 2
    who = np.where(moved != own, "Ada", None)
    steps = pa.table({"forecast": own.ravel(), "adjusted": moved.ravel(), "adjusted_by": who.ravel().tolist()})
    sums = sparse.csr_matrix(np.array([[1, 1, 1], [1, 1, 0]]))
    levels = pa.table({"forecast": (sums @ own).ravel(), "q90": np.ones(8)})
    found = up_levels(levels, steps, sums)
    assert found.column("adjusted").to_numpy() == pytest.approx((sums @ moved).ravel())
    assert found.column("adjusted_items").to_pylist() == [0, 1, 0, 1, 0, 1, 0, 0]
    assert found.select(["forecast", "q90"]).equals(levels)
    leads = [2, 4]
    totals = pa.table({"steps": leads * 3, "forecast": np.stack([own[:, :n].sum(axis=1) for n in leads], 1).ravel()})
    expected = np.stack([moved[:, :n].sum(axis=1) for n in leads], 1).ravel()
    assert into_totals(totals, steps).column("adjusted").to_numpy() == pytest.approx(expected)


def test_the_command_carries_adjustments_up_and_explains(history, ahead, words, tmp_path):
    words = {**words, "forecast": {**words["forecast"], "levels": [["group"]], "static": ["group"], "fill": "zero"}}
    made = holdgood.forecast(history, future=ahead, declaration=words, models=["window-average"], budget="trials=3")
    item = str(made.frame.article.iloc[0])
    folder = tmp_path / "bundle"
    save(
        folder, name="shop", parts={"plan": made.read.plan, **parts_of(made.model)}, records={},
        task=Task(kind="forecast", metric="mase", target="pieces"), extra_json={"declaration": words},
    )  # fmt: skip
    history.to_parquet(tmp_path / "history.parquet")
    ahead[ahead.article != "NEW"].to_parquet(tmp_path / "ahead.parquet")
    pd.DataFrame({"article": [item], "add": [100.0], "who": ["Ada"], "why": ["a fair"]}).to_csv(
        tmp_path / "adjust.csv", index=False
    )
    names = {n: tmp_path / f"{n}.parquet" for n in ("to", "levels", "totals", "explain")}
    result = CliRunner().invoke(
        app,
        ["forecast", str(folder), str(tmp_path / "history.parquet"), "--future", str(tmp_path / "ahead.parquet"),
         "--adjust", str(tmp_path / "adjust.csv"), *(x for n, p in names.items() for x in (f"--{n}", str(p)))],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    out, levels, totals, explain = (pd.read_parquet(p) for p in names.values())
    moved = (levels.adjusted - levels.forecast).groupby(levels["sum"]).sum()
    group = history[history.article == item].group.iloc[0]
    assert moved["total"] == pytest.approx(600) and moved[f"group={group}"] == pytest.approx(600)
    assert moved.sum() == pytest.approx(1200)
    lead = totals[totals.article == item].set_index("steps")
    assert (lead.adjusted - lead.forecast).to_dict() == pytest.approx({2: 200.0, 4: 400.0})
    per_step = explain.groupby(["article", "week"]).value.sum()
    forecast = out.set_index(["article", "week"]).forecast
    assert np.allclose(per_step.loc[forecast.index], forecast)
