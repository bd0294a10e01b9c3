from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import parse
from holdgood.workflow.excluded import excluded
from holdgood.workflow.folder import Project
from holdgood.workflow.run import run

NOTHING = SimpleNamespace(late=())


def declared(**known):
    table = {"source": "orders.csv", "time": "ordered", "known": known}
    return {"task": {"table": "orders", "target": "delivered > due + 2"}, "tables": {"orders": table}}


@pytest.mark.parametrize(
    ("known", "closed"),
    [
        ({}, {"delivered", "due"}),
        ({"due": "before"}, {"delivered"}),
        ({"due": "ordered"}, {"delivered"}),
        ({"due": "after"}, {"delivered", "due"}),
        ({"due": "before", "delivered": "before"}, {"delivered", "due"}),
    ],
)
def test_of_the_targets_columns_those_declared_as_known_stay_but_never_all(known, closed):
    found = excluded(parse(declared(**known)), ("delivered", "due"), NOTHING)
    assert set(found["orders"]) == closed


def test_a_target_that_is_a_column_is_never_a_feature():
    given = {
        "task": {"table": "t", "target": "late"},
        "tables": {"t": {"source": "t.csv", "known": {"late": "before"}}},
    }
    assert set(excluded(parse(given), ("late",), NOTHING)["t"]) == {"late"}


def test_a_promise_that_is_declared_as_known_is_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    n = 300
    ordered = pd.date_range("2025-01-01", periods=n, freq="6h")
    promised = rng.integers(1, 10, n)
    took = rng.integers(2, 9, n)
    frame = pd.DataFrame({"ordered": ordered, "due": promised, "delivered": took, "weight": rng.normal(size=n)})
    frame.to_csv(tmp_path / "orders.csv", index=False)
    given = declared(due="before") | {"budget": {"trials": 2}}
    made = run(Project(tmp_path, parse(given)))
    used = {source for feature in made.features.features for source in feature.origin}
    assert any("due" in c for c in used)
    assert not any("delivered" in c for c in used)
    late = [f for f in made.audit_target.issues if f.code == "AUD014"]
    assert [f.columns for f in late] == [("delivered",)]
