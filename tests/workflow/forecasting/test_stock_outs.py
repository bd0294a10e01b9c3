"""Stock-outs in a forecast: completed, left out or kept as declared; in hierarchies and bundles too."""

import numpy as np
import pandas as pd
import pytest

import holdgood
from holdgood.bundle import load, save
from holdgood.core.declaration import parse
from holdgood.core.errors import DeclarationError
from holdgood.core.task import Task
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.forecasting.parts import model_of, parts_of

WEEKS, ITEMS = 90, 30


@pytest.fixture(scope="module")
def short():
    """Sales of items whose shelf holds no more than what suffices in seven weeks of ten, and their mean demand."""
    random = np.random.default_rng(3)
    demand = random.poisson(random.gamma(4.0, 5.0, (ITEMS, WEEKS))).astype(float)
    shelf = np.quantile(demand, 0.7, axis=1, keepdims=True).astype(int)
    return pd.DataFrame(
        {
            "article": np.repeat([f"A{i:02d}" for i in range(ITEMS)], WEEKS),
            "group": np.repeat(list("ab") * (ITEMS // 2), WEEKS),
            "week": np.tile(pd.date_range("2023-01-02", periods=WEEKS, freq="W-MON"), ITEMS),
            "pieces": np.minimum(demand, shelf).ravel(),
            "enough": (demand < shelf).ravel(),
        }
    )


def made(frame, **more):
    return holdgood.forecast(
        frame, 4, target="pieces", id="article", time="week", in_stock="enough", models=["window-average"],
        budget="trials=3", **more,
    )  # fmt: skip


def level(found):
    return float(found.frame.forecast.mean())


@pytest.fixture(scope="module")
def imputed(short):
    return made(short, levels=[["group"]])


def test_hidden_demand_is_forecast_by_default_and_the_sums_with_it(imputed, short):
    kept = made(short, stock_outs="keep")
    assert level(kept) < 18
    assert level(imputed) == pytest.approx(20, abs=0.9)
    assert level(made(short, stock_outs="drop")) < level(kept)
    sums = imputed.sums
    total = sums[sums.level == "total"].forecast.mean()
    assert total == pytest.approx(ITEMS * level(imputed))
    assert any("hidden by stock-outs" in n for n in imputed.leaderboard.notes)
    assert not any("hidden by stock-outs" in n for n in made(short.assign(enough=True)).leaderboard.notes)


def test_from_a_bundle_it_is_the_same(imputed, tmp_path):
    task = Task(kind="forecast", metric="mase", target="pieces")
    save(tmp_path / "b", name="b", parts=parts_of(imputed.model), records={}, task=task)
    again = model_of(load(tmp_path / "b").parts)
    assert again.demand.how == "impute"
    assert np.array_equal(again.paths(imputed.read, 30, 0).y, imputed.model.paths(imputed.read, 30, 0).y)


def test_an_update_completes_hidden_demand_as_the_first_fit_did(short, imputed):
    for found in (imputed, made(short)):
        declared = parse({"tables": {"history": {}}, "task": {"target": "pieces", "kind": "forecast"}})
        model = ForecastModel(found.read.plan, found.model, declared, None)
        again = model.updated(short)
        assert again.model.demand == found.model.demand
        assert level(again.forecast(short)) == pytest.approx(level(found))


def test_sums_have_no_week_to_drop(short):
    with pytest.raises(DeclarationError, match="impute"):
        made(short, levels=[["group"]], stock_outs="drop")
