"""Made-up sales of a few items, and the way from a frame to a panel."""

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import parse
from holdgood.core.table import Table
from holdgood.features.panels.reader import read_panel, settle


def _sales(items=("a", "b"), days=30, start="2024-01-01", freq="D", seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "item": np.repeat(list(items), days),
            "day": np.tile(pd.date_range(start, periods=days, freq=freq), len(items)),
            "sold": random.poisson(5.0, days * len(items)).astype(float),
        }
    )


def _declared(horizon=3, table=None, **forecast):
    return parse(
        {
            "tables": {"sales": table or {}},
            "task": {"target": "sold"},
            "forecast": {"id": "item", "time": "day", "horizon": horizon, **forecast},
        }
    )


def _panel(frame, items=None, future=None, plan=None, **forecast):
    table = Table.of(frame, "sales")
    beside = {
        "items": None if items is None else Table.of(items, "items"),
        "future": None if future is None else Table.of(future, "future"),
    }
    plan = plan or settle(_declared(**forecast), table, beside["items"])
    return read_panel(plan, table, **beside)


@pytest.fixture
def sales():
    return _sales


@pytest.fixture
def declared():
    return _declared


@pytest.fixture
def panel():
    return _panel
