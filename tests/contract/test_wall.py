"""Rows changed after the cutoff change nothing before it: the whole line, to the bit."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdgood.core.records.envelope import wrap
from holdgood.workflow.folder import Project
from holdgood.workflow.run import run

CUTOFF = pd.Timestamp("2024-07-01")
KEPT = ("audit-target", "features", "train")


def _company():
    path = Path(__file__).resolve().parents[1] / "workflow" / "conftest.py"
    spec = importlib.util.spec_from_file_location("company_of_the_workflow_tests", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPANY = _company()


def scrambled(tables, seed):
    """The same tables with every fact from the cutoff on replaced: features, outcomes, and what other tables said then."""
    random = np.random.default_rng(seed)
    orders, weather = tables["orders"].copy(), tables["weather"].copy()
    late = orders["placed"] >= CUTOFF
    for column in ("customer", "site", "weight", "note", "left_at", "hours_taken"):
        values = orders.loc[late, column].to_numpy(copy=True)
        random.shuffle(values)
        orders.loc[late, column] = values
    orders.loc[late, "weight"] = orders.loc[late, "weight"] * 100 + 7
    orders.loc[late & (random.random(len(orders)) < 0.3), "hours_taken"] = 9.5
    after = weather["at"] >= CUTOFF
    weather.loc[after, "rain"] = random.normal(1000, 50, after.sum())
    return {**tables, "orders": orders, "weather": weather}


def walk(folder, tables):
    folder.mkdir()
    COMPANY.write_company(folder, tables)
    declared = COMPANY.declaration(
        split={"kind": "time", "cutoff": str(CUTOFF.date())},
        budget={"trials": 6, "workers": 1},
        fairness={"groups": ["site"]},
    )
    return run(Project(folder, declared))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wall")
    tables = COMPANY.company()
    return walk(folder / "as it was", tables), walk(folder / "another future", scrambled(tables, 1))


def plain(record):
    payload = wrap(record)["payload"]

    def clean(value):
        if isinstance(value, dict):
            return {
                k: clean(v)
                for k, v in value.items()
                if k not in {"seconds", "fit_seconds", "predict_us_per_row", "latency_ratio"}
            }
        return [clean(v) for v in value] if isinstance(value, list) else value

    return json.loads(json.dumps(clean(payload)))


def test_the_future_was_really_changed(two):
    one, other = two
    assert one.holdout.metrics != other.holdout.metrics


def test_no_record_of_the_development_rows_moves(two):
    one, other = two
    assert one.split.development == other.split.development

    # AUD017 and AUD020 compare development with holdout rows (never outcomes) and say so; all other checks see one side only
    def mine(report):
        return [o for o in plain(report)["outcomes"] if o["code"] not in ("AUD017", "AUD020")]

    assert mine(one.audit_target) == mine(other.audit_target)
    assert plain(one.features) == plain(other.features)
    assert plain(one.leaderboard) == plain(other.leaderboard)


def test_no_out_of_fold_prediction_and_no_fitted_number_moves(two):
    one, other = two
    for name in ("oof.npy", "oof_rows.npy"):
        first, second = (np.load(r.folder.find("train").path / name) for r in two)
        np.testing.assert_array_equal(first, second)
    models = [
        {
            p.relative_to(r.bundle / "parts").as_posix(): p.read_bytes()
            for p in (r.bundle / "parts").rglob("*")
            if p.is_file()
        }
        for r in (one, other)
    ]
    assert models[0] == models[1]
