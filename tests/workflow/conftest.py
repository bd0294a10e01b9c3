"""A small company: orders, customers, hourly weather; who is late depends on all three, on nothing that is known too late."""

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import parse
from holdgood.workflow.folder import Project


def company(seed=0, n=1500):
    random = np.random.default_rng(seed)
    customers = pd.DataFrame(
        {
            "id": [f"C{i:03d}" for i in range(80)],
            "age": random.integers(1, 30, 80).astype(float),
            "kind": random.choice(["retail", "trade"], 80),
        }
    )
    hours = pd.date_range("2024-01-01", periods=6000, freq="h")
    weather = pd.DataFrame(
        {
            "site": np.repeat(["north", "south"], 6000),
            "at": [*hours, *hours],
            "rain": random.gamma(1.0, 1.0, 12000).round(3),
        }
    )
    placed = (pd.to_datetime("2024-01-03") + pd.to_timedelta(np.sort(random.uniform(0, 5900, n)), unit="h")).floor("s")
    who = random.integers(0, 80, n)
    site = random.choice(["north", "south"], n)
    rain = np.array(
        [
            weather.rain.values[(s == "south") * 6000 + int((t - hours[0]) / pd.Timedelta("1h"))]
            for s, t in zip(site, placed, strict=True)
        ]
    )
    weight = random.normal(10, 3, n)
    score = 1.2 * (rain - 1) + 0.25 * (weight - 10) + 0.8 * (customers.kind.values[who] == "trade") - 1.0
    late_hours = np.where(random.random(n) < 1 / (1 + np.exp(-score)), 5.0, 0.5) + random.random(n)
    cancelled = random.random(n) < 0.04
    orders = pd.DataFrame(
        {
            "order": [f"O{i:05d}" for i in range(n)],
            "customer": customers.id.values[who],
            "site": site,
            "placed": placed,
            "weight": np.where(random.random(n) < 0.05, np.nan, weight).round(3),
            "note": random.choice(["leave at the door please thank you", "ring twice and wait a moment", ""], n),
            "left_at": (placed + pd.to_timedelta(late_hours * 0.5, unit="h")).floor("s"),
            "hours_taken": late_hours.round(3),
        }
    )
    orders.loc[cancelled, ["left_at", "hours_taken"]] = None
    return {"orders": orders, "customers": customers, "weather": weather}


def declaration(**changes):
    base = {
        "name": "company",
        "task": {"table": "orders", "target": "hours_taken > 3", "question": "Which orders will be late?"},
        "costs": {"currency": "EUR", "miss": 30, "false_alarm": 4, "per": "order"},
        "people": {"affected": ["customers"], "harms": ["a late order"]},
        "fairness": {"groups": ["site", "customers.kind"], "min_rows": 50},
        "split": {"kind": "time", "holdout": 0.25, "folds": 3},
        # no forest: it takes longer than all else together, and the demo and the engine's own tests have it
        "budget": {"trials": 5, "workers": 1, "models": ["linear", "tree", "additive", "lightgbm"]},
        "tables": {
            "orders": {"source": "orders.parquet", "key": ["order"], "ids": ["order"], "time": "placed"},
            "customers": {"source": "customers.parquet", "key": ["id"], "join": {"on": {"customer": "id"}}},
            "weather": {
                "source": "weather.parquet",
                "time": "at",
                "join": {"on": {"site": "site"}, "tolerance": "6 hours"},
            },
        },
    }
    for section, values in changes.items():
        base[section] = {**base[section], **values} if isinstance(base.get(section), dict) else values
    return parse(base)


def write_company(folder, tables=None):
    for name, frame in (tables or company()).items():
        frame.to_parquet(folder / f"{name}.parquet")


@pytest.fixture(scope="session")
def company_tables():
    return company()


@pytest.fixture(scope="session")
def company_declaration():
    """The company's, with one quick family and little to tell: for tests of what comes after a run."""
    return declaration(budget={"trials": 2, "workers": 1, "models": ["linear"]}, people={}, fairness={"groups": []})


@pytest.fixture
def make_company():
    return company


@pytest.fixture
def make_declaration():
    return declaration


@pytest.fixture
def project(tmp_path):
    write_company(tmp_path)
    return Project(tmp_path, declaration())


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One finished run of the company, shared by tests that only read it."""
    from holdgood.workflow.run import run

    folder = tmp_path_factory.mktemp("company")
    write_company(folder)
    return run(Project(folder, declaration()))
