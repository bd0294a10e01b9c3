"""A shop's weekly sales: even and rare sellers, a promotion that sells, stock-outs, an item that ended and a new one."""

import numpy as np
import pandas as pd
import pytest

WEEKS, HORIZON = 120, 6


def _sales(items=12, weeks=WEEKS, seed=0):
    random = np.random.default_rng(seed)
    start = pd.date_range("2022-01-03", periods=weeks + HORIZON, freq="W-MON")
    frames = []
    for i in range(items):
        promo = random.random(len(start)) < 0.15
        level = 4.0 + 3 * i
        season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(len(start)) / 52 + i)
        rate = level * season * np.where(promo, 2.0, 1.0)
        sold = random.poisson(rate).astype(float)
        if i % 4 == 3:
            sold = np.where(random.random(len(start)) < 0.25, sold, 0.0)
        frames.append(
            pd.DataFrame({"article": f"A{i:02d}", "week": start, "pieces": sold, "promo": promo, "group": "ab"[i % 2]})
        )
    frame = pd.concat(frames, ignore_index=True)
    frame.loc[(frame.article == "A04") & (frame.week > "2022-09-01"), "pieces"] = 0.0
    return frame


@pytest.fixture(scope="session")
def sales():
    return _sales


@pytest.fixture(scope="session")
def history(sales):
    frame = sales()
    return frame[frame.week < frame.week.unique()[WEEKS]].reset_index(drop=True)


@pytest.fixture(scope="session")
def ahead(sales):
    frame = sales()
    future = frame[frame.week >= frame.week.unique()[WEEKS]].drop(columns="pieces")
    new = future[future.article == "A00"].assign(article="NEW")
    return pd.concat([future, new], ignore_index=True)


@pytest.fixture(scope="session")
def words():
    """What is declared, for all of these tests: the naive and the windows are quick."""
    return {
        "tables": {"sales": {}},
        "task": {"target": "pieces", "kind": "forecast", "question": "What will each article sell?"},
        "forecast": {
            "id": "article",
            "time": "week",
            "horizon": HORIZON,
            "known": "promo",
            "lead_times": [2, 4],
            "service_level": 0.95,
        },
        "budget": {"trials": 3, "models": ["window-average"], "workers": 1},
    }
