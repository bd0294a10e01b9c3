"""A shop with a bundle: eight articles by week, the naive and windows, and a state of the stock beside them."""

import numpy as np
import pandas as pd
import pytest

from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.project import run_project

WEEKS, LATER, HORIZON = 110, 6, 6
TOML = """
version = 1
[task]
target = "pieces"
table = "sales"
[tables.sales]
source = "sales.csv"
[forecast]
id = "article"
time = "week"
horizon = 6
[budget]
trials = 2
workers = 1
models = ["naive", "window-average"]
[orders]
holding_rate = 0.26
currency = "EUR"
"""


def _sales():
    random = np.random.default_rng(5)
    weeks = pd.date_range("2022-01-03", periods=WEEKS + LATER, freq="W-MON")
    return pd.concat(
        [
            pd.DataFrame(
                {"article": f"A{i}", "week": weeks, "pieces": random.poisson(6 + 4 * i, len(weeks)).astype(float)}
            )
            for i in range(8)
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="session")
def whole():
    return _sales()


@pytest.fixture(scope="session")
def history(whole):
    return whole[whole.week < whole.week.unique()[WEEKS]].reset_index(drop=True)


@pytest.fixture
def state():
    """Everything is known of every article."""
    return pd.DataFrame(
        {
            "article": [f"A{i}" for i in range(8)],
            "on_hand": [5.0, 10, 80, 20, 0, 60, 30, 500],
            "on_order": [0.0, 20, 0, 0, 30, 0, 0, 0],
            "arrives": [None, 1, None, None, 2, None, None, None],
            "supplier": ["ACME", "Bolt"] * 4,
            "price": 10.0,
            "unit_cost": 6.0,
            "lead_time": [0, 1, 1, 2, 1, 2, 0, 1],
            "pack": [0, 6, 0, 0, 10, 0, 0, 0],
        }
    )


@pytest.fixture(scope="session")
def project(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("shop")
    history.to_csv(folder / "sales.csv", index=False)
    (folder / "holdgood.toml").write_text(TOML, encoding="utf-8")
    run_project(folder)
    return folder


@pytest.fixture(scope="session")
def bundle(project):
    return project / "runs" / "0001" / "bundle"


@pytest.fixture(scope="session")
def model(bundle):
    return ForecastModel.load(bundle)
