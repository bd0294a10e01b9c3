"""The shipped portfolio, and what becomes of it for a task."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from holdgood.core.errors import DeclarationError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.training.search import within
from holdgood.workflow import candidates as module
from holdgood.workflow.candidates import SMALL, portfolio

TASKS = [
    Task(kind="binary", classes=(0, 1)),
    Task(kind="multiclass", classes=("a", "b", "c")),
    Task(kind="regression", metric="rmse"),
]
SHIPPED = json.loads((files("holdgood.models") / "portfolio.json").read_text(encoding="utf-8"))


def test_there_is_a_list_for_each_kind_and_size_that_begins_with_the_prior():
    assert SHIPPED["format"] == 1
    assert sorted(SHIPPED["lists"]) == ["binary", "multiclass", "regression"]
    for sizes in SHIPPED["lists"].values():
        assert sorted(sizes) == ["large", "medium", "small"]
        for entries in sizes.values():
            names = [e["name"] for e in entries]
            assert len(set(names)) == len(names)
            assert entries[0]["family"] == "prior"
            assert all(e["name"].startswith(e["family"]) for e in entries)


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.kind)
@pytest.mark.parametrize("rows", [500, 10_000, 100_000])
def test_every_entry_of_an_installed_family_makes_a_model_and_names_are_unique(task, rows):
    made = portfolio(task, rows, 10)
    names = [c.name for c in made.candidates]
    assert len(set(names)) == len(names)
    assert {"prior", "linear", "tree", "forest", "lightgbm"} <= {c.family for c in made.candidates}
    for c in made.candidates:
        assert hasattr(c.make_model(), "fit")


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.kind)
def test_a_search_begins_at_the_familys_first_entry(task):
    made = portfolio(task, 1000, 10)
    assert {"linear", "forest", "lightgbm"} <= {s.family for s in made.spaces}
    x = np.random.default_rng(0).normal(size=(80, 3))
    y = {"binary": (x[:, 0] > 0) * 1.0, "multiclass": np.digitize(x[:, 0], [-0.5, 0.5]) * 1.0, "regression": x[:, 0]}
    for space in made.spaces:
        if space.family not in ("linear", "forest", "lightgbm"):
            continue
        missing = [n for n in space.dimensions if n not in space.base]
        assert missing == (["strength"] if space.family == "linear" else [])
        lowest = {n: d[1] if isinstance(d, tuple) else d[0] for n, d in space.dimensions.items()}
        assert all(within(d, lowest[n]) == lowest[n] for n, d in space.dimensions.items())
        candidate = space.make(f"{space.family}-s001", {**space.base, **lowest})
        fitted = candidate.make_model().fit(Matrix(x, ("a", "b", "c")), y[task.kind], None, FitContext(task, rounds=3))
        assert np.isfinite(fitted.predict(Matrix(x, ("a", "b", "c")))).all()


def test_families_may_be_named_and_the_prior_is_always_there():
    made = portfolio(TASKS[0], 500, 10, ["linear"])
    assert [c.name for c in made.candidates[:2]] == ["prior", "linear"]
    assert {c.family for c in made.candidates} == {"prior", "linear"}
    assert [s.family for s in made.spaces] == ["linear"]
    with pytest.raises(DeclarationError, match="no model family named 'linaer'"):
        portfolio(TASKS[0], 500, 10, ["linaer"])


def test_a_family_that_no_list_knows_comes_with_its_own_configurations(monkeypatch):
    monkeypatch.setattr(module, "_listed", lambda: {"binary": {"small": [{"family": "prior", "name": "prior"}]}})
    made = portfolio(TASKS[0], SMALL - 1, 10)
    assert [c.name for c in made.candidates if c.family == "tree"] == ["tree", "tree-short"]


def test_a_listed_family_that_is_not_registered_is_passed_over(monkeypatch):
    entries = [{"family": "prior", "name": "prior"}, {"family": "nowhere", "name": "nowhere", "parameters": {}}]
    monkeypatch.setattr(module, "_listed", lambda: {"binary": {"small": entries}})
    assert "nowhere" not in {c.family for c in portfolio(TASKS[0], 500, 10).candidates}
